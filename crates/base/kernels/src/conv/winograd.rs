//! 3×3 convolution at stride 1 or 2 by minimal filtering: F(4×4, 3×3) and F(2×2, 3×3).
//!
//! Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
//! CVPR 2016. A tile of 6×6 inputs is transformed, multiplied with the
//! transformed kernel position by position (a matrix product over channels for
//! each of the 36 positions), and transformed to 4×4 outputs: 36
//! multiplications where the definition has 144.
//!
//! An input enlarged ×2 shows each pixel twice, and the transform's row for the
//! point −1 takes the difference of such pairs: it is zero for every tile, so 11
//! of the 36 products are left out, and tiles are transformed from the 4×4
//! pixels that they show.
//!
//! At stride 2, [`transform`] has another tile.

use rayon::prelude::*;

use crate::conv::{ConvSpec, Output, Padding};
use crate::matmul::Packed;
use crate::source::{Axis, Grid, Source};
use crate::{Level, Moments};

mod job;
pub(super) mod tiles;
pub(super) mod transform;

use job::Job;
use transform::{Form, Tile};

/// A 3×3 convolution with its kernels transformed.
#[derive(Clone, Debug)]
pub struct Winograd {
    tile: Tile,
    /// One right side for each different kernel of a tile's positions.
    right: Vec<Packed>,
    bias: Vec<f32>,
    in_stride: usize,
    out_stride: usize,
}

/// The tiles of one image of the output, in rows of `across`.
#[derive(Clone, Copy, Debug)]
struct Tiling {
    across: usize,
    down: usize,
}

impl Tiling {
    /// Rows of tiles in a band, `most` or down to half of it: so many that two threads have
    /// the most equal shares. (The bits depend on it, so the real number of threads may not.)
    fn even_rows(self, most: usize) -> usize {
        let most = most.min(self.down);
        let longest_share = |rows: usize| self.down.div_ceil(rows).div_ceil(2) * rows;
        (most.div_ceil(2)..=most).rev().min_by_key(|&rows| longest_share(rows)).unwrap_or(most)
    }
}

impl Winograd {
    /// Transforms and packs a convolution for outputs of `height` × `width`.
    ///
    /// # Panics
    ///
    /// If it is not 3×3 at stride 1 or 2, or has a dilation or channels that are not padded.
    pub fn new(level: Level, spec: &ConvSpec, size: [usize; 2]) -> Self {
        let ([o, channels, kh, kw], in_stride) = (spec.shape, spec.in_stride);
        assert!(kh == 3 && kw == 3 && [1, 2].contains(&spec.stride) && spec.dilation == 1);
        assert!(in_stride == tensor::padded_channels(channels), "channels are not padded");
        let tile = Tile::for_size(spec.stride, size);
        let out_stride = tensor::padded_channels(o);
        let transformed = transform_kernels(tile, spec);
        let count = o * channels;
        let pack = |kernel: usize| {
            let mut packed = Packed::zeros(level, in_stride, out_stride);
            let values = &transformed[kernel * count..][..count];
            for (out, values) in values.chunks_exact(channels).enumerate() {
                for (c, &value) in values.iter().enumerate() {
                    packed.set(c, out, value);
                }
            }
            packed
        };
        let right = (0..tile.kernels()).into_par_iter().map(pack).collect();
        Self { tile, right, bias: spec.padded_bias(out_stride), in_stride, out_stride }
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
        let per_tile = (self.positions() + 1) * (self.in_stride + self.out_stride);
        if self.is_staged(tiles) { tiles * per_tile * size_of::<f32>() } else { 0 }
    }

    /// Whether all tiles are transformed before any is multiplied, so that the
    /// kernels are read once and not once a chunk: where they are large
    /// compared with the tiles. Where both ways cost the same was measured.
    fn is_staged(&self, tiles: usize) -> bool {
        let of_tiles = tiles * self.positions() * (self.in_stride + self.out_stride);
        of_tiles < 3 * self.right.len() * self.in_stride * self.out_stride
    }

    /// Products of a tile, for any input.
    fn positions(&self) -> usize {
        Form::of(self.tile).kernels().count()
    }

    pub(crate) fn run(
        &self,
        level: Level,
        source: &Source,
        padding: &Padding,
        output: &mut Output,
    ) -> Option<Vec<Moments>> {
        assert_eq!(source.stride(), self.in_stride, "packed for other channels");
        assert_eq!(output.plane.stride(), self.out_stride, "output of other channels");
        let form = self.form(source, padding);
        let mut grid = padding.grid(source);
        if form.is_doubled() {
            grid = Grid { rows: halved(&grid.rows), columns: halved(&grid.columns) };
        }
        let shape = output.plane.shape();
        let tiling = self.tiling(shape);
        let job = Job::new(self, (source, &grid), tiling, form);
        if self.is_staged(shape[0] * tiling.across * tiling.down) {
            job.staged(level, output)
        } else {
            job.chunked(level, output)
        }
    }

    fn form(&self, source: &Source, padding: &Padding) -> Form {
        // With an odd border, inputs 1 and 2 of every tile show one pixel, as do 3 and 4.
        let paired = [padding.down, padding.across].iter().all(|p| p[0] % 2 == 1);
        if source.enlarge == 2 && paired && self.tile != Tile::Strided {
            Form::doubled(self.tile)
        } else {
            Form::of(self.tile)
        }
    }
}

/// The different kernels of a tile: `[kernel, out, channel]`.
fn transform_kernels(tile: Tile, spec: &ConvSpec) -> Vec<f32> {
    let [o, channels, _, _] = spec.shape;
    let kernels = tile.kernels();
    let of_one = |out: usize| {
        let mut values = vec![0.0; kernels * channels];
        for c in 0..channels {
            let mut kernel = [[0.0; 3]; 3];
            for (y, x) in (0..9).map(|k| (k / 3, k % 3)) {
                kernel[y][x] = f64::from(spec.at(out, c, y, x));
            }
            let transformed = tile.transform_kernel(&kernel);
            for (i, value) in transformed.into_iter().take(kernels).enumerate() {
                values[i * channels + c] = value as f32;
            }
        }
        values
    };
    let by_out: Vec<Vec<f32>> = (0..o).into_par_iter().map(of_one).collect();
    let mut all = vec![0.0; kernels * o * channels];
    for (i, values) in all.chunks_exact_mut(o * channels).enumerate() {
        for (to, from) in values.chunks_exact_mut(channels).zip(&by_out) {
            to.copy_from_slice(&from[i * channels..][..channels]);
        }
    }
    all
}

/// An axis on which each pixel shows twice, without the repetitions: positions
/// 0, 1, 3, 5, ….
fn halved(axis: &Axis) -> Axis {
    let position = |i: usize| if i == 0 { 0 } else { 2 * i - 1 };
    Axis::from_map((0..axis.len() / 2 + 3).map(|i| axis.at(position(i))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_shared_evenly_between_two() {
        let rows = |down, most| Tiling { across: 16, down }.even_rows(most);
        assert_eq!(rows(16, 6), 4); // 6, 6 and 4 would leave one thread idle for a quarter
        assert_eq!(rows(16, 4), 4);
        assert_eq!(rows(11, 4), 3);
        assert_eq!((rows(1, 5), rows(2, 9)), (1, 1));
    }
}
