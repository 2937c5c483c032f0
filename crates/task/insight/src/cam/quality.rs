//! Whether a map shows what the network goes by.

mod impute;

use tensor::Tensor;

use super::scorer::of_class;
use super::{Explainer, Map, percentile};
use crate::InsightError;
use crate::random::Random;
use impute::impute;

/// How good a map is. None of it asks whether it looks right to people.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Quality {
    /// By how much more the score drops if the most telling pixels are replaced by
    /// what their surroundings suggest than if the least telling ones are, halved.
    /// Higher is better.
    pub road: f32,
    /// The mean probability while the most telling pixels come in, on a blurred
    /// picture. Higher is better.
    pub insertion: f32,
    /// The mean probability while they go, to the mean colour. Lower is better.
    pub deletion: f32,
}

/// Of the picture's pixels.
const PERCENTILES: [f64; 4] = [20.0, 40.0, 60.0, 80.0];
/// Pictures along a curve, both ends included.
const STEPS: usize = 33;

/// Measures a map on the picture that the explainer holds. `noise` is the deviation
/// of what is added to replaced pixels, in the network's numbers: 0.01 in the paper.
///
/// # Errors
///
/// If the network does not run on several pictures at once.
///
/// # Source
///
/// ROAD: Rong et al., "A Consistent and Efficient Evaluation Strategy for Attribution
/// Methods" (2022), as `ROADCombined` of pytorch-grad-cam. Insertion and deletion:
/// Petsiuk et al., "RISE" (2018), section 4.3, in 32 steps, with a Gaussian blur of
/// deviation 5 over 11 pixels.
pub fn quality(
    explainer: &Explainer<'_>,
    map: &Map,
    (noise, seed): (f32, u64),
) -> Result<Quality, InsightError> {
    let [_, _, height, width] = explainer.seen.shape4();
    let ranked = Ranked { map: map.enlarged([height, width]), size: [height, width] };
    let mut random = Random::new(seed);
    let mut pictures = vec![];
    for percent in PERCENTILES {
        for towards in [1.0f32, -1.0] {
            let known = ranked.known(percent, towards);
            let mut filled = impute(&explainer.seen, &known);
            for plane in filled.data_mut().chunks_exact_mut(height * width) {
                for (value, known) in plane.iter_mut().zip(&known) {
                    *value += if *known { 0.0 } else { random.normal() * noise };
                }
            }
            pictures.push(filled);
        }
    }
    let mut scorer = explainer.scorer()?;
    let mut run = |pictures: &[Tensor]| {
        scorer.run(pictures.len(), |image, _, values| {
            values.copy_from_slice(pictures[image].data());
        })
    };
    let scores: Vec<f32> = run(&pictures).iter().map(|s| of_class(s, map.class)).collect();
    let road = scores.chunks_exact(2).map(|pair| (pair[1] - pair[0]) / 2.0).sum::<f32>()
        / PERCENTILES.len() as f32;
    let (blurred, mean) = (blur(&explainer.seen), mean_colour(&explainer.seen));
    let order = ranked.order();
    let mut curve = |from: &Tensor, to: &Tensor| {
        let pictures: Vec<Tensor> = (0..STEPS)
            .map(|step| {
                let mut picture = from.clone();
                for plane in 0..3 {
                    let at = plane * height * width;
                    for &p in &order[..order.len() * step / (STEPS - 1)] {
                        picture.data_mut()[at + p] = to.data()[at + p];
                    }
                }
                picture
            })
            .collect();
        let p: Vec<f32> = run(&pictures).iter().map(|s| probability(s, map.class)).collect();
        // The area under the curve, by trapezoids.
        (p.iter().sum::<f32>() - (p[0] + p[STEPS - 1]) / 2.0) / (STEPS - 1) as f32
    };
    let insertion = curve(&blurred, &explainer.seen);
    let deletion = curve(&explainer.seen, &mean);
    Ok(Quality { road, insertion, deletion })
}

struct Ranked {
    map: Vec<f32>,
    size: [usize; 2],
}

impl Ranked {
    /// The pixels that stay: those below the percentile of the map, or of what is
    /// left of 1 above it.
    fn known(&self, percent: f64, towards: f32) -> Vec<bool> {
        let values: Vec<f32> =
            self.map.iter().map(|v| if towards > 0.0 { *v } else { 1.0 - v }).collect();
        let threshold = percentile(&values, percent);
        values.iter().map(|v| *v < threshold).collect()
    }

    /// Pixels from the most telling on; equal ones in reading order.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.size[0] * self.size[1]).collect();
        order.sort_by(|&a, &b| self.map[b].total_cmp(&self.map[a]).then(a.cmp(&b)));
        order
    }
}

fn probability(scores: &[f32], class: usize) -> f32 {
    if scores.len() == 1 {
        return 1.0 / (1.0 + (-of_class(scores, class)).exp());
    }
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    (scores[class] - most).exp() / scores.iter().map(|s| (s - most).exp()).sum::<f32>()
}

fn mean_colour(x: &Tensor) -> Tensor {
    let [_, _, h, w] = x.shape4();
    let mean = |plane: &[f32]| plane.iter().sum::<f32>() / plane.len() as f32;
    let planes = x.data().chunks_exact(h * w).flat_map(|p| vec![mean(p); h * w]);
    Tensor::new(x.shape(), planes.collect())
}

/// Eleven taps, deviation 5; beyond the border lies the border.
fn blur(x: &Tensor) -> Tensor {
    const REACH: isize = 5;
    let [_, _, h, w] = x.shape4();
    let taps: Vec<f32> = (-REACH..=REACH).map(|d| (-(d * d) as f32 / 50.0).exp()).collect();
    let total: f32 = taps.iter().sum();
    let along = |data: &[f32], vertical: usize| {
        let at = |i: usize| {
            let (plane, y, x) = (i / (h * w), i / w % h, i % w);
            let tap = |(d, t): (isize, &f32)| {
                let clamp = |v: usize, n: usize| v.saturating_add_signed(d).min(n - 1);
                let (y, x) = if vertical == 1 { (clamp(y, h), x) } else { (y, clamp(x, w)) };
                data[(plane * h + y) * w + x] * t / total
            };
            (-REACH..=REACH).zip(&taps).map(tap).sum()
        };
        (0..data.len()).map(at).collect::<Vec<f32>>()
    };
    Tensor::new(x.shape(), along(&along(x.data(), 0), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_what_is_flat_and_spreads_a_point() {
        let flat = Tensor::new([1, 3, 4, 6], vec![2.5; 72]);
        assert!(blur(&flat).data().iter().all(|v| (v - 2.5).abs() < 1e-6));
        let mut point = Tensor::zeros([1, 3, 21, 21]);
        point.data_mut()[10 * 21 + 10] = 1.0;
        let spread = blur(&point);
        let sum: f32 = spread.data().iter().sum();
        assert!((sum - 1.0).abs() < 1e-5 && spread.data()[10 * 21 + 10] < 0.02);
        assert_eq!(spread.data()[10 * 21 + 5].to_bits(), spread.data()[10 * 21 + 15].to_bits());
    }
}
