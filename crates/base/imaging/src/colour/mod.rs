//! sRGB, linear light, XYZ, CIE Lab, and colours as a choice among bins.
//!
//! All is that of scikit-image: white point D65, 2° observer. The functions of one
//! pixel compute in `f32` and are written so that a loop over pixels vectorises; the
//! tests hold them to the definition in `f64`. [`Lab`] is a whole picture, much
//! faster. [`ab_bins`], [`SoftBins`], [`Prior`] and [`annealed_mean`] are what a
//! network that classifies colours needs.

mod bins;
mod curve;
mod decode;
pub(crate) mod gamut;
mod lab;
mod pow;
mod prior;

use tensor::Tensor;

pub use bins::{BINS, NEAREST, SoftBins, ab_bins};
pub use decode::{ColorError, PAPERS_TEMPERATURE, annealed_mean};
pub use lab::Lab;
pub use prior::{PAPERS_LAMBDA, Prior};

pub(crate) use curve::Level;
use pow::{cbrt, powf};

/// D65, 2° observer.
const WHITE: [f32; 3] = [0.950_47, 1.0, 1.088_83];

/// Linear sRGB to XYZ.
const XYZ_OF_RGB: [[f32; 3]; 3] = [
    [0.412_453, 0.357_58, 0.180_423],
    [0.212_671, 0.715_16, 0.072_169],
    [0.019_334, 0.119_193, 0.950_227],
];

/// The inverse of [`XYZ_OF_RGB`].
const RGB_OF_XYZ: [[f32; 3]; 3] = [
    [3.240_481_3, -1.537_151_5, -0.498_536_33],
    [-0.969_255, 1.875_99, 0.041_555_926],
    [0.055_646_64, -0.204_041_34, 1.057_311],
];

/// One sRGB value in 0..=1 to linear light in 0..=1.
///
/// # Source
///
/// IEC 61966-2-1.
#[inline(always)]
pub fn linear_of_srgb(value: f32) -> f32 {
    // The power is taken of both, so that the loop has no branch.
    let curve = powf((value.max(0.04) + 0.055) / 1.055, 2.4);
    if value > 0.040_45 { curve } else { value / 12.92 }
}

/// Linear light in 0..=1 to one sRGB value in 0..=1.
///
/// # Source
///
/// IEC 61966-2-1.
#[inline(always)]
pub fn srgb_of_linear(light: f32) -> f32 {
    let curve = 1.055 * powf(light.max(0.003), 1.0 / 2.4) - 0.055;
    if light > 0.003_130_8 { curve } else { light * 12.92 }
}

/// The grey of one sRGB pixel: Rec. 709's weights on the encoded values.
///
/// # Source
///
/// scikit-image's `rgb2gray`. Lab's lightness is another number: there the weights
/// are on linear light.
#[inline(always)]
pub fn grey_of_srgb(rgb: [f32; 3]) -> f32 {
    dot([0.2125, 0.7154, 0.0721], rgb)
}

/// Linear sRGB in 0..=1 to XYZ, where white is 0.95047, 1, 1.08883.
///
/// # Source
///
/// scikit-image's `rgb2xyz`.
#[inline(always)]
pub fn xyz_of_linear(linear: [f32; 3]) -> [f32; 3] {
    XYZ_OF_RGB.map(|row| dot(row, linear))
}

/// XYZ to linear sRGB; beyond 0..=1 where no sRGB colour is meant.
///
/// # Source
///
/// scikit-image's `xyz2rgb`, before its curve and its clamp.
#[inline(always)]
pub fn linear_of_xyz(xyz: [f32; 3]) -> [f32; 3] {
    RGB_OF_XYZ.map(|row| dot(row, xyz))
}

/// XYZ to Lab: L in 0..=100, a and b about −110..=110.
///
/// # Source
///
/// CIE 15; constants as in scikit-image's `xyz2lab`.
#[inline(always)]
pub fn lab_of_xyz([x, y, z]: [f32; 3]) -> [f32; 3] {
    lab_of_compressed([cie_f(x / WHITE[0]), cie_f(y / WHITE[1]), cie_f(z / WHITE[2])])
}

/// Lab to XYZ. Where b is so large that no light could be so little blue, Z is that of
/// `f(Z)` = 0, as in scikit-image's `lab2xyz`.
#[inline(always)]
pub fn xyz_of_lab(lab: [f32; 3]) -> [f32; 3] {
    let [x, y, z] = compressed_of_lab(lab).map(cie_f_inverse);
    [x * WHITE[0], y * WHITE[1], z * WHITE[2]]
}

/// One sRGB pixel in 0..=1 to Lab: L in 0..=100, a and b about −110..=110.
///
/// # Source
///
/// scikit-image's `rgb2lab`.
#[inline(always)]
pub fn lab_of_srgb(rgb: [f32; 3]) -> [f32; 3] {
    lab_of_linear(rgb.map(linear_of_srgb))
}

/// One Lab pixel to sRGB, clamped to 0..=1.
///
/// # Source
///
/// scikit-image's `lab2rgb`.
#[inline(always)]
pub fn srgb_of_lab(lab: [f32; 3]) -> [f32; 3] {
    linear_of_lab(lab).map(|v| srgb_of_linear(v.clamp(0.0, 1.0)))
}

/// Linear sRGB in 0..=1 to Lab.
#[inline(always)]
pub fn lab_of_linear(linear: [f32; 3]) -> [f32; 3] {
    lab_of_compressed([0, 1, 2].map(|axis| compressed(axis, linear)))
}

/// Lab to linear sRGB; beyond 0..=1 where no sRGB colour is meant.
#[inline(always)]
pub fn linear_of_lab(lab: [f32; 3]) -> [f32; 3] {
    expanded(compressed_of_lab(lab))
}

#[inline(always)]
fn lab_of_compressed([x, y, z]: [f32; 3]) -> [f32; 3] {
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[inline(always)]
fn compressed_of_lab([l, a, b]: [f32; 3]) -> [f32; 3] {
    let y = (l + 16.0) / 116.0;
    [y + a / 500.0, y, (y - b / 200.0).max(0.0)]
}

/// `f` of CIE Lab's definition of X, Y or Z (0, 1 or 2) over white, from linear sRGB.
#[inline(always)]
pub(crate) fn compressed(axis: usize, linear: [f32; 3]) -> f32 {
    cie_f(dot(XYZ_OF_RGB[axis], linear) / WHITE[axis])
}

/// Linear sRGB from `f` of X, Y and Z over white; out of 0..=1 where no sRGB
/// colour is meant.
#[inline(always)]
pub(crate) fn expanded(compressed: [f32; 3]) -> [f32; 3] {
    let [x, y, z] = compressed;
    let xyz = [cie_f_inverse(x) * WHITE[0], cie_f_inverse(y), cie_f_inverse(z) * WHITE[2]];
    [dot(RGB_OF_XYZ[0], xyz), dot(RGB_OF_XYZ[1], xyz), dot(RGB_OF_XYZ[2], xyz)]
}

#[inline(always)]
fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[inline(always)]
fn cie_f(t: f32) -> f32 {
    let root = cbrt(t.max(0.008));
    if t > 0.008_856 { root } else { 7.787 * t + 16.0 / 116.0 }
}

#[inline(always)]
fn cie_f_inverse(t: f32) -> f32 {
    if t > 0.206_896_6 { t * t * t } else { (t - 16.0 / 116.0) / 7.787 }
}

/// The three planes of `[1, 3, H, W]`.
pub(crate) fn planes(source: &Tensor) -> [&[f32]; 3] {
    let [1, 3, height, width] = *source.shape() else {
        panic!("a picture is [1, 3, H, W], not {:?}", source.shape())
    };
    let (first, rest) = source.data().split_at(height * width);
    let (second, third) = rest.split_at(height * width);
    [first, second, third]
}

/// The three planes of `[1, 3, H, W]`, to write.
pub(crate) fn planes_mut(target: &mut Tensor) -> [&mut [f32]; 3] {
    let area = target.data().len() / 3;
    let (first, rest) = target.data_mut().split_at_mut(area);
    let (second, third) = rest.split_at_mut(area);
    [first, second, third]
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "as scikit-image writes and prints them")]
pub(crate) mod tests {
    use super::*;

    /// scikit-image's `rgb2lab`, in f64.
    pub(crate) fn lab(rgb: [f64; 3]) -> [f64; 3] {
        let linear =
            rgb.map(|v| if v > 0.04045 { ((v + 0.055) / 1.055).powf(2.4) } else { v / 12.92 });
        let matrix = [
            [0.412453, 0.357580, 0.180423],
            [0.212671, 0.715160, 0.072169],
            [0.019334, 0.119193, 0.950227],
        ];
        let white = [0.95047, 1.0, 1.08883];
        let f = |i: usize| {
            let t: f64 = matrix[i].iter().zip(linear).map(|(m, v)| m * v).sum::<f64>() / white[i];
            if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 }
        };
        [116.0 * f(1) - 16.0, 500.0 * (f(0) - f(1)), 200.0 * (f(1) - f(2))]
    }

    /// `skimage.color.rgb2lab` 0.26.0 of these pixels, printed to ten digits.
    #[test]
    fn the_definition_is_scikit_images() {
        let cases = [
            ([1.0, 1.0, 1.0], [100.0000000000, -0.0024549379, 0.0046534212]),
            ([1.0, 0.0, 0.0], [53.2405879437, 80.0923082257, 67.2027510444]),
            ([0.0, 1.0, 0.0], [87.7350994883, -86.1830297444, 83.1797031754]),
            ([0.0, 0.0, 1.0], [32.2956725650, 79.1855909118, -107.8573002067]),
            ([0.5, 0.5, 0.5], [53.3889647411, -0.0014684965, 0.0027835869]),
            ([0.02, 0.03, 0.01], [1.8478271102, -1.3760798855, 1.6952592715]),
            ([0.9, 0.4, 0.1], [58.3400439932, 45.9916290763, 61.3641047631]),
            ([0.1, 0.6, 0.8], [59.2988361911, -14.3539669429, -35.2230113817]),
        ];
        for (rgb, want) in cases {
            for (got, want) in lab(rgb).iter().zip(want) {
                assert!((got - want).abs() < 1e-9, "{rgb:?}: got {got}, want {want}");
            }
        }
    }

    /// Every 1/17 of each channel: both branches of both curves.
    fn grid() -> impl Iterator<Item = [f32; 3]> {
        (0..18usize.pow(3)).map(|i| [i / 324, i / 18 % 18, i % 18].map(|v| v as f32 / 17.0))
    }

    /// `powf` is right to 2⁻¹⁹ of the value, of which the cube root leaves a third; it, the
    /// sums and the division add roundings of less than 2⁻²¹. `a` takes 500 times two `f`,
    /// each at most 1.
    const LAB: f64 = 500.0 * 2.0 * (1.0 / 3.0 + 0.25) / (1u64 << 19) as f64;

    #[test]
    fn lab_matches_the_definition() {
        for rgb in grid() {
            let want = lab(rgb.map(f64::from));
            for (got, want) in lab_of_srgb(rgb).into_iter().zip(want) {
                let off = (f64::from(got) - want).abs();
                assert!(off <= LAB, "{rgb:?}: got {got}, want {want}");
            }
        }
    }

    /// Back again: an error in `f` of less than 2⁻¹⁹ is cubed (×3), mixed by weights of at most
    /// 3.24 + 1.54 + 0.5, and met by the sRGB curve's slope, 12.92 at most.
    const BACK: f32 = 3.0 * 5.3 * 12.92 / (1u32 << 19) as f32;

    #[test]
    fn srgb_comes_back_from_lab() {
        for rgb in grid() {
            for (got, want) in srgb_of_lab(lab_of_srgb(rgb)).into_iter().zip(rgb) {
                assert!((got - want).abs() <= BACK, "{rgb:?}: got {got}, want {want}");
            }
        }
    }

    #[test]
    fn nothing_becomes_nan_or_leaves_the_gamut() {
        for lab in [[0.0, 0.0, 0.0], [100.0, 0.0, 0.0], [50.0, 200.0, -200.0], [5.0, -90.0, 90.0]] {
            for v in srgb_of_lab(lab) {
                assert!((0.0..=1.0).contains(&v), "{lab:?}: {v}");
            }
        }
    }
}
