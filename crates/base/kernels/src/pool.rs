use fearless_simd::prelude::*;
use tensor::Plane;

use crate::bands::{Band, Collect, for_bands};
use crate::simd::at_level;
use crate::{Gate, Level};

/// What a window yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest value; NaN if there is one.
    Max,
    /// The sum over the window's area, parts off the picture counting as zeros.
    Average,
    /// The mean of the part on the picture.
    AverageInside,
}

/// A pooling.
#[derive(Clone, Copy, Debug)]
pub struct PoolSpec {
    /// What a window yields.
    pub kind: PoolKind,
    /// Side of the window.
    pub kernel: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// Border pixels at the top and left.
    pub before: [usize; 2],
}

impl PoolSpec {
    /// The pixels of window `i` along an axis with `before` border pixels.
    pub(crate) fn window(self, i: usize, before: usize, size: usize) -> std::ops::Range<usize> {
        let start = i * self.stride;
        start.saturating_sub(before)..(start + self.kernel).saturating_sub(before).min(size)
    }
}

/// Pools `from` into `to`, then applies `gate`.
///
/// # Panics
///
/// If channels differ.
pub fn pool(level: Level, from: &Plane, spec: PoolSpec, to: &mut Plane, gate: Gate) {
    let [_, _, _, width] = to.shape();
    let [_, _, h, w] = from.shape();
    let area = (spec.kernel * spec.kernel) as f32;
    let windows = Windows {
        rows: (0..to.shape()[2]).map(|y| spec.window(y, spec.before[0], h)).collect(),
        columns: (0..width).map(|x| spec.window(x, spec.before[1], w)).collect(),
        fold: if spec.kind == PoolKind::Max { Fold::Largest } else { Fold::Sum },
        area: (spec.kind == PoolKind::Average).then_some(area),
    };
    run(level, from, &windows, to, gate);
}

/// Mean over windows that divide the plane into as many parts as `to` has
/// pixels: window `i` of `n` covers `⌊i·size/n⌋ .. ⌈(i+1)·size/n⌉` (PyTorch's
/// `adaptive_avg_pool2d`).
///
/// # Panics
///
/// If channels differ.
pub fn adaptive_average(level: Level, from: &Plane, to: &mut Plane) {
    let ([_, _, h, w], [_, _, oh, ow]) = (from.shape(), to.shape());
    let windows = Windows {
        rows: (0..oh).map(|y| part(y, oh, h)).collect(),
        columns: (0..ow).map(|x| part(x, ow, w)).collect(),
        fold: Fold::Sum,
        area: None,
    };
    run(level, from, &windows, to, Gate::Linear);
}

/// The pixels of part `i` of `n`.
pub(crate) fn part(i: usize, n: usize, size: usize) -> std::ops::Range<usize> {
    i * size / n..((i + 1) * size).div_ceil(n)
}

/// Which pixels each output sees.
struct Windows {
    rows: Vec<std::ops::Range<usize>>,
    columns: Vec<std::ops::Range<usize>>,
    fold: Fold,
    /// What a sum is divided by; the number of pixels seen, if not given.
    area: Option<f32>,
}

impl Windows {
    /// By what a window's outcome is multiplied, if so many pixels are seen.
    #[inline(always)]
    fn scale(&self, seen: usize) -> f32 {
        match self.fold {
            Fold::Largest => 1.0,
            Fold::Sum => 1.0 / self.area.unwrap_or(seen as f32),
        }
    }
}

/// What becomes of the values in a window.
#[derive(Clone, Copy)]
enum Fold {
    Largest,
    Sum,
}

impl Fold {
    /// Of no values.
    #[inline(always)]
    fn start(self) -> f32 {
        match self {
            Self::Largest => f32::NEG_INFINITY,
            Self::Sum => 0.0,
        }
    }

    #[inline(always)]
    fn of<S: Simd>(self, simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        match self {
            Self::Largest => max(simd, a, b),
            Self::Sum => a + b,
        }
    }

    #[inline(always)]
    fn of_scalars(self, a: f32, b: f32) -> f32 {
        match self {
            Self::Largest if a >= b || a.is_nan() => a,
            Self::Largest => b,
            Self::Sum => a + b,
        }
    }
}

fn run(level: Level, from: &Plane, windows: &Windows, to: &mut Plane, gate: Gate) {
    assert_eq!(from.stride(), to.stride(), "channels differ");
    for_bands(level, to, (4, Collect::Nothing), |band| {
        at_level!(level, simd => pool_band(simd, from, windows, band, gate));
    });
}

#[inline(always)]
fn pool_band<S: Simd>(simd: S, from: &Plane, windows: &Windows, band: &mut Band, gate: Gate) {
    let (stride, lanes) = (from.stride(), S::f32s::LEN);
    let image = from.image(band.image);
    let width = windows.columns.len();
    let (fold, start) = (windows.fold, windows.fold.start());
    for (i, pixel) in band.data.chunks_exact_mut(stride).enumerate() {
        let rows = windows.rows[band.top + i / width].clone();
        let columns = windows.columns[i % width].clone();
        let scale = windows.scale(rows.len() * columns.len());
        let whole = stride / lanes * lanes;
        if rows.len() == 2 && columns.len() == 2 {
            let corner = rows.start * from.row_len() + columns.start * stride;
            let seen = [corner, corner + from.row_len()].map(|at| &image[at..][..2 * stride]);
            let all = four::<S>(simd, seen, fold);
            for c in (0..whole).step_by(lanes) {
                gate.apply(simd, all(c) * scale).store_slice(&mut pixel[c..c + lanes]);
            }
        } else {
            for c in (0..whole).step_by(lanes) {
                let mut total = S::f32s::splat(simd, start);
                for y in rows.clone() {
                    for x in columns.clone() {
                        let at = y * from.row_len() + x * stride + c;
                        let value = S::f32s::from_slice(simd, &image[at..at + lanes]);
                        total = fold.of(simd, total, value);
                    }
                }
                gate.apply(simd, total * scale).store_slice(&mut pixel[c..c + lanes]);
            }
        }
        for c in whole..stride {
            let line = |y| columns.clone().map(move |x| y * from.row_len() + x * stride + c);
            let seen = rows.clone().flat_map(line);
            let total = seen.fold(start, |total, at| fold.of_scalars(total, image[at]));
            pixel[c] = gate.apply_scalar(total * scale);
        }
    }
}

/// A vector of channels from `c` on of a window of 2×2, which nearly all windows are:
/// their largest values or their sums. `lines` are two pixels each.
#[inline(always)]
fn four<S: Simd>(simd: S, lines: [&[f32]; 2], fold: Fold) -> impl Fn(usize) -> S::f32s {
    let stride = lines[0].len() / 2;
    move |c| {
        let of = |line: usize, x: usize| {
            let at = x * stride + c;
            S::f32s::from_slice(simd, &lines[line][at..at + S::f32s::LEN])
        };
        let both = |a, b| fold.of(simd, a, b);
        both(both(both(of(0, 0), of(0, 1)), of(1, 0)), of(1, 1))
    }
}

/// The larger value; NaN if either is.
#[inline(always)]
fn max<S: Simd>(_: S, a: S::f32s, b: S::f32s) -> S::f32s {
    // `max` yields its second operand if either is NaN: that covers `b`; the select covers `a`.
    a.simd_eq(a).select(a.max(b), a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{assert_near, noise};
    use tensor::Tensor;

    fn plane(values: &[f32], shape: [usize; 4]) -> Plane {
        let mut p = Plane::zeros(shape);
        p.fill_from(&Tensor::new(shape, values.to_vec()));
        p
    }

    #[test]
    fn pools_match_their_definition() {
        let (shape, before, kernel, stride) = ([1, 19, 5, 6], 1, 3, 2);
        let mut values = noise(19 * 30);
        values[7] = f32::NAN;
        let from = plane(&values, shape);
        for level in Level::available() {
            for kind in [PoolKind::Max, PoolKind::Average, PoolKind::AverageInside] {
                let mut to = Plane::zeros([1, 19, 3, 3]);
                let spec = PoolSpec { kind, kernel, stride, before: [before, before] };
                pool(level, &from, spec, &mut to, Gate::Linear);
                let want = |i: usize| {
                    let (c, y, x) = (i / 9, i / 3 % 3, i % 3);
                    let mut seen = vec![];
                    for (dy, dx) in (0..9).map(|k| (k / 3, k % 3)) {
                        let (py, px) = (y * stride + dy, x * stride + dx);
                        if (1..=5).contains(&py) && (1..=6).contains(&px) {
                            seen.push(f64::from(values[c * 30 + (py - 1) * 6 + px - 1]));
                        }
                    }
                    let sum: f64 = seen.iter().sum();
                    match kind {
                        PoolKind::Max if sum.is_nan() => sum,
                        PoolKind::Max => seen.iter().copied().fold(f64::MIN, f64::max),
                        PoolKind::Average => sum / 9.0,
                        PoolKind::AverageInside => sum / seen.len() as f64,
                    }
                };
                assert_near(to.to_tensor().data(), want, 9.0 * f64::from(f32::EPSILON), level);
            }
        }
    }

    #[test]
    fn adaptive_pooling_divides_unevenly_like_pytorch() {
        let values = noise(2 * 35);
        let from = plane(&values, [1, 2, 5, 7]);
        let mut to = Plane::zeros([1, 2, 2, 3]);
        adaptive_average(Level::best(), &from, &mut to);
        // Rows 0..3 and 2..5, columns 0..3, 2..5 and 4..7.
        let want = |i: usize| {
            let (c, y, x) = (i / 6, i / 3 % 2, i % 3);
            let rows = [0..3, 2..5][y].clone();
            let cells = rows.flat_map(|r| (2 * x..2 * x + 3).map(move |k| (r, k)));
            cells.map(|(r, k)| f64::from(values[c * 35 + r * 7 + k])).sum::<f64>() / 9.0
        };
        assert_near(to.to_tensor().data(), want, 9.0 * f64::from(f32::EPSILON), Level::best());
    }
}
