use fearless_simd::prelude::*;

use crate::{Level, simd::at_level};

/// Mean and summed squared deviation of each channel over some pixels.
///
/// Sums are `f32` within a run of pixels and `f64` between runs; deviations are
/// taken from the mean, so that a large mean does not cost digits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    pub(crate) count: f64,
    pub(crate) mean: Vec<f64>,
    pub(crate) deviation: Vec<f64>,
}

/// Pixels summed in `f32` before the sum moves to `f64`.
const RUN: usize = 64;
/// One pixel in so many decides what deviations are taken from. However the pixels lie, that is
/// within √7 standard deviations of their mean, and squares lose three bits to it at most.
const SAMPLE: usize = 8;

impl Moments {
    /// The moments of `data`, pixels of `stride` channels.
    pub fn of(level: Level, data: &[f32], stride: usize) -> Self {
        let count = (data.len() / stride) as f64;
        let zero = vec![0.0; stride];
        let [sums, _] = at_level!(level, simd => sum(simd, data, &zero, Term::Sample));
        let sampled = (data.len() / stride).div_ceil(SAMPLE) as f64;
        let centre: Vec<f32> = sums.iter().map(|s| (s / sampled) as f32).collect();
        // What is summed about the centre puts the mean right.
        let [rest, squares] = at_level!(level, simd => sum(simd, data, &centre, Term::Square));
        let mean = (0..stride).map(|c| f64::from(centre[c]) + rest[c] / count).collect();
        let deviation = (0..stride)
            .map(|c| squares[c] - rest[c] * rest[c] / count)
            .map(|d| if d < 0.0 { 0.0 } else { d }) // keeps NaN
            .collect();
        Self { count, mean, deviation }
    }

    /// How many channels it has, padding included.
    pub fn channels(&self) -> usize {
        self.mean.len()
    }

    /// The biased variance of channel `c`.
    pub fn variance(&self, c: usize) -> f64 {
        self.deviation[c] / self.count
    }

    /// The mean of channel `c`.
    pub fn mean(&self, c: usize) -> f64 {
        self.mean[c]
    }

    /// Combines the moments of two sets of pixels.
    ///
    /// Source: Chan, Golub, `LeVeque`, "Updating formulae and a pairwise algorithm
    /// for computing sample variances", 1979.
    fn merge(&mut self, other: &Self) {
        let total = self.count + other.count;
        for c in 0..self.mean.len() {
            let step = other.mean[c] - self.mean[c];
            self.mean[c] += step * (other.count / total);
            self.deviation[c] +=
                other.deviation[c] + step * step * (self.count * other.count / total);
        }
        self.count = total;
    }

    /// The moments of all pixels of some images, taken in their order.
    pub fn over(images: &[Self]) -> Self {
        let Some((first, rest)) = images.split_first() else { return Self::default() };
        let mut all = first.clone();
        for image in rest {
            all.merge(image);
        }
        all
    }

    /// Over how many pixels they were taken.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// One entry per image from the parts of all images, in the parts' order.
    pub(crate) fn merge_images(parts: Vec<(usize, Self)>) -> Vec<Self> {
        let mut images: Vec<Self> = vec![];
        for (image, part) in parts {
            match images.get_mut(image) {
                Some(moments) => moments.merge(&part),
                None => images.push(part),
            }
        }
        images
    }
}

/// What is summed.
#[derive(Clone, Copy, PartialEq)]
enum Term {
    /// `x`, of some pixels.
    Sample,
    /// `x − centre` and `(x − centre)²`.
    Square,
}

impl Term {
    /// From one pixel to the next.
    fn step(self) -> usize {
        match self {
            Self::Sample => SAMPLE,
            Self::Square => 1,
        }
    }
}

/// Per channel, the sums of `term` over its pixels.
#[inline(always)]
fn sum<S: Simd>(simd: S, data: &[f32], centre: &[f32], term: Term) -> [Vec<f64>; 2] {
    let stride = centre.len();
    let mut total = [vec![0.0f64; stride], vec![0.0f64; stride]];
    let width = 2 * S::f32s::LEN; // of one pass: a cache line with AVX2
    let whole = stride / width * width;
    for run in data.chunks(RUN * stride) {
        // RUN is a multiple of SAMPLE
        for c in (0..whole).step_by(width) {
            sum_run(simd, (run, stride), &centre[c..c + width], (c, term), &mut total);
        }
        for c in whole..stride {
            let mut part = [0.0f32; 2];
            for pixel in run.chunks_exact(stride).step_by(term.step()) {
                let d = pixel[c] - centre[c];
                part[0] += d;
                part[1] += d * d;
            }
            total[0][c] += f64::from(part[0]);
            total[1][c] += f64::from(part[1]);
        }
    }
    total
}

/// Two vectors of channels, from `c` on, over one run of pixels.
#[inline(always)]
fn sum_run<S: Simd>(
    simd: S,
    (run, stride): (&[f32], usize),
    centre: &[f32],
    (c, term): (usize, Term),
    total: &mut [Vec<f64>; 2],
) {
    let lanes = S::f32s::LEN;
    let zero = S::f32s::splat(simd, 0.0);
    let mut sums = [[zero; 2]; 2];
    for pixel in run.chunks_exact(stride).step_by(term.step()) {
        for v in 0..2 {
            let x = S::f32s::from_slice(simd, &pixel[c + v * lanes..][..lanes]);
            if term == Term::Sample {
                sums[0][v] += x;
            } else {
                let d = x - S::f32s::from_slice(simd, &centre[v * lanes..][..lanes]);
                sums[0][v] += d;
                sums[1][v] = d.mul_add(d, sums[1][v]);
            }
        }
    }
    for (total, sums) in total.iter_mut().zip(&sums) {
        for (v, sum) in sums.iter().enumerate() {
            for (lane, &part) in sum.as_slice().iter().enumerate() {
                total[c + v * lanes + lane] += f64::from(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::noise;

    #[test]
    fn moments_match_their_definition_even_far_from_zero() {
        let (pixels, stride) = (1000, 16);
        let data: Vec<f32> = noise(pixels * stride).iter().map(|x| x + 300.0).collect();
        for level in Level::available() {
            let halves = data.split_at(333 * stride);
            let parts = [halves.0, halves.1].map(|d| (0, Moments::of(level, d, stride)));
            let merged = &Moments::merge_images(parts.into())[0];
            for c in 0..stride {
                let values = || data.iter().skip(c).step_by(stride).map(|&x| f64::from(x));
                let mean = values().sum::<f64>() / pixels as f64;
                let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / pixels as f64;
                // f32 sums of 64 values: 64 half-ulps of the sum at most.
                assert!((merged.mean(c) - mean).abs() < 64.0 * 300.0 * f64::from(f32::EPSILON));
                assert!(
                    (merged.variance(c) / variance - 1.0).abs() < 64.0 * f64::from(f32::EPSILON)
                );
            }
        }
    }

    #[test]
    fn a_sample_that_misleads_costs_three_bits_at_most() {
        // Every pixel that is looked at first lies far from all the others.
        let (pixels, stride) = (1024, 16);
        let mut data: Vec<f32> = noise(pixels * stride);
        data.iter_mut().step_by(SAMPLE * stride).for_each(|x| *x += 1000.0);
        let values: Vec<f64> = data.iter().step_by(stride).map(|&x| f64::from(x)).collect();
        let mean = values.iter().sum::<f64>() / pixels as f64;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / pixels as f64;
        for level in Level::available() {
            let off = Moments::of(level, &data, stride).variance(0) / variance - 1.0;
            assert!(off.abs() < 8.0 * 64.0 * f64::from(f32::EPSILON), "{off} {}", level.name());
        }
    }

    #[test]
    fn moments_over_images_are_those_of_all_their_pixels() {
        let (level, stride) = (Level::best(), 16);
        let data = noise(300 * stride);
        let parts: Vec<Moments> =
            data.chunks(100 * stride).map(|d| Moments::of(level, d, stride)).collect();
        let (over, whole) = (Moments::over(&parts), Moments::of(level, &data, stride));
        assert!((over.count() - 300.0).abs() < f64::EPSILON);
        for c in 0..stride {
            // Both are sums in f32 of up to 64 values.
            let allowed = 64.0 * f64::from(f32::EPSILON);
            assert!((over.mean(c) - whole.mean(c)).abs() < allowed);
            assert!((over.variance(c) - whole.variance(c)).abs() < allowed);
        }
        assert_eq!(Moments::over(&[]).channels(), 0);
    }

    #[test]
    fn a_flat_plane_has_no_variance_and_nan_stays() {
        let level = Level::best();
        // 0.1 is not a whole number of ulps of its sums: an ulp squared remains.
        assert!(Moments::of(level, &[0.1; 160], 16).variance(3) < 1e-15);
        let mut data = [1.0; 160];
        data[5] = f32::NAN;
        let m = Moments::of(level, &data, 16);
        assert!(m.variance(5).is_nan() && m.variance(4) == 0.0);
    }
}
