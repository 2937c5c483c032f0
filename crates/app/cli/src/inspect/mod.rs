//! `pentimento inspect`: looking into networks.

mod activations;
mod cam;
mod compare;
mod filters;
pub(crate) mod flags;
mod structure;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use pentimento::imaging::{
    EncodeOptions, ImagingError, Limits, Picture, atomic_write, decode_file, encode_file,
};
use pentimento::insight::plot::Colours;
use pentimento::insight::{InsightError, Model};
use pentimento::pipeline::PipelineError;

use crate::exit::Outcome;
use crate::open::flags::Feeding;
use crate::open::{self, Opened};
use crate::progress::say;
pub(crate) use structure::summary;

/// Runs one of the commands.
pub(crate) fn run(flags: &flags::Inspect) -> anyhow::Result<Outcome> {
    match flags {
        flags::Inspect::Summary(flags) => summary(flags)?,
        flags::Inspect::Graph(flags) => structure::diagram(flags)?,
        flags::Inspect::Activations(flags) => activations::run(flags)?,
        flags::Inspect::Filters(flags) => return filters::run(flags),
        flags::Inspect::Cam(flags) => return cam::run(flags),
        flags::Inspect::Compare(flags) => return compare::run(flags),
    }
    Ok(Outcome::Done)
}

/// The network that the flags name.
fn model(flags: &flags::Network) -> anyhow::Result<Model> {
    opened(&flags.network, flags.weights.as_deref(), &flags.feeding)
}

/// A network to look into, with a word on another that goes by its name.
fn opened(network: &OsStr, weights: Option<&Path>, feeding: &Feeding) -> anyhow::Result<Model> {
    let opened = open::open(network, weights, feeding)?;
    if weights.is_none()
        && let Some(layers) = open::namesake(network)?
    {
        let name = network.to_string_lossy();
        say(&format!(
            "{name} is the trained network that ships, with the layers of {layers}; with \
             --weights, it is the tutorial's"
        ));
    }
    Ok(looked_into(opened)?)
}

fn looked_into(opened: Opened) -> Result<Model, InsightError> {
    let Opened { net, weights, classes, size } = opened;
    let model = Model::of(&net, &weights)?;
    let model = if classes.is_empty() { model } else { model.with_classes(classes) };
    Ok(size.into_iter().fold(model, Model::with_size))
}

fn read(path: &Path) -> anyhow::Result<Picture> {
    let wrong = |source| InsightError::Picture { path: path.to_owned(), source };
    Ok(decode_file(path, &Limits::default()).map_err(wrong)?)
}

fn write(picture: &Picture, path: &Path) -> anyhow::Result<()> {
    encode_file(picture, path, &EncodeOptions::default()).map_err(|error| match error {
        ImagingError::Io(source) => unwritable(path, source).into(),
        error => anyhow::Error::new(error).context(path.display().to_string()),
    })
}

fn write_bytes(bytes: &[u8], path: &Path) -> anyhow::Result<()> {
    Ok(atomic_write(path, bytes).map_err(|e| unwritable(path, e))?)
}

fn folder(path: &Path) -> anyhow::Result<()> {
    Ok(fs::create_dir_all(path).map_err(|e| unwritable(path, e))?)
}

fn unwritable(path: &Path, source: std::io::Error) -> PipelineError {
    PipelineError::Unwritable { path: path.to_owned(), source }
}

/// A layer's or class's name as part of a file's.
fn file_part(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "._+-".contains(c) { c } else { '_' }).collect()
}

impl From<flags::Colours> for Colours {
    fn from(colours: flags::Colours) -> Self {
        match colours {
            flags::Colours::Viridis => Self::Viridis,
            flags::Colours::Turbo => Self::Turbo,
            flags::Colours::Jet => Self::Jet,
        }
    }
}
