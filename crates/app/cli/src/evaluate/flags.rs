//! The flags of `pentimento evaluate`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::quantity;

#[derive(Debug, Subcommand)]
pub(crate) enum Evaluate {
    Colorizer(Box<EvaluateColorizer>),
}

/// Say how well a network colours photographs whose colours are known.
///
/// Photographs are scaled and cut to a square, their colours taken away and given back. Beside
/// the network's stand two baselines: the photographs left grey, and in one colour, the mean
/// ab of these same photographs. Photographs without colour do not count.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct EvaluateColorizer {
    /// A file of weights of a network that colours. Without it, the one that ships.
    #[arg(short, long, value_name = "NAME|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) model: Option<OsString>,

    /// Weights of a classifier, for networks that were trained with one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) classifier: Option<PathBuf>,

    /// A folder of photographs in colour, searched to the bottom.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) photos: PathBuf,

    /// Look only at those photographs that `pentimento train colorizer --keep-out` with
    /// this share keeps out of training.
    #[arg(long, value_name = "0..1", value_parser = quantity::share)]
    pub(crate) kept_out: Option<f32>,

    /// Try again with this many hints: squares of 6×6 pixels at random places.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) hints: usize,

    /// Where the hints' places come from.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Look at this many photographs, spread evenly over all. Without it, at every one.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<NonZeroUsize>,

    /// Pixels a side.
    #[arg(long, value_name = "PIXELS", default_value_t = 256, value_parser = quantity::side)]
    pub(crate) size: usize,

    /// How strong the colours are; see `pentimento colorize`.
    #[arg(long, value_name = "0..4", default_value_t = 1.0, value_parser = quantity::saturation)]
    pub(crate) saturation: f32,

    /// How bold the network's choice is; see `pentimento colorize`.
    #[arg(long, value_name = "0..1", value_parser = quantity::temperature)]
    pub(crate) temperature: Option<f32>,

    /// The heads of LPIPS for VGG16: `lin0.weight` … `lin4.weight`. Without them, LPIPS is left
    /// out.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) lpips: Option<PathBuf>,

    /// VGG16's convolutions, for LPIPS. Without them, what `pentimento weights pull vgg16`
    /// fetched.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "lpips")]
    pub(crate) vgg16: Option<PathBuf>,

    /// Threads to compute with. Without it, one for each processor.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing but the result and what went wrong.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const HELP: &str = "\
Examples:
  pentimento evaluate colorizer --photos validation/
  pentimento evaluate colorizer --model mine.safetensors --photos validation/ --hints 10 \\
      --lpips lpips_vgg16.safetensors --vgg16 vgg16.safetensors --json > scores.json

Exit status:
  0    done
  1    some photographs could not be read; the others count
  2    a flag or argument is wrong
  3    no photographs in colour
  4    there is no network, or its file of weights cannot be used
  130  interrupted (Ctrl-C): the scores are of the photographs so far";
