use std::collections::VecDeque;
use std::time::Duration;

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
pub(crate) struct Clock {
    lately: VecDeque<Duration>,
    /// Of all steps.
    pub(crate) total: Duration,
}

impl Clock {
    pub(crate) fn add(&mut self, step: Duration) {
        if self.lately.len() == LATELY {
            self.lately.pop_front();
        }
        self.lately.push_back(step);
        self.total += step;
    }

    /// With so many steps to go, and so long waited in all.
    pub(crate) fn pace(&self, steps: u64, waited: Duration) -> Pace {
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
