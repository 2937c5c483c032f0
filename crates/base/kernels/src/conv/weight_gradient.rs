//! The gradient of a convolution's weights.
//!
//! `dW[o, c, ky, kx] = Σ pixels[n, y, x, o] · windows[n, y·s + ky·d, x·s + kx·d, c]`
//! over images and pixels: an outer product of channels for each pixel and tap.
//! For a convolution, `pixels` is the gradient of its output and `windows` its
//! padded input; for a transposed one it is the other way around.
//!
//! Work is cut into parts of rows and groups of channels by shapes alone, each
//! part is summed on its own in `f32`, and the parts are added in order in `f64`:
//! the same bits on any number of threads.

mod filtered;
mod positions;

use std::ops::Range;

use rayon::prelude::*;
use tensor::LANES;

use filtered::Filtered;

use crate::Level;
use crate::backward::add_pixels;
use crate::bands::with_scratch;
use crate::conv::Padding;
use crate::outer::{MORE_ROWS, ROWS, Walk, accumulate, panel_width, sum_parts};
use crate::simd::at_level;
use crate::source::{Grid, Source, load_row};

/// A convolution whose weights' gradient is wanted.
#[derive(Clone, Copy, Debug)]
pub struct WeightGradient {
    /// `[o, c, kh, kw]`: channels of the pixels, of the windows, and taps.
    pub shape: [usize; 4],
    /// Pixels of the window from one pixel to the next.
    pub stride: usize,
    /// Pixels from one tap to the next.
    pub dilation: usize,
}

/// A plane as a gradient sees it: through a source, with a border.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The values.
    pub source: &'a Source<'a>,
    /// The border.
    pub padding: &'a Padding,
}

/// Most parts the rows are cut into, and most bytes their sums may take.
const MOST_PARTS: usize = 16;
const SUMS_BYTES: usize = 32 << 20;
/// Most bytes of sums of one task: they are to stay in a core's own cache.
const TASK_BYTES: usize = 512 << 10;
/// Pixels that a part is worth its sums: with fewer, adding them up is most of the work.
const PART_PIXELS: usize = 1024;
/// Values of both sides that a thread works on at a time.
const BAND_VALUES: usize = 96 * 1024;
/// Pixels that a tile is summed over at a time: 16 kB of a panel of two wide vectors.
const SEGMENT: usize = 128;
/// Values after a side's last pixel: panels that are not filled read beyond it.
const BEYOND: usize = 64;

/// How one gradient is laid out; all from shapes.
#[derive(Clone, Copy, Debug)]
struct Plan {
    gradient: WeightGradient,
    /// Taps down and across that are walked one by one.
    taps: [usize; 2],
    /// Left values of a pixel: channels, or channels of all taps of a row.
    values: usize,
    left_stride: usize,
    /// Left values of a panel.
    rows: usize,
    /// Right values of a pixel, padded.
    columns: usize,
    width: usize,
    /// Rows and columns of pixels.
    size: [usize; 2],
}

impl WeightGradient {
    /// `[o, c, kh, kw]` sums.
    ///
    /// # Panics
    ///
    /// If the planes do not have the channels of `shape`, or the windows reach
    /// over the padded plane.
    pub fn run(&self, level: Level, windows: Side, pixels: Side) -> Vec<f32> {
        let [weights, _] = self.with_bias(level, windows, pixels);
        weights
    }

    /// [`WeightGradient::run`], and for each of `o` channels the sum of the pixels: the
    /// gradient of a convolution's bias, while they are at hand.
    ///
    /// # Panics
    ///
    /// As [`WeightGradient::run`].
    pub fn with_bias(&self, level: Level, windows: Side, pixels: Side) -> [Vec<f32>; 2] {
        let [o, c, kh, kw] = self.shape;
        if [kh, kw, self.stride, self.dilation] == [3, 3, 1, 1]
            && let Some(filtered) = Filtered::new(windows, pixels)
        {
            return filtered.run(level, [o, c]);
        }
        self.run_directly(level, windows, pixels)
    }

    fn run_directly(&self, level: Level, windows: Side, pixels: Side) -> [Vec<f32>; 2] {
        let grids = [windows, pixels].map(|side| side.padding.grid(side.source));
        let plan = self.plan(level, [windows.source, pixels.source], &grids);
        let panels = plan.panels();
        let sums = plan.taps[0] * plan.taps[1] * panels * plan.rows * plan.columns;
        let rows = pixels.source.plane.shape()[0] * plan.size[0];
        let enough = (rows * plan.size[1]).div_ceil(PART_PIXELS);
        let sums = sums * size_of::<f32>();
        let parts = (SUMS_BYTES / sums).clamp(1, MOST_PARTS);
        let parts = parts.min(rows).min(enough);
        let groups = (MOST_PARTS / parts).max(sums / TASK_BYTES).clamp(1, panels);
        let tasks: Vec<(usize, usize)> =
            (0..groups).flat_map(|g| (0..parts).map(move |p| (g, p))).collect();
        let (results, biases): (Vec<Vec<f32>>, Vec<Vec<f64>>) = tasks
            .into_par_iter()
            .map(|(group, part)| {
                let task = Task {
                    plan: &plan,
                    sides: [windows.source, pixels.source],
                    grids: &grids,
                    panels: share(group, groups, panels),
                };
                task.run(level, share(part, parts, rows))
            })
            .unzip();
        [plan.collect(&results, parts, groups), sum_biases(&biases[..parts], self.shape[0])]
    }

    fn plan(&self, level: Level, sides: [&Source; 2], grids: &[Grid; 2]) -> Plan {
        let [o, c, kh, kw] = self.shape;
        let [windows, pixels] = sides.map(|s| s.plane);
        assert_eq!((windows.shape()[1], pixels.shape()[1]), (c, o), "other channels");
        let left_stride = windows.stride();
        let folded = left_stride == c && c < LANES && self.dilation == 1;
        let (taps, values) = if folded { ([kh, 1], kw * c) } else { ([kh, kw], c) };
        let columns = o.next_multiple_of(LANES);
        let size = [grids[1].rows.len(), grids[1].columns.len()];
        for (axis, (pixels, taps)) in
            [&grids[0].rows, &grids[0].columns].into_iter().zip(size.into_iter().zip([kh, kw]))
        {
            let reach = (pixels - 1) * self.stride + (taps - 1) * self.dilation + 1;
            assert!(reach <= axis.len(), "windows reach over the padded plane");
        }
        let lanes = at_level!(level, simd => crate::matmul::lanes_of(simd));
        let width = panel_width(columns, lanes);
        let rows = if values.is_multiple_of(MORE_ROWS) { MORE_ROWS } else { ROWS };
        Plan { gradient: *self, taps, values, left_stride, rows, columns, width, size }
    }
}

impl Plan {
    fn is_folded(&self) -> bool {
        self.taps[1] == 1 && self.gradient.shape[3] > 1
    }

    fn panels(&self) -> usize {
        self.values.div_ceil(self.rows)
    }

    /// Left rows that `rows` rows of pixels see.
    fn left_rows(&self, rows: usize) -> usize {
        (rows - 1) * self.gradient.stride + (self.taps[0] - 1) * self.gradient.dilation + 1
    }

    /// Adds the parts up: `[o, c, kh, kw]`.
    fn collect(&self, results: &[Vec<f32>], parts: usize, groups: usize) -> Vec<f32> {
        let [o, c, kh, kw] = self.gradient.shape;
        let panels = self.panels();
        let totals: Vec<Vec<f32>> = results.chunks_exact(parts).map(sum_parts).collect();
        let mut out = vec![0.0; o * c * kh * kw];
        out.par_chunks_exact_mut(c * kh * kw).enumerate().for_each(|(column, out)| {
            for (i, out) in out.iter_mut().enumerate() {
                let (channel, ky, kx) = (i / (kh * kw), i / kw % kh, i % kw);
                let (tap, value) =
                    if self.is_folded() { (ky, kx * c + channel) } else { (ky * kw + kx, channel) };
                let (panel, row) = (value / self.rows, value % self.rows);
                // The group whose share holds the panel, and the panel's place in it.
                let group = (0..groups).rfind(|g| panels * g / groups <= panel).unwrap_or(0);
                let [first, end] = [group, group + 1].map(|g| panels * g / groups);
                let tile = (tap * (end - first) + panel - first) * (self.columns / self.width);
                let at = ((tile + column / self.width) * self.rows + row) * self.width;
                let at = at + column % self.width;
                *out = totals[group][at];
            }
        });
        out
    }
}

/// The sum of each channel over all parts, in their order.
fn sum_biases(parts: &[Vec<f64>], channels: usize) -> Vec<f32> {
    (0..channels).map(|c| parts.iter().map(|part| part[c]).sum::<f64>() as f32).collect()
}

/// Part `i` of `of` about equal ones of `total`.
fn share(i: usize, of: usize, total: usize) -> Range<usize> {
    total * i / of..total * (i + 1) / of
}

/// Both sides of some rows: `[row, pixel, channel]`.
struct Products<'a> {
    left: &'a [f32],
    /// Values of a row of the left side.
    line: usize,
    right: &'a [f32],
}

/// Some panels of the left side.
struct Task<'a> {
    plan: &'a Plan,
    sides: [&'a Source<'a>; 2],
    grids: &'a [Grid; 2],
    panels: Range<usize>,
}

impl Task<'_> {
    /// The sums over rows of all images, `[tap, panel, right panel, rows, width]`, and those
    /// of the pixels alone.
    fn run(&self, level: Level, rows: Range<usize>) -> (Vec<f32>, Vec<f64>) {
        let Plan { taps, columns, size: [height, width], .. } = *self.plan;
        let mut sums = vec![0.0; taps[0] * taps[1] * self.panels.len() * self.plan.rows * columns];
        let mut bias = vec![0.0; self.sides[1].plane.stride()];
        let line = self.line();
        let right_line = width * self.sides[1].plane.stride();
        let most = (BAND_VALUES / (self.plan.gradient.stride * line + right_line)).clamp(1, 16);
        let mut row = rows.start;
        while row < rows.end {
            let (image, y) = (row / height, row % height);
            let count = most.min(height - y).min(rows.end - row);
            let left = self.plan.left_rows(count) * line + BEYOND;
            let right = if self.reads_in_place() { 0 } else { count * right_line + BEYOND };
            with_scratch(left + right, |scratch| {
                // The right side comes first: its vectors are to lie on cache lines.
                let (right, left) = scratch.split_at_mut(right);
                let sums = (&mut *sums, &mut *bias);
                at_level!(level, simd => self.band(simd, (image, y, count), (left, right), sums));
            });
            row += count;
        }
        (sums, bias)
    }

    /// Values of a row of the left side.
    fn line(&self) -> usize {
        self.grids[0].columns.len() * self.plan.left_stride
    }

    /// Whether the right side is read where it lies: nothing is done to its values, and
    /// its panels do not reach beyond a pixel.
    fn reads_in_place(&self) -> bool {
        let (side, grid) = (self.sides[1], &self.grids[1]);
        let [_, _, h, w] = side.plane.shape();
        let is_whole = [grid.rows.len(), grid.columns.len()] == [h, w] && side.enlarge == 1;
        is_whole && side.is_plain() && side.plane.stride() >= self.plan.columns
    }

    #[inline(always)]
    fn band<S: fearless_simd::Simd>(
        &self,
        simd: S,
        (image, top, count): (usize, usize, usize),
        (left, right): (&mut [f32], &mut [f32]),
        (sums, bias): (&mut [f32], &mut [f64]),
    ) {
        let Plan { gradient, columns, width, size, .. } = *self.plan;
        let line = self.line();
        for (y, out) in left.chunks_mut(line).take(self.plan.left_rows(count)).enumerate() {
            let (wide, row) = (self.grids[0].columns.len(), top * gradient.stride + y);
            load_row(simd, (self.sides[0], image), &self.grids[0], (row, 0, wide), out);
        }
        let plane = self.sides[1].plane;
        let right_line = size[1] * plane.stride();
        let right = if self.reads_in_place() {
            &plane.image(image)[top * right_line..][..count * right_line]
        } else {
            for (y, out) in right.chunks_mut(right_line).take(count).enumerate() {
                let at = (top + y, 0, size[1]);
                load_row(simd, (self.sides[1], image), &self.grids[1], at, out);
            }
            right
        };
        if self.panels.start == 0 {
            add_pixels(simd, &right[..count * right_line], plane.stride(), bias);
        }
        let job = Products { left, line, right };
        // Pixels of a segment: both sides of a tile stay in the nearest cache.
        let rows = (SEGMENT / size[1]).clamp(1, count);
        for i in 0..columns / width {
            for y in (0..count).step_by(rows) {
                for x in (0..size[1]).step_by(SEGMENT) {
                    let extent = [rows.min(count - y), SEGMENT.min(size[1] - x)];
                    self.segment(simd, &job, (i, [y, x], extent), sums);
                }
            }
        }
    }

    /// All taps and panels of the left side with panel `i` of the right one, for
    /// the pixels from `corner` on.
    #[inline(always)]
    fn segment<S: fearless_simd::Simd>(
        &self,
        simd: S,
        job: &Products,
        (i, [y, x], size): (usize, [usize; 2], [usize; 2]),
        sums: &mut [f32],
    ) {
        let Plan { gradient, taps, left_stride, rows, columns, width, .. } = *self.plan;
        let (panels, line, stride) = (self.panels.len(), job.line, self.sides[1].plane.stride());
        let right_steps = [self.plan.size[1] * stride, stride];
        let right = &job.right[y * right_steps[0] + x * stride + i * width..];
        let left_steps = [gradient.stride * line, gradient.stride * left_stride];
        let corner = y * left_steps[0] + x * left_steps[1];
        for panel in 0..panels {
            let first = corner + (self.panels.start + panel) * rows;
            for tap in 0..taps[0] * taps[1] {
                let (ky, kx) = (tap / taps[1], tap % taps[1]);
                let at = first + (ky * line + kx * left_stride) * gradient.dilation;
                let left = &job.left[at..];
                let walk = Walk { left, left_steps, right, right_steps, size };
                let at = ((tap * panels + panel) * (columns / width) + i) * rows * width;
                accumulate(simd, &walk, &mut sums[at..at + rows * width]);
            }
        }
    }
}
