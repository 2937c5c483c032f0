//! What can be typed after `pentimento classify`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::open::flags::Feeding;
use crate::quantity;

/// Say what pictures show.
///
/// A classifier looks at each picture and names what it holds likeliest.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Classify {
    /// Pictures.
    #[arg(required = true, value_name = "PICTURE", value_hint = ValueHint::FilePath)]
    pub(crate) pictures: Vec<PathBuf>,

    /// A classifier's name: one that ships, such as cats-and-dogs, or vgg16, resnet50 or
    /// efficientnet-lite0, whose weights were pulled or are given; or an ONNX model; or a
    /// file of weights that says which network it is, or tells it by its tensors' names.
    #[arg(short, long, value_name = "NAME|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) model: OsString,

    /// The file of weights for the named model: safetensors, PyTorch, Keras, NumPy.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) weights: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) feeding: Feeding,

    /// How many guesses for each picture.
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) top: NonZeroUsize,

    /// Threads to compute with. Without it, one for each processor. The result does
    /// not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Refuse pictures of more pixels, before they are decoded: 50M are fifty million.
    /// Without it, 200M.
    #[arg(long, value_name = "N", value_parser = quantity::amount)]
    pub(crate) max_pixels: Option<u64>,

    /// As JSON: a list with an entry for each picture.
    #[arg(long)]
    pub(crate) json: bool,
}

const HELP: &str = "\
Examples:
  pentimento classify elephant.jpg --model efficientnet-lite0 --weights efficientnet-lite0-57934424.pth
  pentimento classify *.jpg --model vgg16 --top 3
  pentimento classify cat.jpg --model cats-and-dogs
  pentimento classify cat.jpg --model my-classes.safetensors --json
  pentimento classify cat.jpg --model resnet18.onnx --encoding imagenet

Exit status:
  0    every picture is judged
  1    some pictures cannot be read; the others are judged
  2    a flag or argument is wrong, or the model is no classifier
  3    no picture can be read
  4    there is no such model, or its weights are not here, cannot be read, or are
       another network's";
