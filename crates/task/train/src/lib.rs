//! Training on an ordinary computer.
//!
//! [`data`] reads photographs ahead of the network, [`augment`] varies them,
//! [`optim`] changes parameters by their gradients, [`events`] tells
//! `TensorBoard` how it goes.
#![forbid(unsafe_code)]

pub mod augment;
pub mod data;
mod error;
pub mod events;
pub mod losses;
pub mod optim;
mod random;
pub mod style;

pub use error::TrainError;
pub use random::Random;
