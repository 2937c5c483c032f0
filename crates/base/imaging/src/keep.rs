use rayon::prelude::*;
use tensor::Tensor;

use crate::{
    Filter,
    colour::{
        self,
        gamut::{at, greatest_chroma, in_gamut},
        planes, planes_mut,
    },
    resize_tensor,
};

/// Pixels handled as one piece of parallel work, small enough for the cache.
const STRETCH: usize = 1 << 12;

/// The stylised picture in the original's colours: the lightness of the one,
/// hue and chroma of the other, in CIE Lab.
///
/// Both are `[1, 3, H, W]`, sRGB in 0..=1 (values beyond are clamped); the
/// result is as large as `stylised`, to which `original` is resampled if the
/// sizes differ. Where no sRGB colour has that lightness and chroma, the chroma
/// is reduced until one has; lightness and hue stay. NaN gives NaN.
///
/// # Panics
///
/// If either is not `[1, 3, H, W]` with `H` and `W` at least 1.
///
/// # Source
///
/// Gatys, Bethge, Hertzmann & Shechtman, "Preserving Color in Neural Artistic
/// Style Transfer", arXiv:1606.05897, section 3 (luminance-only transfer). They
/// work in YIQ; Lab's lightness is closer to what is seen, and its hue is what
/// stays when chroma has to give.
pub fn keep_colours(stylised: &Tensor, original: &Tensor) -> Tensor {
    let lightness = planes(stylised);
    let [_, _, height, width] = stylised.shape4();
    let resized = (original.shape() != stylised.shape())
        .then(|| resize_tensor(original, [height, width], Filter::Triangle));
    let chroma = planes(resized.as_ref().unwrap_or(original));
    let mut out = Tensor::zeros(stylised.shape());
    let [r, g, b] = planes_mut(&mut out);
    r.par_chunks_mut(STRETCH)
        .zip(g.par_chunks_mut(STRETCH).zip(b.par_chunks_mut(STRETCH)))
        .enumerate()
        .for_each(|(i, (r, (g, b)))| {
            let range = i * STRETCH..i * STRETCH + r.len();
            let lightness = lightness.map(|plane| &plane[range.clone()]);
            let chroma = chroma.map(|plane| &plane[range.clone()]);
            recolour(lightness, chroma, [r, g, b]);
        });
    out
}

/// One stretch of three planes. Each pass is a loop of its own over plain slices:
/// so they vectorise, all but the one that reduces chroma, which few pixels need.
fn recolour(lightness: [&[f32]; 3], chroma: [&[f32]; 3], mut out: [&mut [f32]; 3]) {
    let style = lightness.map(linear);
    let original = chroma.map(linear);
    let y = compressed(1, &style);
    let [mut dx, oy, mut dz] = [0, 1, 2].map(|axis| compressed(axis, &original));
    for plane in [&mut dx, &mut dz] {
        plane.iter_mut().zip(&oy).for_each(|(d, y)| *d -= y);
    }
    let [red, green, blue] = &mut out;
    let light = red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut());
    for (((r, g), b), ((&dx, &y), &dz)) in light.zip(dx.iter().zip(&y).zip(&dz)) {
        [*r, *g, *b] = at([dx, y, dz], 1.0);
    }
    for i in 0..y.len() {
        if !in_gamut([red[i], green[i], blue[i]]) {
            let lab = [dx[i], y[i], dz[i]];
            [red[i], green[i], blue[i]] = at(lab, greatest_chroma(lab));
        }
    }
    for plane in out {
        for v in plane {
            *v = colour::srgb_of_linear(v.clamp(0.0, 1.0));
        }
    }
}

#[inline(never)]
fn linear(plane: &[f32]) -> Vec<f32> {
    plane.iter().map(|v| colour::linear_of_srgb(v.clamp(0.0, 1.0))).collect()
}

#[inline(never)]
fn compressed(axis: usize, [r, g, b]: &[Vec<f32>; 3]) -> Vec<f32> {
    let pixels = r.iter().zip(g).zip(b);
    pixels.map(|((&r, &g), &b)| colour::compressed(axis, [r, g, b])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{lab_of_srgb, tests::lab};

    fn picture(pixels: &[[f32; 3]]) -> Tensor {
        let data = (0..3).flat_map(|c| pixels.iter().map(move |p| p[c])).collect();
        Tensor::new([1, 3, 1, pixels.len()], data)
    }

    fn pixel(t: &Tensor, i: usize) -> [f64; 3] {
        planes(t).map(|plane| f64::from(plane[i]))
    }

    /// Every 1/8 of each channel.
    fn grid() -> Vec<[f32; 3]> {
        (0..729).map(|i| [i / 81, i / 9 % 9, i % 9].map(|v| v as f32 / 8.0)).collect()
    }

    /// 1/1024 in sRGB, a quarter of an 8-bit step.
    const QUARTER: f64 = 1.0 / 1024.0;

    #[test]
    fn a_picture_in_its_own_colours_is_itself() {
        let source = picture(&grid());
        let got = keep_colours(&source, &source);
        for (got, want) in got.data().iter().zip(source.data()) {
            assert!(f64::from((got - want).abs()) <= QUARTER, "got {got}, want {want}");
        }
    }

    /// Lightness to 0.1 and hue to 1° where there is chroma to speak of: the slack at
    /// the gamut's edge and a clamp of it move dark colours by no more.
    #[test]
    fn lightness_is_the_styles_and_hue_the_originals() {
        let originals = grid();
        for style in [[0.9, 0.2, 0.4], [0.1, 0.1, 0.2], [1.0, 1.0, 0.9], [0.3, 0.8, 0.3]] {
            let got = keep_colours(&picture(&vec![style; originals.len()]), &picture(&originals));
            let [want_l, _, _] = lab(style.map(f64::from));
            for (i, original) in originals.iter().enumerate() {
                let [l, a, b] = lab(pixel(&got, i));
                assert!((l - want_l).abs() < 0.1, "{style:?} {original:?}: {l} for {want_l}");
                let [_, oa, ob] = lab(original.map(f64::from));
                let (chroma, want_chroma) = (a.hypot(b), oa.hypot(ob));
                assert!(chroma <= want_chroma + 0.1, "{style:?} {original:?}: more chroma");
                if chroma > 4.0 {
                    let turned = (a * ob - b * oa).atan2(a * oa + b * ob).to_degrees().abs();
                    assert!(turned < 1.0, "{style:?} {original:?}: hue off by {turned}°");
                }
            }
        }
    }

    #[test]
    fn black_white_nan_and_other_sizes_are_taken() {
        let style = picture(&[[0.0; 3], [1.0; 3], [f32::NAN; 3], [5.0, -3.0, 0.5]]);
        let got = keep_colours(&style, &picture(&[[0.9, 0.1, 0.1]]));
        for c in 0..3 {
            assert!(pixel(&got, 0)[c] < QUARTER && pixel(&got, 1)[c] > 1.0 - QUARTER);
            assert!(pixel(&got, 2)[c].is_nan() && pixel(&got, 3)[c].is_finite());
        }
    }

    #[test]
    fn grey_stays_grey() {
        let got = keep_colours(&picture(&[[0.8, 0.1, 0.3]]), &picture(&[[0.5; 3]]));
        let [_, a, b] = lab_of_srgb(pixel(&got, 0).map(|v| v as f32));
        assert!(a.hypot(b) < 0.1, "a {a}, b {b}");
    }
}
