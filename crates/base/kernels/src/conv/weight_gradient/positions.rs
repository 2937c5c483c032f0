//! Some rows of the positions of F(4×4, 3×3): what a tile is at them.

use std::ops::Range;

use fearless_simd::prelude::*;

use crate::conv::winograd::{
    tiles::{self, Patch, Place},
    transform,
};

/// Rows of positions, and positions of a row.
pub(super) const HEIGHT: usize = 6;

/// All six rows, three of them, or one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Positions {
    first: usize,
    count: usize,
}

/// Runs a function with rows as constants, so that what they do not need is not worked out.
macro_rules! with_rows {
    ($positions:expr, $work:ident, $arguments:tt) => {
        match ($positions.count, $positions.first) {
            (3, 0) => $work::<S, 0, 3> $arguments,
            (3, _) => $work::<S, 3, 3> $arguments,
            (_, 0) => $work::<S, 0, 1> $arguments,
            (_, 1) => $work::<S, 1, 1> $arguments,
            (_, 2) => $work::<S, 2, 1> $arguments,
            (_, 3) => $work::<S, 3, 1> $arguments,
            (_, 4) => $work::<S, 4, 1> $arguments,
            _ => $work::<S, 5, 1> $arguments,
        }
    };
}

impl Positions {
    /// `count` rows from `first` on.
    pub(super) fn new(first: usize, count: usize) -> Self {
        debug_assert!(matches!(count, 1 | 3 | HEIGHT) && first.is_multiple_of(count));
        Self { first, count }
    }

    /// Which of these rows is row `row` of all.
    pub(super) fn place_of(self, row: usize) -> Option<usize> {
        (self.first..self.first + self.count).contains(&row).then(|| row - self.first)
    }

    /// The rows of the six pixels of a window that these positions depend on.
    pub(super) fn windows(self) -> Range<usize> {
        let last = self.first + self.count == HEIGHT;
        usize::from(self.first > 0)..if last { HEIGHT } else { HEIGHT - 1 }
    }

    /// The rows of the four pixels of a gradient that these positions depend on.
    pub(super) fn pixels(self) -> Range<usize> {
        match (self.count, self.first) {
            (1, 0) => 0..1,
            (1, 5) => 3..4,
            _ => 0..4,
        }
    }

    /// 6×6 pixels to these positions. `lent` is memory that need not be cleared.
    #[inline(always)]
    pub(super) fn of_windows<S: Simd>(
        self,
        simd: S,
        patch: Patch,
        out: (&mut [f32], Place),
        lent: &mut [[S::f32s; 6]; 6],
    ) {
        if self.count == HEIGHT {
            tiles::transform_patch::<S, 6, 6>(simd, patch, out, lent);
        } else {
            with_rows!(self, rows_of_windows, (simd, patch, out));
        }
    }

    /// The gradient of 4×4 outputs to these positions.
    #[inline(always)]
    pub(super) fn of_pixels<S: Simd>(
        self,
        simd: S,
        patch: Patch,
        out: (&mut [f32], Place),
        lent: &mut [[S::f32s; 6]; 6],
    ) {
        match lent.first_chunk_mut() {
            Some(lent) if self.count == HEIGHT => tiles::spread_patch(simd, patch, out, lent),
            _ => with_rows!(self, rows_of_pixels, (simd, patch, out)),
        }
    }
}

#[inline(always)]
fn rows_of_windows<S: Simd, const FIRST: usize, const COUNT: usize>(
    simd: S,
    patch: Patch,
    (out, place): (&mut [f32], Place),
) {
    for c in (0..place.channels).step_by(S::f32s::LEN) {
        let mut half = [[S::f32s::splat(simd, 0.0); 6]; COUNT];
        for x in 0..6 {
            let column: [S::f32s; 6] = transform::input(simd, column::<S, 6>(simd, patch, x, c));
            for y in 0..COUNT {
                half[y][x] = column[FIRST + y];
            }
        }
        for y in 0..COUNT {
            store_row(simd, transform::input(simd, half[y]), (&mut *out, place), (y, c));
        }
    }
}

#[inline(always)]
fn rows_of_pixels<S: Simd, const FIRST: usize, const COUNT: usize>(
    simd: S,
    patch: Patch,
    (out, place): (&mut [f32], Place),
) {
    for c in (0..place.channels).step_by(S::f32s::LEN) {
        let mut half = [[S::f32s::splat(simd, 0.0); 4]; COUNT];
        for x in 0..4 {
            let column = transform::spread(simd, column::<S, 4>(simd, patch, x, c));
            for y in 0..COUNT {
                half[y][x] = column[FIRST + y];
            }
        }
        for y in 0..COUNT {
            store_row(simd, transform::spread(simd, half[y]), (&mut *out, place), (y, c));
        }
    }
}

/// Channels from `c` on of the first `I` pixels of column `x`.
#[inline(always)]
fn column<S: Simd, const I: usize>(simd: S, patch: Patch, x: usize, c: usize) -> [S::f32s; I] {
    let mut column = [S::f32s::splat(simd, 0.0); I];
    for (y, value) in column.iter_mut().enumerate() {
        let at = y * patch.line + x * patch.stride + c;
        *value = S::f32s::from_slice(simd, &patch.pixels[at..at + S::f32s::LEN]);
    }
    column
}

#[inline(always)]
fn store_row<S: Simd>(
    _: S,
    row: [S::f32s; HEIGHT],
    (out, Place { plane, at, .. }): (&mut [f32], Place),
    (y, c): (usize, usize),
) {
    for (x, value) in row.into_iter().enumerate() {
        let at = (y * HEIGHT + x) * plane + at + c;
        value.store_slice(&mut out[at..at + S::f32s::LEN]);
    }
}
