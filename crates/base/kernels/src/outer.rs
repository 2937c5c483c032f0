//! Sums of outer products: what weight gradients and Gram matrices are made of.
//!
//! For each pixel, some values of the left side times all vectors of the right
//! one are added to a tile that stays in registers while the pixels are walked.

use fearless_simd::prelude::*;
use rayon::prelude::*;

/// Values of the left side that lie together, and rows of a tile.
pub(crate) const ROWS: usize = 8;

/// Vectors a panel of the right side is wide. A tile of eight rows by two wide
/// vectors keeps enough sums in flight and fits 32 registers; with 16 registers
/// there are four rows.
pub(crate) fn panel_width(columns: usize, lanes: usize) -> usize {
    if columns.is_multiple_of(2 * lanes) { 2 * lanes } else { lanes }
}

/// Two packed sides and how a walk over their pixels goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'a> {
    /// Values of [`ROWS`] for each pixel of the left side.
    pub(crate) left: &'a [f32],
    /// Values from one row of pixels to the next, and from one pixel to the next.
    pub(crate) left_steps: [usize; 2],
    /// Pixels of at least as many values as the tile is wide.
    pub(crate) right: &'a [f32],
    /// Values from one row of pixels to the next, and from one pixel to the next.
    pub(crate) right_steps: [usize; 2],
    /// Rows and columns of pixels.
    pub(crate) size: [usize; 2],
}

/// Adds `Σ left ⊗ right` over all pixels to `sums`, `[ROWS, width]`.
#[inline(always)]
pub(crate) fn accumulate<S: Simd>(simd: S, walk: &Walk, sums: &mut [f32]) {
    let lanes = S::f32s::LEN;
    match (sums.len() / (ROWS * lanes), lanes) {
        (2, 16) => tile::<S, 2, 8>(simd, walk, 0, sums),
        (1, 16) => tile::<S, 1, 8>(simd, walk, 0, sums),
        (2, _) => (0..ROWS).step_by(4).for_each(|r| tile::<S, 2, 4>(simd, walk, r, sums)),
        _ => (0..ROWS).step_by(4).for_each(|r| tile::<S, 1, 4>(simd, walk, r, sums)),
    }
}

/// Kept out of line: inlined into a caller's loops, its sums would be spilled.
#[inline(never)]
fn tile<S: Simd, const V: usize, const R: usize>(
    simd: S,
    walk: &Walk,
    first: usize,
    sums: &mut [f32],
) {
    simd.vectorize(
        #[inline(always)]
        || tile_inline::<S, V, R>(simd, walk, first, sums),
    );
}

#[inline(always)]
fn tile_inline<S: Simd, const V: usize, const R: usize>(
    simd: S,
    walk: &Walk,
    first: usize,
    sums: &mut [f32],
) {
    let lanes = S::f32s::LEN;
    let width = V * lanes;
    let mut tile = [[S::f32s::splat(simd, 0.0); V]; R];
    for r in 0..R {
        for v in 0..V {
            let at = (first + r) * width + v * lanes;
            tile[r][v] = S::f32s::from_slice(simd, &sums[at..at + lanes]);
        }
    }
    let [rows, columns] = walk.size;
    let [left_row, left_step] = walk.left_steps;
    for y in 0..rows {
        let left = walk.left[y * left_row + first..].chunks(left_step);
        let right = walk.right[y * walk.right_steps[0]..].chunks(walk.right_steps[1]);
        for (values, vectors) in left.zip(right).take(columns) {
            let (values, vectors) = (&values[..R], &vectors[..width]);
            for v in 0..V {
                let vector = S::f32s::from_slice(simd, &vectors[v * lanes..][..lanes]);
                for r in 0..R {
                    tile[r][v] = S::f32s::splat(simd, values[r]).mul_add(vector, tile[r][v]);
                }
            }
        }
    }
    for r in 0..R {
        for v in 0..V {
            let at = (first + r) * width + v * lanes;
            tile[r][v].store_slice(&mut sums[at..at + lanes]);
        }
    }
}

/// The sum of equally long parts, in their order, in `f64`.
pub(crate) fn sum_parts(parts: &[Vec<f32>]) -> Vec<f32> {
    const CHUNK: usize = 1024;
    let mut total = vec![0.0; parts[0].len()];
    total.par_chunks_mut(CHUNK).enumerate().for_each(|(i, total)| {
        let mut sums = [0.0f64; CHUNK];
        for part in parts {
            for (sum, &value) in sums.iter_mut().zip(&part[i * CHUNK..]) {
                *sum += f64::from(value);
            }
        }
        for (total, sum) in total.iter_mut().zip(sums) {
            *total = sum as f32;
        }
    });
    total
}
