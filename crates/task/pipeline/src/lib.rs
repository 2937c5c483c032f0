//! Pictures through networks: one, a folder, with strength and colours kept.
//!
//! A [`Style`] is a network with its weights and the numbers it sees pictures
//! in; a [`Stylizer`] puts pictures through it. A [`ColorModel`] is a network that
//! colours, a [`Colorizer`] puts pictures through that, at any size. A [`Job`] says which files become
//! which, and a [`Batch`] makes them, one failure never stopping the rest. [`pull`]
//! fetches the weights that others publish.
#![forbid(unsafe_code)]

mod batch;
mod blend;
mod colorize;
mod discover;
mod error;
mod evaluate;
mod frame;
mod job;
mod memory;
mod output;
pub mod pull;
pub mod quality;
mod recognise;
mod report;
mod shipped;
mod style;
mod stylize;

pub use batch::{Batch, Event, FileOptions};
pub use blend::{Blend, blended};
pub use colorize::{
    COLORED, ColorModel, ColorizeOptions, Colorizer, Hint, Hints, InColor, Proposal,
    spread_of_colors,
};
pub use discover::{Recursion, Unreadable};
pub use error::PipelineError;
pub use evaluate::{EvaluateOptions, Evaluation, Scores, evaluate_colorizer};
pub use job::{Existing, Job, JobOptions, Task};
pub use memory::default_memory_limit;
pub use recognise::recognise;
pub use report::{Maker, PictureReport, Report, Status};
pub use shipped::{Shipped, shipped};
pub use style::Style;
pub use stylize::{Colors, StylizeOptions, Stylizer};
