//! Training on an ordinary computer.
//!
//! [`data`] reads photographs ahead of the network, [`augment`] varies them,
//! [`losses`] say what is wrong with a picture, [`optim`] changes parameters by their
//! gradients, [`style`] makes a style's network of all that, [`events`] tells
//! `TensorBoard` how it goes.
#![forbid(unsafe_code)]

pub mod augment;
pub mod classifier;
pub mod colour;
pub mod data;
mod error;
pub mod events;
mod hash;
pub mod losses;
pub mod optim;
mod random;
pub mod run;
pub mod style;

pub use error::TrainError;
pub use random::Random;
