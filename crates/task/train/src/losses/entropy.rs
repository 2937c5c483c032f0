use rayon::prelude::*;
use tensor::Tensor;

/// A loss with its gradient by what it was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The loss: a mean.
    pub loss: f64,
    /// Of the shape that was given.
    pub gradient: Tensor,
}

/// Softmax and cross-entropy, over the channels at every pixel.
///
/// The target is `1 − smoothing` on the class named by `labels` and `smoothing`
/// spread evenly over all; the loss `−Σ target · log softmax(logits)`, its mean over
/// images and pixels.
///
/// # Shapes
///
/// `logits` `[N, C, H, W]`, any offset per pixel; `labels` `N·H·W` numbers below `C`.
///
/// # Panics
///
/// If there are more or fewer labels, or one is no class.
///
/// # Source
///
/// Label smoothing: Szegedy et al., "Rethinking the Inception Architecture", CVPR
/// 2016, section 7; as `torch.nn.functional.cross_entropy` of `PyTorch` 2.15.
pub fn cross_entropy(logits: &Tensor, labels: &[usize], smoothing: f64) -> Judged {
    let [n, classes, h, w] = logits.shape4();
    let pixels = h * w;
    assert_eq!(labels.len(), n * pixels, "a label for each pixel");
    assert!(labels.iter().all(|&label| label < classes), "a label is no class");
    let mut gradient = logits.clone();
    let images = gradient.data_mut().par_chunks_mut((classes * pixels).max(1));
    let losses: Vec<f64> = images
        .zip(labels.par_chunks(pixels.max(1)))
        .map(|(image, labels)| softmax_error(image, labels, (smoothing, (n * pixels) as f64)))
        .collect();
    Judged { loss: losses.iter().sum::<f64>() / (n * pixels) as f64, gradient }
}

/// Turns the logits of one image into gradients of a mean over `count`; the sum of its losses.
fn softmax_error(image: &mut [f32], labels: &[usize], (smoothing, count): (f64, f64)) -> f64 {
    let pixels = labels.len();
    let classes = image.len() / pixels;
    let even = smoothing / classes as f64;
    let mut most = vec![f32::NEG_INFINITY; pixels];
    for plane in image.chunks_exact(pixels) {
        // Not `f32::max`, which would lose a NaN.
        most.iter_mut().zip(plane).for_each(|(m, &v)| *m = if v <= *m { *m } else { v });
    }
    let (mut sum, mut total) = (vec![0.0f64; pixels], vec![0.0f64; pixels]);
    for plane in image.chunks_exact(pixels) {
        for (p, &v) in plane.iter().enumerate() {
            let above = v - most[p];
            sum[p] += f64::from(above.exp());
            total[p] += f64::from(above);
        }
    }
    let mut loss = 0.0;
    for (p, &label) in labels.iter().enumerate() {
        let own = f64::from(image[label * pixels + p] - most[p]);
        loss += sum[p].ln() - (1.0 - smoothing) * own - even * total[p];
    }
    for (class, plane) in image.chunks_exact_mut(pixels).enumerate() {
        for (p, v) in plane.iter_mut().enumerate() {
            let share = f64::from((*v - most[p]).exp()) / sum[p];
            let target = even + if labels[p] == class { 1.0 - smoothing } else { 0.0 };
            *v = ((share - target) / count) as f32;
        }
    }
    loss
}

/// A sigmoid and binary cross-entropy, from what is before the sigmoid: the mean of
/// `max(x, 0) − x·t + log(1 + exp(−|x|))`.
///
/// A target 1 is moved down to `1 − smoothing/2` and a 0 up to `smoothing/2`.
///
/// # Shapes
///
/// `logits` of any shape; `targets` as many values, 0..=1.
///
/// # Panics
///
/// If there are more or fewer targets.
///
/// # Source
///
/// `torch.nn.functional.binary_cross_entropy_with_logits` of `PyTorch` 2.15;
/// `keras.losses.binary_crossentropy(from_logits=True, label_smoothing=…)` of Keras
/// 3.15, which is also what Keras' own sigmoid layer is trained with.
pub fn binary_cross_entropy(logits: &Tensor, targets: &[f32], smoothing: f64) -> Judged {
    let count = logits.data().len() as f64;
    assert_eq!(targets.len(), logits.data().len(), "a target for each value");
    let mut loss = 0.0;
    let mut gradient = logits.clone();
    for (v, &target) in gradient.data_mut().iter_mut().zip(targets) {
        let x = f64::from(*v);
        let target = f64::from(target) * (1.0 - smoothing) + 0.5 * smoothing;
        let positive = if x < 0.0 { 0.0 } else { x };
        loss += positive - x * target + (-x.abs()).exp().ln_1p();
        *v = ((1.0 / (1.0 + (-x).exp()) - target) / count) as f32;
    }
    Judged { loss: loss / count, gradient }
}

/// Binary cross-entropy of probabilities, as Keras defines it where it does not see
/// the sigmoid: they are cut to `epsilon ..= 1 − epsilon` first, with 1e-7, and there
/// no gradient goes through.
///
/// # Shapes
///
/// As [`binary_cross_entropy`], with probabilities for logits.
///
/// # Panics
///
/// As [`binary_cross_entropy`].
///
/// # Source
///
/// `keras.src.backend.tensorflow.nn.binary_crossentropy` of Keras 3.15.
pub fn binary_cross_entropy_of_probabilities(probabilities: &Tensor, targets: &[f32]) -> Judged {
    const EPSILON: f64 = 1e-7;
    let count = probabilities.data().len() as f64;
    assert_eq!(targets.len(), probabilities.data().len(), "a target for each value");
    let mut loss = 0.0;
    let mut gradient = probabilities.clone();
    for (v, &target) in gradient.data_mut().iter_mut().zip(targets) {
        let (raw, target) = (f64::from(*v), f64::from(target));
        let p = raw.clamp(EPSILON, 1.0 - EPSILON);
        loss -= target * p.ln() + (1.0 - target) * (1.0 - p).ln();
        let inside = (EPSILON..=1.0 - EPSILON).contains(&raw) || raw.is_nan();
        *v = if inside { ((p - target) / (p * (1.0 - p)) / count) as f32 } else { 0.0 };
    }
    Judged { loss: loss / count, gradient }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    /// The definition, in f64, with no thought for speed.
    fn definition(logits: &[f64], labels: &[usize], smoothing: f64, shape: [usize; 3]) -> f64 {
        let [n, classes, pixels] = shape;
        let mut loss = 0.0;
        for (i, &label) in labels.iter().enumerate() {
            let at = |c: usize| logits[(i / pixels * classes + c) * pixels + i % pixels];
            let sum: f64 = (0..classes).map(|c| at(c).exp()).sum();
            for c in 0..classes {
                let target =
                    smoothing / classes as f64 + if c == label { 1.0 - smoothing } else { 0.0 };
                loss -= target * (at(c) - sum.ln());
            }
        }
        loss / (n * pixels) as f64
    }

    fn noise(len: usize, scale: f64) -> Vec<f32> {
        let mut random = Random::new(5);
        (0..len).map(|_| random.between(-scale, scale) as f32).collect()
    }

    /// By central differences of the f64 definition.
    fn slopes(values: &[f32], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        let mut values: Vec<f64> = values.iter().copied().map(f64::from).collect();
        let step = 1e-5;
        (0..values.len())
            .map(|i| {
                let own = values[i];
                values[i] = own + step;
                let above = loss(&values);
                values[i] = own - step;
                let below = loss(&values);
                values[i] = own;
                (above - below) / (2.0 * step)
            })
            .collect()
    }

    /// f32 holds each number to half an ulp, and goes through an exponential and a quotient.
    const ROUNDED: f64 = 4.0 * f32::EPSILON as f64;
    /// Central differences of step 1e-5: its square, and rounding over the step.
    const DIFFERENCES: f64 = 1e-9;

    #[test]
    fn cross_entropy_and_its_gradient_are_the_definitions() {
        let (n, classes, pixels) = (3, 5, 4);
        for (smoothing, scale) in [(0.0, 3.0), (0.1, 3.0), (0.3, 20.0)] {
            let logits = Tensor::new([n, classes, 2, 2], noise(n * classes * pixels, scale));
            let labels: Vec<usize> = (0..n * pixels).map(|i| i * 7 % classes).collect();
            let got = cross_entropy(&logits, &labels, smoothing);
            let loss = |v: &[f64]| definition(v, &labels, smoothing, [n, classes, pixels]);
            let exact: Vec<f64> = logits.data().iter().copied().map(f64::from).collect();
            let want = loss(&exact);
            assert!((got.loss - want).abs() <= ROUNDED * (want + scale), "{} {want}", got.loss);
            for (&g, w) in got.gradient.data().iter().zip(slopes(logits.data(), loss)) {
                assert!((f64::from(g) - w).abs() < ROUNDED * scale + DIFFERENCES, "{g} {w}");
            }
        }
    }

    #[test]
    fn binary_cross_entropies_and_their_gradients_are_the_definitions() {
        let logits = Tensor::new([6, 1, 1, 1], noise(6, 6.0));
        let targets = [0.0, 1.0, 0.0, 1.0, 1.0, 0.25];
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let of = |p: f64, t: f64| -(t * p.ln() + (1.0 - t) * (1.0 - p).ln()) / 6.0;
        for smoothing in [0.0, 0.2] {
            let moved = |t: f32| f64::from(t) * (1.0 - smoothing) + smoothing / 2.0;
            let loss = |v: &[f64]| -> f64 {
                v.iter().zip(targets).map(|(&x, t)| of(sigmoid(x), moved(t))).sum()
            };
            let got = binary_cross_entropy(&logits, &targets, smoothing);
            let exact: Vec<f64> = logits.data().iter().copied().map(f64::from).collect();
            assert!((got.loss - loss(&exact)).abs() < 1e-12);
            for (&g, w) in got.gradient.data().iter().zip(slopes(logits.data(), loss)) {
                assert!((f64::from(g) - w).abs() < ROUNDED + DIFFERENCES, "{g} {w}");
            }
        }
        let shares =
            Tensor::new([6], logits.data().iter().map(|&x| sigmoid(x.into()) as f32).collect());
        let loss =
            |v: &[f64]| -> f64 { v.iter().zip(targets).map(|(&p, t)| of(p, t.into())).sum() };
        let got = binary_cross_entropy_of_probabilities(&shares, &targets);
        for (&g, w) in got.gradient.data().iter().zip(slopes(shares.data(), loss)) {
            // The third derivative by p is up to 2/p³, with p no less than 1/400 here.
            assert!((f64::from(g) - w).abs() < (ROUNDED + 1e-2) * (1.0 + w.abs()), "{g} {w}");
        }
    }

    #[test]
    fn certainty_is_bounded_and_nan_stays() {
        let sure = Tensor::new([2], vec![0.0, 1.0]);
        let judged = binary_cross_entropy_of_probabilities(&sure, &[1.0, 1.0]);
        assert!((judged.loss + 0.5 * 1e-7f64.ln()).abs() < 1e-6, "{}", judged.loss);
        assert_eq!(judged.gradient.data(), [0.0, 0.0]);
        let far = Tensor::new([1, 2, 1, 1], vec![1e4, -1e4]);
        assert!((cross_entropy(&far, &[1], 0.0).loss - 2e4).abs() < 1e-2);
        assert!(
            (binary_cross_entropy(&Tensor::new([1], vec![-1e4]), &[1.0], 0.0).loss - 1e4).abs()
                < 1e-2
        );
        let nan = Tensor::new([1, 2, 1, 1], vec![f32::NAN, 0.0]);
        assert!(cross_entropy(&nan, &[1], 0.0).loss.is_nan());
        assert!(binary_cross_entropy(&nan, &[1.0, 0.0], 0.0).loss.is_nan());
    }
}
