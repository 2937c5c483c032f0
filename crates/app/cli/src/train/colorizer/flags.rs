//! What can be typed after `pentimento train colorizer`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::quantity;
use crate::train::flags::{PreviewFlags, RunFlags, StepFlags};

/// Train a network that colours black-and-white photographs.
///
/// Learns from colour photographs. The run lives in a folder beside the output, with
/// checkpoints, previews, losses and TensorBoard's event files; it can be stopped at any
/// moment, and goes on with --resume to the same bits as if it had not been.
#[derive(Args, Debug)]
#[expect(clippy::doc_markdown, reason = "shown as it is")]
#[command(after_help = HELP)]
pub(crate) struct Colorizer {
    /// Folder of colour photographs to learn from, searched to the bottom; or one
    /// picture, to learn that alone.
    #[arg(long, value_name = "FOLDER|PICTURE", value_hint = ValueHint::AnyPath)]
    pub(crate) photos: PathBuf,

    /// The share of the photographs that is kept out, to see how well it goes. Which
    /// they are depends on their names alone.
    #[arg(long, value_name = "0..1", default_value_t = 0.04, value_parser = quantity::share)]
    pub(crate) keep_out: f32,

    /// pentimento, alpha (learns one picture), beta, full, or a file of JSON with the
    /// fields that a network's note `recipe` has.
    #[arg(long, value_name = "NAME|FILE", default_value = "pentimento")]
    pub(crate) recipe: String,

    /// Weights of an EfficientNet-Lite0 classifier, of any kind that can be read. `full`
    /// is told by it what is seen; `pentimento` begins with its encoder, and
    /// with random weights without it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) classifier: Option<PathBuf>,

    /// Begin with the weights of a network that colours already.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) start: Option<PathBuf>,

    /// How many steps. Without it, the recipe's number.
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<u64>,

    #[command(flatten)]
    pub(crate) step: StepFlags,

    #[command(flatten)]
    pub(crate) previews: PreviewFlags,

    #[command(flatten)]
    pub(crate) run: RunFlags,
}

const HELP: &str = "\
Examples:
  pentimento train colorizer --photos photos/ --classifier efficientnet-lite0.pth \\
      -o colour.safetensors
  pentimento train colorizer --photos photos/ -o colour.safetensors --resume
  pentimento train colorizer --recipe alpha --photos woman.jpg -o woman.safetensors
  pentimento train colorizer --recipe full --photos photos/ \\
      --classifier efficientnet-lite0.pth -o full.safetensors
  tensorboard --logdir colour.safetensors.run

Exit status:
  0    the network is trained
  1    training went wrong: the loss is no number
  2    a flag, or the recipe, is wrong
  3    no photographs, or not one that can be read
  4    the classifier, the weights to begin with or the checkpoint cannot be used
  5    something cannot be written: the last checkpoint is as it was
  130  interrupted (Ctrl-C): saved, and the network as it is written; --resume goes on";
