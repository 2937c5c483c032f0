//! Convolution straight from its definition, as a matrix product.
//!
//! Channels last makes all taps of one kernel row of one output pixel one run
//! of `kw · C` values, and the next output pixel's run starts `stride · C`
//! later. So a few rows of the padded input, copied to scratch memory, are the
//! left side of the product as they lie: no im2col.

use fearless_simd::prelude::*;

use crate::bands::{Band, for_bands, with_scratch};
use crate::conv::{ConvSpec, Output, Padding};
use crate::matmul::{Block, Packed, Rows, Sink, multiply};
use crate::simd::at_level;
use crate::source::{Grid, Source, load_row};
use crate::{Level, Moments, epilogue};

/// A convolution of any kernel, stride and dilation.
#[derive(Clone, Debug)]
pub struct Direct {
    right: Packed,
    bias: Vec<f32>,
    kernel: [usize; 2],
    in_stride: usize,
    stride: usize,
    dilation: usize,
}

/// Output rows of a band: enough to share the rows where kernels overlap.
const BAND_ROWS: usize = 4;
/// Scratch values of one step: half a small level-2 cache.
const SCRATCH: usize = 48 * 1024;

impl Direct {
    /// Packs a convolution.
    pub fn new(level: Level, spec: &ConvSpec) -> Self {
        let [o, i, kh, kw] = spec.shape;
        let columns = tensor::padded_channels(o);
        let mut right = Packed::zeros(level, kh * kw * spec.in_stride, columns);
        for y in 0..kh {
            for x in 0..kw {
                for c in 0..i {
                    let row = (y * kw + x) * spec.in_stride + c;
                    for out in 0..o {
                        right.set(row, out, spec.at(out, c, y, x));
                    }
                }
            }
        }
        Self {
            right,
            bias: spec.padded_bias(columns),
            kernel: [kh, kw],
            in_stride: spec.in_stride,
            stride: spec.stride,
            dilation: spec.dilation,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.right.bytes()
    }

    pub(crate) fn run(
        &self,
        level: Level,
        source: &Source,
        padding: &Padding,
        output: &mut Output,
    ) -> Option<Vec<Moments>> {
        assert_eq!(source.plane.stride(), self.in_stride, "packed for other channels");
        assert_eq!(output.plane.stride(), self.right.columns(), "output of other channels");
        let grid = padding.grid(source);
        let [_, _, _, width] = output.plane.shape();
        let (collect, epilogue) = (output.collect(), output.epilogue);
        for_bands(level, output.plane, (BAND_ROWS, collect), |band| {
            let rows = epilogue.rows(band.image, band.top);
            let finish = Finish { bias: &self.bias, rows };
            let shape = self.scratch(band.data.len() / (width * self.right.columns()), width);
            with_scratch(shape.rows * shape.line, |scratch| {
                let job = (source, &grid, shape);
                at_level!(level, simd => self.band(simd, job, (scratch, band), (width, finish)));
            });
        })
    }

    /// Input pixels that `outputs` outputs in a line need, for a kernel side of `taps`.
    fn reach(&self, outputs: usize, taps: usize) -> usize {
        (outputs - 1) * self.stride + (taps - 1) * self.dilation + 1
    }

    /// The scratch memory for bands of `height` rows.
    fn scratch(&self, height: usize, width: usize) -> Scratch {
        let rows = self.reach(height, self.kernel[0]);
        let step = (SCRATCH / (rows * self.in_stride * self.stride)).clamp(12, 192).min(width);
        Scratch { rows, line: self.reach(step, self.kernel[1]) * self.in_stride, step }
    }

    #[inline(always)]
    fn band<S: Simd>(
        &self,
        simd: S,
        (source, grid, Scratch { line, step, .. }): (&Source, &Grid, Scratch),
        (scratch, band): (&mut [f32], &mut Band),
        (width, finish): (usize, Finish),
    ) {
        let columns = self.right.columns();
        let height = band.data.len() / (width * columns);
        let (segments, depth) = self.segments(line);
        for x0 in (0..width).step_by(step) {
            let count = step.min(width - x0);
            let from = x0 * self.stride;
            let to = from + self.reach(count, self.kernel[1]);
            for (y, row) in scratch.chunks_exact_mut(line).enumerate() {
                let at = (band.top * self.stride + y, from, to);
                load_row(simd, (source, band.image), grid, at, row);
            }
            for y in 0..height {
                let data = &scratch[y * self.stride * line..];
                let row_stride = self.stride * self.in_stride;
                let left = Rows { data, row_stride, segments: &segments, depth };
                let mut sink = finish.at(band.data, (y * width + x0) * columns, columns);
                multiply(simd, &[Block { left, count, row: 0 }], &self.right, &mut sink);
            }
        }
    }

    /// Where the taps of one output lie in scratch rows of `line` values, and
    /// how many values in a run.
    fn segments(&self, line: usize) -> (Vec<usize>, usize) {
        let [kh, kw] = self.kernel;
        let rows = (0..kh).map(|y| y * self.dilation * line);
        if self.dilation == 1 {
            (rows.collect(), kw * self.in_stride)
        } else {
            let tap = |x| x * self.dilation * self.in_stride;
            (rows.flat_map(|r| (0..kw).map(move |x| r + tap(x))).collect(), self.in_stride)
        }
    }
}

/// Padded input rows, of which `step` outputs are computed at a time.
#[derive(Clone, Copy, Debug)]
struct Scratch {
    rows: usize,
    line: usize,
    step: usize,
}

/// Turns sums into outputs: a bias, then what the epilogue says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finish<'a> {
    pub(crate) bias: &'a [f32],
    /// Those of the band.
    pub(crate) rows: epilogue::Rows<'a>,
}

impl<'a> Finish<'a> {
    /// A sink whose row `r` is written at `out[at + r · stride]`.
    #[inline(always)]
    pub(crate) fn at<'b>(&self, out: &'b mut [f32], at: usize, stride: usize) -> FinishAt<'a, 'b> {
        let rows = self.rows.from(at);
        FinishAt { finish: Self { rows, ..*self }, out: &mut out[at..], stride }
    }
}

pub(crate) struct FinishAt<'a, 'b> {
    finish: Finish<'a>,
    out: &'b mut [f32],
    stride: usize,
}

impl<S: Simd> Sink<S> for FinishAt<'_, '_> {
    #[inline(always)]
    fn put<const V: usize>(&mut self, row: usize, column: usize, sums: &[S::f32s; V]) {
        let lanes = S::f32s::LEN;
        let bias = &self.finish.bias[column..column + V * lanes];
        for v in 0..V {
            let simd = sums[v].token();
            let y = sums[v] + S::f32s::from_slice(simd, &bias[v * lanes..][..lanes]);
            let at = row * self.stride + column + v * lanes;
            self.finish.rows.store(simd, y, (&mut *self.out, at));
        }
    }
}
