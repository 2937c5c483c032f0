use rayon::prelude::*;
use tensor::Tensor;

use super::pow::power_of_two;

/// The temperature that the paper found best to look at.
pub const PAPERS_TEMPERATURE: f32 = 0.38;

/// Why a distribution over bins cannot be decoded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ColorError {
    /// There is not one channel for each bin.
    #[error("{got} channels are not one for each of {want} bins")]
    Bins {
        /// Channels of the logits.
        got: usize,
        /// Bins.
        want: usize,
    },
    /// The temperature is not in (0, 1].
    #[error("a temperature of {got} is not over 0 and at most 1")]
    Temperature {
        /// The temperature.
        got: f32,
    },
}

/// Decodes a distribution over ab bins into one ab value per pixel.
///
/// This is the *annealed mean*: a softmax sharpened by `temperature`, then the
/// expectation over bin centres. `1.0` is the plain mean (smooth, desaturated);
/// towards `0.0` it tends to the mode (vivid, spotty); the paper uses `0.38`.
///
/// # Shapes and units
///
/// | | shape | unit |
/// |---|---|---|
/// | `logits` | `[N, Q, H, W]` | unnormalised log-probability, any offset per pixel |
/// | `centres` | `Q` × `[a, b]` | CIELAB (D65), about −110..=110 |
/// | result | `[N, 2, H, W]` | CIELAB a, then b, within the hull of `centres` |
///
/// A pixel with a logit that is no finite number gives NaN.
///
/// # Errors
///
/// - [`ColorError::Bins`] if `Q` is not `centres.len()`, or 0.
/// - [`ColorError::Temperature`] if `temperature` is not in (0, 1].
///
/// # Source
///
/// Zhang, Isola & Efros, "Colorful Image Colorization", ECCV 2016, eq. 5.
///
/// # Example
///
/// ```
/// use imaging::colour::{ColorError, annealed_mean};
/// use tensor::Tensor;
///
/// let logits = Tensor::new([1, 2, 1, 1], vec![0.0, 0.0]);
/// let ab = annealed_mean(&logits, &[[10.0, -20.0], [30.0, 20.0]], 0.38)?;
/// assert_eq!(ab.data(), [20.0, 0.0]);
/// # Ok::<(), ColorError>(())
/// ```
pub fn annealed_mean(
    logits: &Tensor,
    centres: &[[f32; 2]],
    temperature: f32,
) -> Result<Tensor, ColorError> {
    let [n, bins, height, width] = logits.shape4();
    if bins != centres.len() || bins == 0 {
        return Err(ColorError::Bins { got: bins, want: centres.len() });
    }
    if !(temperature > 0.0 && temperature <= 1.0) {
        return Err(ColorError::Temperature { got: temperature });
    }
    let area = height * width;
    let mut ab = Tensor::zeros([n, 2, height, width]);
    let sharpness = std::f32::consts::LOG2_E / temperature;
    for (logits, ab) in logits.data().chunks(bins * area).zip(ab.data_mut().chunks_mut(2 * area)) {
        let (a, b) = ab.split_at_mut(area);
        a.par_chunks_mut(STRETCH).zip(b.par_chunks_mut(STRETCH)).enumerate().for_each(
            |(i, (a, b))| {
                let own = i * STRETCH..i * STRETCH + a.len();
                let planes = logits.chunks(area).map(|plane| &plane[own.clone()]);
                means(planes, centres, sharpness, [a, b]);
            },
        );
    }
    Ok(ab)
}

/// Pixels decoded together.
const STRETCH: usize = 256;

/// Where a share is less than 2⁻¹²⁶ of the largest, nobody sees what it is.
const LEAST: f32 = -126.0;

/// The mean of some pixels, of which `planes` gives the logits, bin by bin.
fn means<'a>(
    planes: impl Iterator<Item = &'a [f32]> + Clone,
    centres: &[[f32; 2]],
    sharpness: f32,
    [a, b]: [&mut [f32]; 2],
) {
    let mut most = [f32::NEG_INFINITY; STRETCH];
    for plane in planes.clone() {
        most.iter_mut().zip(plane).for_each(|(most, &logit)| *most = most.max(logit));
    }
    let mut sum = [0.0; STRETCH];
    for (plane, centre) in planes.zip(centres) {
        let totals = sum.iter_mut().zip(a.iter_mut().zip(b.iter_mut()));
        for ((&logit, most), (sum, (a, b))) in plane.iter().zip(&most).zip(totals) {
            let share = power_of_two(((logit - most) * sharpness).max(LEAST));
            *sum += share + logit * 0.0; // NaN, and says so, where it is not finite
            *a += share * centre[0];
            *b += share * centre[1];
        }
    }
    for ((a, b), sum) in a.iter_mut().zip(b).zip(sum) {
        *a /= sum;
        *b /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{BINS, ab_bins};

    /// The definition, in f64.
    fn reference(logits: &[f32], centres: &[[f32; 2]], t: f64) -> [f64; 2] {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shares: Vec<f64> =
            logits.iter().map(|&l| ((f64::from(l) - f64::from(most)) / t).exp()).collect();
        let sum: f64 = shares.iter().sum();
        [0, 1].map(|k| {
            shares.iter().zip(centres).map(|(s, c)| s * f64::from(c[k])).sum::<f64>() / sum
        })
    }

    /// A sum of 313 terms is off by at most 313 roundings of 2⁻²⁴, both of them; each share by
    /// a few; centres are at most 110.
    const FAR: f64 = 110.0 * 2.0 * 330.0 / (1u64 << 24) as f64;

    #[test]
    fn the_mean_is_the_definitions() {
        let (n, area) = (2, 3 * 171); // more than a stretch, and a short one
        let mut bits = 1u64;
        let mut random = || {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (bits >> 40) as f32 / 8_388_608.0 - 1.0
        };
        for (spread, offset) in [(0.0, 0.0), (1.0, 0.0), (8.0, 1000.0), (60.0, -5.0)] {
            let data: Vec<f32> = (0..n * BINS * area).map(|_| random() * spread + offset).collect();
            let logits = Tensor::new([n, BINS, 3, 171], data);
            for t in [1.0, 0.38, 0.01] {
                let ab = annealed_mean(&logits, ab_bins(), t).unwrap();
                for i in (0..n * area).step_by(37) {
                    let (image, pixel) = (i / area, i % area);
                    let at = |q: usize| logits.data()[(image * BINS + q) * area + pixel];
                    let own: Vec<f32> = (0..BINS).map(at).collect();
                    let want = reference(&own, ab_bins(), t.into());
                    for (k, want) in want.into_iter().enumerate() {
                        let got = f64::from(ab.data()[(image * 2 + k) * area + pixel]);
                        assert!((got - want).abs() < FAR, "T {t}, spread {spread}: {got}, {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_is_none_afterwards() {
        let logits = Tensor::new([1, 2, 1, 3], vec![0.0, f32::NAN, 5.0, 0.0, 1.0, f32::INFINITY]);
        let ab = annealed_mean(&logits, &[[1.0, 2.0], [3.0, 4.0]], 1.0).unwrap();
        let finite: Vec<bool> = ab.data().iter().map(|v| v.is_finite()).collect();
        assert_eq!(finite, [true, false, false, true, false, false]);
    }

    #[test]
    fn wrong_bins_and_temperatures_are_refused() {
        let logits = Tensor::zeros([1, 2, 1, 1]);
        let one = annealed_mean(&logits, &[[0.0; 2]], 1.0);
        assert_eq!(one.unwrap_err(), ColorError::Bins { got: 2, want: 1 });
        for t in [0.0, -1.0, 1.5, f32::NAN] {
            let error = annealed_mean(&logits, &[[0.0; 2]; 2], t).unwrap_err();
            assert!(matches!(error, ColorError::Temperature { .. }), "{error}");
        }
    }
}
