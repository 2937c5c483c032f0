use std::cmp::Ordering;
use std::ops::Range;

use fearless_simd::prelude::*;
use tensor::Plane;

use crate::bands::{Band, Collect, for_bands};
use crate::epilogue::Rows;
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
    windows: [Vec<Range<usize>>; 2],
    width: usize,
}

impl Job<'_> {
    /// The windows along one axis that hold pixel `i`.
    fn holding(&self, axis: usize, i: usize) -> Range<usize> {
        let PoolSpec { kernel, stride, before, .. } = self.spec;
        let i = i + before[axis];
        let first = (i + 1).saturating_sub(kernel).div_ceil(stride);
        first..(i / stride + 1).min(self.windows[axis].len())
    }

    /// Whether no windows overlap, all are 2×2 and none reaches over the plane's edge.
    fn is_tiled(&self) -> bool {
        let PoolSpec { kernel, stride, before, .. } = self.spec;
        let fits = |windows: &[Range<usize>]| windows.last().is_none_or(|w| w.len() == 2);
        [kernel, stride] == [2, 2] && before == [0, 0] && self.windows.iter().all(|w| fits(w))
    }

    #[inline(always)]
    fn band<S: Simd>(&self, simd: S, epilogue: &Epilogue, band: &mut Band) {
        let images = self.planes.map(|p| p.image(band.image));
        let finish = epilogue.rows(band.image, band.top);
        if self.is_tiled() && self.planes[0].stride().is_multiple_of(S::f32s::LEN) {
            self.tiled(simd, (images, &finish), band);
        } else {
            self.pixel_by_pixel(simd, (images, &finish), band);
        }
    }

    /// Window by window, which nearly all poolings allow: what a window holds is read once.
    #[inline(always)]
    fn tiled<S: Simd>(&self, simd: S, (images, finish): ([&[f32]; 3], &Rows<'_>), band: &mut Band) {
        const _: () = assert!(BAND_ROWS.is_multiple_of(2), "no window lies in two bands");
        let (stride, row_len) = (self.planes[0].stride(), self.planes[0].row_len());
        let pooled_len = self.planes[1].row_len();
        for (i, lines) in band.data.chunks_mut(2 * row_len).enumerate() {
            let at = 2 * i * row_len;
            let finish = finish.from(at);
            let window_row = band.top / 2 + i;
            if window_row >= self.windows[0].len() {
                nothing(simd, &finish, (lines, 0));
                continue;
            }
            let from = &images[0][band.top * row_len + at..][..2 * row_len];
            let [pooled, grad] =
                [1, 2].map(|p: usize| &images[p][window_row * pooled_len..][..pooled_len]);
            for x in 0..pooled_len / stride {
                let corners = [0, stride, row_len, row_len + stride].map(|o| 2 * x * stride + o);
                let window = [pooled, grad].map(|p| &p[x * stride..][..stride]);
                share_out(simd, (from, window), &finish, (&mut *lines, corners));
            }
            for line in 0..2 {
                let beyond = line * row_len + 2 * pooled_len;
                let end = (line + 1) * row_len;
                nothing(simd, &finish, (&mut lines[..end], beyond));
            }
        }
    }

    #[inline(always)]
    fn pixel_by_pixel<S: Simd>(
        &self,
        simd: S,
        (images, finish): ([&[f32]; 3], &Rows<'_>),
        band: &mut Band,
    ) {
        let [from, pooled, _] = self.planes;
        let (stride, lanes) = (from.stride(), S::f32s::LEN);
        let whole = stride / lanes * lanes;
        for i in 0..band.data.len() / stride {
            let (y, x) = (band.top + i / self.width, i % self.width);
            let (rows, columns) = (self.holding(0, y), self.holding(1, x));
            for c in (0..whole).step_by(lanes) {
                let mut sum = S::f32s::splat(simd, 0.0);
                for wy in rows.clone() {
                    for wx in columns.clone() {
                        let place = wy * pooled.row_len() + wx * stride + c;
                        sum += self.share(simd, images, [[y, x], [wy, wx]], (c, place));
                    }
                }
                finish.store(simd, sum, (&mut *band.data, i * stride + c));
            }
            for c in whole..stride {
                let mut sum = 0.0;
                for (wy, wx) in rows.clone().flat_map(|r| columns.clone().map(move |k| (r, k))) {
                    let place = wy * pooled.row_len() + wx * stride + c;
                    sum += self.share_scalar(images, [[y, x], [wy, wx]], (c, place));
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
        [from, pooled, grad]: [&[f32]; 3],
        [[y, x], [wy, wx]]: [[usize; 2]; 2],
        (c, place): (usize, usize),
    ) -> S::f32s {
        let lanes = S::f32s::LEN;
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
        [from, pooled, grad]: [&[f32]; 3],
        [[y, x], [wy, wx]]: [[usize; 2]; 2],
        (c, place): (usize, usize),
    ) -> f32 {
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

/// The gradient of a 2×2 window to the first of its pixels that holds the maximum.
/// `from` and `to` begin at the window's row, with the pixels at `corners`.
#[inline(always)]
fn share_out<S: Simd>(
    simd: S,
    (from, [pooled, grad]): (&[f32], [&[f32]; 2]),
    finish: &Rows<'_>,
    (to, corners): (&mut [f32], [usize; 4]),
) {
    let lanes = S::f32s::LEN;
    let zero = S::f32s::splat(simd, 0.0);
    let values = corners.map(|at| &from[at..][..pooled.len()]);
    for c in (0..pooled.len()).step_by(lanes) {
        let load = |data: &[f32]| S::f32s::from_slice(simd, &data[c..c + lanes]);
        let (most, mut left) = (load(pooled), load(grad));
        for corner in 0..4 {
            let is_most = load(values[corner]).simd_eq(most);
            let share = is_most.select(left, zero);
            left = is_most.select(zero, left);
            finish.store(simd, share, (&mut *to, corners[corner] + c));
        }
    }
}

/// Zeros from `at` on, finished: pixels that lie in no window.
#[inline(always)]
fn nothing<S: Simd>(simd: S, finish: &Rows<'_>, (to, at): (&mut [f32], usize)) {
    for at in (at..to.len()).step_by(S::f32s::LEN) {
        finish.store(simd, S::f32s::splat(simd, 0.0), (&mut *to, at));
    }
}
