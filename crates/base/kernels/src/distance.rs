//! Distances between planes, with their gradients.

use rayon::prelude::*;
use tensor::Plane;

use crate::Onto;

/// Values of a task.
const TASK: usize = 1 << 14;

/// What is summed over all values of two planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// `(x − y)²`.
    Squared,
    /// `|x − y|`; its gradient at zero is zero.
    Absolute,
}

impl Distance {
    /// The sum over all values. Adds `scale` times its gradient by `x` to `grad`,
    /// or writes it there.
    ///
    /// # Panics
    ///
    /// If the planes differ in shape.
    pub fn run(self, [x, y]: [&Plane; 2], (scale, onto): (f32, Onto), grad: &mut Plane) -> f64 {
        let same = |p: &Plane| (p.shape(), p.stride()) == (grad.shape(), grad.stride());
        assert!(same(x) && same(y), "other shapes");
        let parts = x.data().par_chunks(TASK).zip(y.data().par_chunks(TASK));
        let part = |((x, y), grad): ((&[f32], &[f32]), &mut [f32])| match onto {
            Onto::Nothing => self.part([x, y], grad, |g, new| *g = scale * new),
            Onto::Itself => self.part([x, y], grad, |g, new| *g += scale * new),
        };
        let sums: Vec<f64> = parts.zip(grad.data_mut().par_chunks_mut(TASK)).map(part).collect();
        sums.iter().sum()
    }

    fn part(self, [x, y]: [&[f32]; 2], grad: &mut [f32], put: impl Fn(&mut f32, f32)) -> f64 {
        const RUN: usize = 256;
        const LANES: usize = 16; // sums side by side, so that they can be vectors
        let mut total = 0.0;
        for ((x, y), grad) in x.chunks(RUN).zip(y.chunks(RUN)).zip(grad.chunks_mut(RUN)) {
            let mut sums = [0.0f32; LANES];
            for (i, ((x, y), g)) in x.iter().zip(y).zip(grad).enumerate() {
                let d = x - y;
                let (term, slope) = match self {
                    Self::Squared => (d * d, 2.0 * d),
                    Self::Absolute => (d.abs(), f32::from(d > 0.0) - f32::from(d < 0.0)),
                };
                sums[i % LANES] += term;
                put(g, slope);
            }
            total += sums.iter().map(|&s| f64::from(s)).sum::<f64>();
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use super::*;
    use crate::Level;
    use crate::reference::{assert_near, noise};

    #[test]
    fn distances_match_their_definition() {
        let shape = [2, 17, 5, 9];
        let len = shape.iter().product();
        let plane = |seed: usize| {
            let mut plane = Plane::zeros(shape);
            plane.fill_from(&Tensor::new(shape, noise(len + seed)[seed..].to_vec()));
            plane
        };
        let (x, y) = (plane(0), plane(1));
        let (a, b) = (x.to_tensor(), y.to_tensor());
        let d = |i: usize| f64::from(a.data()[i]) - f64::from(b.data()[i]);
        for (distance, term, slope) in [
            (Distance::Squared, (|d| d * d) as fn(f64) -> f64, (|d| 2.0 * d) as fn(f64) -> f64),
            (Distance::Absolute, f64::abs, f64::signum),
        ] {
            let mut grad = Plane::zeros(shape);
            for (onto, times) in [(Onto::Nothing, 3.0), (Onto::Itself, 6.0)] {
                let sum = distance.run([&x, &y], (3.0, onto), &mut grad);
                let want: f64 = (0..len).map(|i| term(d(i))).sum();
                // Sums of 16 terms in f32: 16 half-ulps of them.
                assert!((sum / want - 1.0).abs() < 16.0 * f64::from(f32::EPSILON));
                let want = |i: usize| times * slope(d(i));
                let tolerance = 32.0 * f64::from(f32::EPSILON);
                assert_near(grad.to_tensor().data(), want, tolerance, Level::best());
            }
        }
    }
}
