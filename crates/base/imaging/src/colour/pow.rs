//! Powers without a call into the C library, so that loops over pixels vectorise.

/// `x` to the power `p`, for normal `x` over 0 and results within `f32`: right to
/// 2⁻¹⁹ of the value (its logarithm's rounding, times `p`) for `|p| ≤ 2.4` and `x` in 0.003..=1.1.
#[inline(always)]
pub(super) fn powf(x: f32, p: f32) -> f32 {
    exp2(log2(x) * p)
}

/// The cube root of a normal `x` over 0.
#[inline(always)]
pub(super) fn cbrt(x: f32) -> f32 {
    powf(x, 1.0 / 3.0)
}

/// `log2(m · 2ᵉ) = e + 2/ln 2 · artanh((m − 1)/(m + 1))` with `m` in √½..√2, where the
/// series to the ninth power is right to 2⁻²⁸.
#[inline(always)]
fn log2(x: f32) -> f32 {
    const HALF_ROOT: u32 = 0x3f35_04f3; // √½
    let shifted = x.to_bits().wrapping_sub(HALF_ROOT) as i32;
    let exponent = shifted >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub((exponent << 23) as u32));
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let series = 1.0 + s2 * (1.0 / 3.0 + s2 * (1.0 / 5.0 + s2 * (1.0 / 7.0 + s2 * (1.0 / 9.0))));
    exponent as f32 + s * series * (2.0 / std::f32::consts::LN_2)
}

/// The whole part goes to the exponent, the rest, at most ½, through a Taylor
/// series to the seventh power, right to 2⁻²⁷.
#[inline(always)]
fn exp2(x: f32) -> f32 {
    /// Adding this to a small number leaves its nearest integer in the lowest bits.
    const MAGIC: f32 = 12_582_912.0; // 1.5 · 2²³
    let shifted = x + MAGIC;
    let whole = shifted.to_bits().wrapping_sub(MAGIC.to_bits());
    let t = (x - (shifted - MAGIC)) * std::f32::consts::LN_2;
    let series = 1.0
        + t * (1.0
            + t * (1.0 / 2.0
                + t * (1.0 / 6.0
                    + t * (1.0 / 24.0 + t * (1.0 / 120.0 + t * (1.0 / 720.0 + t / 5040.0))))));
    f32::from_bits(series.to_bits().wrapping_add(whole << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_right_to_two_to_the_minus_19() {
        for p in [2.4, 1.0 / 2.4, 1.0 / 3.0] {
            for i in 0..100_000 {
                let x = 0.003 + i as f32 * 1.097e-5;
                let want = f64::from(x).powf(f64::from(p));
                let off = (f64::from(powf(x, p)) / want - 1.0).abs();
                assert!(off < 1.0 / f64::from(1u32 << 19), "{x}^{p}: off {off}");
            }
        }
    }
}
