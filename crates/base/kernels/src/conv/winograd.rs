//! 3×3 convolution at stride 1 by minimal filtering: F(4×4, 3×3) and F(2×2, 3×3).
//!
//! Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
//! CVPR 2016. A tile of 6×6 inputs is transformed, multiplied with the
//! transformed kernel position by position (a matrix product over channels for
//! each of the 36 positions), and transformed to 4×4 outputs: 36
//! multiplications where the definition has 144.
//!
//! A 9×9 kernel is nine 3×3 kernels side by side: the input, seen through nine
//! shifts as nine times the channels, is convolved with them at once. With few
//! channels, as in a picture, that takes a quarter of the multiplications too.
//!
//! An input enlarged ×2 shows each pixel twice, and the transform's row for the
//! point −1 takes the difference of such pairs: it is zero for every tile, so 11
//! of the 36 products are left out.

use fearless_simd::prelude::*;
use rayon::prelude::*;

use crate::bands::{Band, for_bands, with_scratch};
use crate::conv::{ConvSpec, Output, Padding};
use crate::matmul::{Block, Packed, Plain, Rows, multiply};
use crate::simd::at_level;
use crate::source::{Grid, Source, load_row};
use crate::{Epilogue, Level, Moments};

mod transform;

use transform::{POSITIONS, Tile};

/// A 3×3 or 9×9 convolution with its kernels transformed.
#[derive(Clone, Debug)]
pub struct Winograd {
    tile: Tile,
    /// Kernels of 3×3 along each side of the kernel.
    parts: usize,
    /// Channels of the source.
    channels: usize,
    source_stride: usize,
    /// One right side for each position of a tile.
    right: Vec<Packed>,
    bias: Vec<f32>,
    /// Channels of a transformed tile: the source's, as often as there are parts.
    in_stride: usize,
    out_stride: usize,
}

/// Bytes of transformed tiles that a thread works on at a time.
const CHUNK_BYTES: usize = 448 * 1024;

/// The tiles of one image of the output, in rows of `across`.
#[derive(Clone, Copy, Debug)]
struct Tiling {
    across: usize,
    down: usize,
}

impl Winograd {
    /// Transforms and packs a convolution for outputs of `height` × `width`.
    ///
    /// # Panics
    ///
    /// If it is neither 3×3 nor 9×9, or has a stride or dilation.
    pub fn new(level: Level, spec: &ConvSpec, [height, width]: [usize; 2]) -> Self {
        let [o, channels, kh, kw] = spec.shape;
        assert!(kh == kw && [3, 9].contains(&kh) && spec.stride == 1 && spec.dilation == 1);
        let parts = kh / 3;
        let in_stride = tensor::padded_channels(parts * parts * channels);
        assert!(parts > 1 || spec.in_stride == in_stride, "channels are not padded");
        let tile = Tile::for_size(height, width);
        let out_stride = tensor::padded_channels(o);
        let positions = tile.inputs() * tile.inputs();
        let mut right = vec![Packed::zeros(level, in_stride, out_stride); positions];
        for out in 0..o {
            for c in 0..parts * parts * channels {
                let (part, channel) = (c / channels, c % channels);
                let corner = [part / parts * 3, part % parts * 3];
                let kernel = |y, x| f64::from(spec.at(out, channel, corner[0] + y, corner[1] + x));
                for (packed, value) in right.iter_mut().zip(tile.transform_kernel(kernel)) {
                    packed.set(c, out, value as f32);
                }
            }
        }
        let (bias, source_stride) = (spec.padded_bias(out_stride), spec.in_stride);
        Self { tile, parts, channels, source_stride, right, bias, in_stride, out_stride }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.right.iter().map(Packed::bytes).sum()
    }

    fn tiling(&self, [_, _, h, w]: tensor::Shape4) -> Tiling {
        let m = self.tile.outputs();
        Tiling { across: w.div_ceil(m), down: h.div_ceil(m) }
    }

    /// Memory of the staged way for an output of `shape`, if it is taken.
    pub(crate) fn working_bytes(&self, shape: tensor::Shape4) -> usize {
        let tiling = self.tiling(shape);
        let tiles = shape[0] * tiling.across * tiling.down;
        let per_tile = (self.right.len() + 1) * (self.in_stride + self.out_stride);
        if self.is_staged(tiles) { tiles * per_tile * size_of::<f32>() } else { 0 }
    }

    /// Whether all tiles are transformed before any is multiplied, so that the
    /// kernels are read once and not once a chunk: where they are large
    /// compared with the tiles. Where both ways cost the same was measured.
    fn is_staged(&self, tiles: usize) -> bool {
        tiles * (self.in_stride + self.out_stride) < 3 * self.in_stride * self.out_stride
    }

    pub(crate) fn run(
        &self,
        level: Level,
        source: &Source,
        padding: &Padding,
        output: &mut Output,
    ) -> Option<Vec<Moments>> {
        assert_eq!(source.plane.stride(), self.source_stride, "packed for other channels");
        assert_eq!(output.plane.stride(), self.out_stride, "output of other channels");
        let grid = padding.grid(source);
        let shape = output.plane.shape();
        let tiling = self.tiling(shape);
        let job =
            Job { conv: self, source, grid: &grid, tiling, active: self.active(source, padding) };
        if self.is_staged(shape[0] * tiling.across * tiling.down) {
            job.staged(level, output)
        } else {
            job.chunked(level, output)
        }
    }

    /// The positions whose transformed inputs are not all zero.
    fn active(&self, source: &Source, padding: &Padding) -> Vec<usize> {
        let n = self.tile.inputs();
        // With an odd border, inputs 1 and 2 of every tile show one pixel, as do 3 and 4.
        let paired = [padding.down, padding.across].iter().all(|p| p[0] % 2 == 1);
        let zero = (source.enlarge == 2 && self.parts == 1 && paired)
            .then_some(transform::ZERO_WHEN_DOUBLED);
        (0..n * n).filter(|p| zero.is_none_or(|z| p / n != z && p % n != z)).collect()
    }
}

/// One run of one convolution.
#[derive(Debug)]
struct Job<'a> {
    conv: &'a Winograd,
    source: &'a Source<'a>,
    grid: &'a Grid,
    tiling: Tiling,
    active: Vec<usize>,
}

impl Job<'_> {
    /// Values of the pixels that a run of `tiles` tiles sees, and of one row of
    /// the source that the parts of a kernel see shifted.
    fn strip_len(&self, tiles: usize) -> usize {
        let tile = self.conv.tile;
        let width = tiles.min(self.tiling.across) * tile.outputs() + 2;
        let shifted = width + 3 * (self.conv.parts - 1);
        tile.inputs() * width * self.conv.in_stride + shifted * self.conv.source_stride
    }

    /// Columns `from..to` of a row as the tiles see it.
    #[inline(always)]
    fn load<S: Simd>(
        &self,
        simd: S,
        image: usize,
        (row, from, to): (usize, usize, usize),
        (out, line): (&mut [f32], &mut [f32]),
    ) {
        let Winograd { parts, channels, source_stride, in_stride, .. } = *self.conv;
        if parts == 1 {
            return load_row(simd, (self.source, image), self.grid, (row, from, to), out);
        }
        out.fill(0.0);
        for y in 0..parts {
            let at = (row + 3 * y, from, to + 3 * (parts - 1));
            load_row(simd, (self.source, image), self.grid, at, line);
            for (i, pixel) in out.chunks_exact_mut(in_stride).enumerate() {
                for x in 0..parts {
                    let seen = &line[(i + 3 * x) * source_stride..][..channels];
                    pixel[(y * parts + x) * channels..][..channels].copy_from_slice(seen);
                }
            }
        }
    }

    /// Each thread takes bands of tiles through all three steps in chunks that
    /// fit its cache.
    fn chunked(&self, level: Level, output: &mut Output) -> Option<Vec<Moments>> {
        let Winograd { in_stride, out_stride, .. } = *self.conv;
        let per_tile = self.active.len() * (in_stride + out_stride) * size_of::<f32>();
        let chunk = (CHUNK_BYTES / per_tile / 12 * 12).clamp(12, 96);
        let band_tiles = chunk.div_ceil(self.tiling.across).min(self.tiling.down);
        let rows = band_tiles * self.conv.tile.outputs();
        let (collect, epilogue) = (output.collect(), output.epilogue);
        let shape = output.plane.shape();
        for_bands(level, output.plane, (rows, collect), |band| {
            self.band(level, band, (shape, chunk), &epilogue);
        })
    }

    fn band(
        &self,
        level: Level,
        band: &mut Band,
        (shape, chunk): ([usize; 4], usize),
        epilogue: &Epilogue,
    ) {
        let Winograd { in_stride, out_stride, ref right, .. } = *self.conv;
        let m = self.conv.tile.outputs();
        let band_first = band.top / m * self.tiling.across;
        let band_rows = band.data.len() / (shape[3] * out_stride);
        let tiles = band_rows.div_ceil(m) * self.tiling.across;
        let positions = self.active.len();
        // One more position, which stays zero, stands for those left out.
        let (in_plane, out_plane) = (plane_len(chunk, in_stride), plane_len(chunk, out_stride));
        let (inputs, sums) = (positions * in_plane, (positions + 1) * out_plane);
        with_scratch(inputs + sums + self.strip_len(chunk), |scratch| {
            let (inputs, rest) = scratch.split_at_mut(inputs);
            let (sums, strip) = rest.split_at_mut(sums);
            sums[positions * out_plane..].fill(0.0);
            for from in (0..tiles).step_by(chunk) {
                let count = chunk.min(tiles - from);
                let group = Group { image: band.image, first: band_first + from, count };
                at_level!(level, simd => self.transform_in(simd, group, (inputs, chunk, strip)));
                let lefts = inputs.chunks_exact(in_plane);
                let outs = sums.chunks_exact_mut(out_plane);
                for ((&p, data), out) in self.active.iter().zip(lefts).zip(outs) {
                    let left =
                        Rows { data, row_stride: in_stride, segments: &[0], depth: in_stride };
                    let block = [Block { left, count, row: 0 }];
                    at_level!(level, simd => product(simd, &block, &right[p], out));
                }
                let view = Sums { data: sums, tiles: chunk, slot: 0 };
                let write = Write { band: &mut *band, shape, epilogue };
                at_level!(level, simd => self.transform_out(simd, group, view, write));
            }
        });
    }

    /// All tiles are transformed, then multiplied position by position, then
    /// transformed back: for few tiles and large kernels.
    fn staged(&self, level: Level, output: &mut Output) -> Option<Vec<Moments>> {
        const GROUP: usize = 24;
        let Winograd { in_stride, out_stride, ref right, .. } = *self.conv;
        let positions = self.active.len();
        let per_image = self.tiling.across * self.tiling.down;
        let groups = per_image.div_ceil(GROUP); // of one image
        let count_of = |group: usize| GROUP.min(per_image - group % groups * GROUP);
        let images = output.plane.shape()[0];
        let tiles = images * per_image;

        let (in_plane, out_plane) = (plane_len(GROUP, in_stride), plane_len(tiles, out_stride));
        let group_len = positions * in_plane;
        let input_len = images * groups * group_len;
        let sums_len = (positions + 1) * out_plane;
        with_scratch(input_len + sums_len, |scratch| {
            let (inputs, sums) = scratch.split_at_mut(input_len);
            inputs.par_chunks_exact_mut(group_len).enumerate().for_each(|(i, part)| {
                let first = i % groups * GROUP;
                let group = Group { image: i / groups, first, count: count_of(i) };
                with_scratch(self.strip_len(GROUP), |strip| {
                    at_level!(level, simd => self.transform_in(simd, group, (part, GROUP, strip)));
                });
            });

            let inputs = &*inputs;
            sums[positions * out_plane..].fill(0.0);
            let outs = sums.par_chunks_exact_mut(out_plane);
            outs.zip(&self.active).enumerate().for_each(|(i, (out, &p))| {
                let block = |group: usize| {
                    let data = &inputs[group * group_len + i * in_plane..];
                    let left =
                        Rows { data, row_stride: in_stride, segments: &[0], depth: in_stride };
                    let row = group / groups * per_image + group % groups * GROUP;
                    Block { left, count: count_of(group), row }
                };
                let blocks: Vec<Block> = (0..images * groups).map(block).collect();
                at_level!(level, simd => product(simd, &blocks, &right[p], out));
            });
            self.write_staged(level, (&*sums, tiles), output)
        })
    }

    fn write_staged(
        &self,
        level: Level,
        (data, tiles): (&[f32], usize),
        output: &mut Output,
    ) -> Option<Vec<Moments>> {
        let (collect, epilogue) = (output.collect(), output.epilogue);
        let shape = output.plane.shape();
        let m = self.conv.tile.outputs();
        for_bands(level, output.plane, (m, collect), |band| {
            let first = band.top / m * self.tiling.across;
            let group = Group { image: band.image, first, count: self.tiling.across };
            let slot = band.image * self.tiling.across * self.tiling.down + first;
            let view = Sums { data, tiles, slot };
            let write = Write { band, shape, epilogue: &epilogue };
            at_level!(level, simd => self.transform_out(simd, group, view, write));
        })
    }
}

/// Values from one position to the next: those of `tiles` tiles, and a cache
/// line more. A power of two would map the 36 places that a transform touches
/// to one or two sets of the cache, each write driving out the one before.
fn plane_len(tiles: usize, stride: usize) -> usize {
    tiles * stride + tensor::LANES
}

/// Consecutive tiles of one image.
#[derive(Clone, Copy, Debug)]
struct Group {
    image: usize,
    first: usize,
    count: usize,
}

/// Products by position: `[position, tile, channel]`, of which some tiles are wanted.
#[derive(Clone, Copy, Debug)]
struct Sums<'a> {
    data: &'a [f32],
    tiles: usize,
    /// The first wanted tile.
    slot: usize,
}

/// Where transformed tiles go.
struct Write<'a, 'b> {
    band: &'a mut Band<'b>,
    shape: [usize; 4],
    epilogue: &'a Epilogue<'a>,
}

#[inline(always)]
fn product<S: Simd>(simd: S, blocks: &[Block], right: &Packed, out: &mut [f32]) {
    multiply(simd, blocks, right, &mut Plain { out, stride: right.columns() });
}

impl Job<'_> {
    /// Input tiles to `[active position, tile, channel]`: where to, tiles a
    /// position, and scratch memory of [`Job::strip_len`].
    #[inline(always)]
    fn transform_in<S: Simd>(&self, simd: S, group: Group, out: (&mut [f32], usize, &mut [f32])) {
        match self.conv.tile {
            Tile::Four => self.transform_in_n::<S, 6>(simd, group, out),
            Tile::Two => self.transform_in_n::<S, 4>(simd, group, out),
        }
    }

    /// Row by row of tiles: the pixels that a run of tiles sees are copied to
    /// `strip` first, with border, affine map and gate, so that tiles that
    /// overlap share that work and the input is read from memory in order.
    #[inline(always)]
    fn transform_in_n<S: Simd, const N: usize>(
        &self,
        simd: S,
        group: Group,
        (out, tiles, strip): (&mut [f32], usize, &mut [f32]),
    ) {
        let stride = self.conv.in_stride;
        let plane = plane_len(tiles, stride);
        let mut slots = [usize::MAX; POSITIONS];
        for (slot, &p) in self.active.iter().enumerate() {
            slots[p] = slot * plane;
        }
        let m = N - 2;
        let mut done = 0;
        while done < group.count {
            let tile = group.first + done;
            let (ty, tx) = (tile / self.tiling.across, tile % self.tiling.across);
            let run = (group.count - done).min(self.tiling.across - tx);
            let line = (run * m + 2) * stride;
            let (seen, row) = strip.split_at_mut(N * line);
            for (y, out) in seen.chunks_exact_mut(line).enumerate() {
                let at = (ty * m + y, tx * m, (tx + run) * m + 2);
                self.load(simd, group.image, at, (out, &mut *row));
            }
            for t in 0..run {
                let patch = (&strip[t * m * stride..], line, stride);
                let out = (&mut out[(done + t) * stride..], &slots);
                transform_patch::<S, N>(simd, patch, out);
            }
            done += run;
        }
    }

    /// Products of the group's tiles to outputs, in the rows of the band.
    #[inline(always)]
    fn transform_out<S: Simd>(&self, simd: S, group: Group, sums: Sums, write: Write) {
        match self.conv.tile {
            Tile::Four => self.transform_out_n::<S, 6, 4>(simd, group, sums, write),
            Tile::Two => self.transform_out_n::<S, 4, 2>(simd, group, sums, write),
        }
    }

    #[inline(always)]
    fn transform_out_n<S: Simd, const N: usize, const M: usize>(
        &self,
        simd: S,
        group: Group,
        sums: Sums,
        Write { band, shape: [_, _, height, width], epilogue }: Write,
    ) {
        let lanes = S::f32s::LEN;
        let stride = self.conv.out_stride;
        let mut slots = [self.active.len(); POSITIONS];
        for (slot, &p) in self.active.iter().enumerate() {
            slots[p] = slot;
        }
        let plane = plane_len(sums.tiles, stride);
        let residual = epilogue.residual_rows(band.image, band.top);
        for t in 0..group.count {
            let (ty, tx) =
                ((group.first + t) / self.tiling.across, (group.first + t) % self.tiling.across);
            let (rows, columns) = (M.min(height - ty * M), M.min(width - tx * M));
            let corner = ((ty * M - band.top) * width + tx * M) * stride;
            for c in (0..stride).step_by(lanes) {
                let mut half = [[S::f32s::splat(simd, 0.0); M]; N];
                for x in 0..N {
                    let mut column = [S::f32s::splat(simd, 0.0); N];
                    for (y, value) in column.iter_mut().enumerate() {
                        let at = slots[y * N + x] * plane + (sums.slot + t) * stride + c;
                        *value = S::f32s::from_slice(simd, &sums.data[at..at + lanes]);
                    }
                    half[x] = transform::output(simd, column);
                }
                let bias = S::f32s::from_slice(simd, &self.conv.bias[c..c + lanes]);
                for y in 0..rows {
                    let line: [S::f32s; M] = transform::output(simd, across(simd, &half, y));
                    for x in 0..columns {
                        let at = corner + (y * width + x) * stride + c;
                        let mut value = line[x] + bias;
                        if let Some(residual) = residual {
                            value += S::f32s::from_slice(simd, &residual[at..at + lanes]);
                        }
                        let value = epilogue.gate.apply(simd, value);
                        value.store_slice(&mut band.data[at..at + lanes]);
                    }
                }
            }
        }
    }
}

/// Entry `y` of each of `N` columns.
#[inline(always)]
fn across<S: Simd, const N: usize, const H: usize>(
    simd: S,
    columns: &[[S::f32s; H]; N],
    y: usize,
) -> [S::f32s; N] {
    let mut row = [S::f32s::splat(simd, 0.0); N];
    for (value, column) in row.iter_mut().zip(columns) {
        *value = column[y];
    }
    row
}

/// The `N`×`N` pixels at the start of `strip`, rows of `line` values, to the
/// places `slots` of `out`.
#[inline(always)]
fn transform_patch<S: Simd, const N: usize>(
    simd: S,
    (strip, line, stride): (&[f32], usize, usize),
    (out, slots): (&mut [f32], &[usize; POSITIONS]),
) {
    let lanes = S::f32s::LEN;
    for c in (0..stride).step_by(lanes) {
        let mut columns = [[S::f32s::splat(simd, 0.0); N]; N];
        for x in 0..N {
            let mut column = [S::f32s::splat(simd, 0.0); N];
            for y in 0..N {
                let at = y * line + x * stride + c;
                column[y] = S::f32s::from_slice(simd, &strip[at..at + lanes]);
            }
            columns[x] = transform::input(simd, column);
        }
        for y in 0..N {
            let row = transform::input(simd, across(simd, &columns, y));
            for x in 0..N {
                let slot = slots[y * N + x];
                if slot != usize::MAX {
                    row[x].store_slice(&mut out[slot + c..slot + c + lanes]);
                }
            }
        }
    }
}
