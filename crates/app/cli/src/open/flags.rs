//! How a network is fed, where its file does not say so.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use pentimento::graph::Encoding;
use pentimento::nets::efficientnet_lite0;

/// How a network is fed, and what its classes are called.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Feeding {
    /// The numbers that the network wants its picture in. Without it, those that its
    /// file or its kind is known for; ONNX models do not say, and get imagenet.
    #[arg(long, value_enum, value_name = "NUMBERS")]
    pub(crate) encoding: Option<Numbers>,

    /// The names of its classes, one a line, in order. Without it, those in its file; or
    /// ImageNet's, if there are a thousand.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) class_names: Option<PathBuf>,
}

/// Numbers for a picture's red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Numbers {
    /// 0 to 1, less ImageNet's mean, divided by its deviation: torchvision's.
    Imagenet,
    /// 0 to 1.
    Unit,
    /// 0 to 255.
    Bytes,
    /// -1 to 1.
    Centred,
    /// (0 to 255, less 127) / 128: EfficientNet-Lite's.
    Lite,
    /// 0 to 255, blue first, less their means: Caffe's, and Keras's for VGG.
    Caffe,
}

impl From<Numbers> for Encoding {
    fn from(numbers: Numbers) -> Self {
        match numbers {
            Numbers::Imagenet => Self::IMAGENET,
            Numbers::Unit => Self::UNIT,
            Numbers::Bytes => Self::BYTES,
            Numbers::Centred => Self::CENTRED,
            Numbers::Lite => efficientnet_lite0::ENCODING,
            Numbers::Caffe => Self::CAFFE,
        }
    }
}
