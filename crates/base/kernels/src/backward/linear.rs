use rayon::prelude::*;
use tensor::Plane;

use crate::{Epilogue, Onto};

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

/// Values of a task.
const TASK: usize = 1024;

impl LinearGradient<'_> {
    /// `dW = Σ g ⊗ x`, `[out, in]`, over the images of the batch.
    ///
    /// # Panics
    ///
    /// If `x` has other features.
    pub fn weights(&self, x: &Plane) -> Vec<f32> {
        let inputs = self.inputs();
        assert_eq!(x.shape()[1..], [inputs, 1, 1], "other features");
        let mut out = vec![0.0; self.weight.len()];
        out.par_chunks_mut(inputs).enumerate().for_each(|(o, row)| {
            for image in 0..x.shape()[0] {
                let g = self.grad.image(image)[o];
                for (w, &x) in row.iter_mut().zip(x.image(image)) {
                    *w += g * x;
                }
            }
        });
        out
    }

    /// `dx = Wᵀ·g`.
    ///
    /// # Panics
    ///
    /// If `to` has other features.
    pub fn input(&self, epilogue: &Epilogue, to: &mut Plane) {
        let inputs = self.inputs();
        assert_eq!(to.shape()[1..], [inputs, 1, 1], "other features");
        assert!(epilogue.residual.is_none(), "not folded in here");
        let stride = to.stride();
        let outputs = self.grad.shape()[1];
        for (image, out) in to.data_mut().chunks_exact_mut(stride).enumerate() {
            let grad = &self.grad.image(image)[..outputs];
            if epilogue.onto == Onto::Nothing {
                out.fill(0.0);
            }
            out[..inputs].par_chunks_mut(TASK).enumerate().for_each(|(i, out)| {
                for (row, &g) in self.weight.chunks_exact(inputs).zip(grad) {
                    for (x, &w) in out.iter_mut().zip(&row[i * TASK..]) {
                        *x += g * w;
                    }
                }
            });
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
