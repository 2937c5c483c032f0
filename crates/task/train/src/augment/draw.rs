//! Random transforms, with the meaning of Keras' `ImageDataGenerator`.

use serde::{Deserialize, Serialize};

use crate::{Random, TrainError};

use super::{Fill, Transform};

/// How far pictures are varied. The fields are Keras' arguments; by default
/// nothing is.
///
/// ```
/// use train::{Random, augment::{Augmentation, Shift, apply}};
/// let augmentation = Augmentation {
///     rotation_range: 40.0,
///     width_shift_range: Shift::Within(0.2),
///     height_shift_range: Shift::Within(0.2),
///     shear_range: 0.2,
///     horizontal_flip: true,
///     ..Augmentation::zoomed(0.2)
/// };
/// let picture = tensor::Tensor::zeros([3, 32, 32]);
/// let transform = augmentation.draw([32, 32], &mut Random::keyed(1, &[0]));
/// let varied = apply(&picture, &transform, augmentation.fill_mode);
/// # assert_eq!(varied.shape(), picture.shape());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Degrees; rotations are uniform up to it, both ways.
    pub rotation_range: f64,
    /// By how much of the *width* pictures move. As Keras does it, what is seen
    /// then moves up and down: see [`draw`](Self::draw).
    pub width_shift_range: Shift,
    /// By how much of the *height* pictures move, left and right.
    pub height_shift_range: Shift,
    /// Degrees; shears are uniform up to it, both ways.
    pub shear_range: f64,
    /// Least and greatest zoom, drawn for either axis by itself; see [`zoomed`](Self::zoomed).
    pub zoom_range: [f64; 2],
    /// Whether half of the pictures are mirrored left to right.
    pub horizontal_flip: bool,
    /// Whether half of the pictures are turned upside down.
    pub vertical_flip: bool,
    /// What fills the room that moving leaves.
    pub fill_mode: Fill,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            rotation_range: 0.0,
            width_shift_range: Shift::default(),
            height_shift_range: Shift::default(),
            shear_range: 0.0,
            zoom_range: [1.0, 1.0],
            horizontal_flip: false,
            vertical_flip: false,
            fill_mode: Fill::default(),
        }
    }
}

/// A distance to draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shift {
    /// Uniform up to this, both ways: below 1 a share of the side, from 1 on
    /// pixels. Keras' number with a point.
    Within(f64),
    /// Whole pixels below this, both ways. Keras' whole number.
    Below(usize),
    /// One of these, both ways; shares of the side if all are below 1. Keras' list.
    OneOf(Vec<f64>),
}

impl Default for Shift {
    fn default() -> Self {
        Self::Within(0.0)
    }
}

impl Augmentation {
    /// Nothing but zoom, from `1 − zoom` to `1 + zoom`: Keras' `zoom_range` of one number.
    pub fn zoomed(zoom: f64) -> Self {
        Self { zoom_range: [1.0 - zoom, 1.0 + zoom], ..Self::default() }
    }

    /// Draws the transform of one picture of `[height, width]`.
    ///
    /// Distributed as Keras' `get_random_transform`, from another generator. That
    /// includes its names: what it draws from `height_shift_range` it applies
    /// *across*, and `width_shift_range` *down*. On square pictures with equal
    /// ranges, the usual case, nobody can tell.
    pub fn draw(&self, [height, width]: [usize; 2], random: &mut Random) -> Transform {
        let [zoom_low, zoom_high] = self.zoom_range;
        Transform {
            theta: both_ways(self.rotation_range, random),
            tx: self.height_shift_range.draw(height, random),
            ty: self.width_shift_range.draw(width, random),
            shear: both_ways(self.shear_range, random),
            zx: random.between(zoom_low, zoom_high),
            zy: random.between(zoom_low, zoom_high),
            flip_horizontal: half(random) && self.horizontal_flip,
            flip_vertical: half(random) && self.vertical_flip,
        }
    }

    /// Holds the ranges to what makes sense.
    ///
    /// # Errors
    ///
    /// [`TrainError::Option`] with the first that makes none.
    pub fn check(&self) -> Result<(), TrainError> {
        let degrees = [("rotation_range", self.rotation_range), ("shear_range", self.shear_range)];
        for (option, range) in degrees {
            if !(range.is_finite() && range >= 0.0) {
                return Err(TrainError::option(option, range, "degrees from 0 up"));
            }
        }
        let shifts = [
            ("width_shift_range", &self.width_shift_range),
            ("height_shift_range", &self.height_shift_range),
        ];
        for (option, shift) in shifts {
            if !shift.makes_sense() {
                return Err(TrainError::option(option, shift, "finite, not negative, not empty"));
            }
        }
        let [low, high] = self.zoom_range;
        if !(low > 0.0 && low <= high && high.is_finite()) {
            let range = "above 0, the least first";
            return Err(TrainError::option("zoom_range", self.zoom_range, range));
        }
        Ok(())
    }
}

impl Shift {
    /// Pixels along a side of that length.
    fn draw(&self, side: usize, random: &mut Random) -> f64 {
        let side = side as f64;
        match self {
            Self::Within(range) if *range < 1.0 => both_ways(*range, random) * side,
            Self::Within(range) => both_ways(*range, random),
            Self::Below(0) => 0.0,
            Self::Below(end) => sign(random) * random.below(*end) as f64,
            Self::OneOf(choices) if choices.is_empty() => 0.0,
            Self::OneOf(choices) => {
                let unit = if choices.iter().all(|c| *c < 1.0) { side } else { 1.0 };
                sign(random) * choices[random.below(choices.len())] * unit
            }
        }
    }

    fn makes_sense(&self) -> bool {
        match self {
            Self::Within(range) => range.is_finite() && *range >= 0.0,
            Self::Below(_) => true,
            Self::OneOf(choices) => !choices.is_empty() && choices.iter().all(|c| c.is_finite()),
        }
    }
}

fn both_ways(range: f64, random: &mut Random) -> f64 {
    random.between(-range, range)
}

fn half(random: &mut Random) -> bool {
    random.bits() >> 63 == 0
}

fn sign(random: &mut Random) -> f64 {
    if half(random) { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything() -> Augmentation {
        Augmentation {
            rotation_range: 40.0,
            width_shift_range: Shift::Within(0.2),
            height_shift_range: Shift::Below(4),
            shear_range: 10.0,
            zoom_range: [0.5, 1.25],
            horizontal_flip: true,
            vertical_flip: true,
            fill_mode: Fill::Reflect,
        }
    }

    #[test]
    fn by_default_nothing_changes() {
        let drawn = Augmentation::default().draw([10, 20], &mut Random::new(3));
        assert_eq!(drawn, Transform::default());
    }

    type Value = fn(&Transform) -> f64;

    /// Means and extremes of 20,000 draws: a uniform's mean is within 5 standard
    /// errors, range/√(12·20000), of its middle.
    #[test]
    fn draws_are_uniform_within_their_ranges() {
        let augmentation = everything();
        let mut random = Random::new(5);
        let n = 20_000;
        let drawn: Vec<Transform> =
            (0..n).map(|_| augmentation.draw([100, 50], &mut random)).collect();
        let cases: [(Value, f64, f64); 6] = [
            (|t| t.theta, -40.0, 40.0),
            (|t| t.ty, -10.0, 10.0), // a share of the width, down
            (|t| t.tx, -3.0, 3.0),   // whole pixels, across
            (|t| t.shear, -10.0, 10.0),
            (|t| t.zx, 0.5, 1.25),
            (|t| t.zy, 0.5, 1.25),
        ];
        for (i, (value, low, high)) in cases.into_iter().enumerate() {
            let values: Vec<f64> = drawn.iter().map(value).collect();
            let (least, most) =
                values.iter().fold((f64::MAX, f64::MIN), |(l, m), v| (v.min(l), v.max(m)));
            let slack = 0.01 * (high - low);
            assert!(least >= low && least <= low + slack, "{i}: {least}");
            assert!(most <= high && most >= high - slack, "{i}: {most}");
            let mean = values.iter().sum::<f64>() / f64::from(n);
            let allowed = 5.0 * (high - low) / (12.0 * f64::from(n)).sqrt();
            assert!((mean - f64::midpoint(low, high)).abs() < allowed, "{i}: mean {mean}");
        }
        let flipped = drawn.iter().filter(|t| t.flip_horizontal).count();
        assert!((9_600..10_400).contains(&flipped), "{flipped}");
        assert!(drawn.iter().all(|t| t.tx.fract() == 0.0));
        assert!(drawn.iter().any(|t| t.zx < 0.8 && t.zy > 1.0), "one zoom for both axes");
    }

    #[test]
    fn lists_are_shares_if_all_are_below_one() {
        let mut random = Random::new(1);
        let mut all = |choices: &[f64]| {
            let shift = Shift::OneOf(choices.to_vec());
            let mut seen: Vec<f64> = (0..200).map(|_| shift.draw(10, &mut random)).collect();
            seen.sort_by(f64::total_cmp);
            seen.dedup();
            seen
        };
        assert_eq!(all(&[0.1, 0.5]), [-5.0, -1.0, 1.0, 5.0]);
        assert_eq!(all(&[0.5, 2.0]), [-2.0, -0.5, 0.5, 2.0]);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        assert!(everything().check().is_ok());
        let bad = [
            ("rotation_range", Augmentation { rotation_range: -1.0, ..everything() }),
            ("shear_range", Augmentation { shear_range: f64::NAN, ..everything() }),
            ("zoom_range", Augmentation::zoomed(1.0)),
            (
                "width_shift_range",
                Augmentation { width_shift_range: Shift::OneOf(vec![]), ..everything() },
            ),
        ];
        for (name, augmentation) in bad {
            let message = augmentation.check().unwrap_err().to_string();
            assert!(message.starts_with(name), "{message}");
        }
    }
}
