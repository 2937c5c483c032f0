use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The learning rate as a function of the step, so that a resumed run has it
/// from the number of steps alone.
///
/// ```
/// use train::optim::Schedule;
///
/// let halved = Schedule::Steps { rate: 1e-3, every: 1000, factor: 0.5 };
/// assert_eq!([0, 999, 1000, 2500].map(|s| halved.rate(s)), [1e-3, 1e-3, 5e-4, 2.5e-4]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Always the same.
    Constant {
        /// The rate.
        rate: f64,
    },
    /// `rate · factor^⌊step / every⌋`: `torch`'s `StepLR`, Keras's
    /// `ExponentialDecay` as a staircase.
    Steps {
        /// The rate at first.
        rate: f64,
        /// Steps between two changes, at least 1.
        every: u64,
        /// What each change multiplies it by.
        factor: f64,
    },
    /// `rate · factor^step`: `torch`'s `ExponentialLR`.
    Exponential {
        /// The rate at first.
        rate: f64,
        /// What each step multiplies it by.
        factor: f64,
    },
    /// From `from` straight to `peak` over `warmup` steps, then down half a
    /// cosine to `last` over `steps` more, and `last` from then on: Keras's
    /// `CosineDecay`; `torch`'s `CosineAnnealingLR` where `warmup` is 0.
    Cosine {
        /// The rate at step 0, if there is a warm-up.
        from: f64,
        /// The highest rate, at step `warmup`.
        peak: f64,
        /// The rate at step `warmup + steps`.
        last: f64,
        /// Steps up.
        warmup: u64,
        /// Steps down, at least 1.
        steps: u64,
    },
}

impl Schedule {
    /// The same, with another highest rate; the rest follows in proportion.
    #[must_use]
    pub fn peaking_at(mut self, to: f64) -> Self {
        match &mut self {
            Self::Constant { rate } | Self::Steps { rate, .. } | Self::Exponential { rate, .. } => {
                *rate = to;
            }
            Self::Cosine { from, peak, last, .. } => {
                let factor = if *peak == 0.0 { 1.0 } else { to / *peak };
                (*from, *peak, *last) = (*from * factor, to, *last * factor);
            }
        }
        self
    }

    /// The rate for step number `step`, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        match *self {
            Self::Constant { rate } => rate,
            Self::Steps { rate, every, factor } => rate * factor.powf((step / every.max(1)) as f64),
            Self::Exponential { rate, factor } => rate * factor.powf(step as f64),
            Self::Cosine { from, peak, warmup, .. } if step < warmup => {
                from + (peak - from) * (step as f64 / warmup as f64)
            }
            Self::Cosine { peak, last, warmup, steps, .. } => {
                let done = (step - warmup) as f64 / steps.max(1) as f64;
                last + (peak - last) * 0.5 * (1.0 + (PI * done.min(1.0)).cos())
            }
        }
    }
}
