//! Depthwise convolution: one filter for each channel.

use fearless_simd::prelude::*;
use tensor::Buffer;

use crate::bands::{Band, for_bands, with_scratch};
use crate::conv::{ConvSpec, Output, Padding};
use crate::simd::at_level;
use crate::source::{Grid, Source, load_row};
use crate::{Epilogue, Level, Moments, Onto};

/// A convolution with as many groups as channels in and out.
#[derive(Clone, Debug)]
pub struct Depthwise {
    /// `[kh, kw, C']`.
    filters: Buffer,
    bias: Vec<f32>,
    kernel: [usize; 2],
    channels: usize,
    stride: usize,
    dilation: usize,
}

impl Depthwise {
    /// Packs a convolution; `spec.shape` is `[C, 1, kh, kw]`.
    ///
    /// # Panics
    ///
    /// If the shape is another, or the input's channels are not padded.
    pub fn new(spec: &ConvSpec) -> Self {
        let [c, one, kh, kw] = spec.shape;
        let channels = tensor::padded_channels(c);
        assert_eq!((one, spec.in_stride), (1, channels), "a filter a channel, padded");
        let mut filters = Buffer::zeros(kh * kw * channels);
        for tap in 0..kh * kw {
            for channel in 0..c {
                filters.as_mut_slice()[tap * channels + channel] =
                    spec.at(channel, 0, tap / kw, tap % kw);
            }
        }
        let (bias, kernel) = (spec.padded_bias(channels), [kh, kw]);
        let (stride, dilation) = (spec.stride, spec.dilation);
        Self { filters, bias, kernel, channels, stride, dilation }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.filters.len() * size_of::<f32>()
    }

    pub(crate) fn run(
        &self,
        level: Level,
        source: &Source,
        padding: &Padding,
        output: &mut Output,
    ) -> Option<Vec<Moments>> {
        assert_eq!(source.plane.stride(), self.channels, "packed for other channels");
        let grid = padding.grid(source);
        let (collect, epilogue) = (output.collect(), output.epilogue);
        assert_eq!(epilogue.onto, Onto::Nothing, "sums are gathered in the output");
        let [_, _, _, width] = output.plane.shape();
        for_bands(level, output.plane, (4, collect), |band| {
            let [rows, line] = self.scratch(band.data.len() / (width * self.channels), width);
            with_scratch(rows * line, |scratch| {
                let scratch = (scratch, line);
                at_level!(level, simd => self.band(simd, (source, &grid), scratch, (band, width, &epilogue)));
            });
        })
    }

    /// Input rows in scratch memory, and values in each.
    fn scratch(&self, height: usize, width: usize) -> [usize; 2] {
        let reach = |n: usize, taps: usize| (n - 1) * self.stride + (taps - 1) * self.dilation + 1;
        [reach(height, self.kernel[0]), reach(width, self.kernel[1]) * self.channels]
    }

    #[inline(always)]
    fn band<S: Simd>(
        &self,
        simd: S,
        (source, grid): (&Source, &Grid),
        (scratch, line): (&mut [f32], usize),
        (band, width, epilogue): (&mut Band, usize, &Epilogue),
    ) {
        let c = self.channels;
        let rows = epilogue.rows(band.image, band.top);
        for (y, row) in scratch.chunks_exact_mut(line).enumerate() {
            let at = (band.top * self.stride + y, 0, line / c);
            load_row(simd, (source, band.image), grid, at, row);
        }
        for (i, pixel) in band.data.chunks_exact_mut(c).enumerate() {
            let (y, x) = (i / width, i % width);
            let corner = y * self.stride * line + x * self.stride * c;
            self.pixel(simd, (&scratch[corner..], line), pixel);
            for lane in (0..c).step_by(S::f32s::LEN) {
                let value = S::f32s::from_slice(simd, &pixel[lane..lane + S::f32s::LEN]);
                rows.from(i * c).store(simd, value, (&mut *pixel, lane));
            }
        }
    }

    #[inline(always)]
    fn pixel<S: Simd>(&self, simd: S, (input, line): (&[f32], usize), out: &mut [f32]) {
        let (c, lanes) = (self.channels, S::f32s::LEN);
        let filters = self.filters.as_slice();
        for lane in (0..c).step_by(lanes) {
            let mut sum = S::f32s::from_slice(simd, &self.bias[lane..lane + lanes]);
            for y in 0..self.kernel[0] {
                for x in 0..self.kernel[1] {
                    let at = y * self.dilation * line + x * self.dilation * c + lane;
                    let tap = (y * self.kernel[1] + x) * c + lane;
                    let value = S::f32s::from_slice(simd, &input[at..at + lanes]);
                    sum = value.mul_add(S::f32s::from_slice(simd, &filters[tap..tap + lanes]), sum);
                }
            }
            sum.store_slice(&mut out[lane..lane + lanes]);
        }
    }
}
