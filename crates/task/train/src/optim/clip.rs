use rayon::prelude::*;
use tensor::Tensor;

use super::chunks::{pieces, sum};

/// The length of all gradients as one vector: the root of the sum of squares,
/// in f64. NaN or an infinity anywhere shows in it.
pub fn global_norm(gradients: &[Tensor]) -> f64 {
    let squares = |part: &[f32]| part.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
    gradients.iter().map(|g| sum(g.data(), squares)).sum::<f64>().sqrt()
}

/// Shortens all gradients together to `most`, if they are longer; gives their
/// length before.
///
/// They are multiplied by `min(1, most / (norm + 1e-6))`. Where the norm is not
/// finite they become useless: look at what is returned before taking a step.
///
/// # Source
///
/// `torch.nn.utils.clip_grad_norm_` of `PyTorch` 2.15, with the norm in f64.
/// Keras's `global_clipnorm` has no 1e-6.
pub fn clip_by_norm(gradients: &mut [Tensor], most: f64) -> f64 {
    let norm = global_norm(gradients);
    let factor = most / (norm + 1e-6);
    if factor < 1.0 || factor.is_nan() {
        let factor = factor as f32;
        change(gradients, |g| g * factor);
    }
    norm
}

/// Puts every value into `−most..=most`; NaN stays.
///
/// # Source
///
/// `torch.nn.utils.clip_grad_value_`, `clipvalue` in Keras.
///
/// # Panics
///
/// If `most` is negative or NaN.
pub fn clip_by_value(gradients: &mut [Tensor], most: f32) {
    assert!(most >= 0.0, "a limit of {most}");
    change(gradients, |g| g.clamp(-most, most));
}

fn change(gradients: &mut [Tensor], to: impl Fn(f32) -> f32 + Sync) {
    pieces(gradients).into_par_iter().for_each(|part| part.iter_mut().for_each(|g| *g = to(*g)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradients() -> Vec<Tensor> {
        vec![Tensor::new([2], vec![3.0, 0.0]), Tensor::new([1, 2], vec![0.0, -4.0])]
    }

    #[test]
    fn only_a_long_gradient_is_shortened() {
        let mut g = gradients();
        let length = |norm: f64| assert!((norm - 5.0).abs() < 1e-15, "{norm}");
        length(clip_by_norm(&mut g, 5.1));
        assert_eq!(g, gradients());
        length(clip_by_norm(&mut g, 2.5));
        // 2.5 / 5.000001, rounded twice
        let shrunk = 2.5 / 5.000_001;
        assert!((f64::from(g[0].data()[0]) - 3.0 * shrunk).abs() < 3.0 * f64::from(f32::EPSILON));
        assert!((f64::from(g[1].data()[1]) + 4.0 * shrunk).abs() < 4.0 * f64::from(f32::EPSILON));
    }

    #[test]
    fn a_gradient_that_is_no_number_is_told() {
        let mut g = gradients();
        g[1].data_mut()[0] = f32::NAN;
        assert!(clip_by_norm(&mut g, 1.0).is_nan());
        let mut g = gradients();
        g[1].data_mut()[0] = f32::INFINITY;
        assert!(clip_by_norm(&mut g, 1.0).is_infinite());
    }

    #[test]
    fn values_are_cut_one_by_one() {
        let mut g = gradients();
        clip_by_value(&mut g, 3.5);
        assert_eq!((g[0].data(), g[1].data()), (&[3.0, 0.0][..], &[0.0, -3.5][..]));
        clip_by_value(&mut g, 0.0);
        assert!(g.iter().flat_map(Tensor::data).all(|&g| g == 0.0));
    }
}
