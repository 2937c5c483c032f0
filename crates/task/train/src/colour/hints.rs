//! Hints as somebody might have given them.

use serde::{Deserialize, Serialize};
use tensor::Tensor;

use crate::Random;

/// How hints are drawn while training.
///
/// # Source
///
/// Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep
/// Priors" (SIGGRAPH 2017), section 3.2: the number of points is geometric,
/// each shows the mean colour of a square, and now and then everything is shown.
/// Deviations: the points lie uniformly over the picture, not around its middle,
/// and a share of the pictures has none at all, so that one network also colours alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hinting {
    /// The share of pictures without a hint.
    pub none: f64,
    /// The share of pictures of which every pixel's colour is shown.
    pub all: f64,
    /// The chance that a point is the last. 1/8.
    pub last: f64,
    /// The largest side of a square; sides are uniform from 1. 9.
    pub side: usize,
}

impl Default for Hinting {
    fn default() -> Self {
        Self { none: 0.3, all: 0.01, last: 1.0 / 8.0, side: 9 }
    }
}

/// By which a and b of a hint are divided.
pub(super) const HINT_SCALE: f32 = 110.0;

impl Hinting {
    /// Writes hints `[3, H, W]` (a and b over 110, and 1 where there is a hint)
    /// that show some of `ab`, `[2, H, W]`.
    pub(super) fn draw(self, ab: &[f32], [h, w]: [usize; 2], random: &mut Random) -> Vec<f32> {
        let mut hints = vec![0.0; 3 * h * w];
        let kind = random.unit();
        if kind < self.none {
            return hints;
        }
        if kind < self.none + self.all {
            hints[..2 * h * w].iter_mut().zip(ab).for_each(|(to, &from)| *to = from / HINT_SCALE);
            hints[2 * h * w..].fill(1.0);
            return hints;
        }
        loop {
            let side = (1 + random.below(self.side)).min(h).min(w);
            let (top, left) = (random.below(h - side + 1), random.below(w - side + 1));
            show(&mut hints, ab, ([h, w], [top, left, side]));
            if random.unit() < self.last {
                return hints;
            }
        }
    }
}

/// Shows the mean colour of one square.
fn show(hints: &mut [f32], ab: &[f32], ([h, w], [top, left, side]): ([usize; 2], [usize; 3])) {
    let places = (top..top + side).flat_map(|y| (left..left + side).map(move |x| y * w + x));
    for plane in 0..2 {
        let sum: f32 = places.clone().map(|i| ab[plane * h * w + i]).sum();
        let mean = sum / (side * side) as f32;
        places.clone().for_each(|i| hints[plane * h * w + i] = mean / HINT_SCALE);
    }
    places.for_each(|i| hints[2 * h * w + i] = 1.0);
}

/// Hints of every kind for a batch: `[N, 3, H, W]` for colours `[N, 2, H, W]`.
pub(super) fn hints(hinting: Hinting, ab: &Tensor, seed: [u64; 2]) -> Tensor {
    let [n, _, h, w] = ab.shape4();
    let mut data = Vec::with_capacity(n * 3 * h * w);
    for (image, ab) in ab.data().chunks(2 * h * w).enumerate() {
        let mut random = Random::keyed(seed[0], &[HINTS, seed[1], image as u64]);
        data.extend(hinting.draw(ab, [h, w], &mut random));
    }
    Tensor::new([n, 3, h, w], data)
}

/// What a stream of random numbers is for.
const HINTS: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [20, 30];

    fn drawn(hinting: Hinting, seed: u64) -> Vec<f32> {
        let ab: Vec<f32> = (0..1200u16).map(|i| f32::from(i % 100)).collect();
        hinting.draw(&ab, SIZE, &mut Random::new(seed))
    }

    fn shown(hints: &[f32]) -> usize {
        hints[1200..].iter().filter(|&&m| m > 0.5).count()
    }

    #[test]
    fn a_share_has_no_hint_and_a_share_shows_all() {
        let counts: Vec<usize> = (0..2000).map(|s| shown(&drawn(Hinting::default(), s))).collect();
        let share = |of: usize| counts.iter().filter(|&&c| c == of).count() as f64 / 2000.0;
        assert!((share(0) - 0.3).abs() < 0.035, "{}", share(0)); // three deviations
        assert!((share(600) - 0.01).abs() < 0.007, "{}", share(600));
    }

    #[test]
    fn a_hint_is_the_mean_of_its_square() {
        let always = Hinting { none: 0.0, all: 0.0, last: 1.0, side: 1 };
        for seed in 0..20 {
            let hints = drawn(always, seed);
            assert_eq!(shown(&hints), 1);
            let at = hints[1200..].iter().position(|&m| m > 0.5).unwrap();
            assert!((hints[at] - (at % 100) as f32 / HINT_SCALE).abs() < 1e-6);
            assert!(hints[..600].iter().enumerate().all(|(i, &v)| i == at || v == 0.0));
        }
    }
}
