use fearless_simd::prelude::*;
use rayon::prelude::*;
use tensor::Plane;

use crate::simd::at_level;
use crate::{Epilogue, Level, Onto};

/// The gradients of a fully connected layer `y = W·x + b`.
///
/// Like the layer, it runs at the speed of memory: weights and their gradient
/// are walked once.
#[derive(Clone, Copy, Debug)]
pub struct LinearGradient<'a> {
    /// `[out, in]`.
    pub weight: &'a [f32],
    /// The gradient of `y`, `[N, out, 1, 1]`.
    pub grad: &'a Plane,
}

impl LinearGradient<'_> {
    /// `dW = Σ g ⊗ x`, `[out, in]`, over the images of the batch, written to `out`.
    ///
    /// # Panics
    ///
    /// If `x` has other features, or `out` is of another size.
    pub fn weights(&self, level: Level, x: &Plane, out: &mut [f32]) {
        let inputs = self.inputs();
        assert_eq!(x.shape()[1..], [inputs, 1, 1], "other features");
        assert_eq!(out.len(), self.weight.len(), "memory of another size");
        out.par_chunks_mut(inputs).enumerate().for_each(|(o, row)| {
            let factors: Vec<f32> =
                (0..x.shape()[0]).map(|image| self.grad.image(image)[o]).collect();
            at_level!(level, simd => combined(simd, (&factors, x.data(), x.stride()), row));
        });
    }

    /// `dx = Wᵀ·g`.
    ///
    /// # Panics
    ///
    /// If `to` has other features.
    pub fn input(&self, level: Level, epilogue: &Epilogue, to: &mut Plane) {
        let (inputs, stride, images) = (self.inputs(), to.stride(), to.shape()[0]);
        assert_eq!(to.shape()[1..], [inputs, 1, 1], "other features");
        assert!(epilogue.residual.is_none(), "not folded in here");
        let outputs = self.grad.shape()[1];
        // A part of every row of weights meets every image while it is at hand.
        let part = |first: usize| {
            let len = PART.min(inputs - first);
            let mut sums = vec![0.0; images * len];
            let factors = |image: usize| &self.grad.image(image)[..outputs];
            let weight = (&self.weight[first..], inputs);
            let few = images / FEW * FEW;
            for image in (0..few).step_by(FEW) {
                let factors: [&[f32]; FEW] = std::array::from_fn(|i| factors(image + i));
                let sums = &mut sums[image * len..][..FEW * len];
                at_level!(level, simd => combined_for_few(simd, (&factors, weight), sums));
            }
            for (image, sums) in sums.chunks_exact_mut(len).enumerate().skip(few) {
                let rows = (factors(image), weight.0, weight.1);
                at_level!(level, simd => combined(simd, rows, sums));
            }
            sums
        };
        let parts: Vec<Vec<f32>> =
            (0..inputs.div_ceil(PART)).into_par_iter().map(|p| part(p * PART)).collect();
        for (image, out) in to.data_mut().chunks_exact_mut(stride).enumerate() {
            if epilogue.onto == Onto::Nothing {
                out.fill(0.0);
            }
            for (part, out) in parts.iter().zip(out[..inputs].chunks_mut(PART)) {
                let sums = part.chunks_exact(out.len()).nth(image).unwrap_or_default();
                out.iter_mut().zip(sums).for_each(|(x, sum)| *x += sum);
            }
            if let Some(mask) = epilogue.mask {
                for (x, &value) in out.iter_mut().zip(mask.values.image(image)) {
                    *x *= mask.gate.slope_scalar(value);
                }
            }
        }
    }

    fn inputs(&self) -> usize {
        self.weight.len() / self.grad.shape()[1]
    }
}

/// Features of a task: so many of each row of weights stay in the nearest caches.
const PART: usize = 128;

/// Images that meet a row of weights at a time.
const FEW: usize = 4;

/// [`combined`] for a few images, each with its own factors: a vector of weights is read
/// once for all.
#[inline(always)]
fn combined_for_few<S: Simd>(
    simd: S,
    (factors, (rows, stride)): (&[&[f32]; FEW], (&[f32], usize)),
    to: &mut [f32],
) {
    const VECTORS: usize = 2;
    let lanes = S::f32s::LEN;
    let len = to.len() / FEW;
    let width = VECTORS * lanes;
    let whole = len / width * width;
    for first in (0..whole).step_by(width) {
        let mut sums = [[S::f32s::splat(simd, 0.0); VECTORS]; FEW];
        for (row, values) in rows.chunks(stride).take(factors[0].len()).enumerate() {
            let values = &values[first..][..width];
            for v in 0..VECTORS {
                let value = S::f32s::from_slice(simd, &values[v * lanes..][..lanes]);
                for (sums, factors) in sums.iter_mut().zip(factors) {
                    sums[v] = value.mul_add(S::f32s::splat(simd, factors[row]), sums[v]);
                }
            }
        }
        for (to, sums) in to.chunks_exact_mut(len).zip(sums) {
            for (v, sum) in sums.into_iter().enumerate() {
                sum.store_slice(&mut to[first + v * lanes..][..lanes]);
            }
        }
    }
    for (to, factors) in to.chunks_exact_mut(len).zip(factors) {
        for (k, to) in to.iter_mut().enumerate().skip(whole) {
            let term = |(row, &factor): (usize, &f32)| factor * rows[row * stride + k];
            *to = factors.iter().enumerate().map(term).sum();
        }
    }
}

/// `to[k] = Σ factors[r] · rows[r · stride + k]`, in the order of the rows.
#[inline(always)]
fn combined<S: Simd>(simd: S, (factors, rows, stride): (&[f32], &[f32], usize), to: &mut [f32]) {
    const VECTORS: usize = 4;
    let lanes = S::f32s::LEN;
    let width = VECTORS * lanes;
    let whole = to.len() / width * width;
    for first in (0..whole).step_by(width) {
        let mut sums = [S::f32s::splat(simd, 0.0); VECTORS];
        for (row, &factor) in factors.iter().enumerate() {
            let values = &rows[row * stride + first..][..width];
            let factor = S::f32s::splat(simd, factor);
            for (sum, v) in sums.iter_mut().zip(values.chunks_exact(lanes)) {
                *sum = S::f32s::from_slice(simd, v).mul_add(factor, *sum);
            }
        }
        for (to, sum) in to[first..first + width].chunks_exact_mut(lanes).zip(sums) {
            to.copy_from_slice(sum.as_slice());
        }
    }
    for (k, to) in to.iter_mut().enumerate().skip(whole) {
        let term = |(row, &factor): (usize, &f32)| factor * rows[row * stride + k];
        *to = factors.iter().enumerate().map(term).sum();
    }
}
