//! Changes of colours, and hidden parts.

use serde::{Deserialize, Serialize};

use crate::{Random, TrainError};

/// How far a picture's colours are changed, and how much of it is hidden. By default
/// nothing is.
///
/// ```
/// use train::{Random, augment::Disturbance};
///
/// let disturbance = Disturbance { brightness: 0.2, hidden: 0.25, ..Disturbance::default() };
/// let mut planes = vec![0.5; 3 * 32 * 32];
/// disturbance.apply(&mut planes, [32, 32], &mut Random::keyed(1, &[0]));
/// assert!(planes.iter().any(|v| *v != 0.5));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Disturbance {
    /// All values are multiplied by 1 ± up to this.
    pub brightness: f64,
    /// Differences from the mean lightness are multiplied by 1 ± up to this.
    pub contrast: f64,
    /// Differences from a pixel's grey are multiplied by 1 ± up to this.
    pub saturation: f64,
    /// The side of a square at a random place that is painted grey, as a share of the
    /// picture's sides; parts of it may lie outside.
    pub hidden: f64,
}

/// Rec. 601's, as Pillow and torchvision take for grey.
const GREY: [f32; 3] = [0.299, 0.587, 0.114];

impl Disturbance {
    /// Holds the numbers to what makes sense.
    ///
    /// # Errors
    ///
    /// [`TrainError::Option`] with the first that makes none.
    pub fn check(&self) -> Result<(), TrainError> {
        let parts = [
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("saturation", self.saturation),
            ("hidden", self.hidden),
        ];
        match parts.into_iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            Some((option, value)) => Err(TrainError::option(option, value, "0 to 1")),
            None => Ok(()),
        }
    }

    /// Disturbs a picture of three planes, RGB in 0..=1, by chance.
    ///
    /// Values are held to 0..=1 after each change.
    ///
    /// # Panics
    ///
    /// If `planes` is not three planes of that height and width.
    ///
    /// # Source
    ///
    /// Brightness, contrast and saturation as torchvision's `ColorJitter`, in this
    /// order where it draws one; `hidden` is `DeVries` and Taylor's "cutout",
    /// arXiv:1708.04552, in the grey 0.5.
    pub fn apply(&self, planes: &mut [f32], [height, width]: [usize; 2], random: &mut Random) {
        assert_eq!(planes.len(), 3 * height * width, "three planes");
        let mut factor = |range: f64| random.between(1.0 - range, 1.0 + range) as f32;
        let [light, contrast, colour] =
            [self.brightness, self.contrast, self.saturation].map(&mut factor);
        if self.brightness > 0.0 {
            for v in &mut *planes {
                *v = (*v * light).clamp(0.0, 1.0);
            }
        }
        if self.contrast > 0.0 {
            let mean = mean_grey(planes);
            for v in &mut *planes {
                *v = (mean + (*v - mean) * contrast).clamp(0.0, 1.0);
            }
        }
        if self.saturation > 0.0 {
            saturate(planes, colour);
        }
        if self.hidden > 0.0 {
            self.hide(planes, [height, width], random);
        }
    }

    fn hide(&self, planes: &mut [f32], size: [usize; 2], random: &mut Random) {
        let [rows, columns] = size.map(|side| {
            let (centre, half) = (random.below(side), (self.hidden * side as f64 / 2.0) as usize);
            centre.saturating_sub(half)..(centre + half).min(side)
        });
        for plane in planes.chunks_exact_mut(size[0] * size[1]) {
            for row in plane.chunks_exact_mut(size[1]).take(rows.end).skip(rows.start) {
                row[columns.clone()].fill(0.5);
            }
        }
    }
}

fn mean_grey(planes: &[f32]) -> f32 {
    let area = planes.len() / 3;
    let mean = |plane: &[f32]| plane.iter().map(|&v| f64::from(v)).sum::<f64>() / area as f64;
    planes.chunks_exact(area).zip(GREY).map(|(p, weight)| mean(p) as f32 * weight).sum()
}

fn saturate(planes: &mut [f32], by: f32) {
    let area = planes.len() / 3;
    for i in 0..area {
        let at = |c: usize| c * area + i;
        let grey: f32 = (0..3).map(|c| planes[at(c)] * GREY[c]).sum();
        for c in 0..3 {
            planes[at(c)] = (grey + (planes[at(c)] - grey) * by).clamp(0.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [20, 30];

    fn picture() -> Vec<f32> {
        (0..3 * 600).map(|i| 0.2 + 0.6 * ((i * 37 % 101) as f32 / 101.0)).collect()
    }

    fn disturbed(disturbance: Disturbance, seed: u64) -> Vec<f32> {
        let mut planes = picture();
        disturbance.apply(&mut planes, SIZE, &mut Random::keyed(seed, &[]));
        planes
    }

    #[test]
    fn nothing_is_changed_by_default_and_colours_keep_what_they_should() {
        assert_eq!(disturbed(Disturbance::default(), 1), picture());
        for seed in 0..20 {
            let grey = disturbed(Disturbance { saturation: 0.3, ..Disturbance::default() }, seed);
            assert!((mean_grey(&grey) - mean_grey(&picture())).abs() < 0.01, "some are cut");
            let contrast = disturbed(Disturbance { contrast: 0.2, ..Disturbance::default() }, seed);
            assert!((mean_grey(&contrast) - mean_grey(&picture())).abs() < 0.01);
            let light = disturbed(Disturbance { brightness: 0.2, ..Disturbance::default() }, seed);
            let ratio = light[0] / picture()[0];
            assert!((0.8..=1.2).contains(&ratio), "{ratio}");
            assert!((light[700] / picture()[700] - ratio).abs() < 1e-5, "the same everywhere");
        }
    }

    #[test]
    fn a_part_is_hidden_in_all_planes_alike() {
        let hides = Disturbance { hidden: 0.5, ..Disturbance::default() };
        for seed in 0..30 {
            let planes = disturbed(hides, seed);
            let hidden = |c: usize| -> Vec<bool> {
                let (now, was) = (&planes[c * 600..][..600], &picture()[c * 600..][..600]);
                now.iter().zip(was).map(|(n, w)| n.to_bits() != w.to_bits()).collect()
            };
            let count = hidden(0).iter().filter(|h| **h).count();
            assert!((5 * 7..=150).contains(&count), "{count}");
            assert!(hidden(0) == hidden(1) && hidden(1) == hidden(2));
        }
    }

    #[test]
    fn shares_beyond_one_are_refused() {
        let error = Disturbance { hidden: 1.5, ..Disturbance::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "hidden 1.5 is out of range: 0 to 1");
    }
}
