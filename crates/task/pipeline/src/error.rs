use std::path::{Path, PathBuf};

use graph::ShapeError;
use weights::WeightsError;

/// Why pictures could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// An option has a value that makes no sense.
    #[error("{option} {value} is out of range: {range}")]
    Option {
        /// Which option.
        option: &'static str,
        /// What it was given.
        value: String,
        /// What it takes.
        range: &'static str,
    },
    /// No style of that name ships, and there is no such file.
    #[error("there is no style {name:?}, and no file of that name{}", hint(near))]
    UnknownStyle {
        /// What was asked for.
        name: String,
        /// The names that look most like it, best first.
        near: Vec<String>,
    },
    /// The weights could not be read, or do not fit the network they claim to be for.
    #[error("{path}: {source}", path = path.display())]
    Weights {
        /// The weights' file.
        path: PathBuf,
        /// What is wrong with it.
        source: WeightsError,
    },
    /// The weights are fine, but of no network that turns a picture into a picture.
    #[error("{path}: {what}", path = path.display())]
    NotAStyle {
        /// The weights' file.
        path: PathBuf,
        /// Why not, and the remedy.
        what: String,
    },
    /// The weights are fine, but of no network that colours.
    #[error("{path}: {what}", path = path.display())]
    NotAColorizer {
        /// The weights' file.
        path: PathBuf,
        /// Why not, and the remedy.
        what: String,
    },
    /// No network that colours ships with this version, and none was given.
    #[error(
        "no network that colours ships with this version yet: give one with --model FILE, \
         such as one that was trained here"
    )]
    NoColorizer,
    /// No file is where a network that colours was said to be.
    #[error("there is no file {name:?}, and no network that colours is called so")]
    UnknownColorizer {
        /// What was asked for.
        name: String,
    },
    /// The picture is in colour already.
    #[error("is in colour already; --recolor gives it new colours")]
    InColor,
    /// A hint cannot be followed.
    #[error("hint {hint}: {what}")]
    Hint {
        /// The hint, or the file of them.
        hint: String,
        /// What is wrong, and the remedy.
        what: String,
    },
    /// Nothing to do: not one picture.
    #[error("no pictures found in {}{hint}", listed(places))]
    NoPictures {
        /// Where was looked.
        places: Vec<PathBuf>,
        /// The remedy, or nothing.
        hint: &'static str,
    },
    /// The output cannot be what it was said to be.
    #[error("{path}: {what}", path = path.display())]
    Output {
        /// The output.
        path: PathBuf,
        /// What is wrong, and the remedy.
        what: String,
    },
    /// The operating system does not let the output be written.
    #[error("{path}: cannot be written: {source}", path = path.display())]
    Unwritable {
        /// The output.
        path: PathBuf,
        /// Its words.
        source: std::io::Error,
    },
    /// Going on would take more memory than allowed.
    #[error(
        "{width}×{height} pixels need about {} of memory, the limit is {}: {}raise --max-memory",
        bytes(*need), bytes(*limit), smaller(*size)
    )]
    Memory {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
        /// Bytes it would take.
        need: u64,
        /// Bytes allowed.
        limit: u64,
        /// A longer side that fits, if one does.
        size: Option<usize>,
    },
    /// The network gave something that is no picture.
    #[error("the network gave values that are not numbers: its weights are damaged")]
    NotFinite,
    /// The caller's watch ended it.
    #[error("stopped")]
    Stopped,
    /// The picture could not be read or written.
    #[error(transparent)]
    Imaging(#[from] imaging::ImagingError),
    /// The network does not take this size.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] cpu::EngineError),
    /// A bug: making this picture panicked.
    #[error("internal error, please report it: {what}")]
    Panic {
        /// The panic's message.
        what: String,
    },
}

/// A file of weights that cannot be read, or does not fit.
pub(crate) fn unreadable(path: &Path, source: WeightsError) -> PipelineError {
    PipelineError::Weights { path: path.to_owned(), source }
}

fn hint(near: &[String]) -> String {
    if near.is_empty() {
        return "; `pentimento styles` lists those that ship".to_owned();
    }
    format!("; did you mean {}? `pentimento styles` lists all", near.join(" or "))
}

fn listed(places: &[PathBuf]) -> String {
    places.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn smaller(size: Option<usize>) -> String {
    size.map_or_else(String::new, |s| format!("make the picture smaller with --size {s}, or "))
}

/// `n` bytes in the unit people use for memory.
pub(crate) fn bytes(n: u64) -> String {
    let n = n as f64;
    if n >= 1e9 { format!("{:.1} GB", n / 1e9) } else { format!("{:.0} MB", (n / 1e6).max(1.0)) }
}
