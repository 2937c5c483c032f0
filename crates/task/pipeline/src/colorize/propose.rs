//! The colours that a network holds plausible at a place.

use imaging::colour::{BINS, ab_bins, linear_of_lab, srgb_of_lab};
use imaging::{Filter, Picture};

use super::model::Kind;
use super::sizes::{fitted_size, lightness_of, network_size};
use super::{ColorizeOptions, Colorizer};
use crate::PipelineError;

/// A colour that a place may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposal {
    /// sRGB, of the picture's own lightness there.
    pub color: [u8; 3],
    /// The share of the network's distribution that lies nearer to this colour than to any other
    /// that is proposed; all together 1.
    pub probability: f32,
}

/// Colours nearer to each other than this, in units of ab, are taken for one.
const ALIKE: f32 = 25.0;

impl Colorizer {
    /// The colours that the network itself holds plausible at a place of the picture (pixels from
    /// the left and from the top), likeliest first, at most `count`: peaks of its
    /// distribution over ab. Hints of `options` do not change them: they are carried afterwards.
    ///
    /// # Errors
    ///
    /// - [`PipelineError::Hint`] if the place is outside of the picture, or the network gives no
    ///   distribution.
    /// - As [`Colorizer::colorize`].
    ///
    /// # Source
    ///
    /// Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep Priors", SIGGRAPH
    /// 2017, section 3.3, suggests colours from the same distribution by k-means; peaks need no
    /// random beginning, and give fewer colours where the network is sure.
    pub fn proposals(
        &mut self,
        picture: &Picture,
        (at, count): ([usize; 2], usize),
        options: &ColorizeOptions,
    ) -> Result<Vec<Proposal>, PipelineError> {
        options.check()?;
        let [x, y] = at;
        let wrong = |what: &str| {
            let (hint, what) = (format!("{x},{y}"), what.to_owned());
            Err(PipelineError::Hint { hint, what })
        };
        if x >= picture.width() || y >= picture.height() {
            return wrong("lies outside of the picture");
        }
        if self.model().kind != Kind::Bins {
            return wrong("the network gives one colour, and no others that it could be");
        }
        let own = picture.size();
        let size = network_size(own, options.side);
        self.prepare(picture, size, options.memory)?;
        let small = picture.to_rgb_tensor_of(fitted_size(own), Filter::Triangle);
        let (_, logits) = self.answer(&small, (own, size), options)?;
        let [_, _, height, width] = logits.shape4();
        let cell = cell([y, x], own, [height, width]);
        let logits: Vec<f32> =
            (0..BINS).map(|bin| logits.data()[bin * height * width + cell]).collect();
        if !logits.iter().all(|v| v.is_finite()) {
            return Err(PipelineError::NotFinite);
        }
        let [height, width] = fitted_size(own);
        let lightness = lightness_of(&small).data()[self::cell([y, x], own, [height, width])];
        let peaks = peaks(&softmax(&logits), count);
        let proposal = |([a, b], probability): ([f32; 2], f32)| Proposal {
            color: shown([lightness, a, b]),
            probability,
        };
        Ok(peaks.into_iter().map(proposal).collect())
    }
}

/// The pixel of a grid under a place of the picture.
fn cell(at: [usize; 2], picture: [usize; 2], grid: [usize; 2]) -> usize {
    let [row, column] = [0, 1].map(|axis| {
        let place = (at[axis] as f64 + 0.5) * grid[axis] as f64 / picture[axis] as f64;
        (place as usize).min(grid[axis] - 1)
    });
    row * grid[1] + column
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = logits.iter().map(|v| (v - most).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// Colours and their shares: the likeliest bins that are not alike, each with all bins that are
/// nearer to it than to the others; its colour is the mean of those that are like it.
fn peaks(shares: &[f32], count: usize) -> Vec<([f32; 2], f32)> {
    let bins = ab_bins();
    let distance = |i: usize, j: usize| {
        let ([a, b], [c, d]) = (bins[i], bins[j]);
        (a - c).hypot(b - d)
    };
    let mut order: Vec<usize> = (0..bins.len()).collect();
    order.sort_by(|&i, &j| shares[j].total_cmp(&shares[i]));
    let mut chosen: Vec<usize> = vec![];
    for bin in order {
        if chosen.len() < count && chosen.iter().all(|&peak| distance(bin, peak) >= ALIKE) {
            chosen.push(bin);
        }
    }
    let mut sums = vec![([0.0f32; 2], 0.0f32, 0.0f32); chosen.len()];
    for (bin, &share) in shares.iter().enumerate() {
        let nearest = (0..chosen.len())
            .min_by(|&i, &j| distance(bin, chosen[i]).total_cmp(&distance(bin, chosen[j])));
        let Some(nearest) = nearest else { break };
        let ([a, b], alike, all) = &mut sums[nearest];
        *all += share;
        if distance(bin, chosen[nearest]) < ALIKE {
            (*a, *b, *alike) =
                (*a + share * bins[bin][0], *b + share * bins[bin][1], *alike + share);
        }
    }
    let mut found: Vec<_> =
        sums.into_iter().map(|([a, b], alike, all)| ([a / alike, b / alike], all)).collect();
    found.retain(|(ab, _)| ab.iter().all(|v| v.is_finite()));
    found.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    found
}

/// A Lab colour in bytes, with less chroma where sRGB has none of that lightness.
fn shown([lightness, a, b]: [f32; 3]) -> [u8; 3] {
    let with = |share: f32| [lightness, share * a, share * b];
    let fits = |share: f32| linear_of_lab(with(share)).iter().all(|v| (-1e-4..=1.0001).contains(v));
    let [mut inside, mut outside] = [0.0, 1.0];
    if fits(1.0) {
        inside = 1.0;
    }
    for _ in 0..12 {
        let middle = 0.5 * (inside + outside);
        if fits(middle) { inside = middle } else { outside = middle }
    }
    srgb_of_lab(with(inside)).map(|v| (v * 255.0).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::super::sure_of;
    use super::*;
    use imaging::colour::lab_of_srgb;
    use imaging::{Channels, Pixels};

    fn bin(ab: [f32; 2]) -> usize {
        let near = |b: &[f32; 2]| (0..2).all(|i| (b[i] - ab[i]).abs() < 0.5);
        ab_bins().iter().position(near).unwrap()
    }

    #[test]
    fn peaks_are_what_is_unlike_and_shares_sum_to_one() {
        let mut shares = vec![0.0; BINS];
        shares[bin([50.0, 40.0])] = 0.4;
        shares[bin([60.0, 40.0])] = 0.1; // alike: one colour with the first
        shares[bin([-40.0, 30.0])] = 0.3;
        shares[bin([0.0, -40.0])] = 0.2;
        let found = peaks(&shares, 3);
        let near = |ab: [f32; 2], want: [f32; 2]| (0..2).all(|i| (ab[i] - want[i]).abs() < 1e-4);
        assert!(near(found[0].0, [52.0, 40.0]) && (found[0].1 - 0.5).abs() < 1e-6, "{found:?}");
        assert!(near(found[1].0, [-40.0, 30.0]) && near(found[2].0, [0.0, -40.0]), "{found:?}");
        let two = peaks(&shares, 2);
        assert_eq!(two.len(), 2);
        assert!((two.iter().map(|p| p.1).sum::<f32>() - 1.0).abs() < 1e-6, "{two:?}");
    }

    #[test]
    fn a_network_that_is_sure_proposes_its_colour_at_the_pictures_lightness() {
        let picture = Picture::new([40, 60], Channels::Grey, Pixels::U8(vec![140; 2400]));
        let mut sure = sure_of([30.0, 20.0]);
        let options = ColorizeOptions::default();
        let found = sure.proposals(&picture, ([59, 39], 4), &options).unwrap();
        assert!(found[0].probability > 0.99, "{found:?}");
        let [lightness, a, b] = lab_of_srgb(found[0].color.map(|v| f32::from(v) / 255.0));
        let [grey, ..] = lab_of_srgb([140.0 / 255.0; 3]);
        assert!((lightness - grey).abs() < 1.0, "{lightness}, not {grey}");
        assert!((a - 30.0).abs() < 1.5 && (b - 20.0).abs() < 1.5, "{a} {b}");
        let outside = sure.proposals(&picture, ([60, 0], 4), &options).unwrap_err();
        assert!(outside.to_string().contains("outside"), "{outside}");
    }

    #[test]
    fn colours_that_srgb_has_not_lose_chroma_and_keep_their_hue() {
        let [l, a, b] = lab_of_srgb(shown([90.0, 80.0, -60.0]).map(|v| f32::from(v) / 255.0));
        assert!((l - 90.0).abs() < 1.0, "{l}");
        assert!((b.atan2(a) - (-60.0f32).atan2(80.0)).abs() < 0.1, "{a} {b}");
    }
}
