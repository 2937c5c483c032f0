//! Everyone's checkpoints, read safely and bound strictly.
#![forbid(unsafe_code)]

mod bind;

pub use bind::{BindError, StateDict, Weights};
