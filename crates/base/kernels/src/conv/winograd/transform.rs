//! The transforms of F(2×2, 3×3) (points 0, 1, −1, ∞) and F(4×4, 3×3) (0, 1, −1,
//! 2, −2, ∞), one axis at a time.

use fearless_simd::prelude::*;

/// The size of an output tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tile {
    /// F(2×2, 3×3).
    Two,
    /// F(4×4, 3×3).
    Four,
}

/// Positions of the larger tile.
pub(super) const POSITIONS: usize = 36;

/// The row of both input transforms, that of the point −1, which is zero where
/// inputs 1 and 2 are equal, and 3 and 4: what an input enlarged ×2 shows.
pub(super) const ZERO_WHEN_DOUBLED: usize = 2;

impl Tile {
    /// The cheaper one: on a plane that tiles of four do not fill, tiles of two waste less.
    pub(super) fn for_size(height: usize, width: usize) -> Self {
        let work = |tile: Self| {
            let m = tile.outputs();
            height.div_ceil(m) * width.div_ceil(m) * tile.inputs() * tile.inputs()
        };
        if work(Self::Two) < work(Self::Four) { Self::Two } else { Self::Four }
    }

    /// Outputs along a side.
    pub(super) fn outputs(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Inputs along a side.
    pub(super) fn inputs(self) -> usize {
        self.outputs() + 2
    }

    /// A 3×3 kernel at each position: `G g Gᵀ`.
    pub(super) fn transform_kernel(self, kernel: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let rows: &[[f64; 3]] = match self {
            Self::Two => &[[1., 0., 0.], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0., 0., 1.]],
            Self::Four => &[
                [1. / 4., 0., 0.],
                [-1. / 6., -1. / 6., -1. / 6.],
                [-1. / 6., 1. / 6., -1. / 6.],
                [1. / 24., 1. / 12., 1. / 6.],
                [1. / 24., -1. / 12., 1. / 6.],
                [0., 0., 1.],
            ],
        };
        let value = |a: &[f64; 3], b: &[f64; 3]| {
            (0..9).map(|i| a[i / 3] * kernel(i / 3, i % 3) * b[i % 3]).sum()
        };
        rows.iter().flat_map(|a| rows.iter().map(move |b| value(a, b))).collect()
    }
}

/// `Bᵀ d` for `N` inputs, 4 or 6.
#[inline(always)]
pub(super) fn input<S: Simd, const N: usize>(simd: S, d: [S::f32s; N]) -> [S::f32s; N] {
    let k = |x: f32| S::f32s::splat(simd, x);
    let mut out = d;
    if N == 4 {
        out[0] = d[0] - d[2];
        out[1] = d[1] + d[2];
        out[2] = d[2] - d[1];
        out[3] = d[1] - d[3];
    } else {
        let even = k(-4.0).mul_add(d[2], d[4]);
        let odd = k(-4.0).mul_add(d[1], d[3]);
        let (wide, tall) = (d[4] - d[2], k(2.0) * (d[3] - d[1]));
        out[0] = k(4.0).mul_add(d[0], k(-5.0).mul_add(d[2], d[4]));
        out[1] = even + odd;
        out[2] = even - odd;
        out[3] = wide + tall;
        out[4] = wide - tall;
        out[5] = k(4.0).mul_add(d[1], k(-5.0).mul_add(d[3], d[5]));
    }
    out
}

/// `Aᵀ m` for `N` products and `M = N − 2` outputs.
#[inline(always)]
pub(super) fn output<S: Simd, const N: usize, const M: usize>(
    simd: S,
    m: [S::f32s; N],
) -> [S::f32s; M] {
    let k = |x: f32| S::f32s::splat(simd, x);
    let mut out = [m[0]; M];
    let (sum1, diff1) = (m[1] + m[2], m[1] - m[2]);
    if N == 4 {
        out[0] = m[0] + sum1;
        out[1] = diff1 - m[3];
    } else {
        let (sum2, diff2) = (m[3] + m[4], m[3] - m[4]);
        out[0] = m[0] + sum1 + sum2;
        out[1] = k(2.0).mul_add(diff2, diff1);
        out[2] = k(4.0).mul_add(sum2, sum1);
        out[3] = k(8.0).mul_add(diff2, diff1) + m[5];
    }
    out
}
