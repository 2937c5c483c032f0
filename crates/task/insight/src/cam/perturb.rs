//! Methods that change the picture, or a layer, and see what becomes of the score.

use cpu::Watch;

use super::scorer::{Scorer, of_class};
use super::weigh::rectified;
use super::{CamOptions, Explainer};
use crate::InsightError;
use crate::resample::{Corners, bilinear};

impl Explainer<'_> {
    /// # Source
    ///
    /// Wang et al., "Score-CAM" (2020), algorithm 1, with the masks enlarged as in
    /// pytorch-grad-cam and, as there, no score of an empty picture taken off
    /// (the softmax over channels leaves it out).
    pub(super) fn score_weights(
        &self,
        class: usize,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<f64>, InsightError> {
        let [_, channels, h, w] = self.middle[0].shape4();
        let [_, _, height, width] = self.seen.shape4();
        let planes: Vec<&[f32]> = self.middle[0].data().chunks_exact(h * w).collect();
        let scores = self.scorer()?.run(channels, watch, |channel, _, values| {
            let mask = bilinear(planes[channel], [h, w], [height, width], Corners::Kept);
            let fold = |f: fn(f32, f32) -> f32, from| mask.iter().copied().fold(from, f);
            let (least, most) = (fold(f32::min, f32::INFINITY), fold(f32::max, f32::NEG_INFINITY));
            let share = |m: f32| (m - least) / (most - least + 1e-8);
            let pixels = self.seen.data().iter().zip(mask.iter().cycle());
            values.iter_mut().zip(pixels).for_each(|(to, (&v, &m))| *to = v * share(m));
        })?;
        let scores: Vec<f64> = scores.iter().map(|s| f64::from(of_class(s, class))).collect();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|s| (s - most).exp()).sum();
        Ok(scores.iter().map(|s| (s - most).exp() / total).collect())
    }

    /// # Source
    ///
    /// Desai and Ramaswamy, "Ablation-CAM" (2020), equation 4. A channel is set to 0
    /// as in the paper; pytorch-grad-cam does so only where the least activation is 0,
    /// and elsewhere to −10⁷.
    pub(super) fn ablation_weights(
        &self,
        class: usize,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<f64>, InsightError> {
        let [_, channels, h, w] = self.middle[0].shape4();
        let shapes: Vec<_> = self.middle.iter().map(tensor::Tensor::shape4).collect();
        let mut rest = Scorer::new(&self.rest, &shapes)?;
        let scores = rest.run(channels, watch, |channel, input, values| {
            values.copy_from_slice(self.middle[input].data());
            if input == 0 {
                values[channel * h * w..][..h * w].fill(0.0);
            }
        })?;
        let whole = f64::from(self.score(class));
        let lost = |s: &Vec<f32>| (whole - f64::from(of_class(s, class))) / whole;
        Ok(scores.iter().map(lost).collect())
    }

    /// Covers the picture with a square of its mean colour, place by place, half a
    /// square apart. A pixel's value is the mean loss of score of the squares over it.
    ///
    /// # Source
    ///
    /// Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks"
    /// (2014), section 4.2, with the loss of score in place of the score.
    pub(super) fn occlusion(
        &self,
        class: usize,
        options: &CamOptions,
        watch: &mut Watch<'_>,
    ) -> Result<([usize; 2], Vec<f32>), InsightError> {
        if !(0.01..=1.0).contains(&options.patch) {
            let (got, want) = (options.patch.to_string(), "0.01 to 1".to_owned());
            return Err(InsightError::Option { option: "patch", got, want });
        }
        let [_, _, height, width] = self.seen.shape4();
        let square = [height, width].map(|s| ((s as f32 * options.patch) as usize).max(1));
        let places = places([height, width], square);
        let means: Vec<f32> = self
            .seen
            .data()
            .chunks_exact(height * width)
            .map(|p| p.iter().sum::<f32>() / p.len() as f32)
            .collect();
        let scores = self.scorer()?.run(places.len(), watch, |place, _, values| {
            values.copy_from_slice(self.seen.data());
            let [top, left] = places[place];
            for (plane, mean) in values.chunks_exact_mut(height * width).zip(&means) {
                for row in plane.chunks_exact_mut(width).skip(top).take(square[0]) {
                    row[left..left + square[1]].fill(*mean);
                }
            }
        })?;
        let lost = |scores: &Vec<f32>| f64::from(self.score(class) - of_class(scores, class));
        let squares = places.into_iter().zip(scores.iter().map(lost));
        let means = mean_over_pixels([height, width], square, squares);
        Ok(([height, width], rectified(&means)))
    }
}

/// Top and left of squares half a square apart, the last ones at the edges.
fn places(picture: [usize; 2], square: [usize; 2]) -> Vec<[usize; 2]> {
    let starts = |axis: usize| {
        let (side, patch) = (picture[axis], square[axis]);
        let step = patch.div_ceil(2);
        (0..=(side - patch).div_ceil(step)).map(move |i| (i * step).min(side - patch))
    };
    starts(0).flat_map(|y| starts(1).map(move |x| [y, x])).collect()
}

/// The mean value of the squares over each pixel.
fn mean_over_pixels(
    [height, width]: [usize; 2],
    square: [usize; 2],
    squares: impl Iterator<Item = ([usize; 2], f64)>,
) -> Vec<f64> {
    let mut sums = vec![0.0; height * width];
    let mut counts = vec![0u32; height * width];
    for ([top, left], value) in squares {
        for y in top..top + square[0] {
            for at in y * width + left..y * width + left + square[1] {
                sums[at] += value;
                counts[at] += 1;
            }
        }
    }
    sums.iter_mut().zip(counts).for_each(|(s, n)| *s /= f64::from(n.max(1)));
    sums
}
