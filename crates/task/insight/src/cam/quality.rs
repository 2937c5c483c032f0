//! Whether a map shows what the network goes by.

mod impute;

use tensor::Tensor;

use super::scorer::{Scorer, of_class};
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
    /// The mean probability while they go, to the network's zero. Lower is better.
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
/// Petsiuk et al., "RISE" (2018), section 4.3, as `evaluation.py` of its authors has it
/// (their blur, and zeros in the network's numbers), in 32 steps in place of one for each
/// row of pixels.
pub fn quality(
    explainer: &Explainer<'_>,
    map: &Map,
    (noise, seed): (f32, u64),
) -> Result<Quality, InsightError> {
    let [_, _, height, width] = explainer.seen.shape4();
    let ranked = Ranked { map: map.enlarged([height, width]), size: [height, width] };
    let mut judge = Judge { scorer: explainer.scorer()?, class: map.class };
    let picture = &explainer.seen;
    Ok(Quality {
        road: judge.road(picture, &ranked, (noise, seed))?,
        insertion: judge.curve([&blur(picture), picture], &ranked)?,
        deletion: judge.curve([picture, &Tensor::zeros(picture.shape())], &ranked)?,
    })
}

/// Asks the network.
struct Judge {
    scorer: Scorer,
    class: usize,
}

impl Judge {
    fn scores(&mut self, pictures: &[Tensor]) -> Result<Vec<Vec<f32>>, InsightError> {
        self.scorer.run(pictures.len(), &mut |_| true, |image, _, values| {
            values.copy_from_slice(pictures[image].data());
        })
    }

    /// Half of what the score loses more without the most telling pixels than without
    /// the least telling ones.
    fn road(
        &mut self,
        picture: &Tensor,
        ranked: &Ranked,
        (noise, seed): (f32, u64),
    ) -> Result<f32, InsightError> {
        let mut random = Random::new(seed);
        let mut pictures = vec![];
        for percent in PERCENTILES {
            for towards in [1.0f32, -1.0] {
                let known = ranked.known(percent, towards);
                let mut filled = impute(picture, &known);
                for plane in filled.data_mut().chunks_exact_mut(known.len()) {
                    let holes = plane.iter_mut().zip(&known).filter(|(_, known)| !**known);
                    holes.for_each(|(value, _)| *value += random.normal() * noise);
                }
                pictures.push(filled);
            }
        }
        let class = self.class;
        let scores = self.scores(&pictures)?;
        let after: Vec<f32> = scores.iter().map(|s| of_class(s, class)).collect();
        let halves = after.chunks_exact(2).map(|pair| (pair[1] - pair[0]) / 2.0);
        Ok(halves.sum::<f32>() / PERCENTILES.len() as f32)
    }

    /// The mean probability on the way from one picture to another, by trapezoids.
    fn curve(&mut self, [from, to]: [&Tensor; 2], ranked: &Ranked) -> Result<f32, InsightError> {
        let order = ranked.order();
        let at = |step: usize| {
            let mut picture = from.clone();
            let planes = picture.data_mut().chunks_exact_mut(order.len());
            for (plane, goal) in planes.zip(to.data().chunks_exact(order.len())) {
                for &p in &order[..order.len() * step / (STEPS - 1)] {
                    plane[p] = goal[p];
                }
            }
            picture
        };
        let pictures: Vec<Tensor> = (0..STEPS).map(at).collect();
        let class = self.class;
        let scores = self.scores(&pictures)?;
        let p: Vec<f32> = scores.iter().map(|s| probability(s, class)).collect();
        Ok((p.iter().sum::<f32>() - f32::midpoint(p[0], p[STEPS - 1])) / (STEPS - 1) as f32)
    }
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

/// A Gaussian of deviation 5 on eleven pixels, where what reaches beyond them is folded
/// back, as scipy's filter makes of a single 1; beyond the picture's border lies 0.
fn blur(x: &Tensor) -> Tensor {
    const REACH: isize = 5;
    let [_, _, h, w] = x.shape4();
    let taps = folded_gaussian();
    let along = |data: &[f32], [dy, dx]: [isize; 2]| {
        let at = |i: usize| {
            let (plane, y, x) = (i / (h * w), i / w % h, i % w);
            let inside = |v: usize, d: isize, n: usize| v.checked_add_signed(d).filter(|v| *v < n);
            let tap = |(d, tap): (isize, &f64)| {
                let (y, x) = (inside(y, d * dy, h)?, inside(x, d * dx, w)?);
                Some(f64::from(data[(plane * h + y) * w + x]) * tap)
            };
            (-REACH..=REACH).zip(&taps).filter_map(tap).sum::<f64>() as f32
        };
        (0..data.len()).map(at).collect::<Vec<f32>>()
    };
    Tensor::new(x.shape(), along(&along(x.data(), [0, 1]), [1, 0]))
}

/// `scipy.ndimage.gaussian_filter` of a 1 amid eleven places, deviation 5, cut off at four
/// deviations and mirrored at the ends.
fn folded_gaussian() -> [f64; 11] {
    const CUT: isize = 20;
    /// Where the 1 lies, and where mirrors at both ends show it.
    const IMAGES: [isize; 5] = [-17, -6, 5, 16, 27];
    let tap = |d: isize| (-(d * d) as f64 / 50.0).exp();
    let total: f64 = (-CUT..=CUT).map(tap).sum();
    std::array::from_fn(|i| {
        let away = IMAGES.map(|image| image - i.cast_signed());
        away.into_iter().filter(|d| d.abs() <= CUT).map(tap).sum::<f64>() / total
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `gaussian_filter(np.eye(11)[5], 5)` of scipy 1.17.1.
    #[test]
    fn the_taps_are_scipys() {
        let taps = folded_gaussian();
        assert!((taps.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let half = [
            0.087_958_145_777_278_15,
            0.088_896_119_777_094_84,
            0.090_474_196_549_108_65,
            0.092_191_117_819_388_06,
            0.093_489_388_442_914_09,
            0.093_982_063_268_432_49,
        ];
        for (place, want) in half.into_iter().enumerate() {
            assert!((taps[place] - want).abs() < 1e-12, "{taps:?}");
            assert!((taps[10 - place] - want).abs() < 1e-12, "{taps:?}");
        }
    }

    #[test]
    fn a_blur_spreads_a_point_and_darkens_the_border() {
        let mut point = Tensor::zeros([1, 3, 21, 21]);
        point.data_mut()[10 * 21 + 10] = 1.0;
        let spread = blur(&point);
        let sum: f32 = spread.data().iter().sum();
        assert!((sum - 1.0).abs() < 1e-5 && spread.data()[10 * 21 + 10] < 0.02);
        assert_eq!(spread.data()[10 * 21 + 5].to_bits(), spread.data()[10 * 21 + 15].to_bits());
        let flat = blur(&Tensor::new([1, 1, 21, 30], vec![2.5; 630]));
        assert!((flat.data()[10 * 30 + 15] - 2.5).abs() < 1e-6 && flat.data()[0] < 1.0);
    }
}
