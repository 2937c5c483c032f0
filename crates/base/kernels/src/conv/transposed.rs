//! Transposed convolution, phase by phase.
//!
//! Output pixels whose positions leave the same remainder modulo the stride see
//! the same taps of the kernel, so each of the `stride²` remainders is an
//! ordinary small convolution of the input, written to every `stride`-th pixel:
//! no zeros are multiplied.

use fearless_simd::prelude::*;

use crate::bands::{Band, for_bands, with_scratch};
use crate::conv::direct::Finish;
use crate::conv::{ConvSpec, Output};
use crate::matmul::{Block, Packed, Rows, multiply};
use crate::simd::at_level;
use crate::source::{Axis, Border, Grid, Source, load_row};
use crate::{Level, Moments};

/// A transposed convolution with a square kernel.
#[derive(Clone, Debug)]
pub struct Transposed {
    phases: Vec<Phase>,
    bias: Vec<f32>,
    in_stride: usize,
    stride: usize,
    /// Input rows (and columns) needed before the first one that an output reads.
    reach: [usize; 2],
}

/// Outputs of each phase computed at a time.
const STEP: usize = 48;

/// The outputs `y ≡ place[0]`, `x ≡ place[1]` modulo the stride.
#[derive(Clone, Debug)]
struct Phase {
    place: [usize; 2],
    /// Rows and columns, relative to `output / stride`, that it reads.
    taps: Vec<[isize; 2]>,
    right: Packed,
}

/// The taps along one axis that outputs `place + n · stride` see:
/// `(tap, input offset)`, where the input is `n + offset`.
fn axis_taps(kernel: usize, stride: usize, cut: usize, place: usize) -> Vec<(usize, isize)> {
    // Output y receives tap k from input i where y + cut = i · stride + k.
    (0..kernel)
        .filter(|k| (place + cut + stride * kernel - k).is_multiple_of(stride))
        .map(|k| (k, (place + cut) as isize - k as isize))
        .map(|(k, distance)| (k, distance.div_euclid(stride as isize)))
        .collect()
}

impl Transposed {
    /// Packs a transposed convolution. `spec.shape` and `spec.weight` are
    /// `[in, out, k, k]`; `cut` pixels of the full result are left out at the
    /// top and left.
    ///
    /// # Panics
    ///
    /// If the kernel is not square.
    pub fn new(level: Level, spec: &ConvSpec, cut: usize) -> Self {
        let [channels, out, k, kw] = spec.shape;
        assert_eq!(k, kw, "a square kernel");
        let columns = tensor::padded_channels(out);
        let mut phases = vec![];
        for place in (0..spec.stride * spec.stride).map(|i| [i / spec.stride, i % spec.stride]) {
            let [down, across] = place.map(|p| axis_taps(k, spec.stride, cut, p));
            let pairs: Vec<_> =
                down.iter().flat_map(|d| across.iter().map(move |a| (*d, *a))).collect();
            let mut right = Packed::zeros(level, pairs.len().max(1) * spec.in_stride, columns);
            for (t, ((ky, _), (kx, _))) in pairs.iter().enumerate() {
                for c in 0..channels {
                    for o in 0..out {
                        let value = spec.weight[((c * out + o) * k + ky) * k + kx];
                        right.set(t * spec.in_stride + c, o, value);
                    }
                }
            }
            let taps = pairs.iter().map(|((_, y), (_, x))| [*y, *x]).collect();
            phases.push(Phase { place, taps, right });
        }
        let offsets = || phases.iter().flat_map(|p| p.taps.iter().flatten().copied());
        let reach = [
            offsets().min().unwrap_or(0).min(0).unsigned_abs(),
            offsets().max().unwrap_or(0).max(0).unsigned_abs(),
        ];
        let bias = spec.padded_bias(columns);
        Self { phases, bias, in_stride: spec.in_stride, stride: spec.stride, reach }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.phases.iter().map(|p| p.right.bytes()).sum()
    }

    pub(crate) fn run(
        &self,
        level: Level,
        source: &Source,
        output: &mut Output,
    ) -> Option<Vec<Moments>> {
        assert_eq!(source.plane.stride(), self.in_stride, "packed for other channels");
        let [_, _, height, width] = output.plane.shape();
        let axis = |seen: usize, out: usize| {
            let [before, after] = self.reach;
            let last = out.div_ceil(self.stride);
            let after = (last + after).saturating_sub(seen);
            Axis::new([seen, source.enlarge], [before, after], Border::Zero)
        };
        let [h, w] = source.size();
        let grid = Grid { rows: axis(h, height), columns: axis(w, width) };
        let (collect, epilogue) = (output.collect(), output.epilogue);
        for_bands(level, output.plane, (4 * self.stride, collect), |band| {
            let rows = epilogue.rows(band.image, band.top);
            let finish = Finish { bias: &self.bias, rows };
            let height = band.data.len() / (width * self.bias.len());
            let [rows, line] = self.scratch(height, width);
            with_scratch(rows * line, |scratch| {
                let scratch = (scratch, line);
                at_level!(level, simd => self.band(simd, (source, &grid), scratch, (band, width, finish)));
            });
        })
    }

    /// Input rows in scratch memory, and values in each.
    fn scratch(&self, height: usize, width: usize) -> [usize; 2] {
        let border = self.reach[0] + self.reach[1];
        let step = STEP.min(width.div_ceil(self.stride));
        [height.div_ceil(self.stride) + border, (step + border) * self.in_stride]
    }

    #[inline(always)]
    fn band<S: Simd>(
        &self,
        simd: S,
        (source, grid): (&Source, &Grid),
        (scratch, line): (&mut [f32], usize),
        (band, width, finish): (&mut Band, usize, Finish),
    ) {
        let s = self.stride;
        let step = line / self.in_stride - self.reach[0] - self.reach[1];
        for x0 in (0..width.div_ceil(s)).step_by(step) {
            let to = x0 + step + self.reach[0] + self.reach[1];
            for (y, row) in scratch.chunks_exact_mut(line).enumerate() {
                load_row(simd, (source, band.image), grid, (band.top / s + y, x0, to), row);
            }
            for phase in &self.phases {
                // The phase's pixels of a row from x0 · s on.
                let left_over = (width + s - 1 - phase.place[1]) / s;
                let count = step.min(left_over.saturating_sub(x0));
                if count > 0 {
                    let at = (line, x0, count, width);
                    self.phase(simd, phase, (scratch, band.data), (at, finish));
                }
            }
        }
    }

    /// `count` outputs of every row that belongs to a phase.
    #[inline(always)]
    fn phase<S: Simd>(
        &self,
        simd: S,
        phase: &Phase,
        (scratch, out): (&[f32], &mut [f32]),
        ((line, x0, count, width), finish): ((usize, usize, usize, usize), Finish),
    ) {
        let (s, c, columns) = (self.stride, self.in_stride, self.bias.len());
        let at = |d: isize| (d + self.reach[0] as isize) as usize;
        let tap = |&[y, x]: &[isize; 2]| at(y) * line + at(x) * c;
        let segments: Vec<usize> = phase.taps.iter().map(tap).collect();
        let height = out.len() / (width * columns);
        let [py, px] = phase.place;
        for y in (py..height).step_by(s) {
            let data = &scratch[y / s * line..];
            let left = Rows { data, row_stride: c, segments: &segments, depth: c };
            let mut sink = finish.at(out, (y * width + x0 * s + px) * columns, s * columns);
            multiply(simd, &[Block { left, count, row: 0 }], &phase.right, &mut sink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_follow_the_definition() {
        // Stride 2, kernel 3, one pixel cut: even outputs see the middle tap of their input,
        // odd ones the last of their input and the first of the next.
        assert_eq!(axis_taps(3, 2, 1, 0), [(1, 0)]);
        assert_eq!(axis_taps(3, 2, 1, 1), [(0, 1), (2, 0)]);
    }
}
