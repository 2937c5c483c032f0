//! The flags of `pentimento colorize`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::flags::{Handling, Places};
use crate::quantity;

/// Colour pictures that have no colours.
///
/// Each picture comes back at its own size and lightness, with its transparency, depth and
/// metadata. What is in colour already is refused; greyscale and pictures in one tone, such as
/// sepia, are not. Outputs that are already there are left alone, so that a batch that was broken
/// off goes on where it was.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Colorize {
    #[command(flatten)]
    pub(crate) places: Places,

    /// A file of weights of a network that colours. Without it, the one that ships.
    #[arg(short, long, value_name = "NAME|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) model: Option<OsString>,

    /// How strong the colours are: 0 is grey, 1 what the network says, 2 twice that.
    #[arg(long, value_name = "0..4", default_value_t = 1.0, value_parser = quantity::saturation)]
    pub(crate) saturation: f32,

    /// How bold the network's choice is: towards 0 vivid and spotty, 1 smooth and pale.
    #[arg(long, value_name = "0..1", value_parser = quantity::temperature)]
    pub(crate) temperature: Option<f32>,

    /// The colour of a place, in pixels from the left and the top; or a file of such lines; or a
    /// picture with transparency, whose opaque pixels are hints. May be given several times,
    /// for one picture.
    #[arg(long, value_name = "FILE|x,y,#rrggbb", num_args = 1..)]
    pub(crate) hints: Vec<String>,

    /// Weights of a classifier, for networks that were trained with one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) classifier: Option<PathBuf>,

    /// Write before and after, side by side.
    #[arg(long)]
    pub(crate) compare: bool,

    /// Give new colours to pictures that are in colour already.
    #[arg(long, alias = "recolour")]
    pub(crate) recolor: bool,

    #[command(flatten)]
    pub(crate) handling: Handling,
}

const HELP: &str = "\
Examples:
  pentimento colorize grandmother.jpg -o coloured.jpg
  pentimento colorize grandmother.jpg --hints 310,220,#3b6ea5 400,90,#8c5a2b -o coloured.jpg
  pentimento colorize scan.tif --hints hints.png --saturation 1.2 --compare -o compare.png
  pentimento colorize album/ --recursive --json -o coloured/ > report.json

Exit status:
  0    every picture is done, or was there already
  1    something is wrong with some pictures, or they are in colour; the others are done
  2    a flag or argument is wrong
  3    no pictures found
  4    there is no network, or its file of weights cannot be used
  5    the output cannot be written
  130  interrupted (Ctrl-C): the picture in work was finished, the rest is left";
