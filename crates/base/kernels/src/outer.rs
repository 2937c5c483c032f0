//! Sums of outer products: what weight gradients and Gram matrices are made of.
//!
//! For each pixel, some values of the left side times all vectors of the right
//! one are added to a tile that stays in registers while the pixels are walked.

use fearless_simd::prelude::*;
use rayon::prelude::*;

/// Values of the left side that lie together, and rows of a tile.
pub(crate) const ROWS: usize = 8;
/// Rows of a tile where they come in nines: three pixels of a picture.
pub(crate) const MORE_ROWS: usize = 9;

/// Vectors a panel of the right side is wide. A tile of eight rows by two wide
/// vectors keeps enough sums in flight and fits 32 registers; with 16 registers
/// there are four rows.
pub(crate) fn panel_width(columns: usize, lanes: usize) -> usize {
    if columns.is_multiple_of(2 * lanes) { 2 * lanes } else { lanes }
}

/// Two packed sides and how a walk over their pixels goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'a> {
    /// As many values as the tile has rows for each pixel of the left side. Pixels may
    /// overlap.
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

/// Adds `Σ left ⊗ right` over all pixels to `sums`, `[rows, width]`, where the rows are
/// [`ROWS`] or [`MORE_ROWS`].
#[inline(always)]
pub(crate) fn accumulate<S: Simd>(simd: S, walk: &Walk, sums: &mut [f32]) {
    let lanes = S::f32s::LEN;
    match (sums.len() / lanes, lanes) {
        (16, 16) => tile::<S, 2, 8>(simd, walk, 0, sums),
        (18, 16) => tile::<S, 2, 9>(simd, walk, 0, sums),
        (8, 16) => tile::<S, 1, 8>(simd, walk, 0, sums),
        (9, 16) => tile::<S, 1, 9>(simd, walk, 0, sums),
        (16, _) => (0..ROWS).step_by(4).for_each(|r| tile::<S, 2, 4>(simd, walk, r, sums)),
        (18, _) => (0..MORE_ROWS).step_by(3).for_each(|r| tile::<S, 2, 3>(simd, walk, r, sums)),
        (8, _) => (0..ROWS).step_by(4).for_each(|r| tile::<S, 1, 4>(simd, walk, r, sums)),
        (9, _) => (0..MORE_ROWS).step_by(3).for_each(|r| tile::<S, 1, 3>(simd, walk, r, sums)),
        (vectors, _) => unreachable!("a tile of {vectors} vectors"),
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
    let [rows, columns] = walk.size;
    let [left_row, left_step] = walk.left_steps;
    for y in 0..rows {
        let left = &walk.left[y * left_row + first..];
        let right = &walk.right[y * walk.right_steps[0]..];
        for x in 0..columns {
            let values = &left[x * left_step..][..R];
            let vectors = &right[x * walk.right_steps[1]..][..width];
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
            // Only now, so that nothing waits for sums that lie far away.
            let sums = &mut sums[at..at + lanes];
            (S::f32s::from_slice(simd, sums) + tile[r][v]).store_slice(sums);
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
