//! How training goes, for `TensorBoard` to show.
//!
//! An event file is a sequence of records, each a length, a checksum, a protocol
//! buffer and another checksum. [`EventWriter`] appends whole records with one
//! system call each, so that a run that is killed loses no more than the record
//! it was at.

mod message;
mod record;
mod writer;

pub use writer::{EventWriter, Moment};
