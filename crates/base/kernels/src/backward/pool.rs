use std::cmp::Ordering;

use fearless_simd::prelude::*;
use tensor::Plane;

use crate::bands::{Band, Collect, for_bands};
use crate::simd::at_level;
use crate::{Epilogue, Level, PoolSpec};

const BAND_ROWS: usize = 4;

/// The gradient of a maximum pooling: of each window, the first pixel that
/// holds its maximum gets all of it, as in PyTorch.
///
/// `from` and `pooled` are what the pooling read and wrote, `grad` the gradient
/// of the latter.
///
/// # Panics
///
/// If channels differ.
pub fn max_pool_gradient(
    level: Level,
    [from, pooled, grad]: [&Plane; 3],
    spec: PoolSpec,
    epilogue: &Epilogue,
    to: &mut Plane,
) {
    assert!([pooled, grad, to].iter().all(|p| p.stride() == from.stride()), "channels differ");
    let [_, _, h, w] = from.shape();
    let [_, _, oh, ow] = pooled.shape();
    let windows = |out: usize, before: usize, size: usize| -> Vec<_> {
        (0..out).map(|i| spec.window(i, before, size)).collect()
    };
    let job = Job {
        planes: [from, pooled, grad],
        spec,
        windows: [windows(oh, spec.before[0], h), windows(ow, spec.before[1], w)],
        width: w,
    };
    for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
        at_level!(level, simd => job.band(simd, epilogue, band));
    });
}

struct Job<'a> {
    planes: [&'a Plane; 3],
    spec: PoolSpec,
    windows: [Vec<std::ops::Range<usize>>; 2],
    width: usize,
}

impl Job<'_> {
    /// The windows along one axis that hold pixel `i`.
    fn holding(&self, axis: usize, i: usize) -> std::ops::Range<usize> {
        let PoolSpec { kernel, stride, before, .. } = self.spec;
        let i = i + before[axis];
        let first = (i + 1).saturating_sub(kernel).div_ceil(stride);
        first..(i / stride + 1).min(self.windows[axis].len())
    }

    #[inline(always)]
    fn band<S: Simd>(&self, simd: S, epilogue: &Epilogue, band: &mut Band) {
        let [from, pooled, _] = self.planes;
        let (stride, lanes) = (from.stride(), S::f32s::LEN);
        let finish = epilogue.rows(band.image, band.top);
        let whole = stride / lanes * lanes;
        for i in 0..band.data.len() / stride {
            let (y, x) = (band.top + i / self.width, i % self.width);
            let (rows, columns) = (self.holding(0, y), self.holding(1, x));
            for c in (0..whole).step_by(lanes) {
                let mut sum = S::f32s::splat(simd, 0.0);
                for wy in rows.clone() {
                    for wx in columns.clone() {
                        let place = wy * pooled.row_len() + wx * stride + c;
                        sum += self.share(simd, band.image, [[y, x], [wy, wx]], (c, place));
                    }
                }
                finish.store(simd, sum, (&mut *band.data, i * stride + c));
            }
            for c in whole..stride {
                let mut sum = 0.0;
                for (wy, wx) in rows.clone().flat_map(|r| columns.clone().map(move |k| (r, k))) {
                    let place = wy * pooled.row_len() + wx * stride + c;
                    sum += self.share_scalar(band.image, [[y, x], [wy, wx]], (c, place));
                }
                finish.store_scalar(sum, (&mut *band.data, i * stride + c));
            }
        }
    }

    /// What the pixel gets of one window: all where it is the first to hold the maximum.
    #[inline(always)]
    fn share<S: Simd>(
        &self,
        simd: S,
        image: usize,
        [[y, x], [wy, wx]]: [[usize; 2]; 2],
        (c, place): (usize, usize),
    ) -> S::f32s {
        let lanes = S::f32s::LEN;
        let [from, pooled, grad] = self.planes.map(|p| p.image(image));
        let load = |data: &[f32], at: usize| S::f32s::from_slice(simd, &data[at..at + lanes]);
        let at =
            |y: usize, x: usize| y * self.planes[0].row_len() + x * self.planes[0].stride() + c;
        let zero = S::f32s::splat(simd, 0.0);
        let most = load(pooled, place);
        let mut share = load(from, at(y, x)).simd_eq(most).select(load(grad, place), zero);
        for py in self.windows[0][wy].start..=y {
            let columns = self.windows[1][wx].clone();
            for px in columns.start..if py == y { x } else { columns.end } {
                share = load(from, at(py, px)).simd_eq(most).select(zero, share);
            }
        }
        share
    }

    fn share_scalar(
        &self,
        image: usize,
        [[y, x], [wy, wx]]: [[usize; 2]; 2],
        (c, place): (usize, usize),
    ) -> f32 {
        let [from, pooled, grad] = self.planes.map(|p| p.image(image));
        let at = |y: usize, x: usize| {
            from[y * self.planes[0].row_len() + x * self.planes[0].stride() + c]
        };
        let is_most = |v: f32| matches!(v.partial_cmp(&pooled[place]), Some(Ordering::Equal));
        let columns = self.windows[1][wx].clone();
        let earlier = (self.windows[0][wy].start..=y).any(|py| {
            let end = if py == y { x } else { columns.end };
            (columns.start..end).any(|px| is_most(at(py, px)))
        });
        if is_most(at(y, x)) && !earlier { grad[place] } else { 0.0 }
    }
}
