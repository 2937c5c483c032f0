//! Colour for pictures that have none.

mod carry;
mod hints;
mod model;
mod propose;
mod run;
mod toned;

pub use hints::{Hint, Hints};
pub use model::ColorModel;
pub use propose::Proposal;
pub use run::{ColorizeOptions, Colorizer, InColor};
pub use toned::{COLORED, spread_of_colors};

#[cfg(test)]
pub(crate) use run::tests::sure_of;
