//! Convolution to few channels with a wide kernel, such as 9×9 to RGB.
//!
//! With three outputs, a vector of output channels would be mostly empty. So the
//! kernel's columns are taken as output channels too: a product over rows and
//! channels gives `kw · out` sums per input column, and each output pixel adds
//! up the `kw` of them that belong to it.
//!
//! A kernel of nine rows is filtered down its columns, four output rows at once (see
//! [`super::columns`]): half the multiplications.

use fearless_simd::{f32x4, prelude::*};

use super::columns::{self, POSITIONS, ROWS};
use crate::bands::{Band, for_bands, with_scratch};
use crate::conv::{ConvSpec, Output, Padding};
use crate::matmul::{Block, Packed, Plain, Rows, multiply};
use crate::simd::at_level;
use crate::source::{Grid, Source, load_row};
use crate::{Level, Moments, Onto};

/// A convolution with at most [`Narrow::MOST_OUT`] channels out, at stride 1.
#[derive(Clone, Debug)]
pub struct Narrow {
    /// One right side, or one for each of F(4, 3)'s positions.
    right: Vec<Packed>,
    bias: [f32; 4],
    out: usize,
    kernel: [usize; 2],
    in_stride: usize,
}

/// Output rows of a band: some groups of [`ROWS`], which share the rows where their kernels overlap.
const BAND_ROWS: usize = 4 * ROWS;
/// Output pixels of one step.
const STEP: usize = 128;

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
        let filtered = kh == 9 && spec.in_stride.is_multiple_of(tensor::LANES);
        let (sides, depth) = if filtered { (POSITIONS, kh / 3) } else { (1, kh) };
        let mut right = vec![Packed::zeros(level, depth * spec.in_stride, columns); sides];
        for (x, c, o) in
            (0..kw * channels * out).map(|i| (i / (channels * out), i / out % channels, i % out))
        {
            for y in 0..depth {
                let place = (y * spec.in_stride + c, x * out + o);
                if filtered {
                    let values = columns::taps(spec, [o, c], [y, x]);
                    for (side, value) in right.iter_mut().zip(values) {
                        side.set(place.0, place.1, value);
                    }
                } else {
                    right[0].set(place.0, place.1, spec.at(o, c, y, x));
                }
            }
        }
        let mut bias = [0.0; 4];
        bias[..spec.bias.len()].copy_from_slice(spec.bias);
        Self { right, bias, out, kernel: [kh, kw], in_stride: spec.in_stride }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.right.iter().map(Packed::bytes).sum()
    }

    fn is_filtered(&self) -> bool {
        self.right.len() > 1
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
        assert_eq!(epilogue.onto, Onto::Nothing, "sums are gathered in the output");
        let [_, _, _, width] = output.plane.shape();
        let stride = output.plane.stride();
        for_bands(level, output.plane, (BAND_ROWS, collect), |band| {
            let (step, scratch) = (STEP.min(width), self.scratch(width));
            with_scratch(scratch.iter().sum(), |memory| {
                for x0 in (0..width).step_by(step) {
                    let at = (x0, step.min(width - x0), width, stride);
                    let job = (source, &grid, scratch);
                    at_level!(level, simd => self.segment(simd, job, memory, (&mut *band, at)));
                }
            });
            if epilogue.is_plain() {
                return;
            }
            let rows = epilogue.rows(band.image, band.top);
            for pixel in (0..band.data.len()).step_by(stride) {
                for i in pixel..pixel + self.out {
                    rows.store_scalar(band.data[i], (band.data, i)); // padding stays zero
                }
            }
        })
    }

    /// Scratch values: padded rows, the same filtered, their products, and
    /// column sums of a group of output rows.
    fn scratch(&self, width: usize) -> [usize; 4] {
        let [kh, kw] = self.kernel;
        let across = STEP.min(width) + kw - 1;
        let (line, sums) = (across * self.in_stride, across * self.right[0].columns());
        let rows = (BAND_ROWS + kh - 1) * line;
        if self.is_filtered() {
            [rows, POSITIONS * (kh / 3) * line, POSITIONS * sums, ROWS * sums]
        } else {
            [rows, 0, 0, ROWS * sums]
        }
    }

    /// Some columns of a band.
    #[inline(always)]
    fn segment<S: Simd>(
        &self,
        simd: S,
        (source, grid, [rows, filtered, products, _]): (&Source, &Grid, [usize; 4]),
        scratch: &mut [f32],
        (band, (x0, count, width, stride)): (&mut Band, (usize, usize, usize, usize)),
    ) {
        let ([kh, kw], columns) = (self.kernel, self.right[0].columns());
        let groups = (band.data.len() / (width * stride)).div_ceil(ROWS);
        let line = rows / (BAND_ROWS + kh - 1);
        let sum_len = line / self.in_stride * columns;
        let (rows, rest) = scratch.split_at_mut(rows);
        let (filtered, rest) = rest.split_at_mut(filtered);
        let (products, sums) = rest.split_at_mut(products);
        // Rows past the picture repeat its last; what they yield is not used.
        for (y, row) in rows.chunks_exact_mut(line).take(groups * ROWS + kh - 1).enumerate() {
            let at = (band.top + y, x0, x0 + count + kw - 1);
            load_row(simd, (source, band.image), grid, at, row);
        }
        let lines = band.data.chunks_mut(ROWS * width * stride);
        for (group, lines) in lines.enumerate() {
            let rows = &rows[group * ROWS * line..];
            if self.is_filtered() {
                self.filtered(simd, (rows, line), (filtered, products), (sums, sum_len));
            } else {
                self.unfiltered(simd, (rows, line), count + kw - 1, (sums, sum_len));
            }
            let lines = lines.chunks_exact_mut(width * stride);
            for (sums, row) in sums.chunks_exact(sum_len).zip(lines) {
                let out = &mut row[x0 * stride..][..count * stride];
                self.gather(simd, sums, columns, (out, stride));
            }
        }
    }

    fn block<'a>(&self, data: &'a [f32], segments: &'a [usize], count: usize) -> Block<'a> {
        let c = self.in_stride;
        Block { left: Rows { data, row_stride: c, segments, depth: c }, count, row: 0 }
    }

    /// Column sums of a group of output rows, `count` columns of each.
    #[inline(always)]
    fn unfiltered<S: Simd>(
        &self,
        simd: S,
        (rows, line): (&[f32], usize),
        count: usize,
        (sums, sum_len): (&mut [f32], usize),
    ) {
        let segments: Vec<usize> = (0..self.kernel[0]).map(|y| y * line).collect();
        let stride = self.right[0].columns();
        for (y, out) in sums.chunks_exact_mut(sum_len).enumerate() {
            let block = self.block(&rows[y * line..], &segments, count);
            multiply(simd, &[block], &self.right[0], &mut Plain { out, stride });
        }
    }

    /// Column sums of a group of output rows by F(4, 3) down the columns.
    #[inline(always)]
    fn filtered<S: Simd>(
        &self,
        simd: S,
        (rows, line): (&[f32], usize),
        (filtered, products): (&mut [f32], &mut [f32]),
        (sums, sum_len): (&mut [f32], usize),
    ) {
        let lanes = S::f32s::LEN;
        let parts = self.kernel[0] / 3;
        columns::filter(simd, (rows, line), (filtered, parts));
        let segments: Vec<usize> = (0..parts).map(|part| part * line).collect();
        let columns = self.right[0].columns();
        let outs = products.chunks_exact_mut(sum_len);
        let lefts = filtered.chunks_exact(parts * line);
        for ((out, left), right) in outs.zip(lefts).zip(&self.right) {
            let block = self.block(left, &segments, sum_len / columns);
            multiply(simd, &[block], right, &mut Plain { out, stride: columns });
        }
        for i in (0..sum_len).step_by(lanes) {
            let rows = columns::outputs(simd, (products, sum_len), i);
            for (y, value) in rows.into_iter().enumerate() {
                let at = y * sum_len + i;
                value.store_slice(&mut sums[at..at + lanes]);
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
            for (to, from) in pixel.iter_mut().zip(total.as_slice()) {
                *to = *from;
            }
            pixel[self.out..].fill(0.0);
        }
    }
}
