//! Other people's weights, fetched from where they publish them.
//!
//! What is known by name is in [`known`]: address, size, SHA-256, licence. [`Pull`]
//! puts a file into the user's [`Cache`]; [`find`] says where it lies. A file gets
//! its name only after its hash was found right, so that nothing half fetched
//! is ever taken for weights.

mod cache;
mod error;
mod fetch;
mod known;
mod part;

pub use cache::{Cache, find};
pub use error::PullError;
pub use fetch::{Pull, Pulled};
pub use known::{KnownWeights, known, named};
