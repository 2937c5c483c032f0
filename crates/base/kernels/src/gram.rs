//! Gram matrices of feature maps, and what goes back through them.

use rayon::prelude::*;
use tensor::Plane;

use crate::bands::{Collect, for_bands};
use crate::conv::Finish;
use crate::matmul::{Block, Packed, Rows, lanes_of, multiply};
use crate::outer::{ROWS, Walk, accumulate, panel_width, sum_parts};
use crate::simd::at_level;
use crate::{Epilogue, Level};

const BAND_ROWS: usize = 4;

/// `Σ F[y, x, a] · F[y, x, b]` over the pixels of each image: `[C, C]` values for
/// each, not divided by anything.
///
/// # Panics
///
/// If channels are not padded to whole vectors.
///
/// # Source
///
/// Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015), equation 3.
pub fn gram(level: Level, features: &Plane) -> Vec<Vec<f32>> {
    let [images, c, ..] = features.shape();
    let stride = features.stride();
    assert!(stride.is_multiple_of(tensor::LANES), "channels are not padded");
    let lanes = at_level!(level, simd => lanes_of(simd));
    let shape = Shape { channels: stride, width: panel_width(stride, lanes) };
    let parts = (PARTS_BYTES / (stride * stride * size_of::<f32>())).clamp(1, MOST_PARTS);
    let of_image = |image: usize| {
        let pixels = features.image(image);
        let part = pixels.len() / stride / parts + 1;
        let sums: Vec<Vec<f32>> = pixels
            .par_chunks(part * stride)
            .map(|pixels| {
                let mut sums = vec![0.0; stride * stride];
                at_level!(level, simd => shape.add_up(simd, pixels, &mut sums));
                sums
            })
            .collect();
        shape.matrix(&sum_parts(&sums), c)
    };
    (0..images).map(of_image).collect()
}

/// Most parts the pixels of an image are cut into, and most bytes their sums may take.
const MOST_PARTS: usize = 8;
const PARTS_BYTES: usize = 8 << 20;
/// Values of the pixels that are multiplied at a time: they stay in the nearest cache.
const SEGMENT: usize = 6 * 1024;

/// How sums lie: tiles of [`ROWS`] by `width`, those of one panel of columns together.
#[derive(Clone, Copy)]
struct Shape {
    channels: usize,
    width: usize,
}

impl Shape {
    /// A tile's place. Only tiles that reach over the diagonal are filled: the
    /// matrix is symmetric.
    fn place(self, row: usize, column: usize) -> usize {
        let tile = column / self.width * (self.channels / ROWS) + row / ROWS;
        (tile * ROWS + row % ROWS) * self.width + column % self.width
    }

    #[inline(always)]
    fn add_up<S: fearless_simd::Simd>(self, simd: S, pixels: &[f32], sums: &mut [f32]) {
        let Self { channels, width } = self;
        for segment in pixels.chunks((SEGMENT / channels).max(32) * channels) {
            for column in (0..channels).step_by(width) {
                for row in (0..column + width).step_by(ROWS) {
                    let walk = Walk {
                        left: &segment[row..],
                        left_steps: [0, channels],
                        right: &segment[column..],
                        right_steps: [0, channels],
                        size: [1, segment.len() / channels],
                    };
                    let at = self.place(row, column);
                    accumulate(simd, &walk, &mut sums[at..at + ROWS * width]);
                }
            }
        }
    }

    /// `[c, c]` values from sums of the upper triangle.
    fn matrix(self, sums: &[f32], c: usize) -> Vec<f32> {
        let mut out = vec![0.0; c * c];
        out.par_chunks_exact_mut(c).enumerate().for_each(|(a, row)| {
            for (b, value) in row.iter_mut().enumerate() {
                *value = sums[self.place(a.min(b), a.max(b))];
            }
        });
        out
    }
}

/// Back through [`gram`]: `Σ F[y, x, b] · S[a, b]` at each pixel and channel `a`,
/// where `S`, symmetric, is the sum of a matrix's gradient and its transpose.
///
/// # Panics
///
/// If shapes differ, or a matrix is not `[C, C]`.
pub fn gram_gradient(
    level: Level,
    (features, matrices): (&Plane, &[Vec<f32>]),
    epilogue: &Epilogue,
    to: &mut Plane,
) {
    let ([images, c, ..], stride) = (features.shape(), features.stride());
    assert_eq!((to.shape(), to.stride()), (features.shape(), stride), "other shapes");
    assert!(matrices.len() == images && matrices.iter().all(|m| m.len() == c * c), "[C, C] each");
    let pack = |matrix: &Vec<f32>| {
        let mut packed = Packed::zeros(level, stride, stride);
        for (a, row) in matrix.chunks_exact(c).enumerate() {
            row.iter().enumerate().for_each(|(b, &value)| packed.set(b, a, value));
        }
        packed
    };
    let right: Vec<Packed> = matrices.par_iter().map(pack).collect();
    let (bias, row_len) = (vec![0.0; stride], to.row_len());
    for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
        let rows = epilogue.rows(band.image, band.top);
        let data = &features.image(band.image)[band.top * row_len..];
        let left = Rows { data, row_stride: stride, segments: &[0], depth: stride };
        let block = Block { left, count: band.data.len() / stride, row: 0 };
        let finish = Finish { bias: &bias, rows };
        let right = &right[band.image];
        let mut sink = finish.at(band.data, 0, stride);
        at_level!(level, simd => multiply(simd, &[block], right, &mut sink));
    });
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use super::*;
    use crate::reference::{assert_close, noise};

    #[test]
    fn grams_and_their_gradients_match_their_definition() {
        let shape = [2, 19, 9, 7];
        let (pixels, c) = (63, 19);
        let values = noise(2 * c * pixels);
        let mut plane = Plane::zeros(shape);
        plane.fill_from(&Tensor::new(shape, values.clone()));
        let at = |n: usize, c: usize, p: usize| f64::from(values[(n * 19 + c) * pixels + p]);
        for level in Level::available() {
            let grams = gram(level, &plane);
            for (n, matrix) in grams.iter().enumerate() {
                let want =
                    |i: usize| (0..pixels).map(|p| at(n, i / c, p) * at(n, i % c, p)).sum::<f64>();
                assert_close(matrix, want, pixels, level);
            }
            let matrices: Vec<Vec<f32>> = (0..2)
                .map(|n| {
                    let m = noise(c * c + n);
                    (0..c * c).map(|i| m[i] + m[i % c * c + i / c]).collect()
                })
                .collect();
            let mut to = Plane::zeros(shape);
            gram_gradient(level, (&plane, &matrices), &Epilogue::default(), &mut to);
            let want = |i: usize| {
                let (n, a, p) = (i / (c * pixels), i / pixels % c, i % pixels);
                (0..c).map(|b| at(n, b, p) * f64::from(matrices[n][a * c + b])).sum::<f64>()
            };
            assert_close(to.to_tensor().data(), want, 4 * c, level);
        }
    }
}
