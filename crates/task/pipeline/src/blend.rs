//! How much of the photograph stays.

use imaging::{Filter, Picture};
use tensor::Tensor;

use crate::{Colors, PipelineError, StylizeOptions};

/// What [`Stylizer::stylize`](crate::Stylizer::stylize) makes of `picture` with this strength and these colours, from what
/// it made with strength 1 and the style's colours, without the network. Equal up to the
/// rounding of `styled`'s values.
///
/// The result is of `size`, or else as large as `styled`.
///
/// # Errors
///
/// [`PipelineError::Option`] if the strength is not from 0 to 1.
pub fn blended(
    (picture, styled): (&Picture, &Picture),
    (strength, colors): (f32, Colors),
    size: Option<[usize; 2]>,
) -> Result<Picture, PipelineError> {
    StylizeOptions { strength, ..StylizeOptions::default() }.check()?;
    let size = size.unwrap_or(styled.size());
    let (full, own) = (strength >= 1.0 && colors == Colors::Style, size == styled.size());
    if full && own {
        return Ok(styled.clone());
    }
    let rgb = scaled(picture, size);
    let styled = composed(scaled(styled, size), &rgb, (strength, colors));
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

pub(crate) fn composed(
    mut styled: Tensor,
    rgb: &Tensor,
    (strength, colors): (f32, Colors),
) -> Tensor {
    if colors == Colors::Picture {
        styled = imaging::keep_colours(&styled, rgb);
    }
    if strength < 1.0 {
        weaken(&mut styled, rgb, strength);
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
            let at_once =
                composed(styled.clone(), &scaled(&picture, [13, 17]), (strength, Colors::Style));
            let want = picture.with_rgb_tensor(&at_once);
            let got = blended((&picture, &kept), (strength, Colors::Style), None).unwrap();
            let off = bytes(&got).iter().zip(bytes(&want)).map(|(g, w)| g.abs_diff(*w)).max();
            assert!(off <= Some(1), "{strength}: {off:?}");
        }
        assert_eq!(blended((&picture, &kept), (0.0, Colors::Style), None).unwrap(), picture);
    }

    #[test]
    fn the_pictures_colours_and_another_size_can_be_chosen_afterwards() {
        let (picture, styled) = (noise([12, 16], 0), noise([6, 8], 5));
        let got = blended((&picture, &styled), (1.0, Colors::Picture), None).unwrap();
        let want = imaging::keep_colours(&scaled(&styled, [6, 8]), &scaled(&picture, [6, 8]));
        assert_eq!(got, picture.with_rgb_tensor(&want));
        let small = blended((&picture, &styled), (0.5, Colors::Style), Some([3, 4])).unwrap();
        assert_eq!(small.size(), [3, 4]);
        assert!(blended((&picture, &styled), (1.5, Colors::Style), None).is_err());
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
