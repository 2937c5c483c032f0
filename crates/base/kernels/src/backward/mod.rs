//! Gradients: the adjoint of each kernel that is not a convolution.
//!
//! A gradient plane has the shape and the channel padding of the plane it
//! belongs to. Kernels write it band by band and read what they need from
//! wherever it lies (gathering, never scattering), so no two threads write one
//! value and the result has the same bits on any number of threads.

mod depthwise;
mod linear;
mod moves;
mod norm;
mod pointwise;
mod pool;
mod spread;
mod sums;

#[cfg(test)]
mod tests;

pub use depthwise::DepthwiseGradient;
pub use linear::LinearGradient;
pub use moves::{
    Dropout, hold_back_negative, join_gradient, mask_gradient, softmax_gradient, unflatten,
};
pub use norm::AffineGradient;
pub use pointwise::Operand;
pub use pool::max_pool_gradient;
pub use spread::{Share, Spread};
pub use sums::GradientSums;
pub(crate) use sums::add_pixels;
