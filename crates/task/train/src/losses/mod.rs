//! What training makes small, with gradients.

mod distance;
mod entropy;
mod lpips;
mod perceptual;
mod recode;
mod variation;

pub use distance::{absolute_error, squared_error};
pub use entropy::{
    Judged, binary_cross_entropy, binary_cross_entropy_of_probabilities, cross_entropy,
};
pub use lpips::Heads;
pub use perceptual::{LossNetwork, Losses, Objective, Perceptual, Weighted};
pub use recode::Recode;
pub use variation::Variation;
