//! Colours as classes.

use imaging::colour::{BINS, NEAREST, Prior, SoftBins};
use kernels::SoftLabels;
use nets::colorizer::CELL;
use rayon::prelude::*;
use tensor::Tensor;

use super::shrink::shrunk;
use super::target::Target;

/// How rare colours are made to count more.
///
/// # Source
///
/// Zhang, Isola and Efros, "Colorful Image Colorization" (ECCV 2016), equation 4:
/// `w ∝ ((1 − λ)·p̃ + λ/Q)⁻¹`. Deviation: the power is a setting; at the paper's 1
/// few photographs give spots of wrong, vivid colour.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rebalancing {
    /// The share λ of a uniform distribution. 1/2.
    pub uniform: f64,
    /// 1 in the paper, 0 for none.
    pub power: f64,
}

impl Default for Rebalancing {
    fn default() -> Self {
        Self { uniform: 0.5, power: 0.5 }
    }
}

/// The paper's σ for smoothing the prior.
const SMOOTHING: f64 = 5.0;

/// How much a pixel of each bin counts.
#[derive(Clone, Debug, PartialEq)]
pub struct BinWeights([f32; BINS]);

impl BinWeights {
    /// Every pixel counts alike.
    pub fn even() -> Self {
        Self([1.0; BINS])
    }

    /// By how often each bin occurs. Over the prior the mean is 1.
    pub fn new(prior: &Prior, how: Rebalancing) -> Self {
        let prior = prior.smoothed(SMOOTHING);
        let even = how.uniform / BINS as f64;
        let weights = prior.map(|p| ((1.0 - how.uniform) * p + even).powf(-how.power));
        let mean: f64 = weights.iter().zip(prior).map(|(w, p)| w * p).sum();
        Self(weights.map(|w| (w / mean) as f32))
    }
}

/// Soft labels with memory of their own.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    channels: Vec<u16>,
    shares: Vec<f32>,
    weights: Vec<f32>,
}

impl Labels {
    /// For each pixel of `ab`, `[N, 2, H, W]`, the bins that share it; it counts as
    /// the mean of its bins does.
    pub(super) fn of(ab: &Tensor, BinWeights(bins): &BinWeights) -> Self {
        let soft = soft_bins(ab);
        let weight = |pixel: &SoftBins| pixel.iter().map(|(bin, share)| share * bins[bin]).sum();
        Self {
            channels: soft.iter().flat_map(|pixel| pixel.index).collect(),
            shares: soft.iter().flat_map(|pixel| pixel.share).collect(),
            weights: soft.iter().map(weight).collect(),
        }
    }

    pub(super) fn borrowed(&self) -> SoftLabels<'_> {
        let Self { channels, shares, weights } = self;
        SoftLabels { each: NEAREST, channels, shares, weights }
    }
}

/// The bins of each pixel of `[N, 2, H, W]`, row by row.
pub(super) fn soft_bins(ab: &Tensor) -> Vec<SoftBins> {
    let [_, _, h, w] = ab.shape4();
    let area = h * w;
    let images = ab.data().par_chunks(2 * area);
    images
        .flat_map_iter(|image| (0..area).map(move |i| SoftBins::of([image[i], image[area + i]])))
        .collect()
}

/// How often each bin occurs in photographs `[N, 3, H, W]`, RGB in 0..=1, looked at
/// as coarsely as a network's answer is.
pub fn prior_of(photographs: impl IntoIterator<Item = Tensor>) -> Prior {
    let mut prior = Prior::default();
    for pictures in photographs {
        let ab = shrunk(&Target::of(&pictures).ab, CELL);
        for pixel in &soft_bins(&ab) {
            prior.add(pixel);
        }
    }
    prior
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nine pixels of grey, one of a colour.
    fn colours() -> Tensor {
        let mut ab = vec![0.0; 20];
        (ab[9], ab[19]) = (30.0, 30.0);
        Tensor::new([1, 2, 1, 10], ab)
    }

    fn weights(how: Rebalancing) -> Vec<f32> {
        let mut prior = Prior::default();
        for pixel in &soft_bins(&colours()) {
            prior.add(pixel);
        }
        Labels::of(&colours(), &BinWeights::new(&prior, how)).weights
    }

    #[test]
    fn rare_colours_count_more_by_the_power() {
        let half = weights(Rebalancing::default());
        let full = weights(Rebalancing { power: 1.0, ..Rebalancing::default() });
        let none = weights(Rebalancing { power: 0.0, ..Rebalancing::default() });
        let ratio = |w: &[f32]| w[9] / w[0];
        assert!(1.5 < ratio(&half) && ratio(&half) < ratio(&full));
        assert!(none.iter().all(|&w| (w - 1.0).abs() < 1e-5));
    }

    #[test]
    fn labels_are_the_colours_bins() {
        let labels = Labels::of(&colours(), &BinWeights::even());
        assert_eq!(labels.channels.len(), 10 * NEAREST);
        let centre = imaging::colour::ab_bins()[usize::from(labels.channels[9 * NEAREST])];
        assert_eq!(centre.map(|v| v as i32), [30, 30]);
        assert!((labels.shares[9 * NEAREST..].iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
