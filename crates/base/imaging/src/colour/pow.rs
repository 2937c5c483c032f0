//! Powers without a call into the C library, so that loops over pixels vectorise.

/// `x` to the power `p`, for normal `x` over 0 and results within `f32`: right to
/// 2⁻¹⁹ of the value (its logarithm's rounding, times `p`) for `|p| ≤ 2.4` and `x` in 0.003..=1.1.
#[inline(always)]
pub(super) fn powf(x: f32, p: f32) -> f32 {
    exp2(log2(x) * p)
}

/// The cube root of a normal `x` over 0, right to 2⁻²².
///
/// A third of the exponent and the mantissa, read as one number, is a root to 4 %. Halley's
/// step leaves ⅔ of the cube of such an error, so two of them leave nothing; the second
/// is written as a small correction, which loses less to rounding.
#[inline(always)]
pub(super) fn cbrt(x: f32) -> f32 {
    const THIRD: u32 = 0x2a51_19f2; // ⅔ of the exponent's offset, balanced over a mantissa
    let y = f32::from_bits(x.to_bits() / 3 + THIRD);
    let cube = y * y * y;
    let y = y * (cube + 2.0 * x) / (2.0 * cube + x);
    let cube = y * y * y;
    y + y * (x - cube) / (2.0 * cube + x)
}

/// `2^x` for `x` in −126..=126, right to 2⁻²² and what `x` itself is off by.
#[inline(always)]
pub(super) fn power_of_two(x: f32) -> f32 {
    exp2(x)
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
    fn cube_roots_are_right_to_two_to_the_minus_22() {
        for i in 0..400_000u32 {
            let x = f32::from_bits(0x3b80_0000 + i * 170); // 0.0039 to over 1.1
            let off = (f64::from(cbrt(x)) / f64::from(x).cbrt() - 1.0).abs();
            assert!(off < 1.0 / f64::from(1u32 << 22), "∛{x}: off {off}");
        }
    }

    #[test]
    fn powers_of_two_are_right_to_two_to_the_minus_22() {
        for i in -126_000i32..=126_000 {
            let x = i as f32 / 1000.0;
            let off = (f64::from(power_of_two(x)) / f64::from(x).exp2() - 1.0).abs();
            assert!(off < 1.0 / f64::from(1u32 << 22), "2^{x}: off {off}");
        }
    }

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
