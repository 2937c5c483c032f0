//! What training makes small, with gradients.

mod perceptual;
mod recode;
mod variation;

pub use perceptual::{LossNetwork, Losses, Objective, Perceptual, Weighted};
pub use recode::Recode;
pub use variation::Variation;
