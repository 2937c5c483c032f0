//! How common colours are, and how much more a rare one should count.

use super::{BINS, SoftBins, ab_bins};

/// The share of the uniform distribution that the paper mixes in.
pub const PAPERS_LAMBDA: f64 = 0.5;

/// How often each of the [`ab_bins`] occurs in some photographs.
#[derive(Clone, Debug, PartialEq)]
pub struct Prior {
    counts: Box<[f64; BINS]>,
}

impl Default for Prior {
    fn default() -> Self {
        Self { counts: Box::new([0.0; BINS]) }
    }
}

impl Prior {
    /// From a count for each bin.
    pub fn new(counts: [f64; BINS]) -> Self {
        Self { counts: Box::new(counts) }
    }

    /// Counts one pixel.
    pub fn add(&mut self, pixel: &SoftBins) {
        for (bin, share) in pixel.iter() {
            self.counts[bin] += f64::from(share);
        }
    }

    /// Each bin's share, smoothed over the ab plane by a Gaussian of `sigma`; the sum is 1.
    /// Without a single pixel all are equal. The paper's `sigma` is 5.
    ///
    /// The Gaussian is cut off at the gamut and what it loses there is given back, so that
    /// every bin passes on all it has.
    pub fn smoothed(&self, sigma: f64) -> [f64; BINS] {
        let total: f64 = self.counts.iter().sum();
        if total <= 0.0 {
            return [1.0 / BINS as f64; BINS];
        }
        let mut out = [0.0; BINS];
        for (from, count) in ab_bins().iter().zip(self.counts.iter()) {
            let reach = ab_bins().map(|to| {
                let d = [0, 1].map(|k| f64::from(from[k] - to[k]).powi(2));
                (-(d[0] + d[1]) / (2.0 * sigma * sigma)).exp()
            });
            let scale = count / total / reach.iter().sum::<f64>();
            out.iter_mut().zip(reach).for_each(|(to, reach)| *to += scale * reach);
        }
        out
    }

    /// What each bin counts in a loss: `1 / ((1 − lambda) · smoothed + lambda / 313)`, scaled so
    /// that over the smoothed prior its mean is 1.
    ///
    /// # Source
    ///
    /// Zhang, Isola & Efros, ECCV 2016, eq. 4, with λ = 0.5 ([`PAPERS_LAMBDA`]) and σ = 5.
    pub fn rebalancing(&self, sigma: f64, lambda: f64) -> [f32; BINS] {
        let prior = self.smoothed(sigma);
        let weight = prior.map(|p| 1.0 / ((1.0 - lambda) * p + lambda / BINS as f64));
        let mean: f64 = prior.iter().zip(weight).map(|(p, w)| p * w).sum();
        weight.map(|w| (w / mean) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mostly_grey() -> Prior {
        let mut prior = Prior::default();
        for i in 0..1000u16 {
            let ab = if i % 50 == 0 { [60.0, 40.0] } else { [f32::from(i % 7), 3.0] };
            prior.add(&SoftBins::of(ab));
        }
        prior
    }

    #[test]
    fn smoothing_spreads_and_loses_nothing() {
        let prior = mostly_grey();
        let [sharp, smooth] = [0.01, 5.0].map(|sigma| prior.smoothed(sigma));
        for shares in [sharp, smooth] {
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert!((sharp.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let nonzero = |shares: &[f64]| shares.iter().filter(|s| **s > 1e-9).count();
        assert!(nonzero(&sharp) < nonzero(&smooth));
        assert!(
            sharp.iter().copied().fold(0.0, f64::max) > smooth.iter().copied().fold(0.0, f64::max)
        );
    }

    #[test]
    fn rare_colours_count_more_and_the_mean_is_one() {
        let prior = mostly_grey();
        let weights = prior.rebalancing(5.0, PAPERS_LAMBDA);
        let at = |ab| weights[usize::from(SoftBins::of(ab).index[0])];
        assert!(at([0.0, 0.0]) < at([60.0, 40.0]) && at([60.0, 40.0]) < at([-60.0, 60.0]));
        let mean: f64 =
            prior.smoothed(5.0).iter().zip(weights).map(|(p, w)| p * f64::from(w)).sum();
        assert!((mean - 1.0).abs() < 1e-6, "{mean}");
        // λ = 1: all alike.
        assert!(prior.rebalancing(5.0, 1.0).iter().all(|w| (w - 1.0).abs() < 1e-6));
    }

    #[test]
    fn without_a_pixel_all_are_alike() {
        let weights = Prior::default().rebalancing(5.0, 0.5);
        assert!(weights.iter().all(|w| (w - 1.0).abs() < 1e-6));
    }
}
