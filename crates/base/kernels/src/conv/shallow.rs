//! Convolution of few channels with a tall kernel, such as 9×9 on a picture.
//!
//! All columns and channels of a kernel row lie side by side in a packed picture, so
//! they are one run of a matrix product; down the kernel's rows, F(4, 3) saves half
//! the multiplications (see [`super::columns`]). Filtering along both axes would save
//! half of what is left, and cost more than that in moving pixels of three channels.

use fearless_simd::prelude::*;

use super::columns::{self, POSITIONS, ROWS};
use crate::bands::{Band, for_bands, with_scratch};
use crate::conv::{ConvSpec, Finish, Output, Padding};
use crate::matmul::{Block, Packed, Plain, Rows, multiply};
use crate::simd::at_level;
use crate::source::{Grid, Source, load_row};
use crate::{Level, Moments};

/// A convolution at stride 1 whose kernel's height is a multiple of three.
#[derive(Clone, Debug)]
pub struct Shallow {
    /// One right side for each of F(4, 3)'s positions.
    right: Vec<Packed>,
    bias: Vec<f32>,
    kernel: [usize; 2],
    in_stride: usize,
}

/// Output pixels of one step.
const STEP: usize = 128;

impl Shallow {
    /// Transforms and packs a convolution.
    ///
    /// # Panics
    ///
    /// If the kernel's height is not a multiple of three, or it has a stride or dilation.
    pub fn new(level: Level, spec: &ConvSpec) -> Self {
        let [o, channels, kh, kw] = spec.shape;
        assert!(kh.is_multiple_of(3) && spec.stride == 1 && spec.dilation == 1);
        let out_stride = tensor::padded_channels(o);
        let depth = kw * spec.in_stride;
        let mut right = vec![Packed::zeros(level, kh / 3 * depth, out_stride); POSITIONS];
        for (part, x) in (0..kh / 3 * kw).map(|i| (i / kw, i % kw)) {
            for (out, c) in (0..o * channels).map(|i| (i / channels, i % channels)) {
                let row = part * depth + x * spec.in_stride + c;
                let values = columns::taps(spec, [out, c], [part, x]);
                for (side, value) in right.iter_mut().zip(values) {
                    side.set(row, out, value);
                }
            }
        }
        let bias = spec.padded_bias(out_stride);
        Self { right, bias, kernel: [kh, kw], in_stride: spec.in_stride }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.right.iter().map(Packed::bytes).sum()
    }

    pub(crate) fn run(
        &self,
        level: Level,
        source: &Source,
        padding: &Padding,
        output: &mut Output,
    ) -> Option<Vec<Moments>> {
        let columns = self.right[0].columns();
        assert_eq!(source.plane.stride(), self.in_stride, "packed for other channels");
        assert_eq!(output.plane.stride(), columns, "output of other channels");
        let grid = padding.grid(source);
        let [_, _, _, width] = output.plane.shape();
        let (collect, epilogue) = (output.collect(), output.epilogue);
        let shape = self.scratch(STEP.min(width));
        for_bands(level, output.plane, (ROWS, collect), |band| {
            let rows = epilogue.rows(band.image, band.top);
            let finish = Finish { bias: &self.bias, rows };
            with_scratch(shape.iter().sum(), |scratch| {
                for x0 in (0..width).step_by(STEP) {
                    let span = (x0, STEP.min(width - x0), width);
                    let job = (source, &grid, span);
                    let memory = (&mut *scratch, shape);
                    at_level!(level, simd => self.step(simd, job, memory, (&mut *band, finish)));
                }
            });
        })
    }

    /// Values of one padded row that `count` outputs see, in whole vectors.
    fn line(&self, count: usize) -> usize {
        ((count + self.kernel[1] - 1) * self.in_stride).next_multiple_of(tensor::LANES)
    }

    /// Scratch values: padded rows, the same filtered, and their products.
    fn scratch(&self, count: usize) -> [usize; 3] {
        let (line, kh) = (self.line(count), self.kernel[0]);
        let products = POSITIONS * count * self.right[0].columns();
        [(ROWS + kh - 1) * line, POSITIONS * (kh / 3) * line, products]
    }

    /// Some columns of a band.
    #[inline(always)]
    fn step<S: Simd>(
        &self,
        simd: S,
        (source, grid, (x0, count, width)): (&Source, &Grid, (usize, usize, usize)),
        (scratch, [rows, filtered, _]): (&mut [f32], [usize; 3]),
        (band, finish): (&mut Band, Finish),
    ) {
        let ([kh, kw], line) = (self.kernel, self.line(count));
        let (rows, rest) = scratch.split_at_mut(rows);
        let (filtered, products) = rest.split_at_mut(filtered);
        // Rows past the picture repeat its last; what they yield is not used.
        for (y, row) in rows.chunks_exact_mut(line).take(ROWS + kh - 1).enumerate() {
            let at = (band.top + y, x0, x0 + count + kw - 1);
            load_row(simd, (source, band.image), grid, at, row);
        }
        let parts = kh / 3;
        columns::filter(simd, (rows, line), (filtered, parts));
        let segments: Vec<usize> = (0..parts).map(|part| part * line).collect();
        let columns = self.right[0].columns();
        let lefts = filtered.chunks_exact(parts * line);
        let outs = products.chunks_exact_mut(count * columns);
        for ((data, right), out) in lefts.zip(&self.right).zip(outs) {
            let depth = kw * self.in_stride;
            let left = Rows { data, row_stride: self.in_stride, segments: &segments, depth };
            let block = Block { left, count, row: 0 };
            multiply(simd, &[block], right, &mut Plain { out, stride: columns });
        }
        let at = (x0 * columns, width * columns);
        Self::write(simd, (products, count * columns), (band, at), finish);
    }

    /// Products to output rows: `len` values of each, from value `from` of the band's
    /// first row on.
    #[inline(always)]
    fn write<S: Simd>(
        simd: S,
        (products, len): (&[f32], usize),
        (band, (from, row_len)): (&mut Band, (usize, usize)),
        finish: Finish,
    ) {
        let lanes = S::f32s::LEN;
        let height = band.data.len() / row_len;
        for i in (0..len).step_by(lanes) {
            let c = i % finish.bias.len();
            let bias = S::f32s::from_slice(simd, &finish.bias[c..c + lanes]);
            let rows = columns::outputs(simd, (products, len), i);
            for (y, sums) in rows.into_iter().take(height).enumerate() {
                finish.rows.store(simd, sums + bias, (&mut *band.data, y * row_len + from + i));
            }
        }
    }
}
