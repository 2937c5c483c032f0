use graph::Encoding;

/// How far a result may be from its definition: a share of the scale, which is
/// the largest magnitude of the wanted tensor, or an absolute distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// Times the largest magnitude of what is wanted.
    OfScale(f64),
    /// In the tensor's own unit.
    Absolute(f64),
}

/// What a deep network may lose to the order of sums and to Winograd's
/// transforms: the promise made for every tap.
pub const TAP: Tolerance = Tolerance::OfScale(1e-4);
/// What one operation may lose: a few hundred roundings of 2⁻²⁴.
pub const REORDERED: Tolerance = Tolerance::OfScale(2e-5);

/// One level of an 8-bit picture in a network's numbers.
pub fn one_level(encoding: &Encoding) -> Tolerance {
    let std = encoding.std.into_iter().fold(0.0, f32::max);
    Tolerance::Absolute(f64::from(encoding.scale) / 255.0 / f64::from(std))
}

/// The first value that is too far off.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("[{index}]: got {got}, want {want}, which is {off:.2e} off; allowed is {allowed:.2e}")]
pub struct Mismatch {
    /// Its place.
    pub index: usize,
    /// What was computed.
    pub got: f32,
    /// What is right.
    pub want: f32,
    /// The distance.
    pub off: f64,
    /// The largest distance allowed.
    pub allowed: f64,
}

/// The largest magnitude, NaN left out.
pub fn largest(values: &[f32]) -> f64 {
    values.iter().fold(0.0, |m, v| f64::from(v.abs()).max(m))
}

impl Tolerance {
    /// The largest distance allowed where the scale is this.
    pub fn allowed(self, scale: f64) -> f64 {
        match self {
            Self::OfScale(share) => share * scale,
            Self::Absolute(distance) => distance,
        }
    }
}

/// Compares value by value; NaN is close to NaN alone, an infinity to itself.
///
/// # Errors
///
/// The worst value, if one is further off than allowed.
///
/// # Panics
///
/// If the lengths differ.
pub fn check_close(got: &[f32], want: &[f32], tolerance: Tolerance) -> Result<(), Mismatch> {
    assert_eq!(got.len(), want.len(), "as many values as wanted");
    let allowed = tolerance.allowed(largest(want));
    let off = |g: f32, w: f32| {
        let same = if g.is_finite() {
            false
        } else {
            g.is_nan() && w.is_nan() || g.to_bits() == w.to_bits()
        };
        let off = (f64::from(g) - f64::from(w)).abs();
        if same {
            0.0
        } else if off.is_nan() {
            f64::INFINITY
        } else {
            off
        }
    };
    let worst =
        (0..got.len()).max_by(|&a, &b| off(got[a], want[a]).total_cmp(&off(got[b], want[b])));
    match worst.map(|i| (i, off(got[i], want[i]))) {
        Some((index, off)) if off > allowed => {
            Err(Mismatch { index, got: got[index], want: want[index], off, allowed })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_the_wanted_tensors() {
        let tolerance = Tolerance::OfScale(0.01);
        assert_eq!(check_close(&[100.0, 0.9], &[100.0, 0.0], tolerance), Ok(()));
        let worst = check_close(&[100.0, 1.5, 3.0], &[100.0, 0.0, 0.0], tolerance).unwrap_err();
        assert_eq!((worst.index, worst.allowed), (2, 1.0));
    }

    #[test]
    fn a_level_is_one_of_255() {
        assert_eq!(one_level(&Encoding::BYTES), Tolerance::Absolute(1.0));
        assert_eq!(one_level(&Encoding::UNIT), Tolerance::Absolute(1.0 / 255.0));
        let Tolerance::Absolute(level) = one_level(&Encoding::IMAGENET) else { panic!() };
        assert!((level * 255.0 * 0.229 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn nan_is_close_to_nan_alone() {
        const WIDE: Tolerance = Tolerance::Absolute(1.0);
        let nan = f32::NAN;
        assert_eq!(check_close(&[nan], &[nan], WIDE), Ok(()));
        assert!(check_close(&[nan], &[0.0], WIDE).is_err());
        assert!(check_close(&[0.0], &[nan], WIDE).is_err());
        assert!(check_close(&[f32::INFINITY], &[f32::NEG_INFINITY], WIDE).is_err());
        assert_eq!(check_close(&[f32::INFINITY], &[f32::INFINITY], WIDE), Ok(()));
    }
}
