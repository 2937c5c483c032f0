//! The gradient of 3×3 kernels at stride 1 by minimal filtering: F(4×4, 3×3) read
//! backwards.
//!
//! Where the convolution is `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A` for a tile of 4×4 outputs,
//! its kernel's gradient is `Gᵀ [Σ tiles (Bᵀ d B) ⊙ (A dY Aᵀ)] G`: for each pair of
//! channels 36 multiplications a tile where the definition has 144.

use std::ops::Range;

use fearless_simd::prelude::*;
use rayon::prelude::*;
use tensor::LANES;

use super::{MOST_PARTS, SUMS_BYTES, Side, share};
use crate::Level;
use crate::bands::with_scratch;
use crate::conv::winograd::{tiles, transform};
use crate::outer::{ROWS, Walk, accumulate, panel_width, sum_parts};
use crate::simd::at_level;
use crate::source::{Grid, load_row};

/// Products of a tile.
const POSITIONS: usize = 36;
/// Tiles that are transformed before they are multiplied: enough to keep the sums in
/// registers for a while, few enough for the cache.
const CHUNK: usize = 32;
/// Tiles whose pixels are copied at a time.
const RUN: usize = 8;
/// Tiles that a part is worth its sums.
const PART_TILES: usize = 64;

/// A gradient that is worked out in this way.
#[derive(Debug)]
pub(super) struct Filtered<'a> {
    sides: [Side<'a>; 2],
    grids: [Grid; 2],
    images: usize,
    /// Rows and columns of tiles of an image.
    tiles: [usize; 2],
    /// Channels of both sides with their padding.
    strides: [usize; 2],
}

/// What one thread sums: some channels of the windows, over some tiles.
struct Task {
    channels: Range<usize>,
    tiles: Range<usize>,
}

/// How the memory of a task is laid out.
#[derive(Clone, Copy)]
struct Layout {
    /// Values from one transformed tile to the next, of each side: a cache line more than
    /// its channels, or all tiles would lie in a few sets of the cache.
    pitch: [usize; 2],
    /// Values of the copied pixels of a run, of each side.
    strip: [usize; 2],
}

impl Layout {
    fn plane(&self, side: usize) -> usize {
        CHUNK * self.pitch[side] + LANES
    }

    fn place(&self, side: usize, tile: usize, channels: usize) -> tiles::Place {
        tiles::Place { plane: self.plane(side), at: tile * self.pitch[side], channels }
    }

    fn lens(&self) -> [usize; 3] {
        let planes = [0, 1].map(|side| POSITIONS * self.plane(side));
        [planes[0], planes[1], self.strip[0].max(self.strip[1])]
    }
}

impl<'a> Filtered<'a> {
    /// If it pays: with whole vectors of channels, and tiles that the pixels fill.
    pub(super) fn new(windows: Side<'a>, pixels: Side<'a>) -> Option<Self> {
        let sides = [windows, pixels];
        let strides = sides.map(|side| side.source.plane.stride());
        let grids = sides.map(|side| side.padding.grid(side.source));
        let images = windows.source.plane.shape()[0];
        let size = [grids[1].rows.len(), grids[1].columns.len()];
        let tiles = size.map(|side| side.div_ceil(4));
        let filled = 16 * tiles[0] * tiles[1] <= 2 * size[0] * size[1];
        let whole = strides.iter().all(|stride| stride.is_multiple_of(LANES));
        (filled && whole && images * tiles[0] * tiles[1] >= RUN).then_some(Self {
            sides,
            grids,
            images,
            tiles,
            strides,
        })
    }

    /// `[o, c, 3, 3]`.
    pub(super) fn run(&self, level: Level, [o, c]: [usize; 2]) -> Vec<f32> {
        let tiles = self.images * self.tiles[0] * self.tiles[1];
        let sums = POSITIONS * self.strides[0] * self.strides[1] * size_of::<f32>();
        let parts = (SUMS_BYTES / sums).min(tiles / PART_TILES).clamp(1, MOST_PARTS);
        let vectors = self.strides[0] / LANES;
        let groups = (2 * MOST_PARTS / parts).min(vectors);
        let channels = |group: usize| {
            let Range { start, end } = share(group, groups, vectors);
            start * LANES..end * LANES
        };
        let results: Vec<Vec<f32>> = (0..groups * parts)
            .into_par_iter()
            .map(|i| {
                let tiles = share(i % parts, parts, tiles);
                self.task(level, &Task { channels: channels(i / parts), tiles })
            })
            .collect();
        let totals: Vec<Vec<f32>> = results.chunks_exact(parts).map(sum_parts).collect();
        let width = self.width(level);
        let mut out = vec![0.0; o * c * 9];
        out.par_chunks_exact_mut(c * 9).enumerate().for_each(|(column, out)| {
            for (group, total) in totals.iter().enumerate() {
                let channels = channels(group);
                let at = |position: usize, row: usize| {
                    let panel = position * channels.len() / ROWS + row / ROWS;
                    let tile = panel * (self.strides[1] / width) + column / width;
                    (tile * ROWS + row % ROWS) * width + column % width
                };
                for channel in channels.start..channels.end.min(c) {
                    let mut sums = [0.0; POSITIONS];
                    for (position, sum) in sums.iter_mut().enumerate() {
                        *sum = f64::from(total[at(position, channel - channels.start)]);
                    }
                    let taps = transform::kernel_gradient(&sums);
                    for (out, tap) in out[channel * 9..][..9].iter_mut().zip(taps) {
                        *out = tap as f32;
                    }
                }
            }
        });
        out
    }

    fn width(&self, level: Level) -> usize {
        panel_width(self.strides[1], at_level!(level, simd => crate::matmul::lanes_of(simd)))
    }

    /// `[position, panel of channels, panel of pixels' channels, ROWS, width]`.
    fn task(&self, level: Level, task: &Task) -> Vec<f32> {
        let mut sums = vec![0.0; POSITIONS * task.channels.len() * self.strides[1]];
        let pitch = [task.channels.len(), self.strides[1]].map(|values| values + LANES);
        let strip = [6 * (4 * RUN + 2) * self.strides[0], 4 * 4 * RUN * self.strides[1]];
        let layout = Layout { pitch, strip };
        let width = self.width(level);
        with_scratch(layout.lens().iter().sum(), |scratch| {
            for first in task.tiles.clone().step_by(CHUNK) {
                let tiles = first..(first + CHUNK).min(task.tiles.end);
                let one = Task { channels: task.channels.clone(), tiles };
                let memory = (&mut *scratch, layout);
                at_level!(level, simd => self.chunk(simd, &one, memory, (&mut sums, width)));
            }
        });
        sums
    }

    #[inline(always)]
    fn chunk<S: Simd>(
        &self,
        simd: S,
        task: &Task,
        (scratch, layout): (&mut [f32], Layout),
        (sums, width): (&mut [f32], usize),
    ) {
        let [left_len, right_len, _] = layout.lens();
        let (left, rest) = scratch.split_at_mut(left_len);
        let (right, strip) = rest.split_at_mut(right_len);
        self.transform(simd, task, layout, (&mut *left, &mut *right, strip));
        let count = task.tiles.len();
        let columns = self.strides[1];
        let mut tiles = sums.chunks_exact_mut(ROWS * width);
        for position in 0..POSITIONS {
            let left = &left[position * layout.plane(0)..];
            let right = &right[position * layout.plane(1)..];
            for row in (0..task.channels.len()).step_by(ROWS) {
                for column in (0..columns).step_by(width) {
                    let walk = Walk {
                        left: &left[row..],
                        left_steps: [0, layout.pitch[0]],
                        right: &right[column..],
                        right_steps: [0, layout.pitch[1]],
                        size: [1, count],
                    };
                    tiles.next().into_iter().for_each(|sums| accumulate(simd, &walk, sums));
                }
            }
        }
    }

    /// Both sides of a chunk's tiles to `[position, tile, channel]`.
    #[inline(always)]
    fn transform<S: Simd>(
        &self,
        simd: S,
        task: &Task,
        layout: Layout,
        (left, right, strip): (&mut [f32], &mut [f32], &mut [f32]),
    ) {
        let ([down, across], [c, o]) = (self.tiles, self.strides);
        let mut windows = [[S::f32s::splat(simd, 0.0); 6]; 6];
        let mut pixels = [[S::f32s::splat(simd, 0.0); 6]; 4];
        let mut tile = task.tiles.start;
        while tile < task.tiles.end {
            let (image, ty, tx) = (tile / (down * across), tile / across % down, tile % across);
            let run = RUN.min(across - tx).min(task.tiles.end - tile);
            let slot = tile - task.tiles.start;

            let line = (4 * run + 2) * c;
            for (y, out) in strip.chunks_exact_mut(line).take(6).enumerate() {
                let at = (4 * ty + y, 4 * tx, 4 * (tx + run) + 2);
                load_row(simd, (self.sides[0].source, image), &self.grids[0], at, out);
            }
            for t in 0..run {
                let first = 4 * t * c + task.channels.start;
                let seen = tiles::Patch { pixels: &strip[first..], line, stride: c };
                let place = layout.place(0, slot + t, task.channels.len());
                tiles::transform_patch::<S, 6, 6>(simd, seen, (&mut *left, place), &mut windows);
            }

            let line = 4 * run * o;
            for (y, out) in strip.chunks_exact_mut(line).take(4).enumerate() {
                self.load_pixels(simd, image, [4 * ty + y, 4 * tx], out);
            }
            for t in 0..run {
                let seen = tiles::Patch { pixels: &strip[4 * t * o..], line, stride: o };
                let place = layout.place(1, slot + t, o);
                tiles::spread_patch(simd, seen, (&mut *right, place), &mut pixels);
            }
            tile += run;
        }
    }

    /// A row of the pixels from a place on, zeros past its end: what tiles reach beyond
    /// the plane counts for nothing.
    #[inline(always)]
    fn load_pixels<S: Simd>(&self, simd: S, image: usize, [y, x]: [usize; 2], out: &mut [f32]) {
        let (grid, stride) = (&self.grids[1], self.strides[1]);
        let inside =
            if y < grid.rows.len() { (out.len() / stride).min(grid.columns.len() - x) } else { 0 };
        let (seen, beyond) = out.split_at_mut(inside * stride);
        if inside > 0 {
            load_row(simd, (self.sides[1].source, image), grid, (y, x, x + inside), seen);
        }
        beyond.fill(0.0);
    }
}
