//! Whether it still goes well.

use std::collections::VecDeque;
use std::time::Duration;

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

/// How fast it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// Steps a second, lately.
    pub steps_per_second: f64,
    /// Until the last step, if it goes on so.
    pub left: Duration,
    /// The share of a step's time that is spent waiting for photographs.
    pub waiting: f64,
}

/// Steps that count for the pace.
const LATELY: usize = 50;

/// The time that the last steps took.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    lately: VecDeque<Duration>,
    /// Of all steps.
    pub(super) total: Duration,
}

impl Clock {
    pub(super) fn add(&mut self, step: Duration) {
        if self.lately.len() == LATELY {
            self.lately.pop_front();
        }
        self.lately.push_back(step);
        self.total += step;
    }

    /// With so many steps to go, and so long waited in all.
    pub(super) fn pace(&self, steps: u64, waited: Duration) -> Pace {
        let seconds: f64 = self.lately.iter().map(Duration::as_secs_f64).sum();
        if seconds <= 0.0 {
            return Pace::default();
        }
        let each = seconds / self.lately.len() as f64;
        let waiting = waited.as_secs_f64() / self.total.as_secs_f64();
        let left = Duration::try_from_secs_f64(each * steps as f64).unwrap_or(Duration::MAX);
        Pace { steps_per_second: 1.0 / each, left, waiting }
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

    #[test]
    fn the_pace_is_that_of_the_last_steps() {
        let mut clock = Clock::default();
        clock.add(Duration::from_secs(100));
        (0..LATELY).for_each(|_| clock.add(Duration::from_millis(500)));
        let pace = clock.pace(10, Duration::from_millis(1250));
        assert_eq!((pace.steps_per_second, pace.left), (2.0, Duration::from_secs(5)));
        assert!((pace.waiting - 0.01).abs() < 1e-12);
        assert_eq!(Clock::default().pace(10, Duration::ZERO), Pace::default());
    }
}
