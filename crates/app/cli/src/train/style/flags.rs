//! What can be typed after `pentimento train style`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::quantity;
use crate::train::flags::{PreviewFlags, RunFlags, StepFlags};
use crate::train::style::losses::LossFlags;

/// Train a network that paints in one painting's style.
///
/// The run lives in a folder beside the output, with checkpoints, previews, losses
/// and TensorBoard's event files; it can be stopped at any moment, and goes on with
/// --resume to the same bits as if it had not been. Only the recipe, the flags that
/// change it, the seed, the painting, the photographs and the loss network decide
/// what comes out.
#[derive(Args, Debug)]
#[expect(clippy::struct_field_names, reason = "flags, as they are typed")]
#[expect(clippy::doc_markdown, reason = "shown as it is")]
#[command(after_help = STYLE_HELP)]
pub(crate) struct Style {
    /// The painting.
    #[arg(long, value_name = "PICTURE", value_hint = ValueHint::FilePath)]
    pub(crate) style_picture: PathBuf,

    /// Folder of photographs to learn from, searched to the bottom. One in fifty is
    /// kept out, to see how well it goes.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) photos: PathBuf,

    #[command(flatten)]
    pub(crate) losses: LossFlags,

    /// How many steps. Without it, the recipe's number, or as many as its epochs need.
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<u64>,

    #[command(flatten)]
    pub(crate) step: StepFlags,

    /// How much LPIPS's distance from the photograph counts; wants --lpips-heads, and
    /// vgg16 as the loss network. It keeps more of the photograph than content alone.
    #[arg(long, value_name = "X", value_parser = quantity::weight, requires = "lpips_heads")]
    pub(crate) lpips_weight: Option<f64>,

    /// LPIPS's heads for VGG16: the package's vgg.pth, or lin0.weight … lin4.weight in
    /// any kind of file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) lpips_heads: Option<PathBuf>,

    /// The weights to begin with: a style that ships, a style's file, another run's
    /// checkpoint, or `random`. Without it, what the recipe says.
    #[arg(long, value_name = "STYLE|FILE", value_hint = ValueHint::FilePath)]
    pub(crate) start: Option<OsString>,

    /// What the card says of the painting. Without it, its file's name.
    #[arg(long, value_name = "TEXT")]
    pub(crate) painting: Option<String>,

    /// Keep less of each step in memory, and compute it again: slower, to the same bits.
    #[arg(long)]
    pub(crate) recompute: bool,

    #[command(flatten)]
    pub(crate) previews: PreviewFlags,

    #[command(flatten)]
    pub(crate) run: RunFlags,
}

const STYLE_HELP: &str = "\
Examples:
  pentimento weights pull vgg16
  pentimento train style --style-picture wave.jpg --photos photos/ -o wave.safetensors
  pentimento train style --style-picture wave.jpg --photos photos/ -o wave.safetensors --resume
  pentimento train style --style-picture wave.jpg --photos photos/ -o wave.safetensors \\
      --loss-network vgg16.safetensors --recipe pytorch-examples --steps 4000 --start random \\
      --title 'The Great Wave' --licence CC0-1.0
  tensorboard --logdir wave.safetensors.run
  pentimento stylize photo.jpg --style wave.safetensors -o painted.jpg

Exit status:
  0    the style is trained
  1    training went wrong: the loss is no number, or the pictures are blank
  2    a flag, or the recipe, is wrong
  3    the painting, or not one photograph, can be read
  4    the loss network, the start or the checkpoint cannot be used
  5    something cannot be written: the last checkpoint is as it was
  130  interrupted (Ctrl-C): saved, and the style as it is written; --resume goes on";
