use serde::{Deserialize, Serialize};
use tensor::Tensor;

/// How much neighbouring pixels differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variation {
    /// Not looked at.
    #[default]
    Off,
    /// Times `Σ |x − neighbour|` over the whole batch, down and across, as in the
    /// PyTorch tutorial: not divided by anything.
    Absolute(f64),
    /// Times the same sum over one picture, in the mean over the batch, so that it
    /// counts as much in a batch as by itself.
    PerPicture(f64),
    /// Times the mean of `(x − neighbour)²` down plus that across, as in
    /// lengstrom's `fast-style-transfer` (`optimize.py`).
    Squared(f64),
}

impl Variation {
    /// The loss of `x`, `[N, C, H, W]`; its gradient is added to `grad`.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    pub fn evaluate(self, x: &Tensor, grad: &mut Tensor) -> f64 {
        assert_eq!(x.shape(), grad.shape(), "a gradient of another shape");
        let [n, c, h, w] = x.shape4();
        let (weight, squared) = match self {
            Self::Off => return 0.0,
            Self::Absolute(weight) => (weight, false),
            Self::PerPicture(weight) => (weight / n.max(1) as f64, false),
            Self::Squared(weight) => (weight, true),
        };
        let count = |pairs: usize| if squared { (n * c * pairs).max(1) as f64 } else { 1.0 };
        let scales = [weight / count((h - 1) * w), weight / count(h * (w - 1))];
        let mut total = 0.0;
        for (x, grad) in x.data().chunks_exact(h * w).zip(grad.data_mut().chunks_exact_mut(h * w)) {
            for (axis, step) in [w, 1].into_iter().enumerate() {
                let mut sum = 0.0f64;
                for i in 0..(h * w - step) {
                    if axis == 1 && i % w == w - 1 {
                        continue;
                    }
                    let d = x[i + step] - x[i];
                    let (term, slope) = if squared {
                        (d * d, 2.0 * d)
                    } else {
                        (d.abs(), f32::from(d > 0.0) - f32::from(d < 0.0))
                    };
                    sum += f64::from(term);
                    let g = scales[axis] as f32 * slope;
                    grad[i + step] += g;
                    grad[i] -= g;
                }
                total += scales[axis] * sum;
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_match_their_formula_and_central_differences() {
        let values: Vec<f32> = (0..36u16).map(|i| f32::from(i * 7 % 13) * 0.25).collect();
        let x = Tensor::new([2, 1, 3, 6], values.clone());
        for kind in [Variation::Absolute(0.5), Variation::PerPicture(0.5), Variation::Squared(3.0)]
        {
            let mut grad = Tensor::zeros([2, 1, 3, 6]);
            kind.evaluate(&x, &mut grad);
            for i in 0..36 {
                let at = |by: f32| {
                    let mut moved = x.clone();
                    moved.data_mut()[i] += by;
                    kind.evaluate(&moved, &mut Tensor::zeros([2, 1, 3, 6]))
                };
                // Differences are multiples of 0.25: a step of 1/16 crosses no kink but at zero,
                // where both sides cancel as the gradient does.
                let want = (at(0.0625) - at(-0.0625)) / 0.125;
                assert!((f64::from(grad.data()[i]) - want).abs() < 1e-5, "{kind:?} {i}");
            }
        }
        let row = Tensor::new([1, 1, 1, 3], vec![0.0, 1.0, -1.0]);
        let mut grad = Tensor::zeros([1, 1, 1, 3]);
        assert!((Variation::Absolute(2.0).evaluate(&row, &mut grad) - 6.0).abs() < 1e-12);
        assert!((Variation::Squared(2.0).evaluate(&row, &mut grad) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_picture_counts_as_much_in_a_batch_as_by_itself() {
        let [one, other] = [vec![0.0, 1.0, -1.0], vec![0.0, 2.0, 7.0]];
        let loss = |kind: Variation, values: &[f32]| {
            let x = Tensor::new([values.len() / 3, 1, 1, 3], values.to_vec());
            kind.evaluate(&x, &mut Tensor::zeros([values.len() / 3, 1, 1, 3]))
        };
        let kind = Variation::PerPicture(2.0);
        assert!(
            (loss(kind, &one) - 6.0).abs() < 1e-12 && (loss(kind, &other) - 14.0).abs() < 1e-12
        );
        let both = [one, other].concat();
        assert!((loss(kind, &both) - 10.0).abs() < 1e-12);
        assert!((loss(Variation::Absolute(2.0), &both) - 20.0).abs() < 1e-12);
    }
}
