//! Convolution of few values, such as 3×3 of a grey picture, for one that reads its results.
//!
//! So little depth makes many values of few: writing them to memory and reading them again takes
//! longer than their sums do.

use fearless_simd::prelude::*;

use crate::Level;
use crate::conv::ConvSpec;
use crate::matmul::Packed;

/// A convolution at stride 1, without dilation, whose kernel has few taps.
#[derive(Clone, Debug)]
pub struct Few {
    right: Packed,
    bias: Vec<f32>,
    kernel: [usize; 2],
    in_stride: usize,
}

impl Few {
    /// Most taps times channels: with more, memory is faster.
    pub const MOST_TAPS: usize = 9;

    /// Lays out a convolution.
    ///
    /// # Panics
    ///
    /// If it has more taps than [`Few::MOST_TAPS`], or a stride or dilation.
    pub fn new(level: Level, spec: &ConvSpec) -> Self {
        let [o, i, kh, kw] = spec.shape;
        assert!(kh * kw * spec.in_stride <= Self::MOST_TAPS, "{kh}×{kw}×{i} are not few");
        assert!(spec.stride == 1 && spec.dilation == 1);
        let out_stride = tensor::padded_channels(o);
        let mut right = Packed::zeros(level, kh * kw * spec.in_stride, out_stride);
        for (y, x) in (0..kh * kw).map(|k| (k / kw, k % kw)) {
            for (c, out) in (0..i * o).map(|k| (k / o, k % o)) {
                let row = (y * kw + x) * spec.in_stride + c;
                right.set(row, out, spec.at(out, c, y, x));
            }
        }
        let (bias, kernel) = (spec.padded_bias(out_stride), [kh, kw]);
        Self { right, bias, kernel, in_stride: spec.in_stride }
    }

    /// Bytes the packed weights take.
    pub fn bytes(&self) -> usize {
        self.right.bytes()
    }

    /// Output channels with their padding.
    pub(crate) fn channels(&self) -> usize {
        self.bias.len()
    }

    /// Rows and columns of output of an input with its border.
    pub(crate) fn size(&self, seen: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| seen[axis] + 1 - self.kernel[axis])
    }

    /// A row of `count` outputs from padded input rows of `line` values: `put` is given each
    /// vector of it, with its place.
    #[inline(always)]
    pub(crate) fn row<S: Simd>(
        &self,
        simd: S,
        (lines, line): (&[f32], usize),
        count: usize,
        mut put: impl FnMut(usize, S::f32s),
    ) {
        let taps = self.kernel[1] * self.in_stride;
        let mut places = [0; Self::MOST_TAPS];
        for (i, place) in places.iter_mut().enumerate() {
            *place = i / taps * line + i % taps;
        }
        let seen = (lines, &places[..self.kernel[0] * taps]);
        let mut x = 0;
        while x < count {
            let wide = self.right.width() == 2 * S::f32s::LEN;
            let left = count - x;
            x += match (S::f32s::LEN, wide) {
                (16, true) if left >= 12 => self.block::<S, 12, 2>(simd, seen, x, &mut put),
                (_, true) if left >= 4 => self.block::<S, 4, 2>(simd, seen, x, &mut put),
                (_, true) => self.block::<S, 1, 2>(simd, seen, x, &mut put),
                _ if left >= 8 => self.block::<S, 8, 1>(simd, seen, x, &mut put),
                _ => self.block::<S, 1, 1>(simd, seen, x, &mut put),
            };
        }
    }

    /// `P` outputs from `x` on, of which the row's first sees the values at `places`. Kept out of
    /// line: inlined into a caller's loops, its sums would be spilled.
    #[inline(never)]
    fn block<S: Simd, const P: usize, const V: usize>(
        &self,
        simd: S,
        seen: (&[f32], &[usize]),
        x: usize,
        put: &mut impl FnMut(usize, S::f32s),
    ) -> usize {
        simd.vectorize(
            #[inline(always)]
            || self.block_inline::<S, P, V>(simd, seen, x, put),
        );
        P
    }

    #[inline(always)]
    fn block_inline<S: Simd, const P: usize, const V: usize>(
        &self,
        simd: S,
        (pixels, places): (&[f32], &[usize]),
        x: usize,
        put: &mut impl FnMut(usize, S::f32s),
    ) {
        let (lanes, stride) = (S::f32s::LEN, self.channels());
        let mut values = [[0.0; P]; Self::MOST_TAPS];
        for (values, place) in values.iter_mut().zip(places) {
            let seen = &pixels[place + x * self.in_stride..];
            for (value, &seen) in values.iter_mut().zip(seen.iter().step_by(self.in_stride)) {
                *value = seen;
            }
        }
        let values = &values[..places.len()];
        for (i, bias) in self.bias.chunks_exact(V * lanes).enumerate() {
            let sums = products::<S, P, V>(simd, (values, self.right.panel(i)), bias);
            for p in 0..P {
                let at = (x + p) * stride + i * V * lanes;
                for v in 0..V {
                    put(at + v * lanes, sums[p][v]);
                }
            }
        }
    }
}

/// `bias` and, for each of `P` outputs, the sum of its values times rows of `panel`.
#[inline(always)]
fn products<S: Simd, const P: usize, const V: usize>(
    simd: S,
    (values, panel): (&[[f32; P]], &[f32]),
    bias: &[f32],
) -> [[S::f32s; V]; P] {
    let lanes = S::f32s::LEN;
    let mut first = [S::f32s::splat(simd, 0.0); V];
    for (first, bias) in first.iter_mut().zip(bias.chunks_exact(lanes)) {
        *first = S::f32s::from_slice(simd, bias);
    }
    let mut sums = [first; P];
    for (values, row) in values.iter().zip(panel.chunks_exact(V * lanes)) {
        let mut vectors = [S::f32s::splat(simd, 0.0); V];
        for (vector, row) in vectors.iter_mut().zip(row.chunks_exact(lanes)) {
            *vector = S::f32s::from_slice(simd, row);
        }
        for p in 0..P {
            let value = S::f32s::splat(simd, values[p]);
            for v in 0..V {
                sums[p][v] = value.mul_add(vectors[v], sums[p][v]);
            }
        }
    }
    sums
}
