//! Training a network that paints in one painting's style.

mod recipe;
mod trainer;

pub use recipe::StyleRecipe;
pub use trainer::{StepReport, StyleTrainer};
