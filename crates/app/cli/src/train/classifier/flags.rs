//! What can be typed after `pentimento train classifier`.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{Arg, Args, ValueHint};

use crate::train::flags::{RunFlags, StepFlags};

/// Train a network that tells classes of pictures apart.
///
/// Each folder in DIR is a class. The run lives in a folder beside the output, with
/// checkpoints, curves, the confusion matrix, tables and TensorBoard's event files; it
/// can be stopped at any moment, and goes on with --resume to the same bits as if it
/// had not been.
#[derive(Args, Debug)]
#[expect(clippy::doc_markdown, reason = "shown as it is")]
#[command(after_help = HELP)]
#[command(mut_arg("batch", |batch: Arg| batch.help("Pictures a step")))]
#[command(mut_arg("size", |size: Arg| size.help("Pixels of a training picture's sides")))]
pub(crate) struct Classifier {
    /// Folder of pictures to learn from: in it a folder for each class, searched to the
    /// bottom.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) pictures: PathBuf,

    /// Such a folder of pictures that are kept out of training, to see how well it goes.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) validation: Option<PathBuf>,

    /// Without --validation, the share of the pictures that is kept out. Which they are
    /// depends on the seed and on their names.
    #[arg(long, value_name = "0..1", default_value_t = 0.2, conflicts_with = "validation")]
    pub(crate) keep_out: f64,

    /// Such a folder of pictures that the network is held to once, in the end.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) test: Option<PathBuf>,

    /// Train without the pictures that cannot be read. Without it, they are listed and
    /// nothing begins.
    #[arg(long)]
    pub(crate) skip_unreadable: bool,

    /// pentimento, tutorial (Keras's cats and dogs), transfer, or a file of JSON with the
    /// fields that a network's note `recipe` has. Without it, pentimento; with --weights,
    /// transfer.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) recipe: Option<String>,

    /// The network that learns. Without it, the recipe's.
    #[arg(long, value_name = "NAME")]
    pub(crate) network: Option<String>,

    /// Weights to begin with, of a network that has learnt something else: any kind of
    /// file that `pentimento weights inspect` reads. Its last layer begins anew.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) weights: Option<PathBuf>,

    /// Keep the first layers as they begin: so many of those that have parameters, those
    /// up to the layer of that name, or `all` but the last.
    #[arg(long, value_name = "N|LAYER|all", requires = "weights")]
    pub(crate) freeze: Option<String>,

    /// How often each picture is seen, or as the recipe counts an epoch.
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<NonZeroU64>,

    #[command(flatten)]
    pub(crate) step: StepFlags,

    /// Epochs between two looks at the pictures kept out.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) validate_every: NonZeroU64,

    #[command(flatten)]
    pub(crate) run: RunFlags,
}

const HELP: &str = "\
Examples:
  pentimento train classifier pets/train --validation pets/validation -o pets.safetensors
  pentimento train classifier pets/ -o pets.safetensors --keep-out 0.1 --epochs 40
  pentimento train classifier pets/ -o pets.safetensors --resume
  pentimento train classifier pets/train --validation pets/validation --test pets/test \\
      --recipe tutorial -o tutorial.safetensors
  pentimento train classifier flowers/ -o flowers.safetensors --network efficientnet_lite0 \\
      --weights efficientnet-lite0.pth --freeze all
  tensorboard --logdir pets.safetensors.run

Exit status:
  0    the network is trained
  1    training went wrong: the loss is no number
  2    a flag, or the recipe, is wrong, or the network does not fit
  3    no pictures, a class without any, one class alone, or some cannot be read
  4    the weights or the checkpoint cannot be used
  5    something cannot be written: the last checkpoint is as it was
  130  interrupted (Ctrl-C): saved, and the network as it is written; --resume goes on";
