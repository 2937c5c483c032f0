//! The adjoint of reading pixels: each pixel gets what was computed from it.

use std::ops::Range;

use fearless_simd::prelude::*;
use tensor::Plane;

use crate::bands::{Band, Collect, for_bands};
use crate::pointwise::Input;
use crate::pool::PoolSpec;
use crate::simd::at_level;
use crate::{Axis, Epilogue, Level, PoolKind, Source};

const BAND_ROWS: usize = 4;

/// For each pixel along an axis, the positions that it was read for, each with
/// its weight.
#[derive(Clone, Debug)]
pub struct Share {
    /// Where each pixel's entries begin; one more at the end.
    starts: Vec<usize>,
    entries: Vec<(usize, f32)>,
}

impl Share {
    fn new(size: usize, reads: impl Iterator<Item = (usize, usize, f32)>) -> Self {
        let mut of_pixel = vec![vec![]; size];
        for (position, pixel, weight) in reads {
            of_pixel[pixel].push((position, weight));
        }
        let mut starts = vec![0];
        starts.extend(of_pixel.iter().scan(0, |at, e: &Vec<_>| {
            *at += e.len();
            Some(*at)
        }));
        Self { starts, entries: of_pixel.concat() }
    }

    /// Each of `size` pixels was read once, in its place.
    pub fn identity(size: usize) -> Self {
        Self::new(size, (0..size).map(|i| (i, i, 1.0)))
    }

    /// Positions show pixels as `axis` says, of `size` pixels.
    pub fn of_axis(axis: &Axis, size: usize) -> Self {
        Self::new(size, (0..axis.len()).filter_map(|i| axis.at(i).map(|pixel| (i, pixel, 1.0))))
    }

    /// Bilinear enlargement by a whole factor.
    pub fn bilinear(size: usize, factor: usize) -> Self {
        let blend = crate::gather::blend(size, factor).into_iter().enumerate();
        Self::new(
            size,
            blend.flat_map(|(i, (first, second, f))| [(i, first, 1.0 - f), (i, second, f)]),
        )
    }

    /// Means of windows of `length` pixels, or of as many as they hold.
    fn of_windows(size: usize, windows: &[Range<usize>], length: Option<usize>) -> Self {
        let reads = windows.iter().enumerate().flat_map(|(i, window)| {
            let weight = 1.0 / length.unwrap_or(window.len()) as f32;
            window.clone().map(move |pixel| (i, pixel, weight))
        });
        Self::new(size, reads)
    }

    /// An average pooling of `size` pixels to `out`; `before` border pixels at the start.
    pub fn average_pool([size, out]: [usize; 2], spec: PoolSpec, before: usize) -> Self {
        let windows: Vec<_> = (0..out).map(|i| spec.window(i, before, size)).collect();
        let length = (spec.kind == PoolKind::Average).then_some(spec.kernel);
        Self::of_windows(size, &windows, length)
    }

    /// Adaptive average pooling of `size` pixels to `out`.
    pub fn adaptive_average([size, out]: [usize; 2]) -> Self {
        let windows: Vec<_> = (0..out).map(|i| crate::pool::part(i, out, size)).collect();
        Self::of_windows(size, &windows, None)
    }

    fn of(&self, pixel: usize) -> &[(usize, f32)] {
        &self.entries[self.starts[pixel]..self.starts[pixel + 1]]
    }
}

/// `to = mask · (onto + slope · Σ weight · grad)`, where the sum goes over the
/// positions that a pixel was read for, and `slope` is the derivative of the
/// gate that the pixel was seen through.
#[derive(Clone, Copy, Debug)]
pub struct Spread<'a> {
    /// Rows and columns.
    pub shares: [&'a Share; 2],
    /// What the reader saw the plane through; its enlargement is in the shares.
    pub view: Option<&'a Source<'a>>,
    /// What is done to the sums.
    pub epilogue: Epilogue<'a>,
}

impl Spread<'_> {
    /// Runs over all of `to`.
    ///
    /// # Panics
    ///
    /// If the shares are of another size.
    pub fn run(&self, level: Level, grad: &Plane, to: &mut Plane) {
        let [_, _, h, w] = to.shape();
        assert_eq!(self.shares.map(|s| s.starts.len() - 1), [h, w], "shares of another size");
        assert!(grad.stride() >= to.stride() || grad.stride() == grad.shape()[1]);
        let (row_len, stride) = (to.row_len(), to.stride());
        for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
            at_level!(level, simd => self.band(simd, grad, band, (row_len, stride)));
        });
    }

    #[inline(always)]
    fn band<S: Simd>(
        &self,
        simd: S,
        grad: &Plane,
        band: &mut Band,
        (row_len, stride): (usize, usize),
    ) {
        let lanes = S::f32s::LEN;
        let image = grad.image(band.image);
        let shared = stride.min(grad.stride());
        let whole = shared / lanes * lanes;
        let finish = self.epilogue.rows(band.image, band.top);
        let view = self.view.map(|v| Input::new(v, band.image, band.top * row_len));
        for i in 0..band.data.len() / stride {
            let (y, x) = (i * stride / row_len, i * stride % row_len / stride);
            let (rows, columns) = (self.shares[0].of(band.top + y), self.shares[1].of(x));
            for c in (0..whole).step_by(lanes) {
                let mut sum = S::f32s::splat(simd, 0.0);
                for &(r, down) in rows {
                    for &(k, across) in columns {
                        let at = r * grad.row_len() + k * grad.stride() + c;
                        let weight = S::f32s::splat(simd, down * across);
                        sum =
                            S::f32s::from_slice(simd, &image[at..at + lanes]).mul_add(weight, sum);
                    }
                }
                if let Some(view) = &view {
                    sum *= view.slope(simd, i * stride, c);
                }
                finish.store(simd, sum, (&mut *band.data, i * stride + c));
            }
            for c in whole..stride {
                let sum = if c < shared { gathered(grad, image, [rows, columns], c) } else { 0.0 };
                let slope = view.as_ref().map_or(1.0, |v| v.slope_scalar(i * stride, c));
                finish.store_scalar(sum * slope, (&mut *band.data, i * stride + c));
            }
        }
    }
}

/// What one channel of a pixel gets from the positions that it was read for.
fn gathered(
    grad: &Plane,
    image: &[f32],
    [rows, columns]: [&[(usize, f32)]; 2],
    channel: usize,
) -> f32 {
    let pairs = rows.iter().flat_map(|r| columns.iter().map(move |k| (r, k)));
    pairs
        .map(|(&(r, down), &(k, across))| {
            image[r * grad.row_len() + k * grad.stride() + channel] * (down * across)
        })
        .sum()
}
