use fearless_simd::prelude::*;
use tensor::Plane;

use crate::affine::Map;
use crate::conv::Few;
use crate::{Affine, Gate};

/// How a kernel's input is read: a plane, seen through what precedes the kernel
/// in the network, so that none of it has to be written to memory first.
///
/// In order: a convolution, the affine map (a normalisation), the gate (an activation),
/// nearest-neighbour enlargement, and finally the border. Only convolutions that filter
/// in tiles read through another.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The values.
    pub plane: &'a Plane,
    /// Applied first.
    pub affine: Option<&'a Affine>,
    /// Applied second; a border of zeros is not gated.
    pub gate: Gate,
    /// Each pixel is seen this many times, both ways.
    pub enlarge: usize,
    /// The plane, which has its border already, is seen through this. With it, the others say
    /// nothing.
    pub front: Option<Front<'a>>,
}

/// A convolution of few values that is computed where its results are read: cheaper than going
/// through memory for them.
#[derive(Clone, Copy, Debug)]
pub struct Front<'a> {
    /// The convolution.
    pub conv: &'a Few,
    /// Applied to its sums.
    pub gate: Gate,
}

impl Front<'_> {
    /// Pixels of row `y` from `x` on.
    #[inline(always)]
    fn pixels<S: Simd>(
        &self,
        simd: S,
        (plane, image): (&Plane, usize),
        [y, x]: [usize; 2],
        out: &mut [f32],
    ) {
        let line = plane.row_len();
        let seen = &plane.image(image)[y * line + x * plane.stride()..];
        let count = out.len() / self.conv.channels();
        let zero = S::f32s::splat(simd, 0.0);
        // What is done is decided once, and not for each vector.
        if self.gate == Gate::Relu {
            self.conv.row(
                simd,
                (seen, line),
                count,
                #[inline(always)]
                |at, sums| zero.max(sums).store_slice(&mut out[at..at + S::f32s::LEN]),
            );
        } else {
            self.conv.row(
                simd,
                (seen, line),
                count,
                #[inline(always)]
                |at, sums| {
                    let out = &mut out[at..at + S::f32s::LEN];
                    self.gate.apply(simd, sums).store_slice(out);
                },
            );
        }
    }
}

impl<'a> Source<'a> {
    /// The plane as it is.
    pub fn plain(plane: &'a Plane) -> Self {
        Self { plane, affine: None, gate: Gate::Linear, enlarge: 1, front: None }
    }

    /// Height and width as seen.
    pub fn size(&self) -> [usize; 2] {
        let [_, _, h, w] = self.plane.shape();
        match self.front {
            Some(front) => front.conv.size([h, w]),
            None => [h * self.enlarge, w * self.enlarge],
        }
    }

    /// Channels as seen, with their padding.
    pub(crate) fn stride(&self) -> usize {
        self.front.map_or(self.plane.stride(), |front| front.conv.channels())
    }

    /// Values are read as they are.
    pub(crate) fn is_plain(&self) -> bool {
        self.affine.is_none() && self.gate == Gate::Linear
    }
}

/// What a picture continues with beyond its edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Zeros.
    Zero,
    /// Mirrored at the outermost pixel, which is not repeated.
    Reflect,
    /// The outermost pixel repeated.
    Replicate,
}

/// Pixels along one axis, with its border: position `i` of the padded axis
/// shows pixel `self.0[i]` of the plane, or zero.
///
/// Positions past the end repeat the last one, so that a tile may reach beyond.
#[derive(Clone, Debug)]
pub struct Axis(Vec<Option<usize>>);

impl Axis {
    /// An axis of `size` pixels as seen, each pixel of the plane `enlarge`
    /// times, with `before` and `after` pixels of border.
    ///
    /// # Panics
    ///
    /// If the axis is empty, or a mirrored border is as wide as the picture.
    pub fn new([size, enlarge]: [usize; 2], [before, after]: [usize; 2], border: Border) -> Self {
        assert!(size > 0, "an axis without pixels");
        assert!(
            border != Border::Reflect || before.max(after) < size,
            "{size} pixels cannot be mirrored over {before} and {after}"
        );
        let at = |i: usize| -> Option<usize> {
            let position = i as isize - before as isize;
            let last = size as isize - 1;
            let inside = match border {
                _ if (0..=last).contains(&position) => position,
                Border::Zero => return None,
                Border::Reflect if position < 0 => -position,
                Border::Reflect => 2 * last - position,
                Border::Replicate => position.clamp(0, last),
            };
            Some(inside as usize / enlarge)
        };
        Self((0..before + size + after).map(at).collect())
    }

    /// Any mapping from positions to pixels.
    pub fn from_map(map: Vec<Option<usize>>) -> Self {
        Self(map)
    }

    /// The pixel at padded position `i`.
    pub(crate) fn at(&self, i: usize) -> Option<usize> {
        self.0[i.min(self.0.len() - 1)]
    }

    /// How many positions from `i` on show neighbouring pixels, `i` included.
    pub(crate) fn run(&self, i: usize) -> usize {
        let pairs = self.0[i.min(self.0.len() - 1)..].windows(2);
        1 + pairs.take_while(|p| p[0].is_some_and(|x| p[1] == Some(x + 1))).count()
    }

    /// How many positions there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Where a [`Source`] is read from for a convolution: rows and columns with border.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    pub(crate) rows: Axis,
    pub(crate) columns: Axis,
}

/// Copies row `row`, columns `from..to`, of a source into `out`, pixel after
/// pixel, through the source's affine map and gate.
#[inline(always)]
pub(crate) fn load_row<S: Simd>(
    simd: S,
    (source, image): (&Source, usize),
    grid: &Grid,
    (row, from, to): (usize, usize, usize),
    out: &mut [f32],
) {
    let stride = source.stride();
    let out = &mut out[..(to - from) * stride];
    let Some(y) = grid.rows.at(row) else {
        out.fill(0.0);
        return;
    };
    let line = &source.plane.image(image)[y * source.plane.row_len()..][..source.plane.row_len()];
    let mut done = from;
    while done < to {
        let rest = &mut out[(done - from) * stride..];
        let Some(x) = grid.columns.at(done) else {
            rest[..stride].fill(0.0);
            done += 1;
            continue;
        };
        let run = grid.columns.run(done).min(to - done);
        let rest = &mut rest[..run * stride];
        match source.front {
            Some(front) => front.pixels(simd, (source.plane, image), [y, x], rest),
            None => load_pixels(simd, (source, image), &line[x * stride..], rest),
        }
        done += run;
    }
}

/// Neighbouring pixels, through the affine map and gate: a few vectors of channels at
/// a time, so that the map's values stay in registers, and memory is still read by
/// whole cache lines one after the other.
#[inline(always)]
fn load_pixels<S: Simd>(simd: S, (source, image): (&Source, usize), from: &[f32], to: &mut [f32]) {
    const BLOCK: usize = 16;
    let stride = source.plane.stride();
    let from = &from[..to.len()];
    if source.is_plain() {
        copy(simd, from, to);
        return;
    }
    let map = source.affine.map(|a| a.image(image));
    let lanes = S::f32s::LEN;
    let whole = stride / lanes * lanes;
    for (from, to) in from.chunks(BLOCK * stride).zip(to.chunks_mut(BLOCK * stride)) {
        let mut c = 0;
        while c + 4 * lanes <= whole {
            load_lanes::<S, 4>(simd, (map, source.gate), (from, &mut *to), (stride, c));
            c += 4 * lanes;
        }
        while c < whole {
            load_lanes::<S, 1>(simd, (map, source.gate), (from, &mut *to), (stride, c));
            c += lanes;
        }
        for c in whole..stride {
            for (from, to) in from.chunks_exact(stride).zip(to.chunks_exact_mut(stride)) {
                let x = map.map_or(from[c], |m| m.value(from[c], c));
                to[c] = source.gate.apply_scalar(x);
            }
        }
    }
}

/// `V` vectors of channels from `c` on, of pixels of `stride` values.
#[inline(always)]
fn load_lanes<S: Simd, const V: usize>(
    simd: S,
    (map, gate): (Option<Map>, Gate),
    (from, to): (&[f32], &mut [f32]),
    (stride, c): (usize, usize),
) {
    let (lanes, pixels) = (S::f32s::LEN, (from, to));
    let zero = S::f32s::splat(simd, 0.0);
    // What is done is decided once, and not for each vector.
    match map {
        Some(map) => {
            let mut maps = [map.lanes(simd, c); V];
            for (v, one) in maps.iter_mut().enumerate() {
                *one = map.lanes(simd, c + v * lanes);
            }
            if gate == Gate::Relu {
                each_lane::<S, V>(simd, pixels, (stride, c), |x, v| zero.max(maps[v].apply(x)));
            } else {
                each_lane::<S, V>(simd, pixels, (stride, c), |x, v| {
                    gate.apply(simd, maps[v].apply(x))
                });
            }
        }
        None => each_lane::<S, V>(simd, pixels, (stride, c), |x, _| gate.apply(simd, x)),
    }
}

/// `V` vectors of channels from `c` on of each pixel, through `change`.
#[inline(always)]
fn each_lane<S: Simd, const V: usize>(
    simd: S,
    (from, to): (&[f32], &mut [f32]),
    (stride, c): (usize, usize),
    change: impl Fn(S::f32s, usize) -> S::f32s,
) {
    let lanes = S::f32s::LEN;
    for (from, to) in from.chunks_exact(stride).zip(to.chunks_exact_mut(stride)) {
        let (from, to) = (&from[c..c + V * lanes], &mut to[c..c + V * lanes]);
        for v in 0..V {
            let x = S::f32s::from_slice(simd, &from[v * lanes..][..lanes]);
            change(x, v).store_slice(&mut to[v * lanes..][..lanes]);
        }
    }
}

/// Copies values: a few by vectors, since of an enlarged plane each pixel comes alone and a
/// call would take longer than its copy.
#[inline(always)]
fn copy<S: Simd>(simd: S, from: &[f32], to: &mut [f32]) {
    const FEW: usize = 64;
    let lanes = S::f32s::LEN;
    if to.len() > FEW || !to.len().is_multiple_of(lanes) {
        to.copy_from_slice(from);
        return;
    }
    for (from, to) in from.chunks_exact(lanes).zip(to.chunks_exact_mut(lanes)) {
        S::f32s::from_slice(simd, from).store_slice(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_continue_as_they_say() {
        let axis = |border| Axis::new([4, 1], [2, 1], border).0;
        assert_eq!(axis(Border::Reflect), [2, 1, 0, 1, 2, 3, 2].map(Some));
        assert_eq!(axis(Border::Replicate), [0, 0, 0, 1, 2, 3, 3].map(Some));
        assert_eq!(axis(Border::Zero)[..3], [None, None, Some(0)]);
        assert_eq!(Axis::new([4, 2], [1, 1], Border::Reflect).0, [0, 0, 0, 1, 1, 1].map(Some));
    }

    #[test]
    #[should_panic(expected = "cannot be mirrored")]
    fn a_mirror_needs_enough_pixels() {
        let _ = Axis::new([2, 1], [2, 2], Border::Reflect);
    }
}
