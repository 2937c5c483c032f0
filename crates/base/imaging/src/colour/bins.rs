//! Colours as a choice among 313 squares of the ab plane.

use std::sync::LazyLock;

/// How many bins there are.
pub const BINS: usize = 313;

/// How many bins share in one colour.
pub const NEAREST: usize = 5;

/// Spread of a colour over its bins, in units of ab.
const SIGMA: f32 = 5.0;

/// The bins' centres `[a, b]`: multiples of 10, ordered by a, then by b.
///
/// They are the corners of all 10×10 squares of the ab plane in which an sRGB colour
/// lies, 309, and four more at the rim: (40, 90), (100, −90), (100, −10), (100, 0).
///
/// # Source
///
/// Zhang, Isola & Efros, "Colorful Image Colorization", ECCV 2016, section 2.1: "the values
/// which are in-gamut" on a grid of 10. The paper does not say how it was decided which
/// these are. The corners' rule gives its list of 313 but for the four, which are
/// added here, so that networks trained on that list fit. `make_bins.py`, beside this file,
/// writes the list, and a test holds it to all sRGB colours.
pub fn ab_bins() -> &'static [[f32; 2]; BINS] {
    static CENTRES: LazyLock<[[f32; 2]; BINS]> = LazyLock::new(|| {
        let mut centres = [[0.0; 2]; BINS];
        let lines = include_str!("bins.txt").lines();
        for (centre, line) in centres.iter_mut().zip(lines) {
            for (value, word) in centre.iter_mut().zip(line.split(' ')) {
                *value = word.parse().expect("the list is whole numbers: a test reads it");
            }
        }
        centres
    });
    &CENTRES
}

/// A colour as shares of the bins around it: what a network that classifies learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftBins {
    /// Which of [`ab_bins`], the nearest first; of two as near, the one that comes first in the list.
    pub index: [u16; NEAREST],
    /// How much of the colour; the sum is 1.
    pub share: [f32; NEAREST],
}

impl SoftBins {
    /// The five bins nearest to a colour `[a, b]`, weighted by a Gaussian of σ = 5 of
    /// their distance.
    ///
    /// # Source
    ///
    /// Zhang, Isola & Efros, ECCV 2016, section 2.1.
    pub fn of([a, b]: [f32; 2]) -> Self {
        let mut found = [(f32::INFINITY, 0u16); NEAREST];
        for (i, &[x, y]) in (0u16..).zip(ab_bins()) {
            let distance = (x - a) * (x - a) + (y - b) * (y - b);
            if distance < found[NEAREST - 1].0 {
                let place = found.partition_point(|f| f.0 <= distance);
                found[place..].rotate_right(1);
                found[place] = (distance, i);
            }
        }
        // The nearest's distance is taken off all: the shares are the same, and far out of
        // the gamut they do not all vanish.
        let share = found.map(|(d, _)| ((found[0].0 - d) / (2.0 * SIGMA * SIGMA)).exp());
        let sum: f32 = share.iter().sum();
        Self { index: found.map(|(_, i)| i), share: share.map(|s| s / sum) }
    }

    /// The bins with their shares.
    pub fn iter(&self) -> impl Iterator<Item = (usize, f32)> + use<> {
        self.index.map(usize::from).into_iter().zip(self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{Level, lab_of_linear};
    use std::collections::BTreeSet;

    #[test]
    fn the_list_is_every_square_with_a_colour_and_four_more() {
        let light = u8::light();
        let mut squares = BTreeSet::new();
        // Colours at the rim have a channel at an end of its range.
        for (axis, end) in (0..3).flat_map(|axis| [0, 255].map(|end| (axis, end))) {
            for (p, q) in (0..=255).flat_map(|p| (0..=255).map(move |q| (p, q))) {
                let mut rgb = [p, q, end];
                rgb.swap(axis, 2);
                let [_, a, b] = lab_of_linear(rgb.map(|v: usize| light[v]));
                squares.insert([a, b].map(|v| (v / 10.0).floor() as i32));
            }
        }
        // Inside the rim there is no hole: between the first and the last of each column.
        let mut corners = BTreeSet::new();
        for a in -12..12 {
            let column = || squares.iter().filter(|s| s[0] == a).map(|s| s[1]);
            let (Some(first), Some(last)) = (column().min(), column().max()) else { continue };
            corners.extend(
                (first..=last + 1).flat_map(|b| [[10 * a, 10 * b], [10 * (a + 1), 10 * b]]),
            );
        }
        assert_eq!(corners.len(), 309);
        corners.extend([[40, 90], [100, -90], [100, -10], [100, 0]]);
        let listed: Vec<[i32; 2]> = ab_bins().iter().map(|c| c.map(|v| v as i32)).collect();
        assert_eq!(listed, corners.into_iter().collect::<Vec<_>>());
    }

    /// The definition: all bins by distance, in f64.
    #[test]
    fn the_nearest_share_by_a_gaussian() {
        for i in 0..2000u32 {
            let ab = [i * 7919 % 2300, i * 104_729 % 2300].map(|v| v as f32 / 10.0 - 115.0);
            let got = SoftBins::of(ab);
            let mut all: Vec<(f64, u16)> = (0u16..)
                .zip(ab_bins())
                .map(|(i, c)| ((0..2).map(|k| f64::from(c[k] - ab[k]).powi(2)).sum(), i))
                .collect();
            all.sort_by(|x, y| x.0.total_cmp(&y.0));
            let shares: Vec<f64> = all[..NEAREST].iter().map(|(d, _)| (-d / 50.0).exp()).collect();
            let sum: f64 = shares.iter().sum();
            for (k, (index, share)) in got.iter().enumerate() {
                // Of bins as near as each other to f32, either may come first.
                let index = u16::try_from(index).unwrap();
                let distance = all.iter().find(|(_, i)| *i == index).unwrap().0;
                assert!((distance - all[k].0).abs() < 1e-2, "{ab:?}: bin {k}");
                let want = if sum > 0.0 { shares[k] / sum } else { continue };
                assert!((f64::from(share) - want).abs() < 1e-3, "{ab:?}: {share} for {want}");
            }
        }
    }

    #[test]
    fn a_bins_own_colour_is_mostly_its_own() {
        for (i, &centre) in ab_bins().iter().enumerate() {
            let soft = SoftBins::of(centre);
            assert_eq!(usize::from(soft.index[0]), i);
            assert!(soft.share[0] > 0.6 && (soft.share.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }
}
