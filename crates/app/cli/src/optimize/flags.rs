//! What can be typed after `pentimento optimize`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Arg, Args, ValueEnum, ValueHint};

use crate::quantity;
use crate::train::style::losses::LossFlags;

/// Paint one picture in the style of others, without a network of their own.
///
/// The picture itself is changed, step by step, until a loss network finds in it the
/// content of the one and the style of the others: minutes, for what `stylize` does in
/// a second, but for any style and at its best.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
#[command(mut_arg("recipe", |recipe: Arg| recipe.help(RECIPE)))]
#[command(mut_arg("style_size", |size: Arg| size.help(STYLE_SIZE)))]
pub(crate) struct Optimize {
    /// The picture to paint.
    #[arg(value_name = "CONTENT", value_hint = ValueHint::FilePath)]
    pub(crate) content: PathBuf,

    /// Paintings, each with its share if they are not to count alike: wave.jpg:2.
    #[arg(required = true, value_name = "STYLE[:WEIGHT]", value_hint = ValueHint::FilePath)]
    pub(crate) styles: Vec<OsString>,

    /// The result.
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) losses: LossFlags,

    /// What the picture is at first: `content`, `noise`, or a picture to go on from, such
    /// as what `stylize` painted.
    #[arg(long, value_name = "content|noise|PICTURE", default_value = "content", value_hint = ValueHint::FilePath)]
    pub(crate) from: OsString,

    /// How it is changed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) method: Method,

    /// Iterations at each scale; 0 only says how good the picture of `--from` is.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) iterations: usize,

    /// Pixels of the result's longer side. Without it, the content's, but 512 at most.
    #[arg(long, value_name = "PIXELS", value_parser = quantity::side)]
    pub(crate) size: Option<usize>,

    /// How many scales, each twice as large as the one before. Without it, from 128
    /// pixels or more.
    #[arg(long, value_name = "N")]
    pub(crate) scales: Option<NonZeroUsize>,

    /// Adam's learning rate, in levels of 0 to 255.
    #[arg(long, value_name = "X", default_value = "2", value_parser = quantity::weight)]
    pub(crate) rate: f64,

    /// What the noise comes from.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Threads to compute with. Without it, one for each processor. The result does
    /// not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Replace the result if it is there already.
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Print a report with the losses of every iteration as JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing but what went wrong.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const RECIPE: &str = "Whose losses: a recipe of `pentimento train style`, or a file of one";
const STYLE_SIZE: &str = "Pixels of a painting's shorter side: the smaller, the finer the strokes. \
    Without it, that of the result";

const HELP: &str = "\
Examples:
  pentimento weights pull vgg16
  pentimento optimize photo.jpg wave.jpg -o painted.jpg
  pentimento optimize photo.jpg wave.jpg:2 scream.jpg:1 --size 800 --from noise -o both.png

Exit status:
  0    the picture is done
  1    the loss is no number
  2    a flag is wrong, or a picture is too small
  3    a picture cannot be read
  4    the loss network cannot be used
  5    the result cannot be written
  130  interrupted (Ctrl-C): the picture is written as it is";

/// How a picture is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    #[default]
    Lbfgs,
    Adam,
}
