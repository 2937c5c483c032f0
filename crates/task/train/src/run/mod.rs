//! What every run of training has: a learner that takes steps, a checkpoint that
//! keeps all that the next steps depend on, a clock, and a folder to live in.
//!
//! A kind of training (`style`, `classifier`, …) adds the data, the loss, and what is
//! looked at in between.

mod checkpoint;
mod course;
mod folder;
mod initial;
mod journal;
mod learner;
mod look;
mod pace;
mod previews;
mod table;

pub use checkpoint::{Checkpoint, Identity};
pub use course::{Course, Run};
pub use folder::{Begin, RunFolder, beside, check_output};
pub use initial::Initial;
pub use journal::{Columns, Journal};
pub use learner::{Learner, LearnerState, Learning, Taken};
pub use look::{Numbers, Shown, ask_to_stop, is_asked_to_stop, is_at_work, shown};
pub use pace::Pace;
pub use previews::{Preview, previews};

pub(crate) use checkpoint::net_of;
pub(crate) use course::Past;
