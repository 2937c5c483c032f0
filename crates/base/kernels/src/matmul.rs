//! The matrix product that all convolutions end in.
//!
//! A tile of `R` rows by `V` vectors of the result stays in registers while the
//! depth is walked: per step, `V` vectors of the packed right side are loaded
//! and `R` values of the left side are repeated over a vector. That is 12 fused
//! multiply-adds for 8 loads with AVX2, and 24 for 14 with AVX-512, so the loads
//! hide behind the arithmetic.

use fearless_simd::prelude::*;

use crate::simd::{Level, at_level, prefetch};

/// The left side: rows that lie anywhere in memory, in segments of `depth` values.
///
/// Value `p` of segment `s` of row `r` is `data[r · row_stride + segments[s] + p]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row_stride: usize,
    pub(crate) segments: &'a [usize],
    pub(crate) depth: usize,
}

/// The right side, repacked so that one step of depth is one run of memory:
/// panels of [`Packed::width`] columns, each `[segments · depth, width]`.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    data: tensor::Buffer,
    depth: usize,
    columns: usize,
    vectors: usize,
    lanes: usize,
}

#[inline(always)]
pub(crate) fn lanes_of<S: Simd>(_: S) -> usize {
    S::f32s::LEN
}

/// Vectors a panel is wide. Two keep enough sums in flight; a layer whose
/// channels do not fill two wide vectors gets one.
fn panel_vectors(columns: usize, lanes: usize) -> usize {
    if columns.is_multiple_of(2 * lanes) { 2 } else { 1 }
}

impl Packed {
    /// Room for a right side of `depth` rows by `columns` columns, all zeros.
    ///
    /// `columns` is a multiple of [`tensor::LANES`].
    pub(crate) fn zeros(level: Level, depth: usize, columns: usize) -> Self {
        assert!(columns.is_multiple_of(tensor::LANES), "{columns} columns are not whole vectors");
        let lanes = at_level!(level, simd => lanes_of(simd));
        let vectors = panel_vectors(columns, lanes);
        Self { data: tensor::Buffer::zeros(depth * columns), depth, columns, vectors, lanes }
    }

    /// Sets one value.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: f32) {
        let width = self.width();
        let panel = column / width;
        let at = (panel * self.depth + row) * width + column % width;
        self.data.as_mut_slice()[at] = value;
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.data.len() * size_of::<f32>()
    }

    /// Columns of a panel.
    pub(crate) fn width(&self) -> usize {
        self.vectors * self.lanes
    }

    /// Panel `i`.
    pub(crate) fn panel(&self, i: usize) -> &[f32] {
        let len = self.depth * self.width();
        &self.data.as_slice()[i * len..][..len]
    }

    /// How many panels there are.
    pub(crate) fn panels(&self) -> usize {
        self.columns / self.width()
    }
}

/// Takes finished sums: a row of `V` vectors from `column` on.
pub(crate) trait Sink<S: Simd> {
    fn put<const V: usize>(&mut self, row: usize, column: usize, sums: &[S::f32s; V]);
}

/// Sums are written to `out[row · stride + column]`.
pub(crate) struct Plain<'a> {
    pub(crate) out: &'a mut [f32],
    pub(crate) stride: usize,
}

impl<S: Simd> Sink<S> for Plain<'_> {
    #[inline(always)]
    fn put<const V: usize>(&mut self, row: usize, column: usize, sums: &[S::f32s; V]) {
        let out = &mut self.out[row * self.stride + column..][..V * S::f32s::LEN];
        for v in 0..V {
            sums[v].store_slice(&mut out[v * S::f32s::LEN..][..S::f32s::LEN]);
        }
    }
}

/// Some rows of the left side, and where their results go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    pub(crate) left: Rows<'a>,
    /// How many rows.
    pub(crate) count: usize,
    /// The first one's row in the result.
    pub(crate) row: usize,
}

/// `left · right` for the rows of all blocks, every column, into `sink`. Blocks
/// are walked inside panels, so that a panel is read from far memory once.
#[inline(always)]
pub(crate) fn multiply<S: Simd>(
    simd: S,
    blocks: &[Block],
    right: &Packed,
    sink: &mut impl Sink<S>,
) {
    multiply_before(simd, blocks, (right, &[]), sink);
}

/// [`multiply`], before another product whose right side begins with the panel `then`.
#[inline(always)]
pub(crate) fn multiply_before<S: Simd>(
    simd: S,
    blocks: &[Block],
    (right, then): (&Packed, &[f32]),
    sink: &mut impl Sink<S>,
) {
    let count = right.panels();
    for i in 0..count {
        let next = if i + 1 < count { right.panel(i + 1) } else { then };
        multiply_panel(simd, blocks, (right, i, next), (i * right.width(), sink));
    }
}

/// The product with panel `i` of the right side alone, into columns from `column` on, before
/// one with the panel `then`.
#[inline(always)]
pub(crate) fn multiply_panel<S: Simd>(
    simd: S,
    blocks: &[Block],
    (right, i, then): (&Packed, usize, &[f32]),
    (column, sink): (usize, &mut impl Sink<S>),
) {
    let part = then.len().div_ceil(blocks.len()).next_multiple_of(tensor::LANES);
    for (j, block) in blocks.iter().enumerate() {
        let ahead = &then[then.len().min(j * part)..then.len().min((j + 1) * part)];
        let panel = Panel { values: right.panel(i), column, ahead };
        match right.vectors {
            2 => panel_rows::<S, 2>(simd, block, panel, sink),
            _ => panel_rows::<S, 1>(simd, block, panel, sink),
        }
    }
}

/// Some columns of the right side.
#[derive(Clone, Copy)]
struct Panel<'a> {
    values: &'a [f32],
    /// The first column.
    column: usize,
    /// What will be multiplied next, to be fetched meanwhile: where the right side is larger
    /// than the caches, each of its pages begins with a wait for memory otherwise.
    ahead: &'a [f32],
}

/// Most rows a tile can have without spilling: 16 registers with AVX2 and SSE,
/// 32 with AVX-512 and NEON.
const fn most_rows(lanes: usize) -> usize {
    match lanes {
        16 => 12,
        8 => 6,
        _ if cfg!(target_arch = "aarch64") => 8,
        _ => 4,
    }
}

/// The height of the next tile, with `left` rows to go: full ones, and the last
/// two equal, since a short one would leave the multipliers idle. Never ten rows,
/// which the compiler fails to keep in registers: of 240 GFLOP/s a Zen 5 thread
/// reaches 225 to 240 with any other height from five on, and 146 with ten.
fn next_height(left: usize, most: usize) -> usize {
    const SPILLS: usize = 10;
    let half = left.div_ceil(2);
    match left {
        SPILLS if most > SPILLS => half,
        _ if left <= most => left,
        _ if left >= 2 * most || half == SPILLS || left - half == SPILLS => most,
        _ => half,
    }
}

/// One panel for all rows, in tiles.
#[inline(always)]
fn panel_rows<S: Simd, const V: usize>(
    simd: S,
    block: &Block,
    mut panel: Panel,
    sink: &mut impl Sink<S>,
) {
    let most = most_rows(S::f32s::LEN);
    let mut row = 0;
    while row < block.count {
        let height = next_height(block.count - row, most);
        macro_rules! heights {
            ($($n:literal)+) => {
                match height {
                    $($n if $n <= most => tile::<S, V, $n>(simd, block, row, panel, sink),)+
                    _ => unreachable!(),
                }
            };
        }
        heights!(1 2 3 4 5 6 7 8 9 10 11 12);
        row += height;
        let fetched = block.left.depth * block.left.segments.len() * tensor::LANES;
        panel.ahead = panel.ahead.get(fetched..).unwrap_or_default();
    }
}

/// Kept out of line: inlined into a caller's loops, its sums would be spilled.
#[inline(never)]
fn tile<S: Simd, const V: usize, const R: usize>(
    simd: S,
    block: &Block,
    first: usize,
    panel: Panel,
    sink: &mut impl Sink<S>,
) {
    simd.vectorize(
        #[inline(always)]
        || tile_inline::<S, V, R>(simd, block, first, panel, sink),
    );
}

#[inline(always)]
fn tile_inline<S: Simd, const V: usize, const R: usize>(
    simd: S,
    block: &Block,
    first: usize,
    Panel { values, column, ahead }: Panel,
    sink: &mut impl Sink<S>,
) {
    let left = block.left;
    // With nothing to fetch, what is there already is asked for: that costs nothing.
    let ahead = if ahead.is_empty() { values } else { ahead };
    let mut sums = [[S::f32s::splat(simd, 0.0); V]; R];
    // One segment apart from many: between two, sums go through memory, and what that takes
    // to set up is a tenth of a short product.
    if let &[segment] = left.segments {
        sums = accumulate(simd, sums, tile_rows(&left, first, segment), (values, ahead));
    } else {
        let parts = values.chunks_exact(left.depth * V * S::f32s::LEN);
        for (&segment, part) in left.segments.iter().zip(parts) {
            sums = accumulate(simd, sums, tile_rows(&left, first, segment), (part, part));
        }
    }
    // By index: an iterator over the array would move it about in memory.
    for r in 0..R {
        sink.put(block.row + first + r, column, &sums[r]);
    }
}

/// A segment of the `R` rows from `first` on.
#[inline(always)]
fn tile_rows<'a, const R: usize>(left: &Rows<'a>, first: usize, segment: usize) -> [&'a [f32]; R] {
    let mut rows: [&[f32]; R] = [&[]; R];
    for (r, row) in rows.iter_mut().enumerate() {
        let at = (first + r) * left.row_stride + segment;
        *row = &left.data[at..at + left.depth];
    }
    rows
}

/// Adds the products of one segment to `sums`.
#[inline(always)]
fn accumulate<S: Simd, const V: usize, const R: usize>(
    simd: S,
    mut sums: [[S::f32s; V]; R],
    rows: [&[f32]; R],
    (panel, ahead): (&[f32], &[f32]),
) -> [[S::f32s; V]; R] {
    let lanes = S::f32s::LEN;
    for (p, right) in (0..rows[0].len()).zip(panel.chunks_exact(V * lanes)) {
        let mut vectors = [S::f32s::splat(simd, 0.0); V];
        for (vector, right) in vectors.iter_mut().zip(right.chunks_exact(lanes)) {
            *vector = S::f32s::from_slice(simd, right);
        }
        prefetch(ahead, p * tensor::LANES);
        for r in 0..R {
            let value = S::f32s::splat(simd, rows[r][p]);
            for v in 0..V {
                sums[r][v] = value.mul_add(vectors[v], sums[r][v]);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{assert_close, noise};

    #[test]
    fn matches_the_definition_for_all_heights_and_widths() {
        for level in Level::available() {
            for (count, depth, columns) in
                [(1, 1, 16), (5, 7, 32), (13, 20, 48), (29, 3, 64), (12, 128, 16)]
            {
                let segments = [0, depth + 3];
                let row_stride = 2 * depth + 5;
                let left = noise(count * row_stride + 8);
                let right = noise(2 * depth * columns);
                let mut packed = Packed::zeros(level, 2 * depth, columns);
                for i in 0..2 * depth {
                    for j in 0..columns {
                        packed.set(i, j, right[i * columns + j]);
                    }
                }
                let mut out = vec![0.0; count * columns];
                let rows = Rows { data: &left, row_stride, segments: &segments, depth };
                let mut sink = Plain { out: &mut out, stride: columns };
                let split = count / 2; // two blocks, to cross a border between them
                let tail = Rows { data: &left[split * row_stride..], ..rows };
                let blocks = [
                    Block { left: rows, count: split, row: 0 },
                    Block { left: tail, count: count - split, row: split },
                ];
                at_level!(level, simd => multiply(simd, &blocks, &packed, &mut sink));
                let definition = |i: usize| {
                    let (r, j) = (i / columns, i % columns);
                    let term = |k: usize| {
                        let l = left[r * row_stride + segments[k / depth] + k % depth];
                        f64::from(l) * f64::from(right[k * columns + j])
                    };
                    (0..2 * depth).map(term).sum::<f64>()
                };
                assert_close(&out, definition, 2 * depth, level);
            }
        }
    }
}
