//! Whether it still goes well.

use serde::{Deserialize, Serialize};

use super::StepReport;
use crate::TrainError;
use crate::losses::Losses;

/// The mean losses over the photographs kept out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// After how many steps.
    pub step: u64,
    /// The losses.
    pub losses: Losses,
}

/// The share by which losses must fall for it to count.
const PROGRESS: f64 = 0.01;

/// Whether the total has not fallen by a hundredth in the last `over` evaluations,
/// so that stopping early loses little.
pub fn is_flat(evaluations: &[Evaluation], over: usize) -> bool {
    let Some(split) = evaluations.len().checked_sub(over).filter(|s| *s > 0 && over > 0) else {
        return false;
    };
    let (before, lately) = evaluations.split_at(split);
    let best =
        |part: &[Evaluation]| part.iter().map(|e| e.losses.total()).fold(f64::INFINITY, f64::min);
    best(lately) > (1.0 - PROGRESS) * best(before)
}

/// Pictures that vary less are blank: two levels of eight bits.
const FLAT: f32 = 2.0 / 255.0;
/// A network that begins with random weights paints faintly at first.
const GRACE: u64 = 100;
/// So many blank steps, one after the other, are no accident.
const PATIENCE: u64 = 20;

/// Finds a network that has stopped painting.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Blankness {
    flat: u64,
}

impl Blankness {
    /// Whether the last picture was not blank.
    pub(super) fn looks_well(self) -> bool {
        self.flat == 0
    }

    /// To be told of every step; `step` is its number, from 1.
    pub(super) fn look(&mut self, step: u64, report: &StepReport) -> Result<(), TrainError> {
        self.flat = if step > GRACE && report.spread < FLAT { self.flat + 1 } else { 0 };
        match self.flat {
            PATIENCE.. => Err(TrainError::Blank { step, flat: self.flat }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_losses_are_seen_and_falling_ones_are_not() {
        let of = |totals: &[f64]| -> Vec<Evaluation> {
            let losses = |style| Losses { style, ..Losses::default() };
            totals.iter().map(|&t| Evaluation { step: 0, losses: losses(t) }).collect()
        };
        assert!(!is_flat(&of(&[5.0, 4.0, 3.0, 2.0]), 3));
        assert!(is_flat(&of(&[5.0, 2.0, 2.1, 1.99, 2.3]), 3));
        assert!(!is_flat(&of(&[5.0, 2.0, 2.1, 1.97, 2.3]), 3));
        assert!(!is_flat(&of(&[2.0, 2.0]), 3) && !is_flat(&of(&[2.0, 2.0, 2.0]), 3));
    }

    #[test]
    fn only_lasting_blankness_is_told() {
        let report =
            |spread| StepReport { losses: Losses::default(), gradient: 0.0, rate: 0.0, spread };
        let mut blankness = Blankness::default();
        for step in 1..=119 {
            assert!(blankness.look(step, &report(0.0)).is_ok(), "{step}");
        }
        assert!(blankness.look(120, &report(0.5)).is_ok());
        for step in 121..140 {
            assert!(blankness.look(step, &report(0.001)).is_ok(), "{step}");
        }
        let error = blankness.look(140, &report(0.0)).unwrap_err().to_string();
        assert!(error.contains("since 20 steps, at step 140"), "{error}");
    }
}
