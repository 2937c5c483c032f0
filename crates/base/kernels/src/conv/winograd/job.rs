//! The three steps of a convolution, arranged for the cache.

use std::ops::Range;

use fearless_simd::prelude::*;
use rayon::prelude::*;

use super::transform::Form;
use super::{Tiling, Winograd};
use crate::bands::{Band, for_bands, with_scratch};
use crate::conv::Output;
use crate::matmul::{Block, Packed, Plain, Rows, multiply_before, multiply_panel};
use crate::simd::{at_level, prefetch};
use crate::source::{Grid, Source};
use crate::{Epilogue, Level, Moments};

/// Bytes of transformed tiles that a thread works on at a time.
const CHUNK_BYTES: usize = 448 * 1024;

/// One run of one convolution.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) conv: &'a Winograd,
    pub(super) source: &'a Source<'a>,
    pub(super) grid: &'a Grid,
    pub(super) tiling: Tiling,
    pub(super) form: Form,
    /// The right side of each position that is not always zero.
    right: Vec<&'a Packed>,
}

impl<'a> Job<'a> {
    pub(super) fn new(
        conv: &'a Winograd,
        (source, grid): (&'a Source<'a>, &'a Grid),
        tiling: Tiling,
        form: Form,
    ) -> Self {
        let right = form.kernels().map(|k| &conv.right[k]).collect();
        Self { conv, source, grid, tiling, form, right }
    }

    /// Each thread takes bands of tiles through all three steps in chunks that
    /// fit its cache.
    pub(super) fn chunked(&self, level: Level, output: &mut Output) -> Option<Vec<Moments>> {
        let Winograd { in_stride, out_stride, .. } = *self.conv;
        let per_tile = self.right.len() * (in_stride + out_stride) * size_of::<f32>();
        // Each chunk reads all kernels: with this many tiles, that is no more than the tiles are.
        let balanced = in_stride * out_stride / (in_stride + out_stride);
        let fitting = ((CHUNK_BYTES / per_tile).max(balanced) / 12 * 12).clamp(12, 192);
        let band_tiles = self.tiling.even_rows(fitting.div_ceil(self.tiling.across));
        // Equal chunks: a last one of few tiles would read all kernels for little work.
        let tiles = band_tiles * self.tiling.across;
        let chunk = tiles.div_ceil(((tiles + fitting / 2) / fitting).max(1));
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
        let Winograd { in_stride, out_stride, .. } = *self.conv;
        let m = self.conv.tile.outputs();
        let band_first = band.top / m * self.tiling.across;
        let band_rows = band.data.len() / (shape[3] * out_stride);
        let tiles = band_rows.div_ceil(m) * self.tiling.across;
        let positions = self.right.len();
        // A panel of output channels at a time, so that its products stay in level 2.
        let (panels, width) = (self.right[0].panels(), self.right[0].width());
        let (in_plane, out_plane) = (plane_len(chunk, in_stride), plane_len(chunk, width));
        let (inputs, sums) = (positions * in_plane, positions * out_plane);
        with_scratch(inputs + sums + self.strip_len(chunk), |scratch| {
            let (inputs, rest) = scratch.split_at_mut(inputs);
            let (sums, strip) = rest.split_at_mut(sums);
            for from in (0..tiles).step_by(chunk) {
                let count = chunk.min(tiles - from);
                let group = Group { image: band.image, first: band_first + from, count };
                at_level!(level, simd => self.transform_in(simd, group, (inputs, chunk, strip)));
                for panel in 0..panels {
                    let outputs = Outputs { band, shape, group, panel };
                    let products = (&*inputs, &mut *sums, out_plane);
                    at_level!(level, simd => self.multiply_chunk(simd, products, &outputs));
                    let channels = panel * width..(panel + 1) * width;
                    let view = Sums { data: sums, tiles: chunk, slot: 0, channels };
                    let write = Write { band: &mut *band, shape, epilogue };
                    at_level!(level, simd => self.transform_out(simd, group, &view, write));
                }
            }
        });
    }

    /// One panel of the products of all positions: inputs, and sums with values from one position
    /// to the next.
    #[inline(always)]
    fn multiply_chunk<S: Simd>(
        &self,
        simd: S,
        (inputs, sums, out_plane): (&[f32], &mut [f32], usize),
        outputs: &Outputs,
    ) {
        let (panel, count) = (outputs.panel, outputs.group.count);
        let depth = self.conv.in_stride;
        let sides = inputs.chunks_exact(inputs.len() / self.right.len());
        for (position, (data, out)) in sides.zip(sums.chunks_exact_mut(out_plane)).enumerate() {
            let left = Rows { data, row_stride: depth, segments: &[0], depth };
            let share = |i: usize| count * i / self.right.len();
            self.fetch(outputs, share(position)..share(position + 1));
            let block = [Block { left, count, row: 0 }];
            self.product_panel(simd, &block, [position, panel], out);
        }
    }

    /// Asks for the memory that some tiles of the outputs will be written to: stores that miss
    /// wait for one another.
    fn fetch(&self, outputs: &Outputs, tiles: Range<usize>) {
        let Outputs { band, shape: [_, _, _, width], group, panel } = *outputs;
        let (m, stride) = (self.conv.tile.outputs(), self.conv.out_stride);
        let channels = self.right[0].width();
        for t in tiles {
            let tile = group.first + t;
            let (ty, tx) = (tile / self.tiling.across, tile % self.tiling.across);
            for y in 0..m {
                let row = ((ty * m - band.top + y) * width + tx * m) * stride + panel * channels;
                for x in 0..m {
                    for c in (0..channels).step_by(tensor::LANES) {
                        prefetch(band.data, row + x * stride + c);
                    }
                }
            }
        }
    }

    /// All tiles are transformed, then multiplied position by position, then
    /// transformed back: for few tiles and large kernels.
    pub(super) fn staged(&self, level: Level, output: &mut Output) -> Option<Vec<Moments>> {
        const MOST: usize = 24;
        let Winograd { in_stride, out_stride, .. } = *self.conv;
        let positions = self.right.len();
        let per_image = self.tiling.across * self.tiling.down;
        // Groups of one image: an even number, which two threads can share.
        let groups = match per_image.div_ceil(MOST) {
            1 => 1,
            some => some.next_multiple_of(2),
        };
        let most = per_image.div_ceil(groups); // equal ones: few tiles leave the multipliers idle
        let count_of = |group: usize| most.min(per_image - group % groups * most);
        let images = output.plane.shape()[0];
        let tiles = images * per_image;

        let (in_plane, out_plane) = (plane_len(most, in_stride), plane_len(tiles, out_stride));
        let group_len = positions * in_plane;
        let input_len = images * groups * group_len;
        let sums_len = positions * out_plane;
        with_scratch(input_len + sums_len, |scratch| {
            let (inputs, sums) = scratch.split_at_mut(input_len);
            inputs.par_chunks_exact_mut(group_len).enumerate().for_each(|(i, part)| {
                let first = i % groups * most;
                let group = Group { image: i / groups, first, count: count_of(i) };
                with_scratch(self.strip_len(most), |strip| {
                    at_level!(level, simd => self.transform_in(simd, group, (part, most, strip)));
                });
            });

            let inputs = &*inputs;
            let outs = sums.par_chunks_exact_mut(out_plane);
            outs.enumerate().for_each(|(i, out)| {
                let block = |group: usize| {
                    let data = &inputs[group * group_len + i * in_plane..];
                    let left =
                        Rows { data, row_stride: in_stride, segments: &[0], depth: in_stride };
                    let row = group / groups * per_image + group % groups * most;
                    Block { left, count: count_of(group), row }
                };
                let blocks: Vec<Block> = (0..images * groups).map(block).collect();
                at_level!(level, simd => self.product(simd, &blocks, i, out));
            });
            self.write_staged(level, (&*sums, tiles), output)
        })
    }

    /// The product of one position.
    #[inline(always)]
    fn product<S: Simd>(&self, simd: S, blocks: &[Block], position: usize, out: &mut [f32]) {
        let right = self.right[position];
        let then = self.right.get(position + 1).map_or(&[][..], |next| next.panel(0));
        let mut sink = Plain { out, stride: right.columns() };
        multiply_before(simd, blocks, (right, then), &mut sink);
    }

    /// One panel of the product of one position.
    #[inline(always)]
    fn product_panel<S: Simd>(
        &self,
        simd: S,
        blocks: &[Block],
        [position, panel]: [usize; 2],
        out: &mut [f32],
    ) {
        let right = self.right[position];
        let then = match self.right.get(position + 1) {
            Some(next) => next.panel(panel),
            None => self.right[0].panel((panel + 1) % right.panels()),
        };
        let mut sink = Plain { out, stride: right.width() };
        multiply_panel(simd, blocks, (right, panel, then), (0, &mut sink));
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
            let view = Sums { data, tiles, slot, channels: 0..self.conv.out_stride };
            let write = Write { band, shape, epilogue: &epilogue };
            at_level!(level, simd => self.transform_out(simd, group, &view, write));
        })
    }
}

/// Values from one position to the next: those of `tiles` tiles, and a cache
/// line more. A power of two would map the 36 places that a transform touches
/// to one or two sets of the cache, each write driving out the one before.
pub(super) fn plane_len(tiles: usize, stride: usize) -> usize {
    tiles * stride + tensor::LANES
}

/// What a chunk's products will be made into.
struct Outputs<'a, 'b> {
    band: &'a Band<'b>,
    shape: [usize; 4],
    group: Group,
    panel: usize,
}

/// Consecutive tiles of one image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) image: usize,
    pub(super) first: usize,
    pub(super) count: usize,
}

/// Products by position: `[position, tile, channel]`, of which some tiles are wanted.
#[derive(Clone, Debug)]
pub(super) struct Sums<'a> {
    pub(super) data: &'a [f32],
    pub(super) tiles: usize,
    /// The first wanted tile.
    pub(super) slot: usize,
    /// Which output channels they are.
    pub(super) channels: Range<usize>,
}

/// Where transformed tiles go.
pub(super) struct Write<'a, 'b> {
    pub(super) band: &'a mut Band<'b>,
    pub(super) shape: [usize; 4],
    pub(super) epilogue: &'a Epilogue<'a>,
}
