//! Cross-entropy between what a network finds likely and what is.

use fearless_simd::prelude::*;
use rayon::prelude::*;
use tensor::Plane;

use crate::Level;
use crate::matmul::lanes_of;
use crate::pointwise::exp;
use crate::simd::at_level;

/// Pixels of a task.
const TASK: usize = 256;

/// What the channels of each pixel are to be: a few of them, with a share each.
#[derive(Clone, Copy, Debug)]
pub struct SoftLabels<'a> {
    /// How many channels each pixel names.
    pub each: usize,
    /// The channels, `[N·H·W, each]`.
    pub channels: &'a [u16],
    /// Their shares, which should add up to 1 for each pixel. `[N·H·W, each]`.
    pub shares: &'a [f32],
    /// How much each pixel counts, `[N·H·W]`.
    pub weights: &'a [f32],
}

/// `Σ w · (log Σ exp x − Σ q·x)` over all pixels, for logits `x`, shares `q` and
/// weights `w`: the cross-entropy of a softmax. Writes `scale` times its gradient
/// by the logits to `grad`.
///
/// # Panics
///
/// If shapes differ, channels are not padded to whole vectors, or a label is no channel.
pub fn cross_entropy(
    level: Level,
    (logits, labels): (&Plane, SoftLabels),
    scale: f32,
    grad: &mut Plane,
) -> f64 {
    let ([n, channels, h, w], stride) = (logits.shape(), logits.stride());
    assert_eq!((grad.shape(), grad.stride()), (logits.shape(), stride), "other shapes");
    assert!(stride.is_multiple_of(tensor::LANES), "channels are not padded");
    let pixels = n * h * w;
    assert_eq!(labels.weights.len(), pixels, "a weight for each pixel");
    assert!(
        labels.channels.len() == pixels * labels.each
            && labels.shares.len() == pixels * labels.each,
        "labels for each pixel"
    );
    let tasks =
        grad.data_mut().par_chunks_mut(TASK * stride).zip(logits.data().par_chunks(TASK * stride));
    let sums: Vec<f64> = tasks
        .enumerate()
        .map(|(task, (grad, logits))| {
            let task = Task { first: task * TASK, channels, stride, scale };
            at_level!(level, simd => task.run(simd, (logits, labels), grad))
        })
        .collect();
    sums.iter().sum()
}

/// Some pixels in a row.
#[derive(Clone, Copy)]
struct Task {
    first: usize,
    channels: usize,
    stride: usize,
    scale: f32,
}

impl Task {
    #[inline(always)]
    fn run<S: Simd>(
        self,
        simd: S,
        (logits, labels): (&[f32], SoftLabels),
        grad: &mut [f32],
    ) -> f64 {
        let mut total = 0.0;
        let pixels = logits.chunks_exact(self.stride).zip(grad.chunks_exact_mut(self.stride));
        for (pixel, (logits, grad)) in (self.first..).zip(pixels) {
            let weight = labels.weights[pixel];
            let log_sum = softmax(simd, &logits[..self.channels], (weight * self.scale, grad));
            let own = pixel * labels.each..(pixel + 1) * labels.each;
            let mut likely = 0.0;
            for (&channel, &share) in labels.channels[own.clone()].iter().zip(&labels.shares[own]) {
                assert!(usize::from(channel) < self.channels, "there is no channel {channel}");
                likely += f64::from(share) * f64::from(logits[usize::from(channel)]);
                grad[usize::from(channel)] -= weight * self.scale * share;
            }
            total += f64::from(weight) * (f64::from(log_sum) - likely);
        }
        total
    }
}

/// Writes `scale` times the softmax, and gives `log Σ exp x`.
#[inline(always)]
fn softmax<S: Simd>(simd: S, logits: &[f32], (scale, to): (f32, &mut [f32])) -> f32 {
    let lanes = lanes_of(simd);
    to[..logits.len()].copy_from_slice(logits);
    to[logits.len()..].fill(f32::MIN);
    let mut most = S::f32s::splat(simd, f32::MIN);
    for x in to.chunks_exact(lanes) {
        most = most.max(S::f32s::from_slice(simd, x));
    }
    let most = most.as_slice().iter().copied().fold(f32::MIN, f32::max);
    let shift = S::f32s::splat(simd, most);
    let mut sums = S::f32s::splat(simd, 0.0);
    for x in to.chunks_exact_mut(lanes) {
        let power = exp(simd, S::f32s::from_slice(simd, x) - shift);
        x.copy_from_slice(power.as_slice());
        sums += power;
    }
    let sum: f32 = sums.as_slice().iter().sum();
    let factor = S::f32s::splat(simd, scale / sum);
    for x in to.chunks_exact_mut(lanes) {
        let y = S::f32s::from_slice(simd, x) * factor;
        x.copy_from_slice(y.as_slice());
    }
    to[logits.len()..].fill(0.0);
    most + sum.ln()
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use super::*;
    use crate::reference::{assert_near, noise};

    /// The definition, in f64: the loss, and its gradient as `[N, C, H, W]`.
    fn reference(logits: &Tensor, labels: SoftLabels, scale: f64) -> (f64, Vec<f64>) {
        let [n, c, h, w] = logits.shape4();
        let (mut loss, mut grad) = (0.0, vec![0.0; n * c * h * w]);
        for pixel in 0..n * h * w {
            let at = |channel| (pixel / (h * w) * c + channel) * h * w + pixel % (h * w);
            let x: Vec<f64> = (0..c).map(|k| f64::from(logits.data()[at(k)])).collect();
            let sum: f64 = x.iter().map(|x| x.exp()).sum();
            let weight = f64::from(labels.weights[pixel]);
            for k in 0..c {
                grad[at(k)] = scale * weight * x[k].exp() / sum;
            }
            for i in pixel * labels.each..(pixel + 1) * labels.each {
                let (k, share) = (usize::from(labels.channels[i]), f64::from(labels.shares[i]));
                loss -= weight * share * (x[k] - sum.ln());
                grad[at(k)] -= scale * weight * share;
            }
        }
        (loss, grad)
    }

    #[test]
    fn every_level_matches_the_definition() {
        // One pixel, tails of every kind, more than a task; logits of up to ±30.
        for (shape, each) in [([1, 1, 1, 1], 1), ([2, 17, 3, 5], 2), ([1, 313, 18, 17], 5)] {
            let [n, c, h, w] = shape;
            let values = noise(n * c * h * w).iter().map(|x| 30.0 * x).collect();
            let tensor = Tensor::new(shape, values);
            let mut logits = Plane::zeros(shape);
            logits.fill_from(&tensor);
            let pixels = n * h * w;
            let channels: Vec<u16> = (0..pixels * each).map(|i| ((i * 7) % c) as u16).collect();
            let labels = SoftLabels {
                each,
                channels: &channels,
                shares: &vec![1.0 / each as f32; pixels * each],
                weights: &noise(pixels).iter().map(|x| x.abs()).collect::<Vec<f32>>(),
            };
            let (want, want_grad) = reference(&tensor, labels, 0.25);
            for level in Level::available() {
                let mut grad = Plane::zeros(shape);
                grad.data_mut().fill(f32::NAN);
                let got = cross_entropy(level, (&logits, labels), 0.25, &mut grad);
                // Logits of 30 are known to 2 ulp of 32 each; there are `pixels` terms.
                let tolerance = pixels as f64 * 64.0 * f64::from(f32::EPSILON);
                assert!((got - want).abs() <= tolerance, "{level:?}: {got}, want {want}");
                // An exponent's error of 2 ulp of 60 is that of the softmax, relatively.
                let slack = 128.0 * f64::from(f32::EPSILON);
                assert_near(grad.to_tensor().data(), |i| want_grad[i], slack, level);
                assert!(
                    grad.data().chunks(grad.stride()).all(|p| p[c..].iter().all(|&x| x == 0.0))
                );
            }
        }
    }
}
