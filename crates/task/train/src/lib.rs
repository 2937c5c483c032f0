//! Training on an ordinary computer.
//!
//! [`data`] reads photographs ahead of the network, [`augment`] varies them,
//! [`optim`] changes parameters by their gradients, [`events`] tells
//! `TensorBoard` how it goes.
#![forbid(unsafe_code)]

pub mod augment;
pub mod data;
pub mod events;
pub mod optim;
