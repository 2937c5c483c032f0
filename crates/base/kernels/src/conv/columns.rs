//! F(4, 3) down the columns of a kernel whose height is a multiple of three.
//!
//! Such a kernel is kernels of three rows one below the other, and four output rows
//! take six products of each instead of twelve (see [`super::winograd`]): half the
//! multiplications, along one axis only, so that pixels stay where they lie.

use fearless_simd::prelude::*;

use super::ConvSpec;
use super::winograd::transform;

/// Output rows that are computed at once.
pub(super) const ROWS: usize = 4;
/// Products that they take of each three rows of the kernel.
pub(super) const POSITIONS: usize = 6;

/// What stands at each position for output `o`, channel `c`, column `x` and rows
/// `3 · part..` of the kernel.
pub(super) fn taps(spec: &ConvSpec, [o, c]: [usize; 2], [part, x]: [usize; 2]) -> [f32; POSITIONS] {
    let taps = [0, 1, 2].map(|k| f64::from(spec.at(o, c, 3 * part + k, x)));
    transform::transform_taps(taps).map(|value| value as f32)
}

/// Input rows of `line` values to `[position, part, line]`.
#[inline(always)]
pub(super) fn filter<S: Simd>(
    simd: S,
    (rows, line): (&[f32], usize),
    (filtered, parts): (&mut [f32], usize),
) {
    let lanes = S::f32s::LEN;
    for part in 0..parts {
        for i in (0..line).step_by(lanes) {
            let mut column = [S::f32s::splat(simd, 0.0); POSITIONS];
            for (k, value) in column.iter_mut().enumerate() {
                let at = (3 * part + k) * line + i;
                *value = S::f32s::from_slice(simd, &rows[at..at + lanes]);
            }
            let column: [S::f32s; POSITIONS] = transform::input(simd, column);
            for (k, value) in column.iter().enumerate() {
                let at = (k * parts + part) * line + i;
                value.store_slice(&mut filtered[at..at + lanes]);
            }
        }
    }
}

/// Vector `i` of the products, `len` values a position, to that of the output rows.
#[inline(always)]
pub(super) fn outputs<S: Simd>(
    simd: S,
    (products, len): (&[f32], usize),
    i: usize,
) -> [S::f32s; ROWS] {
    let lanes = S::f32s::LEN;
    let mut column = [S::f32s::splat(simd, 0.0); POSITIONS];
    for (k, value) in column.iter_mut().enumerate() {
        let at = k * len + i;
        *value = S::f32s::from_slice(simd, &products[at..at + lanes]);
    }
    transform::output(simd, column)
}
