//! Training a network that paints in one painting's style.
//!
//! A [`StyleRecipe`] says how; a [`StyleJob`] adds painting, photographs, loss
//! network and the weights to begin with; a [`StyleRun`] carries it out, and can be
//! stopped and resumed at any step. [`StyleTrainer`] is one step of it. [`optimize`] does
//! without a network: it changes one picture.

mod adjust;
mod begin;
mod health;
mod job;
mod optimize;
mod recipe;
mod run;
mod settings;
mod told;
mod trainer;

pub use begin::{Beginning, WarmStart};
pub use health::{Evaluation, is_flat};
pub use job::{LossFile, Painting, StyleJob};
pub use optimize::{
    Canvas, Go, Iteration, Method, OptimizeOptions, Optimized, WeightedPainting, optimize,
};
pub use recipe::StyleRecipe;
pub use run::StyleRun;
pub use settings::{Origin, Settings};
pub use told::{TABLES, tell_step, tell_validation};
pub use trainer::{StepReport, StyleTrainer};
