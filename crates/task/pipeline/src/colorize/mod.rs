//! Colour for pictures that have none.

mod carry;
mod hints;
mod model;
mod options;
mod propose;
mod run;
mod sizes;
mod toned;

pub use hints::{Hint, Hints};
pub use model::ColorModel;
pub use options::{ColorizeOptions, InColor};
pub use propose::Proposal;
pub use run::Colorizer;
pub use toned::{COLORED, spread_of_colors};

#[cfg(test)]
pub(crate) use run::tests::sure_of;
