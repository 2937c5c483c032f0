//! Gram matrices of feature maps, and what goes back through them.

use tensor::Plane;

use crate::bands::{Collect, for_bands};
use crate::conv::{Finish, Padding, Side, WeightGradient};
use crate::matmul::{Block, Packed, Rows, multiply};
use crate::simd::at_level;
use crate::{Border, Epilogue, Level, Source};

const BAND_ROWS: usize = 4;

/// `Σ F[y, x, a] · F[y, x, b]` over the pixels of each image: `[C, C]` values for
/// each, not divided by anything.
///
/// # Source
///
/// Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015), equation 3.
pub fn gram(level: Level, features: &Plane) -> Vec<Vec<f32>> {
    let [images, c, h, _] = features.shape();
    let source = Source::plain(features);
    let padding = Padding { down: [0, 0], across: [0, 0], border: Border::Zero };
    let side = Side { source: &source, padding: &padding };
    let product = WeightGradient { shape: [c, c, 1, 1], stride: 1, dilation: 1 };
    (0..images).map(|n| product.run_rows(level, [side, side], n * h..(n + 1) * h)).collect()
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
        for (i, &value) in matrix.iter().enumerate() {
            packed.set(i % c, i / c, value);
        }
        packed
    };
    let right: Vec<Packed> = matrices.iter().map(pack).collect();
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
