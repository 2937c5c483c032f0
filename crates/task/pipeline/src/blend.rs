//! How much of the photograph stays.

use imaging::{Filter, Picture};
use tensor::Tensor;

use crate::PipelineError;

/// How much of a painting shows, and how much of the picture's colours it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    /// From 0, the picture as it is, to 1, the painting in full.
    pub strength: f32,
    /// From 0, the style's colours, to 1, the picture's.
    pub keep: f32,
}

impl Blend {
    /// The painting as the style has it.
    pub const FULL: Self = Self { strength: 1.0, keep: 0.0 };

    fn check(self) -> Result<(), PipelineError> {
        for (option, share) in [("strength", self.strength), ("keep", self.keep)] {
            if !(0.0..=1.0).contains(&share) {
                let value = share.to_string();
                return Err(PipelineError::Option { option, value, range: "from 0 to 1" });
            }
        }
        Ok(())
    }
}

impl Default for Blend {
    fn default() -> Self {
        Self::FULL
    }
}

/// What [`Stylizer::stylize`](crate::Stylizer::stylize) makes of `picture` with this strength and these colours, from what
/// it made with strength 1 and the style's colours, without the network. Equal up to the
/// rounding of `styled`'s values. With colours kept in part it is
/// `picture + strength · (painting − picture)`, where the painting is
/// `styled + keep · (kept − styled)`.
///
/// The result is of `size`, or else as large as `styled`.
///
/// # Errors
///
/// [`PipelineError::Option`] if a share is not from 0 to 1.
pub fn blended(
    (picture, styled): (&Picture, &Picture),
    blend: Blend,
    size: Option<[usize; 2]>,
) -> Result<Picture, PipelineError> {
    blend.check()?;
    let size = size.unwrap_or(styled.size());
    if blend == Blend::FULL && size == styled.size() {
        return Ok(styled.clone());
    }
    let rgb = scaled(picture, size);
    let styled = composed(scaled(styled, size), &rgb, blend);
    drop(rgb);
    Ok(picture.with_rgb_tensor(&styled))
}

/// A picture's colours at a size.
pub(crate) fn scaled(picture: &Picture, size: [usize; 2]) -> Tensor {
    if size == picture.size() {
        return picture.to_rgb_tensor();
    }
    picture.to_rgb_tensor_of(size, Filter::default())
}

/// As [`blended`], of tensors of one size.
pub(crate) fn composed(mut styled: Tensor, rgb: &Tensor, blend: Blend) -> Tensor {
    if blend.keep > 0.0 {
        let mut kept = imaging::keep_colours(&styled, rgb);
        if blend.keep < 1.0 {
            weaken(&mut kept, &styled, blend.keep);
        }
        styled = kept;
    }
    if blend.strength < 1.0 {
        weaken(&mut styled, rgb, blend.strength);
    }
    styled
}

/// `picture + strength · (styled − picture)`, in place of `styled`.
fn weaken(styled: &mut Tensor, picture: &Tensor, strength: f32) {
    for (to, &from) in styled.data_mut().iter_mut().zip(picture.data()) {
        *to = from + strength * (*to - from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imaging::{Channels, Pixels};

    /// A picture of values that follow no rule, alpha among them.
    fn noise(size: [usize; 2], seed: usize) -> Picture {
        let n = size[0] * size[1] * 4;
        let values = (0..n).map(|i| ((i + seed) * 7919 % 65_521 % 256) as u8).collect();
        Picture::new(size, Channels::Rgba, Pixels::U8(values))
    }

    fn weak(strength: f32) -> Blend {
        Blend { strength, keep: 0.0 }
    }

    fn bytes(picture: &Picture) -> &[u8] {
        let Pixels::U8(values) = picture.pixels() else { panic!("not 8 bits") };
        values
    }

    /// A styled picture that was rounded to bytes is off by half a level, which `strength` of it
    /// and the rounding of the result make one level of at most.
    #[test]
    fn blending_afterwards_is_as_good_as_at_once() {
        let picture = noise([13, 17], 0);
        let mut styled = scaled(&noise([13, 17], 5), [13, 17]);
        styled
            .data_mut()
            .iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v *= 0.9 + 0.1 / (1 + i) as f32);
        let kept = picture.with_rgb_tensor(&styled);
        for strength in [0.0, 0.3, 0.8, 1.0] {
            let at_once = composed(styled.clone(), &scaled(&picture, [13, 17]), weak(strength));
            let want = picture.with_rgb_tensor(&at_once);
            let got = blended((&picture, &kept), weak(strength), None).unwrap();
            let off = bytes(&got).iter().zip(bytes(&want)).map(|(g, w)| g.abs_diff(*w)).max();
            assert!(off <= Some(1), "{strength}: {off:?}");
        }
        assert_eq!(blended((&picture, &kept), weak(0.0), None).unwrap(), picture);
    }

    #[test]
    fn the_pictures_colours_and_another_size_can_be_chosen_afterwards() {
        let (picture, styled) = (noise([12, 16], 0), noise([6, 8], 5));
        let got = blended((&picture, &styled), Blend { strength: 1.0, keep: 1.0 }, None).unwrap();
        let want = imaging::keep_colours(&scaled(&styled, [6, 8]), &scaled(&picture, [6, 8]));
        assert_eq!(got, picture.with_rgb_tensor(&want));
        let small = blended((&picture, &styled), weak(0.5), Some([3, 4])).unwrap();
        assert_eq!(small.size(), [3, 4]);
        assert!(blended((&picture, &styled), weak(1.5), None).is_err());
    }

    /// The definition in f64; both round once to a byte.
    #[test]
    fn colours_can_be_kept_in_part() {
        let (picture, styled) = (noise([9, 11], 0), noise([9, 11], 5));
        let [own, painted] = [&picture, &styled].map(|p| scaled(p, [9, 11]));
        let kept = imaging::keep_colours(&painted, &own);
        for keep in [0.1f32, 0.5, 0.75] {
            let mix = |(&a, &b): (&f32, &f32)| {
                (f64::from(a) + f64::from(keep) * (f64::from(b) - f64::from(a))) as f32
            };
            let values = painted.data().iter().zip(kept.data()).map(mix).collect();
            let want = picture.with_rgb_tensor(&Tensor::new([1, 3, 9, 11], values));
            let blend = Blend { strength: 1.0, keep };
            let got = blended((&picture, &styled), blend, None).unwrap();
            let off = bytes(&got).iter().zip(bytes(&want)).map(|(g, w)| g.abs_diff(*w)).max();
            assert!(off <= Some(1), "{keep}: {off:?}");
            assert_ne!(got, styled, "{keep}: nothing was kept");
        }
        for keep in [-0.1, 1.1, f32::NAN] {
            let wrong = Blend { strength: 1.0, keep };
            assert!(blended((&picture, &styled), wrong, None).is_err(), "{keep}");
        }
    }

    #[test]
    fn strength_runs_from_the_picture_to_the_style() {
        let pixel = |rgb: [f32; 3]| Tensor::new([1, 3, 1, 1], rgb.to_vec());
        let (picture, style) = (pixel([0.0, 0.5, 1.0]), pixel([1.0, 0.5, 0.0]));
        for (strength, want) in [(0.0, [0.0, 0.5, 1.0]), (0.25, [0.25, 0.5, 0.75])] {
            let mut out = style.clone();
            weaken(&mut out, &picture, strength);
            assert_eq!(out.data(), want);
        }
    }
}
