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

use std::ops::Range;

use rayon::prelude::*;
use tensor::LANES;

use filtered::Filtered;

use crate::Level;
use crate::bands::with_scratch;
use crate::conv::Padding;
use crate::outer::{ROWS, Walk, accumulate, panel_width, sum_parts};
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
const MOST_PARTS: usize = 8;
const SUMS_BYTES: usize = 32 << 20;
/// Pixels that a part is worth its sums: with fewer, adding them up is most of the work.
const PART_PIXELS: usize = 1024;
/// Values of both packed sides that a thread works on at a time.
const BAND_VALUES: usize = 96 * 1024;
/// Pixels that a tile is summed over at a time: 16 kB of a panel of two wide vectors.
const SEGMENT: usize = 128;

/// How one gradient is laid out; all from shapes.
#[derive(Clone, Copy, Debug)]
struct Plan {
    gradient: WeightGradient,
    /// Taps down and across that are walked one by one.
    taps: [usize; 2],
    /// Left values of a pixel: channels, or channels of all taps of a row.
    values: usize,
    left_stride: usize,
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
        let [o, c, kh, kw] = self.shape;
        if [kh, kw, self.stride, self.dilation] == [3, 3, 1, 1]
            && let Some(filtered) = Filtered::new(windows, pixels)
        {
            return filtered.run(level, [o, c]);
        }
        self.run_directly(level, windows, pixels)
    }

    fn run_directly(&self, level: Level, windows: Side, pixels: Side) -> Vec<f32> {
        let grids = [windows, pixels].map(|side| side.padding.grid(side.source));
        let plan = self.plan(level, [windows.source, pixels.source], &grids);
        let panels = plan.values.div_ceil(ROWS);
        let sums = plan.taps[0] * plan.taps[1] * panels * ROWS * plan.columns;
        let rows = pixels.source.plane.shape()[0] * plan.size[0];
        let enough = (rows * plan.size[1]).div_ceil(PART_PIXELS);
        let parts = (SUMS_BYTES / (sums * size_of::<f32>())).clamp(1, MOST_PARTS);
        let parts = parts.min(rows).min(enough);
        let groups = (2 * MOST_PARTS / parts).clamp(1, panels);
        let tasks: Vec<(usize, usize)> =
            (0..groups).flat_map(|g| (0..parts).map(move |p| (g, p))).collect();
        let results: Vec<Vec<f32>> = tasks
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
            .collect();
        plan.collect(&results, parts, groups)
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
        Plan { gradient: *self, taps, values, left_stride, columns, width, size }
    }
}

impl Plan {
    fn is_folded(&self) -> bool {
        self.taps[1] == 1 && self.gradient.shape[3] > 1
    }

    /// Packed left pixels of a row, and how many lie between neighbouring pixels.
    fn left_line(&self) -> (usize, usize) {
        let WeightGradient { stride, dilation, .. } = self.gradient;
        if self.is_folded() {
            (self.size[1], 1)
        } else {
            ((self.size[1] - 1) * stride + (self.taps[1] - 1) * dilation + 1, stride)
        }
    }

    /// Left rows that `rows` rows of pixels see.
    fn left_rows(&self, rows: usize) -> usize {
        (rows - 1) * self.gradient.stride + (self.taps[0] - 1) * self.gradient.dilation + 1
    }

    /// Adds the parts up: `[o, c, kh, kw]`.
    fn collect(&self, results: &[Vec<f32>], parts: usize, groups: usize) -> Vec<f32> {
        let [o, c, kh, kw] = self.gradient.shape;
        let panels = self.values.div_ceil(ROWS);
        let totals: Vec<Vec<f32>> = results.chunks_exact(parts).map(sum_parts).collect();
        let mut out = vec![0.0; o * c * kh * kw];
        out.par_chunks_exact_mut(c * kh * kw).enumerate().for_each(|(column, out)| {
            for (i, out) in out.iter_mut().enumerate() {
                let (channel, ky, kx) = (i / (kh * kw), i / kw % kh, i % kw);
                let (tap, value) =
                    if self.is_folded() { (ky, kx * c + channel) } else { (ky * kw + kx, channel) };
                let (panel, row) = (value / ROWS, value % ROWS);
                // The group whose share holds the panel, and the panel's place in it.
                let group = (0..groups).rfind(|g| panels * g / groups <= panel).unwrap_or(0);
                let [first, end] = [group, group + 1].map(|g| panels * g / groups);
                let tile = (tap * (end - first) + panel - first) * (self.columns / self.width);
                let at = ((tile + column / self.width) * ROWS + row) * self.width;
                let at = at + column % self.width;
                *out = totals[group][at];
            }
        });
        out
    }
}

/// Part `i` of `of` about equal ones of `total`.
fn share(i: usize, of: usize, total: usize) -> Range<usize> {
    total * i / of..total * (i + 1) / of
}

/// Both sides of some rows, packed.
struct Products<'a> {
    /// `[panel, row, pixel, ROWS]`.
    left: &'a [f32],
    /// `[panel, row, pixel, width]`.
    right: &'a [f32],
    left_rows: usize,
    /// Rows of the right side.
    count: usize,
}

/// Some panels of the left side.
struct Task<'a> {
    plan: &'a Plan,
    sides: [&'a Source<'a>; 2],
    grids: &'a [Grid; 2],
    panels: Range<usize>,
}

impl Task<'_> {
    /// The sums over rows of all images, `[tap, panel, right panel, ROWS, width]`.
    fn run(&self, level: Level, rows: Range<usize>) -> Vec<f32> {
        let Plan { taps, columns, size: [height, width], .. } = *self.plan;
        let mut sums = vec![0.0; taps[0] * taps[1] * self.panels.len() * ROWS * columns];
        let (line, _) = self.plan.left_line();
        let per_row = self.plan.gradient.stride * line * self.panels.len() * ROWS + width * columns;
        let most = (BAND_VALUES / per_row).clamp(1, 16);
        let mut row = rows.start;
        while row < rows.end {
            let (image, y) = (row / height, row % height);
            let count = most.min(height - y).min(rows.end - row);
            let left = self.plan.left_rows(count) * line * self.panels.len() * ROWS;
            let right = count * width * columns;
            let raw = [0, 1].map(|i| self.grids[i].columns.len() * self.sides[i].plane.stride());
            with_scratch(left + right + raw[0].max(raw[1]), |scratch| {
                // The right side comes first: its vectors are to lie on cache lines.
                let (right, rest) = scratch.split_at_mut(right);
                let (left, raw) = rest.split_at_mut(left);
                at_level!(level, simd => self.band(simd, (image, y, count), (left, right, raw), &mut sums));
            });
            row += count;
        }
        sums
    }

    #[inline(always)]
    fn band<S: fearless_simd::Simd>(
        &self,
        simd: S,
        (image, top, count): (usize, usize, usize),
        (left, right, raw): (&mut [f32], &mut [f32], &mut [f32]),
        sums: &mut [f32],
    ) {
        let Plan { gradient, columns, width, size, .. } = *self.plan;
        let left_rows = self.plan.left_rows(count);
        for y in 0..left_rows {
            let (wide, row) = (self.grids[0].columns.len(), top * gradient.stride + y);
            load_row(simd, (self.sides[0], image), &self.grids[0], (row, 0, wide), raw);
            self.pack_left(raw, (left, left_rows, y));
        }
        for y in 0..count {
            load_row(simd, (self.sides[1], image), &self.grids[1], (top + y, 0, size[1]), raw);
            self.pack_right(raw, (right, count, y));
        }
        let job = Products { left, right, left_rows, count };
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
        let Plan { gradient, taps, columns, width, size: [_, wide], .. } = *self.plan;
        let ((line, step), panels) = (self.plan.left_line(), self.panels.len());
        let right = &job.right[((i * job.count + y) * wide + x) * width..];
        let left_steps = [gradient.stride * line * ROWS, step * ROWS];
        for panel in 0..panels {
            let corner = (panel * job.left_rows + y * gradient.stride) * line + x * step;
            for tap in 0..taps[0] * taps[1] {
                let (ky, kx) = (tap / taps[1], tap % taps[1]);
                let at = corner + (ky * line + kx) * gradient.dilation;
                let left = &job.left[at * ROWS..];
                let walk =
                    Walk { left, left_steps, right, right_steps: [wide * width, width], size };
                let at = ((tap * panels + panel) * (columns / width) + i) * ROWS * width;
                accumulate(simd, &walk, &mut sums[at..at + ROWS * width]);
            }
        }
    }

    /// One row of the windows to `[panel, row, pixel, ROWS]`.
    #[inline(always)]
    fn pack_left(&self, raw: &[f32], (left, rows, y): (&mut [f32], usize, usize)) {
        let (line, _) = self.plan.left_line();
        let step = if self.plan.is_folded() { self.plan.gradient.stride } else { 1 };
        let pixel = step * self.plan.left_stride;
        let panels = left.chunks_exact_mut(rows * line * ROWS).zip(self.panels.clone());
        for (out, panel) in panels {
            let out = &mut out[y * line * ROWS..][..line * ROWS];
            let (first, last) = (panel * ROWS, (panel * ROWS + ROWS).min(self.plan.values));
            if last - first == ROWS {
                for (x, out) in out.chunks_exact_mut(ROWS).enumerate() {
                    out.copy_from_slice(&raw[x * pixel + first..][..ROWS]);
                }
            } else {
                for (x, out) in out.chunks_exact_mut(ROWS).enumerate() {
                    out[last - first..].fill(0.0);
                    out[..last - first].copy_from_slice(&raw[x * pixel + first..][..last - first]);
                }
            }
        }
    }

    /// One row of the pixels to `[panel, row, pixel, width]`.
    #[inline(always)]
    fn pack_right(&self, raw: &[f32], (right, rows, y): (&mut [f32], usize, usize)) {
        let Plan { width, size, gradient, .. } = *self.plan;
        let stride = self.sides[1].plane.stride();
        let channels = gradient.shape[0];
        for (panel, out) in right.chunks_exact_mut(rows * size[1] * width).enumerate() {
            let out = &mut out[y * size[1] * width..][..size[1] * width];
            let first = (panel * width).min(channels);
            let raw = &raw[first..];
            match (width.min(channels - first), width) {
                (32, 32) => copy_pixels::<32>((raw, stride), out),
                (16, 16) => copy_pixels::<16>((raw, stride), out),
                (8, 8) => copy_pixels::<8>((raw, stride), out),
                (count, _) => {
                    for (x, out) in out.chunks_exact_mut(width).enumerate() {
                        out[count..].fill(0.0);
                        out[..count].copy_from_slice(&raw[x * stride..][..count]);
                    }
                }
            }
        }
    }
}

/// `W` values of each pixel; that many are known, so it is a few moves and no call.
#[inline(always)]
fn copy_pixels<const W: usize>((raw, stride): (&[f32], usize), out: &mut [f32]) {
    for (pixel, out) in raw.chunks(stride).zip(out.chunks_exact_mut(W)) {
        out.copy_from_slice(&pixel[..W]);
    }
}
