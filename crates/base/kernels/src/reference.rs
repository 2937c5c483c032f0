//! What tests share: seeded data, and how far a sum may be from its definition.

use crate::Level;

/// `n` values in −1..1, the same every time (splitmix64).
pub(crate) fn noise(n: usize) -> Vec<f32> {
    let mut state = n as u64;
    (0..n)
        .map(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// Asserts that `got[i]` is `want(i)`, NaN included.
///
/// The values are sums of `terms` products of numbers in −1..1. Rounding each
/// step costs at most half an ulp of a partial sum, which stays below the sum
/// of absolute products, about `terms / 3`: `terms² · ε / 6`; but errors do not
/// all point one way, and `8 · √terms · ε · √terms` holds with room.
pub(crate) fn assert_close(got: &[f32], want: impl Fn(usize) -> f64, terms: usize, level: Level) {
    assert_near(got, want, 8.0 * terms as f64 * f64::from(f32::EPSILON), level);
}

/// Asserts that `got[i]` is within `tolerance` of `want(i)`, NaN included.
pub(crate) fn assert_near(got: &[f32], want: impl Fn(usize) -> f64, tolerance: f64, level: Level) {
    for (i, &g) in got.iter().enumerate() {
        let w = want(i);
        let same = (f64::from(g) - w).abs() <= tolerance || (g.is_nan() && w.is_nan());
        assert!(same, "{}: value {i} is {g}, not {w} (±{tolerance:e})", level.name());
    }
}
