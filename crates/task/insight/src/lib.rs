//! Looking into networks.
//!
//! A [`Model`] is any network with weights. [`overview`] lists its layers, [`diagram`] draws them,
//! [`activations`] are what a picture makes of them, [`cam`] shows where in it a class
//! is seen, [`classify`] says what it shows, [`filters`] what a channel answers to. [`plot`] draws charts, grids
//! of pictures and tables, with a font of its own.
#![forbid(unsafe_code)]

mod activations;
pub mod cam;
pub mod classify;
pub mod diagram;
mod error;
pub mod filters;
mod model;
mod near;
mod npy;
mod open;
pub mod plot;
mod random;
mod resample;
mod shipped;
mod summary;

pub use activations::{Activation, activations, pictorial_layers};
pub use error::InsightError;
pub use model::{Model, class_count, usual_size};
pub use near::near;
pub use npy::npy;
pub use shipped::{Shipped, shipped};
pub use summary::{Layout, Overview, overview};
