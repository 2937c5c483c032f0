//! What can be typed after `pentimento train`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use pentimento::train::run::Begin;

use crate::quantity;

#[derive(Debug, Subcommand)]
pub(crate) enum Train {
    Classifier(Box<super::classifier::flags::Classifier>),
    Colorizer(Box<super::colorizer::flags::Colorizer>),
    Style(Box<super::style::flags::Style>),
}

/// What every kind of training takes.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "switches, as they are typed")]
pub(crate) struct RunFlags {
    /// The network's file: safetensors.
    #[arg(short, long, value_name = "OUT.safetensors", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,

    /// What all randomness comes from.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// The run's folder. Without it, OUT.run.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) run: Option<PathBuf>,

    /// Go on from the checkpoint in the run's folder.
    #[arg(long, conflicts_with = "overwrite")]
    pub(crate) resume: bool,

    /// Begin anew where there is a run, or the output, already.
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Steps between two checkpoints; there is one at every look too.
    #[arg(long, value_name = "N", default_value = "100")]
    pub(crate) checkpoint_every: NonZeroU64,

    /// Bytes of decoded pictures to keep in memory: 2G, 800M, 0.
    #[arg(long, value_name = "BYTES", default_value = "1G", value_parser = quantity::amount)]
    pub(crate) memory: u64,

    /// Threads to compute with. Without it, one for each processor. The result does
    /// not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// The network's title, for its card. Without it, the output's name.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,

    /// What the card says may be done with the network.
    #[arg(long, value_name = "TEXT", alias = "license")]
    pub(crate) licence: Option<String>,

    /// Print a report as JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing but what went wrong.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl RunFlags {
    /// Whether the run begins or goes on.
    pub(super) fn begin(&self) -> Begin {
        match (self.resume, self.overwrite) {
            (true, _) => Begin::Resume,
            (_, true) => Begin::Anew,
            _ => Begin::New,
        }
    }
}

/// What every kind of training takes for its steps.
#[derive(Args, Debug)]
pub(crate) struct StepFlags {
    /// Photographs a step.
    #[arg(long, value_name = "N")]
    pub(crate) batch: Option<NonZeroUsize>,

    /// Pixels of the side of what is cut out of a photograph.
    #[arg(long, value_name = "PIXELS", value_parser = quantity::side)]
    pub(crate) size: Option<usize>,

    /// The learning rate, where it is highest.
    #[arg(long, value_name = "X", value_parser = quantity::weight)]
    pub(crate) rate: Option<f64>,
}

/// What every kind of training takes that learns from photographs.
#[derive(Args, Debug)]
pub(crate) struct PreviewFlags {
    /// Steps between two looks at the previews and the photographs kept out.
    #[arg(long, value_name = "N", default_value = "250")]
    pub(crate) preview_every: NonZeroU64,

    /// A picture to be shown to the network at every look; may be given several times.
    /// Without it, two of the photographs kept out, or of the others if there are too few.
    #[arg(long, value_name = "PICTURE", num_args = 1.., value_hint = ValueHint::FilePath)]
    pub(crate) preview: Vec<PathBuf>,

    /// A folder for photographs at their training size: worth having where they are large.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) cache: Option<PathBuf>,
}
