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

use super::positions::{HEIGHT, Positions};
use super::{SUMS_BYTES, Side, share, sum_biases};
use crate::Level;
use crate::backward::add_pixels;
use crate::bands::with_scratch;
use crate::conv::winograd::{
    tiles::{Patch, Place},
    transform,
};
use crate::outer::{ROWS, Walk, accumulate, panel_width};
use crate::simd::at_level;
use crate::source::{Grid, load_row};

/// Products of a tile.
const POSITIONS: usize = HEIGHT * HEIGHT;
/// Tiles that are transformed before they are multiplied: enough to keep the sums in
/// registers for a while, few enough for the cache.
const CHUNK: usize = 32;
/// Tiles whose pixels are copied at a time.
const RUN: usize = 8;
/// Tasks that are enough, and tiles that a part is worth its sums.
const TASKS: usize = 8;
const PART_TILES: usize = 64;
/// Bytes of both planes that a part reads: all its tasks do, and find them in a shared cache.
const PART_BYTES: usize = 16 << 20;
/// Bytes of a task's sums and transformed tiles: they are to stay in a core's own cache,
/// or every chunk would fetch them from afar again.
const OWN_BYTES: usize = 960 << 10;

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

/// How the work is cut, and the memory of a task laid out.
#[derive(Clone, Copy)]
struct Layout {
    /// Channels of the left side and of the right one.
    channels: [usize; 2],
    /// Channels of a panel of the right side.
    width: usize,
    /// Rows of positions that a task sums, of six.
    rows: usize,
    /// Into how many shares the left channels are cut.
    shares: usize,
    /// Into how many parts the tiles are cut.
    parts: usize,
}

/// What a task sums: some positions, for some channels of the left side, over some tiles.
struct Task {
    positions: Positions,
    channels: Range<usize>,
    tiles: Range<usize>,
}

impl Layout {
    /// For so many tiles of planes of so many bytes.
    ///
    /// Fewer positions a task where their sums would not fit: transforming some rows of a
    /// tile is little more than their share of the work, transforming some channels twice is
    /// twice the work.
    fn new([c, o]: [usize; 2], width: usize, (tiles, bytes): (usize, usize)) -> Self {
        let sums = |rows: usize| rows * HEIGHT * c * o * size_of::<f32>();
        let both = |rows: usize| {
            sums(rows) + rows * HEIGHT * CHUNK * (c + o + 2 * LANES) * size_of::<f32>()
        };
        let rows = [6, 3].into_iter().find(|&rows| both(rows) <= OWN_BYTES).unwrap_or(1);
        let shares = sums(rows).div_ceil(OWN_BYTES).min(c.div_ceil(LANES));
        let tasks = HEIGHT / rows * shares;
        let most = (SUMS_BYTES / sums(HEIGHT)).min(tiles / PART_TILES);
        let parts = (TASKS / tasks).max(bytes.div_ceil(PART_BYTES)).min(most).max(1);
        Self { channels: [c, o], width, rows, shares, parts }
    }

    /// What share `i` of the left channels holds.
    fn share(&self, i: usize) -> Range<usize> {
        let Range { start, end } = share(i, self.shares, self.channels[0].div_ceil(LANES));
        start * LANES..(end * LANES).min(self.channels[0])
    }

    fn task(&self, i: usize, tiles: usize) -> Task {
        // Those that read the same tiles follow each other.
        let groups = self.groups();
        let (group, part) = (i % groups, i / groups);
        Task {
            positions: Positions::new(group / self.shares * self.rows, self.rows),
            channels: self.share(group % self.shares),
            tiles: share(part, self.parts, tiles),
        }
    }

    /// Where the sum of a task's channel and one of the right side lies in a position.
    fn place(&self, [row, column]: [usize; 2]) -> usize {
        let tile = row / ROWS * (self.channels[1] / self.width) + column / self.width;
        (tile * ROWS + row % ROWS) * self.width + column % self.width
    }

    /// Tasks that see the same tiles.
    fn groups(&self) -> usize {
        HEIGHT / self.rows * self.shares
    }

    fn tasks(&self) -> usize {
        self.groups() * self.parts
    }
}

impl Task {
    /// Values from one transformed tile to the next, of each side: a cache line more than
    /// its channels, or all tiles would lie in a few sets of the cache.
    fn pitch(&self, layout: Layout) -> [usize; 2] {
        [self.channels.len().next_multiple_of(LANES) + LANES, layout.channels[1] + LANES]
    }

    /// Values of a position of a chunk, of each side.
    fn planes(&self, layout: Layout) -> [usize; 2] {
        self.pitch(layout).map(|pitch| CHUNK * pitch + LANES)
    }
}

impl<'a> Filtered<'a> {
    /// If it pays: with whole vectors of channels, of which so few on both sides are sooner
    /// multiplied than transformed, and tiles that the pixels fill.
    pub(super) fn new(windows: Side<'a>, pixels: Side<'a>) -> Option<Self> {
        let sides = [windows, pixels];
        let strides = sides.map(|side| side.source.plane.stride());
        let grids = sides.map(|side| side.padding.grid(side.source));
        let images = windows.source.plane.shape()[0];
        let size = [grids[1].rows.len(), grids[1].columns.len()];
        let tiles = size.map(|side| side.div_ceil(4));
        let filled = 16 * tiles[0] * tiles[1] <= 2 * size[0] * size[1];
        let whole = strides.iter().all(|stride| stride.is_multiple_of(LANES));
        let channels = sides.map(|side| side.source.plane.shape()[1]);
        let many = channels[0] > ROWS || channels[1] > LANES;
        (filled && whole && many && images * tiles[0] * tiles[1] >= RUN).then_some(Self {
            sides,
            grids,
            images,
            tiles,
            strides,
        })
    }

    /// `[o, c, 3, 3]`, and the sums of the pixels.
    pub(super) fn run(&self, level: Level, [o, c]: [usize; 2]) -> [Vec<f32>; 2] {
        let tiles = self.images * self.tiles[0] * self.tiles[1];
        let lanes = at_level!(level, simd => crate::matmul::lanes_of(simd));
        let channels = [c.next_multiple_of(ROWS), self.strides[1]];
        let values = self.sides.map(|side| side.source.plane.data().len());
        let work = (tiles, (values[0] + values[1]) * size_of::<f32>());
        let layout = Layout::new(channels, panel_width(self.strides[1], lanes), work);
        let (results, biases): (Vec<Vec<f32>>, Vec<Vec<f64>>) = (0..layout.tasks())
            .into_par_iter()
            .map(|i| self.task(level, layout, &layout.task(i, tiles)))
            .unzip();
        // All but one task of those that see the same tiles leave zeros.
        [kernels(level, &results, layout, [o, c]), sum_biases(&biases, o)]
    }

    /// `[position, panel of channels, panel of pixels' channels, ROWS, width]`, and the sums
    /// of the pixels where the task's positions give them.
    fn task(&self, level: Level, layout: Layout, task: &Task) -> (Vec<f32>, Vec<f64>) {
        let positions = layout.rows * HEIGHT;
        let one = task.channels.len() * layout.channels[1];
        let mut sums = vec![0.0; positions * one];
        let mut bias = vec![0.0; self.strides[1]];
        let planes = task.planes(layout).map(|plane| positions * plane);
        let strips = [6 * (4 * RUN + 2) * self.strides[0], 4 * 4 * RUN * self.strides[1]];
        with_scratch(planes[0] + planes[1] + strips[0].max(strips[1]), |scratch| {
            let (left, rest) = scratch.split_at_mut(planes[0]);
            let (right, strip) = rest.split_at_mut(planes[1]);
            for first in task.tiles.clone().step_by(CHUNK) {
                let tiles = first..(first + CHUNK).min(task.tiles.end);
                let chunk = Chunk { filtered: self, layout, task, tiles };
                at_level!(level, simd => chunk.transform(simd, [&mut *left, &mut *right, &mut *strip]));
                at_level!(level, simd => chunk.multiply(simd, [left, right], &mut sums));
                at_level!(level, simd => chunk.add_pixels(simd, right, &mut bias));
            }
        });
        (sums, bias)
    }
}

/// Some tiles of a task.
struct Chunk<'a> {
    filtered: &'a Filtered<'a>,
    layout: Layout,
    task: &'a Task,
    tiles: Range<usize>,
}

impl Chunk<'_> {
    /// Adds the products of the tiles to the sums.
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, [left, right]: [&[f32]; 2], sums: &mut [f32]) {
        let Layout { channels: [_, columns], width, rows, .. } = self.layout;
        let (pitch, planes) = (self.task.pitch(self.layout), self.task.planes(self.layout));
        let mut tiles = sums.chunks_exact_mut(ROWS * width);
        for position in 0..rows * HEIGHT {
            let (left, right) = (&left[position * planes[0]..], &right[position * planes[1]..]);
            for row in (0..self.task.channels.len()).step_by(ROWS) {
                for column in (0..columns).step_by(width) {
                    let walk = Walk {
                        left: &left[row..],
                        left_steps: [0, pitch[0]],
                        right: &right[column..],
                        right_steps: [0, pitch[1]],
                        size: [1, self.tiles.len()],
                    };
                    tiles.next().into_iter().for_each(|sums| accumulate(simd, &walk, sums));
                }
            }
        }
    }

    /// Adds the pixels' sums: what a tile is at the position whose points are 1 and 1.
    #[inline(always)]
    fn add_pixels<S: Simd>(&self, simd: S, right: &[f32], bias: &mut [f64]) {
        if let Some(row) = self.task.positions.place_of(1)
            && self.task.channels.start == 0
        {
            let pitch = self.task.pitch(self.layout)[1];
            let from = &right[(row * HEIGHT + 1) * self.task.planes(self.layout)[1]..];
            add_pixels(simd, &from[..self.tiles.len() * pitch], pitch, bias);
        }
    }

    /// Both sides of the tiles to `[position, tile, channel]`.
    #[inline(always)]
    fn transform<S: Simd>(&self, simd: S, [left, right, strip]: [&mut [f32]; 3]) {
        let Filtered { sides, grids, tiles: [down, across], strides: [c, o], .. } = self.filtered;
        let (positions, channels) = (&self.task.positions, &self.task.channels);
        let (pitch, planes) = (self.task.pitch(self.layout), self.task.planes(self.layout));
        let mut half = [[S::f32s::splat(simd, 0.0); 6]; 6];
        let mut tile = self.tiles.start;
        while tile < self.tiles.end {
            let (image, ty, tx) = (tile / (down * across), tile / across % down, tile % across);
            let run = RUN.min(across - tx).min(self.tiles.end - tile);
            let slot = tile - self.tiles.start;

            let line = (4 * run + 2) * c;
            for y in positions.windows() {
                let at = (4 * ty + y, 4 * tx, 4 * (tx + run) + 2);
                let out = &mut strip[y * line..][..line];
                load_row(simd, (sides[0].source, image), &grids[0], at, out);
            }
            for t in 0..run {
                let first = 4 * t * c + channels.start;
                let seen = Patch { pixels: &strip[first..], line, stride: *c };
                let at = (slot + t) * pitch[0];
                let to = Place { plane: planes[0], at, channels: pitch[0] - LANES };
                positions.of_windows(simd, seen, (&mut *left, to), &mut half);
            }

            let line = 4 * run * o;
            for y in positions.pixels() {
                let out = &mut strip[y * line..][..line];
                self.load_pixels(simd, image, [4 * ty + y, 4 * tx], out);
            }
            for t in 0..run {
                let seen = Patch { pixels: &strip[4 * t * o..], line, stride: *o };
                let place = Place { plane: planes[1], at: (slot + t) * pitch[1], channels: *o };
                positions.of_pixels(simd, seen, (&mut *right, place), &mut half);
            }
            tile += run;
        }
    }

    /// A row of the pixels from a place on, zeros past its end: what tiles reach beyond
    /// the plane counts for nothing.
    #[inline(always)]
    fn load_pixels<S: Simd>(&self, simd: S, image: usize, [y, x]: [usize; 2], out: &mut [f32]) {
        let (grid, stride) = (&self.filtered.grids[1], self.filtered.strides[1]);
        let inside =
            if y < grid.rows.len() { (out.len() / stride).min(grid.columns.len() - x) } else { 0 };
        let (seen, beyond) = out.split_at_mut(inside * stride);
        if inside > 0 {
            let source = self.filtered.sides[1].source;
            load_row(simd, (source, image), grid, (y, x, x + inside), seen);
        }
        beyond.fill(0.0);
    }
}

/// `[o, c, 3, 3]` from the sums of all tasks.
fn kernels(level: Level, results: &[Vec<f32>], layout: Layout, [o, c]: [usize; 2]) -> Vec<f32> {
    let mut out = vec![0.0; o * c * 9];
    // Outputs whose sums lie side by side, a vector at most.
    let count = layout.width.min(LANES);
    out.par_chunks_mut(count * c * 9).enumerate().for_each(|(i, out)| {
        for share in 0..layout.shares {
            let all = layout.share(share);
            for channel in all.start..all.end.min(c) {
                let at = layout.place([channel - all.start, i * count]);
                let place = (at, c, channel);
                at_level!(level, simd => kernels_of(simd, results, (layout, share), place, out));
            }
        }
    });
    out
}

/// The kernels of one channel for a vector of outputs, whose sums lie at `at` of a position.
#[inline(always)]
fn kernels_of<S: Simd>(
    _: S,
    results: &[Vec<f32>],
    (layout, share): (Layout, usize),
    (at, c, channel): (usize, usize, usize),
    out: &mut [f32],
) {
    let Layout { rows, shares, .. } = layout;
    let one = layout.share(share).len() * layout.channels[1];
    let count = layout.width.min(LANES);
    let filters = [[1., 0., 0.], [0., 1., 0.], [0., 0., 1.]].map(transform::transform_taps);
    let mut half = [[[0.0f64; LANES]; HEIGHT]; 3];
    for (y, x) in (0..POSITIONS).map(|p| (p / HEIGHT, p % HEIGHT)) {
        let at = (y % rows * HEIGHT + x) * one + at;
        let mut products = [0.0f64; LANES];
        for part in results.chunks_exact(HEIGHT / rows * shares) {
            let part = &part[y / rows * shares + share];
            for (product, &value) in products.iter_mut().zip(&part[at..at + count]) {
                *product += f64::from(value);
            }
        }
        for (half, filter) in half.iter_mut().zip(&filters) {
            for (sum, product) in half[x].iter_mut().zip(&products) {
                *sum += filter[y] * product;
            }
        }
    }
    for tap in 0..9 {
        let mut sums = [0.0f64; LANES];
        for (half, factor) in half[tap / 3].iter().zip(&filters[tap % 3]) {
            sums.iter_mut().zip(half).for_each(|(sum, half)| *sum += factor * half);
        }
        for (out, sum) in out.chunks_exact_mut(c * 9).zip(sums) {
            out[channel * 9 + tap] = sum as f32;
        }
    }
}
