//! Training of networks that colour.
//!
//! A [`ColorRecipe`] says what is learnt and how; a [`ColorTrainer`] takes one step,
//! a [`ColorRun`] all of them, with checkpoints.

mod begin;
mod hints;
mod job;
mod labels;
mod recipe;
mod run;
mod seer;
mod show;
mod shrink;
mod target;
mod trainer;

pub use begin::{Start, from_efficientnet};
pub use hints::Hinting;
pub use job::ColorJob;
pub use labels::{BinWeights, Rebalancing, prior_of};
pub use recipe::{ColorRecipe, Cut, Learns};
pub use run::{ColorRun, Evaluation};
pub use seer::Seer;
pub use trainer::{Aids, ColorReport, ColorTrainer};
