//! Tiles in and out: the transforms along both axes.

use fearless_simd::prelude::*;

use super::job::{Group, Job, Sums, Write, plane_len};
use super::transform::{self, Form};
use crate::source::load_row;

impl Job<'_> {
    /// Values of the pixels that a run of `tiles` tiles sees.
    pub(super) fn strip_len(&self, tiles: usize) -> usize {
        let [inputs, step] = self.form.reach();
        inputs * (tiles.min(self.tiling.across) * step + inputs - step) * self.conv.in_stride
    }

    /// Tiles whose pixels are at hand at a time: pixels that are computed should not leave level 2
    /// before they are used.
    fn most_tiles_at_once(&self) -> usize {
        if self.source.front.is_some() { 8 } else { usize::MAX }
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
            Form::Strided => self.transform_in_n::<S, 9, 9>(simd, group, out),
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
        let [inputs, step] = self.form.reach();
        let overlap = inputs - step;
        let most = self.most_tiles_at_once();
        let mut half = [[S::f32s::splat(simd, 0.0); P]; I];
        let mut done = 0;
        while done < group.count {
            let tile = group.first + done;
            let (ty, tx) = (tile / self.tiling.across, tile % self.tiling.across);
            let run = (group.count - done).min(self.tiling.across - tx).min(most);
            let line = (run * step + overlap) * stride;
            for (y, out) in strip.chunks_exact_mut(line).take(I).enumerate() {
                let at = (ty * step + y, tx * step, (tx + run) * step + overlap);
                load_row(simd, (self.source, group.image), self.grid, at, out);
            }
            for t in 0..run {
                let patch = Patch { pixels: &strip[t * step * stride..], line, stride };
                let to = Place { plane, at: (done + t) * stride, channels: stride };
                transform_patch::<S, I, P>(simd, patch, (&mut *out, to), &mut half);
            }
            done += run;
        }
    }

    /// Products of the group's tiles to outputs, in the rows of the band.
    #[inline(always)]
    pub(super) fn transform_out<S: Simd>(&self, simd: S, group: Group, sums: &Sums, write: Write) {
        match self.form {
            Form::Four => self.transform_out_n::<S, 6, 4>(simd, group, sums, write),
            Form::FourDoubled => self.transform_out_n::<S, 5, 4>(simd, group, sums, write),
            Form::Two => self.transform_out_n::<S, 4, 2>(simd, group, sums, write),
            Form::TwoDoubled => self.transform_out_n::<S, 3, 2>(simd, group, sums, write),
            Form::Strided => self.transform_out_n::<S, 9, 4>(simd, group, sums, write),
        }
    }

    #[inline(always)]
    fn transform_out_n<S: Simd, const P: usize, const M: usize>(
        &self,
        simd: S,
        group: Group,
        sums: &Sums,
        Write { band, shape: [_, _, height, width], epilogue }: Write,
    ) {
        let lanes = S::f32s::LEN;
        let stride = self.conv.out_stride;
        let channels = sums.channels.len();
        let plane = plane_len(sums.tiles, channels);
        let finish = epilogue.rows(band.image, band.top);
        let mut half = [[S::f32s::splat(simd, 0.0); M]; P];
        for t in 0..group.count {
            let tile = group.first + t;
            let (ty, tx) = (tile / self.tiling.across, tile % self.tiling.across);
            let (rows, columns) = (M.min(height - ty * M), M.min(width - tx * M));
            let corner = ((ty * M - band.top) * width + tx * M) * stride + sums.channels.start;
            for c in (0..channels).step_by(lanes) {
                let at = (sums.slot + t) * channels + c;
                transform_rows::<S, P, M>(simd, (sums.data, plane), at, &mut half);
                let bias = &self.conv.bias[sums.channels.start + c..][..lanes];
                let bias = S::f32s::from_slice(simd, bias);
                for x in 0..columns {
                    let line: [S::f32s; M] = transform::output(simd, across(simd, &half, x));
                    for y in 0..rows {
                        let at = corner + (y * width + x) * stride + c;
                        finish.store(simd, line[y] + bias, (&mut *band.data, at));
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

impl<'a> Patch<'a> {
    /// The tile's `I` rows, some channels of `I` pixels each: one length, so that borders are
    /// checked once a column.
    #[inline(always)]
    fn rows<const I: usize>(&self, channels: usize) -> [&'a [f32]; I] {
        let mut rows = [&self.pixels[..0]; I];
        for (y, row) in rows.iter_mut().enumerate() {
            *row = &self.pixels[y * self.line..][..(I - 1) * self.stride + channels];
        }
        rows
    }
}

/// The vectors at `at` of each row.
#[inline(always)]
fn column<S: Simd, const I: usize>(simd: S, rows: &[&[f32]; I], at: usize) -> [S::f32s; I] {
    let mut column = [S::f32s::splat(simd, 0.0); I];
    for (value, row) in column.iter_mut().zip(rows) {
        *value = S::f32s::from_slice(simd, &row[at..at + S::f32s::LEN]);
    }
    column
}

/// Where the positions of a tile lie: `plane` values apart, some channels at `at` of each.
#[derive(Clone, Copy, Debug)]
pub(in crate::conv) struct Place {
    pub(in crate::conv) plane: usize,
    pub(in crate::conv) at: usize,
    pub(in crate::conv) channels: usize,
}

/// `I`×`I` pixels to `P`×`P` positions in `out`. `half` is memory that need not be cleared.
///
/// Positions are walked plane after plane, so that borders are checked once and not for each.
#[inline(always)]
pub(in crate::conv) fn transform_patch<S: Simd, const I: usize, const P: usize>(
    simd: S,
    patch: Patch,
    (out, Place { plane, at, channels }): (&mut [f32], Place),
    half: &mut [[S::f32s; P]; I],
) {
    let lanes = S::f32s::LEN;
    let rows = patch.rows::<I>(channels);
    for c in (0..channels).step_by(lanes) {
        for x in 0..I {
            half[x] = transform::input(simd, column(simd, &rows, x * patch.stride + c));
        }
        let mut planes = out.chunks_exact_mut(plane);
        for y in 0..P {
            let row: [S::f32s; P] = transform::input(simd, across(simd, half, y));
            for (value, plane) in row.iter().zip(planes.by_ref()) {
                value.store_slice(&mut plane[at + c..at + c + lanes]);
            }
        }
    }
}

/// [`transform_patch`] for the gradient of 4×4 outputs.
#[inline(always)]
pub(in crate::conv) fn spread_patch<S: Simd>(
    simd: S,
    patch: Patch,
    (out, Place { plane, at, channels }): (&mut [f32], Place),
    half: &mut [[S::f32s; 6]; 4],
) {
    let lanes = S::f32s::LEN;
    let rows = patch.rows::<4>(channels);
    for c in (0..channels).step_by(lanes) {
        for x in 0..4 {
            half[x] = transform::spread(simd, column(simd, &rows, x * patch.stride + c));
        }
        let mut planes = out.chunks_exact_mut(plane);
        for y in 0..6 {
            let row = transform::spread(simd, across(simd, half, y));
            for (value, plane) in row.iter().zip(planes.by_ref()) {
                value.store_slice(&mut plane[at + c..at + c + lanes]);
            }
        }
    }
}

/// The vectors at `at` of each of `P`×`P` positions, transformed along rows into `half`.
#[inline(always)]
fn transform_rows<S: Simd, const P: usize, const M: usize>(
    simd: S,
    (sums, plane): (&[f32], usize),
    at: usize,
    half: &mut [[S::f32s; M]; P],
) {
    let mut planes = sums.chunks_exact(plane);
    for half in half {
        let mut row = [S::f32s::splat(simd, 0.0); P];
        for (value, plane) in row.iter_mut().zip(planes.by_ref()) {
            *value = S::f32s::from_slice(simd, &plane[at..at + S::f32s::LEN]);
        }
        *half = transform::output(simd, row);
    }
}
