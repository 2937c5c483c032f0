//! Varying pictures: what a network is shown of a photograph.
//!
//! Drawing and doing are apart. [`Augmentation::draw`] draws a [`Transform`]
//! from ranges, with the meaning of Keras' `ImageDataGenerator`; [`apply`] does
//! what a transform says, and is held to Keras' numbers. [`Window`] is the crop
//! that makes all pictures of a batch equally large.

mod affine;
mod disturb;
mod draw;
mod window;

pub use affine::{Fill, Transform, apply};
pub use disturb::Disturbance;
pub use draw::{Augmentation, Shift};
pub use window::{Facing, Window};
