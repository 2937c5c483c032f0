//! Colours that sRGB can show, at a given lightness and hue.

use super::expanded;

/// Linear sRGB at this lightness and a share `s` of the chroma, given as
/// `[f(X) − f(Y), f(Y), f(Z) − f(Y)]`: Lab's a and b are multiples of the differences.
#[inline(always)]
pub(crate) fn at([dx, y, dz]: [f32; 3], s: f32) -> [f32; 3] {
    expanded([y + s * dx, y, y + s * dz])
}

/// What the powers' error of 2⁻¹⁹, cubed (×3) and mixed by weights of 5.3 in all, may
/// leave outside: a tenth of an 8-bit step where sRGB is steepest.
const SLACK: f32 = 3.0 * 5.3 / (1u32 << 19) as f32;

pub(crate) fn in_gamut(linear: [f32; 3]) -> bool {
    // NaN counts as inside and is left alone.
    linear.iter().all(|v| v.is_nan() || (-SLACK..=1.0 + SLACK).contains(v))
}

/// The greatest share of the chroma, to 2⁻¹², that stays in the gamut. The gamut is
/// entered once on the way to grey: it is star-shaped around the grey axis
/// as far as 8 bits can tell.
pub(crate) fn greatest_chroma(lab: [f32; 3]) -> f32 {
    let (mut inside, mut outside) = (0.0, 1.0);
    for _ in 0..12 {
        let middle = 0.5 * (inside + outside);
        if in_gamut(at(lab, middle)) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    inside
}
