//! Dense `f32` data in two forms.
//!
//! [`Tensor`] is what crosses the edge: row-major, any rank, `[N, C, H, W]` for
//! pictures, so that it can be compared with PyTorch and written to NumPy.
//! [`Plane`] is what the engine computes on: channels last, channels padded to
//! a whole number of SIMD vectors, 64-byte aligned.
#![forbid(unsafe_code)]

mod buffer;
mod plane;
mod tensor;

pub use buffer::Buffer;
pub use plane::{LANES, Plane, padded_channels};
pub use tensor::Tensor;

/// Batch, channels, height and width, in that order.
pub type Shape4 = [usize; 4];
