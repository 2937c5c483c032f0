//! Training a network that tells classes of pictures apart.
//!
//! A [`ClassifierRecipe`] says how; a [`ClassifierJob`] adds the pictures and the weights
//! to begin with; a [`ClassifierRun`] carries it out, and can be stopped and resumed at
//! any step. [`ClassifierTrainer`] is one step of it, [`Examiner`] finds out how well a
//! network does.

mod begin;
mod classes;
mod examine;
mod job;
mod recipe;
mod run;
mod trainer;

pub use begin::Beginning;
pub use classes::open_classes;
pub use examine::{Confusion, Examination, Examiner};
pub use job::ClassifierJob;
pub use recipe::{ClassifierRecipe, Head};
pub use run::{ClassifierRun, Epoch};
pub use trainer::{ClassifierTrainer, StepReport};
