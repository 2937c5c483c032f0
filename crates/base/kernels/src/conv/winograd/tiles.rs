//! Tiles in and out: the transforms along both axes.

use fearless_simd::prelude::*;

use super::job::{Group, Job, Sums, Write, plane_len};
use super::transform::{self, Form};
use crate::source::load_row;

impl Job<'_> {
    /// Values of the pixels that a run of `tiles` tiles sees.
    pub(super) fn strip_len(&self, tiles: usize) -> usize {
        let [inputs, step] = self.form.reach();
        inputs * (tiles.min(self.tiling.across) * step + 2) * self.conv.in_stride
    }

    /// Input tiles to `[position, tile, channel]`: where to, tiles a position,
    /// and scratch memory of [`Job::strip_len`].
    #[inline(always)]
    pub(super) fn transform_in<S: Simd>(
        &self,
        simd: S,
        group: Group,
        out: (&mut [f32], usize, &mut [f32]),
    ) {
        match self.form {
            Form::Four => self.transform_in_n::<S, 6, 6>(simd, group, out),
            Form::FourDoubled => self.transform_in_n::<S, 4, 5>(simd, group, out),
            Form::Two => self.transform_in_n::<S, 4, 4>(simd, group, out),
            Form::TwoDoubled => self.transform_in_n::<S, 3, 3>(simd, group, out),
        }
    }

    /// Row by row of tiles: the pixels that a run of tiles sees are copied to
    /// `strip` first, with border, affine map and gate, so that tiles that
    /// overlap share that work and the input is read from memory in order.
    #[inline(always)]
    fn transform_in_n<S: Simd, const I: usize, const P: usize>(
        &self,
        simd: S,
        group: Group,
        (out, tiles, strip): (&mut [f32], usize, &mut [f32]),
    ) {
        let stride = self.conv.in_stride;
        let plane = plane_len(tiles, stride);
        let [_, step] = self.form.reach();
        let mut half = [[S::f32s::splat(simd, 0.0); P]; I];
        let mut done = 0;
        while done < group.count {
            let tile = group.first + done;
            let (ty, tx) = (tile / self.tiling.across, tile % self.tiling.across);
            let run = (group.count - done).min(self.tiling.across - tx);
            let line = (run * step + 2) * stride;
            for (y, out) in strip.chunks_exact_mut(line).take(I).enumerate() {
                let at = (ty * step + y, tx * step, (tx + run) * step + 2);
                load_row(simd, (self.source, group.image), self.grid, at, out);
            }
            for t in 0..run {
                let patch = Patch { pixels: &strip[t * step * stride..], line, stride };
                let out = (&mut out[(done + t) * stride..], plane, stride);
                transform_patch::<S, I, P>(simd, patch, out, &mut half);
            }
            done += run;
        }
    }

    /// Products of the group's tiles to outputs, in the rows of the band.
    #[inline(always)]
    pub(super) fn transform_out<S: Simd>(&self, simd: S, group: Group, sums: Sums, write: Write) {
        match self.form {
            Form::Four => self.transform_out_n::<S, 6, 4>(simd, group, sums, write),
            Form::FourDoubled => self.transform_out_n::<S, 5, 4>(simd, group, sums, write),
            Form::Two => self.transform_out_n::<S, 4, 2>(simd, group, sums, write),
            Form::TwoDoubled => self.transform_out_n::<S, 3, 2>(simd, group, sums, write),
        }
    }

    #[inline(always)]
    fn transform_out_n<S: Simd, const P: usize, const M: usize>(
        &self,
        simd: S,
        group: Group,
        sums: Sums,
        Write { band, shape: [_, _, height, width], epilogue }: Write,
    ) {
        let lanes = S::f32s::LEN;
        let stride = self.conv.out_stride;
        let plane = plane_len(sums.tiles, stride);
        let finish = epilogue.rows(band.image, band.top);
        let mut half = [[S::f32s::splat(simd, 0.0); M]; P];
        for t in 0..group.count {
            let tile = group.first + t;
            let (ty, tx) = (tile / self.tiling.across, tile % self.tiling.across);
            let (rows, columns) = (M.min(height - ty * M), M.min(width - tx * M));
            let corner = ((ty * M - band.top) * width + tx * M) * stride;
            let products = sums.tile::<P>(plane, (sums.slot + t) * stride, stride);
            for c in (0..stride).step_by(lanes) {
                transform_down::<S, P, M>(simd, &products, c, &mut half);
                let bias = S::f32s::from_slice(simd, &self.conv.bias[c..c + lanes]);
                for y in 0..rows {
                    let line: [S::f32s; M] = transform::output(simd, across(simd, &half, y));
                    for x in 0..columns {
                        let at = corner + (y * width + x) * stride + c;
                        finish.store(simd, line[x] + bias, (&mut *band.data, at));
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

/// Pixels of a tile: rows of `line` values, pixels of `stride`.
#[derive(Clone, Copy, Debug)]
pub(in crate::conv) struct Patch<'a> {
    pub(in crate::conv) pixels: &'a [f32],
    pub(in crate::conv) line: usize,
    pub(in crate::conv) stride: usize,
}

impl Patch<'_> {
    /// Channels from `c` on of the first `I` pixels of column `x`.
    #[inline(always)]
    fn column<S: Simd, const I: usize>(&self, simd: S, x: usize, c: usize) -> [S::f32s; I] {
        let mut column = [S::f32s::splat(simd, 0.0); I];
        for (y, value) in column.iter_mut().enumerate() {
            let at = y * self.line + x * self.stride + c;
            *value = S::f32s::from_slice(simd, &self.pixels[at..at + S::f32s::LEN]);
        }
        column
    }
}

/// `I`×`I` pixels to `P`×`P` positions, `plane` values apart in `out`, some channels of
/// each. `half` is memory that need not be cleared.
#[inline(always)]
pub(in crate::conv) fn transform_patch<S: Simd, const I: usize, const P: usize>(
    simd: S,
    patch: Patch,
    (out, plane, channels): (&mut [f32], usize, usize),
    half: &mut [[S::f32s; P]; I],
) {
    let lanes = S::f32s::LEN;
    for c in (0..channels).step_by(lanes) {
        for x in 0..I {
            half[x] = transform::input(simd, patch.column::<S, I>(simd, x, c));
        }
        for y in 0..P {
            let row: [S::f32s; P] = transform::input(simd, across(simd, half, y));
            for x in 0..P {
                let at = (y * P + x) * plane + c;
                row[x].store_slice(&mut out[at..at + lanes]);
            }
        }
    }
}

/// [`transform_patch`] for the gradient of 4×4 outputs.
#[inline(always)]
pub(in crate::conv) fn spread_patch<S: Simd>(
    simd: S,
    patch: Patch,
    (out, plane, channels): (&mut [f32], usize, usize),
    half: &mut [[S::f32s; 6]; 4],
) {
    let lanes = S::f32s::LEN;
    for c in (0..channels).step_by(lanes) {
        for x in 0..4 {
            half[x] = transform::spread(simd, patch.column::<S, 4>(simd, x, c));
        }
        for y in 0..6 {
            let row = transform::spread(simd, across(simd, half, y));
            for x in 0..6 {
                let at = (y * 6 + x) * plane + c;
                row[x].store_slice(&mut out[at..at + lanes]);
            }
        }
    }
}

/// `P`×`P` products of the channels from `c` on, transformed along columns into `half`.
#[inline(always)]
fn transform_down<S: Simd, const P: usize, const M: usize>(
    simd: S,
    products: &[[&[f32]; P]; P],
    c: usize,
    half: &mut [[S::f32s; M]; P],
) {
    let lanes = S::f32s::LEN;
    for x in 0..P {
        let mut column = [S::f32s::splat(simd, 0.0); P];
        for y in 0..P {
            column[y] = S::f32s::from_slice(simd, &products[y][x][c..c + lanes]);
        }
        half[x] = transform::output(simd, column);
    }
}
