//! Hints as somebody might give them.

use imaging::Picture;
use imaging::colour::Lab;

use super::EvaluateOptions;
use crate::{Hint, Hints};

/// Pixels a side of a hint.
const HINT: usize = 6;

/// Squares at random places, in the mean colour of the original there.
pub(super) fn random(photo: &Picture, index: usize, options: &EvaluateOptions) -> Hints {
    let lab = Lab::of_picture(photo).into_tensor();
    let side = options.size;
    let mut state = options.seed ^ (index as u64).wrapping_mul(0xd129_0b26_5a5f_2b5d);
    let mut hint = || {
        let [x, y] = [0, 1]
            .map(|_| HINT / 2 + (random_bits(&mut state) % (side - HINT + 1) as u64) as usize);
        let mean = [0, 1, 2].map(|c| {
            let rows = (y - HINT / 2..y + HINT / 2)
                .flat_map(|y| lab.data()[(c * side + y) * side + x - HINT / 2..][..HINT].iter());
            rows.sum::<f32>() / (HINT * HINT) as f32
        });
        let color = imaging::colour::srgb_of_lab(mean).map(|v| (v * 255.0 + 0.5) as u8);
        Hint { at: [x, y], color }
    };
    Hints { points: (0..options.hints).map(|_| hint()).collect(), overlay: None }
}

/// `SplitMix64`.
fn random_bits(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use imaging::{Channels, Pixels};

    /// The same places from the same seed, inside the picture, in its colours.
    #[test]
    fn hints_are_drawn_by_seed() {
        let photo =
            Picture::new([48, 48], Channels::Rgb, Pixels::U8([200, 60, 60].repeat(48 * 48)));
        let drawn = |seed: u64, index: usize| {
            let options =
                EvaluateOptions { size: 48, hints: 50, seed, ..EvaluateOptions::default() };
            random(&photo, index, &options).points
        };
        assert_eq!(drawn(1, 2), drawn(1, 2));
        assert!(drawn(1, 2) != drawn(1, 3) && drawn(1, 2) != drawn(2, 2));
        for hint in drawn(1, 2) {
            assert!(hint.at.iter().all(|at| (3..=45).contains(at)));
            assert!(hint.color.iter().zip([200u8, 60, 60]).all(|(a, b)| a.abs_diff(b) <= 1));
        }
    }
}
