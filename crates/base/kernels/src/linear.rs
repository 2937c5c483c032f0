use fearless_simd::prelude::*;
use rayon::prelude::*;
use tensor::{Buffer, Plane};

use crate::simd::at_level;
use crate::{Gate, Level};

/// A fully connected layer. Its weights are read once per batch, so it runs at
/// the speed of memory.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[out, in']`, inputs padded as in the plane they come from.
    weight: Buffer,
    bias: Vec<f32>,
    in_stride: usize,
}

/// Least outputs computed by one task.
const ROWS: usize = 16;

impl Linear {
    /// Packs `[out, in]` weights and `[out]` biases.
    ///
    /// # Panics
    ///
    /// If the sizes do not belong together.
    pub fn new(weight: &[f32], bias: &[f32]) -> Self {
        let inputs = weight.len() / bias.len();
        assert_eq!(inputs * bias.len(), weight.len(), "weights are not a matrix");
        let in_stride = tensor::padded_channels(inputs);
        let mut padded = Buffer::zeros(bias.len() * in_stride);
        let rows = padded.as_mut_slice().par_chunks_exact_mut(in_stride);
        let rows = rows.zip(weight.par_chunks_exact(inputs)).with_min_len(ROWS);
        rows.for_each(|(row, from)| row[..inputs].copy_from_slice(from));
        Self { weight: padded, bias: bias.to_vec(), in_stride }
    }

    /// Bytes the packed weights take.
    pub fn bytes(&self) -> usize {
        self.weight.len() * size_of::<f32>()
    }

    /// `gate(W·x + b)` for each image; both planes are `[N, F, 1, 1]`.
    ///
    /// # Panics
    ///
    /// If the planes are of other sizes.
    pub fn run(&self, level: Level, from: &Plane, to: &mut Plane, gate: Gate) {
        assert_eq!(from.image_len(), self.in_stride, "another number of features");
        assert_eq!(to.shape()[1..], [self.bias.len(), 1, 1], "another number of outputs");
        let (outputs, images) = (self.bias.len(), from.shape()[0]);
        let row = |(weights, &bias): (&[f32], &f32)| {
            let one = |image| at_level!(level, simd => dot(simd, weights, from.image(image)));
            (0..images).map(|image| gate.apply_scalar(one(image) + bias)).collect::<Vec<f32>>()
        };
        // A row of weights meets every image while it is at hand.
        let rows = self.weight.as_slice().par_chunks_exact(self.in_stride).zip(&self.bias);
        let results: Vec<Vec<f32>> = rows.with_min_len(ROWS).map(row).collect();
        let stride = to.stride();
        for (image, out) in to.data_mut().chunks_exact_mut(stride).enumerate() {
            out[outputs..].fill(0.0);
            out.iter_mut().zip(&results).for_each(|(y, row)| *y = row[image]);
        }
    }
}

/// Four sums are kept in flight; lengths are whole vectors of [`tensor::LANES`].
#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let lanes = S::f32s::LEN;
    let mut sums = [S::f32s::splat(simd, 0.0); 4];
    for (a, b) in a.chunks(4 * lanes).zip(b.chunks(4 * lanes)) {
        for ((sum, a), b) in sums.iter_mut().zip(a.chunks_exact(lanes)).zip(b.chunks_exact(lanes)) {
            *sum = S::f32s::from_slice(simd, a).mul_add(S::f32s::from_slice(simd, b), *sum);
        }
    }
    let total = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    total.as_slice().iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{assert_close, noise};
    use tensor::Tensor;

    #[test]
    fn matches_the_definition() {
        for level in Level::available() {
            for (inputs, outputs) in [(1, 1), (33, 17), (400, 40)] {
                let (w, b) = (noise(inputs * outputs), noise(outputs));
                let x = noise(2 * inputs);
                let mut from = Plane::zeros([2, inputs, 1, 1]);
                from.fill_from(&Tensor::new([2, inputs, 1, 1], x.clone()));
                let mut to = Plane::zeros([2, outputs, 1, 1]);
                Linear::new(&w, &b).run(level, &from, &mut to, Gate::Linear);
                let want = |i: usize| {
                    let (n, o) = (i / outputs, i % outputs);
                    let term = |k| f64::from(w[o * inputs + k]) * f64::from(x[n * inputs + k]);
                    f64::from(b[o]) + (0..inputs).map(term).sum::<f64>()
                };
                assert_close(to.to_tensor().data(), want, inputs + 1, level);
            }
        }
    }
}
