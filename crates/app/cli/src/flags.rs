//! What can be typed. Nothing is checked here that needs more than the word itself.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

pub(crate) use crate::batch::flags::{Handling, Places};
pub(crate) use crate::classify::flags::Classify;
pub(crate) use crate::colorize::flags::Colorize;
pub(crate) use crate::evaluate::flags::Evaluate;
pub(crate) use crate::inspect::flags::{Inspect as InspectNetwork, Summary};
pub(crate) use crate::optimize::flags::Optimize;
use crate::quantity;
pub(crate) use crate::studio::flags::Studio;
pub(crate) use crate::train::flags::Train;

/// Colour and restyle pictures with convolutional networks, on an ordinary processor.
#[derive(Debug, Parser)]
#[command(name = "pentimento", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  pentimento stylize photo.jpg --style starry-night -o painting.jpg
  pentimento stylize holiday/ --recursive --style starry-night -o painted/
  pentimento colorize grandmother.jpg -o coloured.jpg
  pentimento styles
  pentimento studio
  pentimento train style --style-picture wave.jpg --photos photos/ -o wave.safetensors

Each command's --help says more: pentimento stylize --help";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Stylize(Box<Stylize>),
    Colorize(Box<Colorize>),
    /// Train a network of one's own.
    #[command(subcommand)]
    Train(Train),
    Optimize(Box<Optimize>),
    /// Say how good a network is.
    #[command(subcommand)]
    Evaluate(Evaluate),
    Classify(Classify),
    Studio(Box<Studio>),
    Styles(Styles),
    /// Look into a file of weights, or turn it into another kind.
    #[command(subcommand)]
    Weights(Weights),
    /// Look into a network: its layers, what they make of a picture, what they answer to.
    #[command(subcommand)]
    Inspect(InspectNetwork),
    /// The same as `inspect summary`.
    Summary(Summary),
    Completions(Completions),
    Man(Man),
}

/// Paint pictures in a style.
///
/// Each picture comes back at its own size, with its transparency, depth and
/// metadata. Outputs that are already there are left alone, so that a batch that
/// was broken off goes on where it was.
#[derive(Args, Debug)]
#[command(after_help = STYLIZE_HELP)]
pub(crate) struct Stylize {
    #[command(flatten)]
    pub(crate) places: Places,

    /// A style that ships (see `pentimento styles`), or a file of weights:
    /// safetensors, a PyTorch checkpoint, NumPy arrays or a TensorFlow checkpoint.
    #[arg(short, long, value_name = "NAME|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) style: OsString,

    /// How much of the style: 0 is the photograph as it is, 1 the style in full.
    #[arg(long, value_name = "0..1", default_value_t = 1.0, value_parser = quantity::share)]
    pub(crate) strength: f32,

    /// Keep the photograph's colours; only light and dark come from the style.
    #[arg(long, alias = "keep-colours")]
    pub(crate) keep_colors: bool,

    /// Make the result's longer side this many pixels. Without it, pictures keep
    /// their size.
    #[arg(long, value_name = "PIXELS", value_parser = quantity::side)]
    pub(crate) size: Option<usize>,

    /// How many times as large the brush strokes are. From 2 on, a small painting is
    /// made first and painted over at twice the size, until it is as large as the
    /// picture; that takes a third to a half more time. Without it, in a style that
    /// `pentimento train style` made, as those that ship are, 2 from 1280 pixels of the longer
    /// side on, 4 from 2560, 8 from 5120, so that large photographs become paintings too.
    #[arg(long, value_name = "1..16", value_parser = quantity::strokes)]
    pub(crate) strokes: Option<f32>,

    /// Pixels of mirrored picture to paint around each and cut off, so that no line shows
    /// along its edge. Without it, 24 for such a style, and wherever strokes are larger; 0 is
    /// what the network itself computes.
    #[arg(long, value_name = "0..256", value_parser = quantity::margin)]
    pub(crate) margin: Option<usize>,

    /// Before painting, smooth away the blocks that compression leaves in plain areas, with
    /// about so many levels of 255 between them; painted, they are bars. Without it, 4 for a
    /// JPEG or WebP in such a style; 0 leaves all as it is.
    #[arg(long, value_name = "0..64", value_parser = quantity::levels)]
    pub(crate) deblock: Option<f32>,

    /// Paint from the picture with so many levels of 255 of faint noise, which gives plain
    /// areas strokes. Without it, 1 for such a style; 0 is none.
    #[arg(long, value_name = "0..16", value_parser = quantity::grain)]
    pub(crate) grain: Option<f32>,

    #[command(flatten)]
    pub(crate) handling: Handling,
}

const STYLIZE_HELP: &str = "\
Examples:
  pentimento stylize photo.jpg --style starry-night -o painting.jpg
  pentimento stylize photo.jpg --style starry-night --strength 0.7 --keep-colors -o soft.png
  pentimento stylize photo.jpg --style udnie --strokes 4 -o bold.jpg
  pentimento stylize *.jpg --style ./mosaic.pth --size 1600 -o painted/
  pentimento stylize holiday/ --recursive --style starry-night --json -o painted/ > report.json

Exit status:
  0    every picture is done, or was there already
  1    something is wrong with some pictures; the others are done
  2    a flag or argument is wrong
  3    no pictures found
  4    the style, or its file of weights, cannot be used
  5    the output cannot be written
  130  interrupted (Ctrl-C): the picture in work was finished, the rest is left";

/// List the styles that ship.
#[derive(Args, Debug)]
pub(crate) struct Styles {
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Weights {
    Inspect(Inspect),
    Convert(Convert),
    Pull(Pull),
}

/// Show what a file of weights holds. Runs nothing that is in it.
#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// safetensors, PyTorch, NumPy, TensorFlow, Keras or ONNX.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) file: PathBuf,

    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Turn a file of weights into safetensors, or into Keras's `.h5` or `.keras`.
///
/// Where the tensors are a known style network's, they get its names, and the
/// result says which network it is and how to feed it. A name that ends in
/// `.weights.h5` makes weights for Keras 3, one in `.h5` weights for any Keras, one in
/// `.keras` a whole model, which `keras.models.load_model` opens.
#[derive(Args, Debug)]
#[command(after_help = CONVERT_HELP)]
pub(crate) struct Convert {
    /// safetensors, PyTorch, NumPy, TensorFlow, Keras or ONNX.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) input: PathBuf,

    /// The file to write: safetensors, or `.weights.h5`, `.h5` or `.keras` for Keras.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,

    /// The network whose weights these are, such as vgg16. Without it, what the file
    /// says or its tensors give away; Keras's files are only written for a known one.
    #[arg(long, value_name = "NAME", value_parser = network)]
    pub(crate) network: Option<Network>,

    /// How values are stored; f16 halves the file.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) dtype: Dtype,

    /// Something for the file to say about itself, such as title=Mosaic or
    /// licence=CC0; may be given several times.
    #[arg(long = "note", value_name = "KEY=VALUE", value_parser = note)]
    pub(crate) notes: Vec<(String, String)>,
}

/// A network's name, and its settings as JSON.
pub(crate) type Network = (&'static str, &'static str);

fn network(text: &str) -> Result<Network, String> {
    let known = || format!("known are {}", pentimento::nets::known_names().join(", "));
    pentimento::nets::known_as(text).ok_or_else(known)
}

fn note(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a note is KEY=VALUE")?;
    if key.is_empty() || key.starts_with("pentimento.") {
        return Err(format!("{key:?} is not a name for a note"));
    }
    Ok((key.to_owned(), value.to_owned()))
}

const CONVERT_HELP: &str = "\
Examples:
  pentimento weights convert mosaic.pth mosaic.safetensors --dtype f16 --note title=Mosaic
  pentimento weights convert cats.safetensors cats.weights.h5
  pentimento weights convert colour.safetensors colour.keras
  pentimento weights convert vgg16.h5 vgg16.safetensors --network vgg16";

/// Fetch the weights that others publish into the user's cache.
///
/// Without a name, lists what there is and what is there already. A connection
/// that breaks, and Ctrl-C, lose nothing: the same again goes on from there.
#[derive(Args, Debug)]
#[command(after_help = PULL_HELP)]
pub(crate) struct Pull {
    /// What to fetch.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// A folder on the web that holds the files under their own names, to be asked
    /// instead of their publishers. Without it, what
    /// `PENTIMENTO_MIRROR` says, if it is set.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) mirror: Option<String>,

    /// Another folder than the cache. Other commands do not look there by name.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,

    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing but what went wrong.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const PULL_HELP: &str = "\
Examples:
  pentimento weights pull
  pentimento weights pull vgg16 vgg19
  PENTIMENTO_MIRROR=https://mirror.example/weights pentimento weights pull vgg16

Exit status:
  0    everything asked for is there
  1    it could not be fetched: the message says which file to put where
  2    nothing is known under that name
  4    the file offered, or already there, is another one
  5    it cannot be written
  130  interrupted (Ctrl-C): what came is kept";

/// How values are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dtype {
    #[default]
    F32,
    F16,
}

/// Print a completion script for a shell.
#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_HELP)]
pub(crate) struct Completions {
    /// Which shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

const COMPLETIONS_HELP: &str = "\
Examples:
  pentimento completions bash > ~/.local/share/bash-completion/completions/pentimento
  pentimento completions fish > ~/.config/fish/completions/pentimento.fish";

/// Print the man page, or write one for every command.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Folder for the pages; without it, the first one is printed.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,
}
