//! At which sizes a picture is looked at, and as what.

use imaging::Fit;
use imaging::colour::{Lab, grey_of_srgb};
use tensor::Tensor;

/// Networks halve their picture five times.
const MULTIPLE: usize = 32;

/// The longer side that a network is given is at most twice the shorter one it is meant for, so
/// that a panorama takes no more time than a photograph.
const LONGEST: usize = 2;

/// Pixels of the longer side at which colours are fitted to edges. Finer edges are the full
/// picture's: the fit is a function of its lightness.
pub(super) const FITTED: usize = 768;

/// Where colours are fitted to edges: at the picture's own size, if that is small.
pub(super) fn fitted_size(own: [usize; 2]) -> [usize; 2] {
    if own[0].max(own[1]) > FITTED { Fit::Long(FITTED).size(own) } else { own }
}

/// What the network is given for a picture of that size: as large as in training, the sides
/// rounded to what it takes.
pub(super) fn network_size(own: [usize; 2], side: usize) -> [usize; 2] {
    let short = Fit::Short(side).size(own);
    let longest = LONGEST * side;
    let seen = if short[0].max(short[1]) > longest { Fit::Long(longest).size(own) } else { short };
    seen.map(|length| ((length + MULTIPLE / 2) / MULTIPLE).max(1) * MULTIPLE)
}

/// Lightness `[1, 1, H, W]` in 0..=100.
pub(super) fn lightness_of(rgb: &Tensor) -> Tensor {
    let [_, _, height, width] = rgb.shape4();
    let mut lab = Lab::of_rgb(rgb).into_tensor().into_data();
    lab.truncate(height * width);
    Tensor::new([1, 1, height, width], lab)
}

/// Grey `[1, 1, H, W]` in 0..=1, as scikit-image's `rgb2gray`.
pub(super) fn grey_of(rgb: &Tensor) -> Tensor {
    let [_, _, height, width] = rgb.shape4();
    let area = height * width;
    let data = rgb.data();
    let grey = (0..area).map(|i| grey_of_srgb([data[i], data[area + i], data[2 * area + i]]));
    Tensor::new([1, 1, height, width], grey.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_see_what_they_were_trained_with() {
        let cases = [([4000, 6000], [256, 384]), ([300, 300], [256, 256]), ([1, 1], [256, 256])];
        for (own, want) in cases.into_iter().chain([([100, 90_000], [32, 512])]) {
            assert_eq!(network_size(own, 256), want, "{own:?}");
        }
    }
}
