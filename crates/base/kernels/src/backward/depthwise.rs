use fearless_simd::prelude::*;
use rayon::prelude::*;
use tensor::{Buffer, Plane};

use crate::bands::{Band, Collect, for_bands, with_scratch};
use crate::conv::{ConvSpec, Side};
use crate::simd::at_level;
use crate::source::{Grid, load_row};
use crate::{Level, Source};

/// The gradients of a depthwise convolution.
#[derive(Clone, Debug)]
pub struct DepthwiseGradient {
    /// `[kh, kw, C']`.
    filters: Buffer,
    kernel: [usize; 2],
    channels: usize,
    stride: usize,
    dilation: usize,
}

/// Rows of the output's gradient that one part of the weights' gradient sums over.
const PART_ROWS: usize = 16;

impl DepthwiseGradient {
    /// For the convolution `spec`, whose shape is `[C, 1, kh, kw]`.
    pub fn new(spec: &ConvSpec) -> Self {
        let [c, _, kh, kw] = spec.shape;
        let channels = tensor::padded_channels(c);
        let mut filters = Buffer::zeros(kh * kw * channels);
        for tap in 0..kh * kw {
            for channel in 0..c {
                filters.as_mut_slice()[tap * channels + channel] =
                    spec.at(channel, 0, tap / kw, tap % kw);
            }
        }
        let (stride, dilation) = (spec.stride, spec.dilation);
        Self { filters, kernel: [kh, kw], channels, stride, dilation }
    }

    /// The gradient of the padded input, from that of the output.
    ///
    /// # Panics
    ///
    /// If channels differ.
    pub fn input(&self, level: Level, grad: &Plane, padded: &mut Plane) {
        assert_eq!((grad.stride(), padded.stride()), (self.channels, self.channels), "channels");
        let width = padded.shape()[3];
        for_bands(level, padded, (4, Collect::Nothing), |band| {
            at_level!(level, simd => self.band(simd, grad, band, width));
        });
    }

    #[inline(always)]
    fn band<S: Simd>(&self, simd: S, grad: &Plane, band: &mut Band, width: usize) {
        let (lanes, [_, _, oh, ow], image) = (S::f32s::LEN, grad.shape(), grad.image(band.image));
        // The output position that sees padded position `at` through tap `k`.
        let seen = |at: usize, k: usize, out: usize| {
            let from = at.checked_sub(k * self.dilation)?;
            (from.is_multiple_of(self.stride) && from / self.stride < out)
                .then_some(from / self.stride)
        };
        for (i, pixel) in band.data.chunks_exact_mut(self.channels).enumerate() {
            let (y, x) = (band.top + i / width, i % width);
            pixel.fill(0.0);
            for tap in 0..self.kernel[0] * self.kernel[1] {
                let (ky, kx) = (tap / self.kernel[1], tap % self.kernel[1]);
                let (Some(oy), Some(ox)) = (seen(y, ky, oh), seen(x, kx, ow)) else { continue };
                let from = &image[oy * grad.row_len() + ox * self.channels..];
                let filter = &self.filters.as_slice()[tap * self.channels..];
                for c in (0..self.channels).step_by(lanes) {
                    let load = |v: &[f32]| S::f32s::from_slice(simd, &v[c..c + lanes]);
                    let sum = load(from).mul_add(load(filter), load(pixel));
                    sum.store_slice(&mut pixel[c..c + lanes]);
                }
            }
        }
    }

    /// The gradient of the weights, `[C, 1, kh, kw]`.
    ///
    /// # Panics
    ///
    /// If channels differ.
    pub fn weights(&self, level: Level, windows: Side, grad: &Plane) -> Vec<f32> {
        let [images, channels, height, _] = grad.shape();
        let seen = windows.padding.grid(windows.source);
        let parts: Vec<(usize, usize)> =
            (0..images).flat_map(|n| (0..height).step_by(PART_ROWS).map(move |y| (n, y))).collect();
        let sums: Vec<Vec<f32>> = parts
            .into_par_iter()
            .map(|(image, top)| {
                let mut sums = vec![0.0; self.filters.len()];
                let rows = top..(top + PART_ROWS).min(height);
                let line = seen.columns.len() * self.channels;
                with_scratch(line, |line| {
                    let job = (grad, image, rows);
                    at_level!(level, simd => self.part(simd, (windows.source, &seen), job, (line, &mut sums)));
                });
                sums
            })
            .collect();
        let taps = self.kernel[0] * self.kernel[1];
        let total = |c: usize, tap: usize| {
            sums.iter().map(|s| f64::from(s[tap * self.channels + c])).sum::<f64>() as f32
        };
        (0..channels * taps).map(|i| total(i / taps, i % taps)).collect()
    }

    #[inline(always)]
    fn part<S: Simd>(
        &self,
        simd: S,
        (source, axes): (&Source, &Grid),
        (grad, image, rows): (&Plane, usize, std::ops::Range<usize>),
        (line, sums): (&mut [f32], &mut [f32]),
    ) {
        let (c, lanes, wide) = (self.channels, S::f32s::LEN, axes.columns.len());
        for y in rows {
            let gradients = &grad.image(image)[y * grad.row_len()..][..grad.row_len()];
            for tap in 0..self.kernel[0] * self.kernel[1] {
                let (ky, kx) = (tap / self.kernel[1], tap % self.kernel[1]);
                let row = y * self.stride + ky * self.dilation;
                if kx == 0 {
                    load_row(simd, (source, image), axes, (row, 0, wide), line);
                }
                let seen = line[kx * self.dilation * c..].chunks(self.stride * c);
                let sums = &mut sums[tap * c..][..c];
                for at in (0..c).step_by(lanes) {
                    let load = |v: &[f32]| S::f32s::from_slice(simd, &v[at..at + lanes]);
                    let mut sum = load(sums);
                    for (g, x) in gradients.chunks_exact(c).zip(seen.clone()) {
                        sum = load(g).mul_add(load(x), sum);
                    }
                    sum.store_slice(&mut sums[at..at + lanes]);
                }
            }
        }
    }
}
