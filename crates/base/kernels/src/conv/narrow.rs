//! Convolution to few channels with a wide kernel, such as 9×9 to RGB.
//!
//! With three outputs, a vector of output channels would be mostly empty. So the
//! kernel's columns are taken as output channels too: a product over rows and
//! channels gives `kw · out` sums per input column, and each output pixel adds
//! up the `kw` of them that belong to it.

use fearless_simd::{f32x4, prelude::*};

use crate::bands::{Band, for_bands, with_scratch};
use crate::conv::{ConvSpec, Output, Padding};
use crate::matmul::{Block, Packed, Plain, Rows, multiply};
use crate::simd::at_level;
use crate::source::{Grid, Source, load_row};
use crate::{Level, Moments};

/// A convolution with at most [`Narrow::MOST_OUT`] channels out, at stride 1.
#[derive(Clone, Debug)]
pub struct Narrow {
    right: Packed,
    bias: [f32; 4],
    out: usize,
    kernel: [usize; 2],
    in_stride: usize,
}

const BAND_ROWS: usize = 4;
/// Output pixels of one step.
const STEP: usize = 64;

impl Narrow {
    /// One vector of four holds an output pixel.
    pub const MOST_OUT: usize = 4;

    /// Packs a convolution.
    ///
    /// # Panics
    ///
    /// If it has too many channels out, or a stride or dilation.
    pub fn new(level: Level, spec: &ConvSpec) -> Self {
        let [out, channels, kh, kw] = spec.shape;
        assert!(out <= Self::MOST_OUT && spec.stride == 1 && spec.dilation == 1);
        let columns = tensor::padded_channels(kw * out + Self::MOST_OUT - out);
        let mut right = Packed::zeros(level, kh * spec.in_stride, columns);
        for y in 0..kh {
            for x in 0..kw {
                for c in 0..channels {
                    for o in 0..out {
                        right.set(y * spec.in_stride + c, x * out + o, spec.at(o, c, y, x));
                    }
                }
            }
        }
        let mut bias = [0.0; 4];
        bias[..spec.bias.len()].copy_from_slice(spec.bias);
        Self { right, bias, out, kernel: [kh, kw], in_stride: spec.in_stride }
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
        let grid = padding.grid(source);
        let (collect, epilogue) = (output.collect(), output.epilogue);
        let [_, _, _, width] = output.plane.shape();
        let stride = output.plane.stride();
        for_bands(level, output.plane, (BAND_ROWS, collect), |band| {
            let [rows, sums] = self.scratch(band.data.len() / (width * stride), width);
            with_scratch(rows + sums, |scratch| {
                let scratch = scratch.split_at_mut(rows);
                at_level!(level, simd => self.band(simd, (source, &grid), scratch, (band, width, stride)));
            });
            let residual = epilogue.residual_rows(band.image, band.top);
            for (i, y) in band.data.iter_mut().enumerate() {
                *y = epilogue.gate.apply_scalar(*y + residual.map_or(0.0, |r| r[i]));
            }
        })
    }

    /// Scratch values for padded rows and for column sums.
    fn scratch(&self, height: usize, width: usize) -> [usize; 2] {
        let [kh, kw] = self.kernel;
        let across = STEP.min(width) + kw - 1;
        [(height + kh - 1) * across * self.in_stride, across * self.right.columns()]
    }

    #[inline(always)]
    fn band<S: Simd>(
        &self,
        simd: S,
        (source, grid): (&Source, &Grid),
        (rows, sums): (&mut [f32], &mut [f32]),
        (band, width, stride): (&mut Band, usize, usize),
    ) {
        let ([kh, kw], c, columns) = (self.kernel, self.in_stride, self.right.columns());
        let height = band.data.len() / (width * stride);
        let step = STEP.min(width);
        let line = (step + kw - 1) * c;
        let segments: Vec<usize> = (0..kh).map(|y| y * line).collect();
        for x0 in (0..width).step_by(step) {
            let count = step.min(width - x0);
            for (y, row) in rows.chunks_exact_mut(line).enumerate() {
                let at = (band.top + y, x0, x0 + count + kw - 1);
                load_row(simd, (source, band.image), grid, at, row);
            }
            for y in 0..height {
                let data = &rows[y * line..];
                let left = Rows { data, row_stride: c, segments: &segments, depth: c };
                let block = [Block { left, count: count + kw - 1, row: 0 }];
                let mut sink = Plain { out: sums, stride: columns };
                multiply(simd, &block, &self.right, &mut sink);
                let out = &mut band.data[(y * width + x0) * stride..][..count * stride];
                self.gather(simd, sums, columns, (out, stride));
            }
        }
    }

    /// Adds up, for each output pixel, its column sums.
    #[inline(always)]
    fn gather<S: Simd>(
        &self,
        simd: S,
        sums: &[f32],
        columns: usize,
        (out, stride): (&mut [f32], usize),
    ) {
        let kw = self.kernel[1];
        for (x, pixel) in out.chunks_exact_mut(stride).enumerate() {
            let mut total = f32x4::from_slice(simd, &self.bias);
            for k in 0..kw {
                let at = (x + k) * columns + k * self.out;
                total += f32x4::from_slice(simd, &sums[at..at + 4]);
            }
            pixel.fill(0.0);
            pixel[..self.out].copy_from_slice(&total.as_slice()[..self.out]);
        }
    }
}
