//! What became of each picture.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::Task;

/// What became of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The output is written.
    Done,
    /// The output was there already.
    Skipped,
    /// Something is wrong with it; see the error.
    Failed,
}

/// One picture's line in a [`Report`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PictureReport {
    /// The picture read.
    #[serde(serialize_with = "as_text")]
    pub input: PathBuf,
    /// The file written, or that would have been.
    #[serde(serialize_with = "maybe_as_text")]
    pub output: Option<PathBuf>,
    /// What became of it.
    pub status: Status,
    /// The output's width and height in pixels, if it was made.
    pub size: Option<[usize; 2]>,
    /// Milliseconds of work on it: reading, network and writing, without waiting.
    pub ms: Option<u64>,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl PictureReport {
    pub(crate) fn skipped(task: &Task) -> Self {
        Self {
            input: task.input.clone(),
            output: Some(task.output.clone()),
            status: Status::Skipped,
            size: None,
            ms: None,
            error: None,
        }
    }

    pub(crate) fn failed(input: &Path, output: Option<&Path>, error: String) -> Self {
        Self {
            input: input.to_owned(),
            output: output.map(Path::to_owned),
            status: Status::Failed,
            size: None,
            ms: None,
            error: Some(error),
        }
    }
}

fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

#[expect(clippy::ref_option, reason = "serde calls it with the field")]
fn maybe_as_text<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|p| p.to_string_lossy()).serialize(serializer)
}

/// Who made the pictures, as the JSON report says it: `"style": NAME` or `"model": NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Maker {
    /// A style network.
    Style(String),
    /// Another network, such as one that colours.
    Model(String),
}

/// What became of a whole job. Serialized, it is the JSON report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of this layout: 1. Later ones only add fields.
    pub version: u32,
    /// Who made them.
    #[serde(flatten)]
    pub maker: Maker,
    /// Each picture, ordered by input.
    pub pictures: Vec<PictureReport>,
    /// Pictures written.
    pub done: usize,
    /// Pictures that were there already.
    pub skipped: usize,
    /// Pictures that something is wrong with.
    pub failed: usize,
    /// Pictures not begun, because the job was interrupted.
    pub left: usize,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// From the first picture's beginning to the last one's end.
    pub seconds: f64,
}

impl Report {
    pub(crate) fn new(maker: Maker, mut pictures: Vec<PictureReport>) -> Self {
        pictures.sort_by(|a, b| a.input.cmp(&b.input));
        let count = |status| pictures.iter().filter(|p| p.status == status).count();
        Self {
            version: 1,
            maker,
            done: count(Status::Done),
            skipped: count(Status::Skipped),
            failed: count(Status::Failed),
            left: 0,
            interrupted: false,
            seconds: 0.0,
            pictures,
        }
    }
}
