//! What can be typed after `pentimento inspect`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use crate::open::flags::Feeding;
use crate::quantity;

#[derive(Debug, Subcommand)]
pub(crate) enum Inspect {
    Summary(Summary),
    Graph(Diagram),
    Activations(Activations),
    Filters(Filters),
    Cam(Cam),
    Compare(Compare),
}

/// Show a network's layers, parameters, work and memory.
#[derive(Args, Debug)]
pub(crate) struct Summary {
    /// A network's name, a style that ships, an ONNX model, or a file of weights.
    /// `cats-and-dogs` is the tutorial's; the trained one that ships is `small_resnet`.
    #[arg(value_name = "NETWORK", value_hint = ValueHint::AnyPath)]
    pub(crate) network: OsString,

    /// Height and width of the input. Without it, what the network is for, or 256x256.
    #[arg(long, value_name = "HxW", value_parser = quantity::height_by_width)]
    pub(crate) size: Option<[usize; 2]>,

    /// Whose table.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) layout: Layout,

    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whose table of layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layout {
    /// Every column.
    #[default]
    Full,
    /// As Keras prints it.
    Keras,
    /// As torchsummary prints it.
    Torchsummary,
}

/// Draw a network: a box a layer, from top to bottom.
#[derive(Args, Debug)]
pub(crate) struct Diagram {
    /// A network's name, a style that ships, an ONNX model, or a file of weights.
    /// `cats-and-dogs` is the tutorial's; the trained one that ships is `small_resnet`.
    #[arg(value_name = "NETWORK", value_hint = ValueHint::AnyPath)]
    pub(crate) network: OsString,

    /// The drawing: .svg, .png, or .dot for Graphviz.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,

    /// Height and width of the input. Without it, what the network is for, or 256x256.
    #[arg(long, value_name = "HxW", value_parser = quantity::height_by_width)]
    pub(crate) size: Option<[usize; 2]>,
}

/// Which network.
#[derive(Args, Debug)]
#[expect(clippy::struct_field_names, reason = "as they are typed")]
pub(crate) struct Network {
    /// A network's name (vgg16, resnet50, …), a classifier or style that ships, an ONNX
    /// model, or a file of weights that says what it is of. See also --weights.
    /// `cats-and-dogs` is the trained one that ships, with the layers of `small_resnet`; with
    /// --weights it is the tutorial's.
    #[arg(short, long, value_name = "NAME|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) network: OsString,

    /// The network's weights: safetensors, PyTorch, Keras, NumPy or TensorFlow. Without
    /// it, those that were pulled under the network's name. A file that holds only
    /// its first layers will do for looking at these.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) weights: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) feeding: Feeding,

    /// Height and width that pictures are brought to, where not the network's own.
    #[arg(long, value_name = "HxW", value_parser = quantity::height_by_width)]
    pub(crate) size: Option<[usize; 2]>,
}

/// Show what a picture makes of each layer: all channels, sixteen a row.
#[derive(Args, Debug)]
#[command(after_help = ACTIVATIONS_HELP)]
pub(crate) struct Activations {
    /// The picture.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) picture: PathBuf,

    #[command(flatten)]
    pub(crate) network: Network,

    /// Layers by name, or `all`.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "all")]
    pub(crate) layers: Vec<String>,

    /// A folder for a PNG of each layer and contact-sheet.png; made if it is not there.
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output: PathBuf,

    /// The colours.
    #[arg(long, value_enum, default_value_t = Colours::Viridis)]
    pub(crate) colours: Colours,

    /// Print the share of silent channels of each layer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

const ACTIVATIONS_HELP: &str = "\
Examples:
  pentimento inspect activations cat.jpg --network cats_and_dogs --weights cats.safetensors -o maps/
  pentimento inspect activations cat.jpg -n vgg16 -w vgg16.pth --layers relu1_1,relu5_3 -o maps/";

/// A colour map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colours {
    Viridis,
    Turbo,
    Jet,
}

/// Show what the channels of a layer answer to: pictures made by gradient ascent.
#[derive(Args, Debug)]
#[command(after_help = FILTERS_HELP)]
pub(crate) struct Filters {
    #[command(flatten)]
    pub(crate) network: Network,

    /// The layer. Without it, the network's output: its classes.
    #[arg(long, value_name = "NAME")]
    pub(crate) layer: Option<String>,

    /// Channels, such as 0-63 or 3,17,40-47. Those that the layer does not have are left
    /// out of a range.
    #[arg(long, value_name = "RANGES", default_value = "0-63")]
    pub(crate) channels: String,

    /// Classes by name or number, instead of channels of a layer.
    #[arg(long = "class", value_name = "CLASS", value_delimiter = ',', conflicts_with_all = ["channels", "layer"])]
    pub(crate) classes: Vec<String>,

    /// `vivid` climbs in the Fourier basis through small turns and shifts; `tutorial`
    /// from grey noise.
    #[arg(long, value_enum, default_value_t = Ascent::Vivid)]
    pub(crate) method: Ascent,

    /// What of a channel is to be large: its mean, or the unit in its middle.
    #[arg(long, value_enum, default_value_t = Aim::Channel)]
    pub(crate) aim: Aim,

    /// Side of each picture in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 64)]
    pub(crate) side: usize,

    /// Steps uphill. Without it, 80, or the tutorial's 40.
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<usize>,

    /// Chance draws from this.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// The picture: all patterns, eight a row.
    #[arg(short, long, value_name = "OUT.png", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,

    /// Say nothing but what went wrong.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const FILTERS_HELP: &str = "\
Examples:
  pentimento inspect filters -n vgg16 -w vgg16.pth --layer conv3_1 -o patterns.png
  pentimento inspect filters -n vgg16 -w vgg16.pth --layer relu3_1 --method tutorial -o tutorial.png
  pentimento inspect filters -n efficientnet_lite0 -w lite0.pth --class 'African elephant' --side 128 --steps 200 -o elephant.png";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ascent {
    Vivid,
    Tutorial,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Aim {
    Channel,
    Unit,
}

/// Show where in a picture a network sees a class.
#[derive(Args, Debug)]
#[command(after_help = CAM_HELP)]
pub(crate) struct Cam {
    /// The picture.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) picture: PathBuf,

    #[command(flatten)]
    pub(crate) network: Network,

    /// Classes by name or number; `auto` is the one with the highest score.
    #[arg(long = "class", value_name = "CLASSES", value_delimiter = ',', default_value = "auto")]
    pub(crate) classes: Vec<String>,

    /// The layer to look at. Without it, the last one that still has a picture.
    #[arg(long, value_name = "NAME")]
    pub(crate) layer: Option<String>,

    /// How: tutorial, grad-cam, grad-cam++, hires-cam, layer-cam, xgrad-cam, eigen-cam,
    /// score-cam, ablation-cam, occlusion, integrated-gradients, smooth-grad,
    /// guided-backprop, or several, or `all`.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "grad-cam")]
    pub(crate) method: Vec<String>,

    /// The colours of the heat map.
    #[arg(long, value_enum, default_value_t = Colours::Jet)]
    pub(crate) colours: Colours,

    /// How strongly the heat lies on the picture. Jet is added, as in the tutorial; the
    /// others replace that share.
    #[arg(long, value_name = "0..1", default_value_t = 0.4, value_parser = quantity::share)]
    pub(crate) strength: f32,

    /// A folder, made if it is not there: for each class and method the overlay and the
    /// map alone at the picture's size, and the raw values as .npy; cam.png with all of
    /// them side by side.
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output: PathBuf,

    /// Measure each map: ROAD, insertion and deletion.
    #[arg(long)]
    pub(crate) score: bool,

    /// Print what was found as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

const CAM_HELP: &str = "\
Examples:
  pentimento inspect cam elephant.jpg -n efficientnet_lite0 -w lite0.pth -o cam/
  pentimento inspect cam elephant.jpg -n vgg16 -w vgg16.pth --class 'African elephant,tusker' --method grad-cam,score-cam -o cam/
  pentimento inspect cam elephant.jpg -n vgg16 -w vgg16.pth --method all --score --json -o cam/

Exit status:
  0    every map is drawn
  1    some maps are blank, or hold no numbers: the message says why
  2    a flag, layer, class or size is wrong
  3    the picture cannot be read
  4    the weights cannot be used
  5    the output cannot be written";

/// Show several networks, or several methods, side by side on one picture.
#[derive(Args, Debug)]
#[command(after_help = COMPARE_HELP)]
pub(crate) struct Compare {
    /// The picture.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) picture: PathBuf,

    /// A network, or a network and its weights joined by an equals sign. A row for each.
    #[arg(short, long = "network", value_name = "NETWORK[=FILE]", required = true)]
    pub(crate) networks: Vec<OsString>,

    #[command(flatten)]
    pub(crate) feeding: Feeding,

    /// The class to look for; `auto` is each network's own best.
    #[arg(long, value_name = "CLASS", default_value = "auto")]
    pub(crate) class: String,

    /// Methods as for `inspect cam`. A column for each.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "grad-cam,layer-cam")]
    pub(crate) method: Vec<String>,

    /// The colours of the heat maps.
    #[arg(long, value_enum, default_value_t = Colours::Jet)]
    pub(crate) colours: Colours,

    /// The picture to write.
    #[arg(short, long, value_name = "OUT.png", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}

const COMPARE_HELP: &str = "\
Example:
  pentimento inspect compare elephant.jpg -n efficientnet_lite0=lite0.pth -n resnet50=resnet50.pth --method grad-cam,layer-cam -o both.png";
