use tensor::Tensor;

use super::Judged;

/// The mean of absolute differences: `Σ |x − y| / n`, `torch`'s `l1_loss` and Keras'
/// `mean_absolute_error`. Where both are equal the gradient is 0.
///
/// # Panics
///
/// If the shapes differ.
pub fn absolute_error(x: &Tensor, target: &Tensor) -> Judged {
    error(x, target, |d| (d.abs(), if d == 0.0 { 0.0 } else { d.signum() }))
}

/// The mean of squared differences: `Σ (x − y)² / n`, `torch`'s `mse_loss` and Keras'
/// `mean_squared_error`.
///
/// # Panics
///
/// If the shapes differ.
pub fn squared_error(x: &Tensor, target: &Tensor) -> Judged {
    error(x, target, |d| (d * d, 2.0 * d))
}

/// The mean of a function of the differences, which is given with its derivative.
fn error(x: &Tensor, target: &Tensor, of: impl Fn(f64) -> (f64, f64)) -> Judged {
    assert_eq!(x.shape(), target.shape(), "another shape");
    let count = x.data().len() as f64;
    let (mut loss, mut gradient) = (0.0, x.clone());
    for (v, &t) in gradient.data_mut().iter_mut().zip(target.data()) {
        let (value, slope) = of(f64::from(*v) - f64::from(t));
        loss += value;
        *v = (slope / count) as f32;
    }
    Judged { loss: loss / count, gradient }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_slopes_are_the_definitions() {
        let of = |values: [f32; 4]| Tensor::new([2, 2], values.to_vec());
        let (x, y) = (of([1.0, -2.0, 0.5, 3.0]), of([0.0, 1.0, 0.5, 5.0]));
        let absolute = absolute_error(&x, &y);
        assert!((absolute.loss - 6.0 / 4.0).abs() < 1e-12);
        assert_eq!(absolute.gradient, of([0.25, -0.25, 0.0, -0.25]));
        let squared = squared_error(&x, &y);
        assert!((squared.loss - 14.0 / 4.0).abs() < 1e-12);
        assert_eq!(squared.gradient, of([0.5, -1.5, 0.0, -1.0]));
        assert!(absolute_error(&of([f32::NAN; 4]), &y).loss.is_nan());
    }
}
