//! Pictures through networks: one, a folder, with strength and colours kept.
//!
//! A [`Style`] is a network with its weights and the numbers it sees pictures
//! in; a [`Stylizer`] puts pictures through it. A [`Job`] says which files become
//! which, and a [`Batch`] makes them, one failure never stopping the rest. [`pull`]
//! fetches the weights that others publish.
#![forbid(unsafe_code)]

mod batch;
mod blend;
mod discover;
mod error;
mod frame;
mod job;
mod memory;
mod output;
pub mod pull;
mod recognise;
mod report;
mod shipped;
mod style;
mod stylize;

pub use batch::{Batch, Event, FileOptions};
pub use discover::{Recursion, Unreadable};
pub use error::PipelineError;
pub use job::{Existing, Job, JobOptions, Task};
pub use memory::default_memory_limit;
pub use recognise::recognise;
pub use report::{PictureReport, Report, Status};
pub use shipped::{Shipped, shipped};
pub use style::Style;
pub use stylize::{Colors, StylizeOptions, Stylizer};
