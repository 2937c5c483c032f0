//! What every run of training has: a learner that takes steps, a checkpoint that
//! keeps all that the next steps depend on, and a clock.
//!
//! A kind of training (`style`, `classifier`, …) adds the data, the loss, and what is
//! looked at in between.

mod checkpoint;
mod initial;
mod learner;
mod pace;

pub use checkpoint::{Checkpoint, Identity};
pub use initial::Initial;
pub use learner::{Learner, LearnerState, Learning, Taken};
pub use pace::Pace;

pub(crate) use checkpoint::{net_of, program};
pub(crate) use pace::Clock;
