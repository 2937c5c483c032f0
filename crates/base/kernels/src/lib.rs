//! Convolution and its companions, compiled for each CPU level.
//!
//! Every kernel is written once over vectors of the CPU's own width
//! (`S::f32s`) and compiled for each [`Level`]; the level is a value that only
//! detection makes. Data is channels last ([`tensor::Plane`]), so that bands of
//! output rows are contiguous: work is split into bands whose size depends on
//! shapes alone, and the result has the same bits on any number of threads.
//!
//! Each kernel has its definition in `f64` in its test module, and every level
//! is held to it.

mod affine;
mod backward;
mod bands;
mod conv;
mod distance;
mod entropy;
mod epilogue;
mod gather;
mod gram;
mod linear;
mod matmul;
mod moments;
mod outer;
mod pointwise;
mod pool;
mod simd;
mod source;

#[cfg(test)]
mod reference;

pub use affine::Affine;
pub use backward::{
    AffineGradient, DepthwiseGradient, Dropout, GradientSums, LinearGradient, Operand, Share,
    Spread, hold_back_negative, join_gradient, mask_gradient, max_pool_gradient, softmax_gradient,
    unflatten,
};
pub use conv::{
    Conv, ConvSpec, Depthwise, Direct, Few, Narrow, Output, Padding, Shallow, Side, Transposed,
    WeightGradient, Winograd,
};
pub use distance::Distance;
pub use entropy::{SoftLabels, cross_entropy};
pub use epilogue::{Epilogue, Gate, Mask, Onto};
pub use gather::{bilinear, concat, flatten, gather};
pub use gram::{gram, gram_gradient};
pub use linear::Linear;
pub use moments::Moments;
pub use pointwise::{Function, Pointwise, softmax};
pub use pool::{PoolKind, PoolSpec, adaptive_average, pool};
pub use simd::{Level, flush_denormals};
pub use source::{Axis, Border, Front, Source};
