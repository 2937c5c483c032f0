//! The transforms of F(2×2, 3×3) (points 0, 1, −1, ∞) and F(4×4, 3×3) (0, 1, −1,
//! 2, −2, ∞), one axis at a time; and those of a kernel at stride 2.
//!
//! At stride 2 the outer taps of a kernel only ever meet every second pixel, and the
//! middle one the pixels between: four outputs in a line are F(4, 2) (points 0, 1, −1,
//! 2, ∞) of the former, five products, and the four products of the latter as they are.
//! That is 81 multiplications for 4×4 outputs where the definition has 144. The
//! positions of the middle tap all have the same kernel.

use fearless_simd::prelude::*;

/// The size of an output tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tile {
    /// F(2×2, 3×3).
    Two,
    /// F(4×4, 3×3).
    Four,
    /// 4×4 outputs at stride 2.
    Strided,
}

/// How tiles are transformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// F(2×2, 3×3): 4×4 inputs.
    Two,
    /// The same on an input where inputs 1 and 2 are always equal: 3×3 are left.
    TwoDoubled,
    /// F(4×4, 3×3): 6×6 inputs.
    Four,
    /// The same on an input where inputs 1 and 2 are always equal, and 3 and 4:
    /// 4×4 are left.
    FourDoubled,
    /// 4×4 outputs at stride 2: 9×9 inputs.
    Strided,
}

/// The position, along an axis, that is zero where inputs are doubled: that of
/// the point −1, which takes the difference of the pairs.
const ZERO_WHEN_DOUBLED: usize = 2;

impl Form {
    /// For any input.
    pub(super) fn of(tile: Tile) -> Self {
        match tile {
            Tile::Two => Self::Two,
            Tile::Four => Self::Four,
            Tile::Strided => Self::Strided,
        }
    }

    /// For an input that shows each pixel twice.
    pub(super) fn doubled(tile: Tile) -> Self {
        match tile {
            Tile::Two => Self::TwoDoubled,
            Tile::Four => Self::FourDoubled,
            Tile::Strided => Self::Strided,
        }
    }

    pub(super) fn is_doubled(self) -> bool {
        matches!(self, Self::TwoDoubled | Self::FourDoubled)
    }

    /// Different inputs along a side, and how many from one tile to the next.
    pub(super) fn reach(self) -> [usize; 2] {
        match self {
            Self::TwoDoubled => [3, 1],
            Self::Two | Self::FourDoubled => [4, 2],
            Self::Four => [6, 4],
            Self::Strided => [9, 8],
        }
    }

    /// The kernel of each position of a tile that is not always zero.
    pub(super) fn kernels(self) -> impl Iterator<Item = usize> {
        let (n, distinct) = match self {
            Self::Two | Self::TwoDoubled => (4, 4),
            Self::Four | Self::FourDoubled => (6, 6),
            Self::Strided => (9, 6),
        };
        let zero = self.is_doubled().then_some(ZERO_WHEN_DOUBLED);
        let places = (0..n * n).map(move |p| [p / n, p % n]);
        let places = places.filter(move |p| zero.is_none_or(|z| !p.contains(&z)));
        places.map(move |[y, x]| y.min(distinct - 1) * distinct + x.min(distinct - 1))
    }
}

impl Tile {
    /// The cheaper one: on a plane that tiles of four do not fill, tiles of two waste less.
    pub(super) fn for_size(stride: usize, [height, width]: [usize; 2]) -> Self {
        let work = |tile: Self| {
            let m = tile.outputs();
            height.div_ceil(m) * width.div_ceil(m) * tile.kernels()
        };
        match stride {
            2 => Self::Strided,
            _ if work(Self::Two) < work(Self::Four) => Self::Two,
            _ => Self::Four,
        }
    }

    /// Outputs along a side.
    pub(super) fn outputs(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four | Self::Strided => 4,
        }
    }

    /// Different kernels.
    pub(super) fn kernels(self) -> usize {
        self.rows().len() * self.rows().len()
    }

    fn rows(self) -> &'static [[f64; 3]] {
        match self {
            Self::Two => &TWO,
            Self::Four => &FOUR,
            Self::Strided => &STRIDED,
        }
    }

    /// The different kernels made from one of 3×3, row after row: `G g Gᵀ`. The smaller
    /// tile uses the first 16 values.
    pub(super) fn transform_kernel(self, kernel: &[[f64; 3]; 3]) -> [f64; 36] {
        let rows = self.rows();
        let mut values = [0.0; 36];
        for (y, down) in rows.iter().enumerate() {
            let row = [0, 1, 2].map(|x| dot3(down, [kernel[0][x], kernel[1][x], kernel[2][x]]));
            for (x, across) in rows.iter().enumerate() {
                values[y * rows.len() + x] = dot3(across, row);
            }
        }
        values
    }
}

/// `G` of F(2, 3).
const TWO: [[f64; 3]; 4] = [[1., 0., 0.], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0., 0., 1.]];

/// `G` of F(4, 2) on the outer taps, and the middle one.
const STRIDED: [[f64; 3]; 6] = [
    [1. / 2., 0., 0.],
    [-1. / 2., 0., -1. / 2.],
    [-1. / 6., 0., 1. / 6.],
    [1. / 6., 0., 1. / 3.],
    [0., 0., 1.],
    [0., 1., 0.],
];

/// `G` of F(4, 3).
const FOUR: [[f64; 3]; 6] = [
    [1. / 4., 0., 0.],
    [-1. / 6., -1. / 6., -1. / 6.],
    [-1. / 6., 1. / 6., -1. / 6.],
    [1. / 24., 1. / 12., 1. / 6.],
    [1. / 24., -1. / 12., 1. / 6.],
    [0., 0., 1.],
];

fn dot3(a: &[f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Three taps in a line at each position of F(4, 3): `G g`.
pub(in crate::conv) fn transform_taps(taps: [f64; 3]) -> [f64; 6] {
    FOUR.map(|row| dot3(&row, taps))
}

/// `A d`, the adjoint of [`output`] of F(4, 3).
#[inline(always)]
pub(in crate::conv) fn spread<S: Simd>(simd: S, d: [S::f32s; 4]) -> [S::f32s; 6] {
    let k = |x: f32| S::f32s::splat(simd, x);
    let (even, odd) = (d[0] + d[2], d[1] + d[3]);
    let wide = k(4.0).mul_add(d[2], d[0]);
    let tall = k(2.0) * k(4.0).mul_add(d[3], d[1]);
    [d[0], even + odd, even - odd, wide + tall, wide - tall, d[3]]
}

/// `Bᵀ d` for `I` inputs, without the position that is zero where inputs are
/// doubled: 6 inputs, 6 positions, or 4 and 5; 4 and 4, or 3 and 3. For stride 2, 9 and 9.
#[inline(always)]
pub(in crate::conv) fn input<S: Simd, const I: usize, const P: usize>(
    simd: S,
    d: [S::f32s; I],
) -> [S::f32s; P] {
    let k = |x: f32| S::f32s::splat(simd, x);
    let mut out = [k(0.0); P];
    match (I, P) {
        (6, 6) => {
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
        (9, 9) => outer_and_middle(simd, &d, &mut out),
        (4, 5) => {
            // d stands for d₀ d₁ d₁ d₂ d₂ d₃.
            let odd = k(-4.0).mul_add(d[1], d[2]);
            let step = d[2] - d[1];
            out[0] = k(4.0).mul_add(d[0], k(-5.0).mul_add(d[1], d[2]));
            out[1] = odd + odd;
            out[2] = k(3.0) * step;
            out[3] = d[1] - d[2];
            out[4] = k(4.0).mul_add(d[1], k(-5.0).mul_add(d[2], d[3]));
        }
        (4, 4) => {
            out[0] = d[0] - d[2];
            out[1] = d[1] + d[2];
            out[2] = d[2] - d[1];
            out[3] = d[1] - d[3];
        }
        _ => {
            // d stands for d₀ d₁ d₁ d₂.
            out[0] = d[0] - d[1];
            out[1] = d[1] + d[1];
            out[2] = d[1] - d[2];
        }
    }
    out
}

/// [`input`] at stride 2: `Bᵀ` of F(4, 2) on every second of nine inputs, then those between.
#[inline(always)]
fn outer_and_middle<S: Simd>(simd: S, d: &[S::f32s], out: &mut [S::f32s]) {
    let k = |x: f32| S::f32s::splat(simd, x);
    let step = d[6] - d[2];
    out[0] = k(2.0).mul_add(d[0] - d[4], step);
    out[1] = k(-2.0).mul_add(d[2], d[6] - d[4]);
    out[2] = k(2.0).mul_add(d[2], k(-3.0).mul_add(d[4], d[6]));
    out[3] = step;
    out[4] = k(-2.0).mul_add(step, d[8] - d[4]);
    for i in 0..4 {
        out[5 + i] = d[2 * i + 1];
    }
}

/// `Aᵀ m` for `P` products, as many as [`input`] gives, and `M` outputs.
#[inline(always)]
pub(in crate::conv) fn output<S: Simd, const P: usize, const M: usize>(
    simd: S,
    m: [S::f32s; P],
) -> [S::f32s; M] {
    let k = |x: f32| S::f32s::splat(simd, x);
    let mut out = [m[0]; M];
    if M == 2 {
        let [sum, diff] = if P == 4 { [m[1] + m[2], m[1] - m[2]] } else { [m[1], m[1]] };
        out[0] = m[0] + sum;
        out[1] = diff - m[P - 1];
    } else if P == 9 {
        let (sum, diff) = (m[1] + m[2], m[1] - m[2]);
        out[0] = m[0] + sum + m[3] + m[5];
        out[1] = k(2.0).mul_add(m[3], diff) + m[6];
        out[2] = k(4.0).mul_add(m[3], sum) + m[7];
        out[3] = k(8.0).mul_add(m[3], diff) + m[4] + m[8];
    } else {
        let [sum1, diff1] = if P == 6 { [m[1] + m[2], m[1] - m[2]] } else { [m[1], m[1]] };
        let (sum2, diff2) = (m[P - 3] + m[P - 2], m[P - 3] - m[P - 2]);
        out[0] = m[0] + sum1 + sum2;
        out[1] = k(2.0).mul_add(diff2, diff1);
        out[2] = k(4.0).mul_add(sum2, sum1);
        out[3] = k(8.0).mul_add(diff2, diff1) + m[P - 1];
    }
    out
}
