//! ONNX: somebody's network as a [`Graph`], with its weights.
//!
//! [`read`] takes a model apart ([`file`]) and writes its nodes down again with our
//! operations (`build`). A node keeps its name, or takes its output's where it has
//! none; parameters are called after their node, `NODE.weight`, as everywhere.
//!
//! | operators | as |
//! |---|---|
//! | `Conv`, `ConvTranspose` | two axes; one stride and dilation for both; any border |
//! | `Gemm`, `MatMul` (and `Add`) by a constant | linear layer |
//! | `BatchNormalization`, `InstanceNormalization` | with their constants |
//! | `Relu`, `LeakyRelu`, `Clip` to 0..6, `Tanh`, `Sigmoid`, `Softmax` | as they are; `x · sigmoid(x)` as two nodes |
//! | `MaxPool`, `AveragePool`, `GlobalAveragePool`, `ReduceMean` over both sides | square windows |
//! | `Resize`, `Upsample` | nearest and linear, to a whole multiple |
//! | `Pad` | constant zero, reflect, edge; less than nothing is a crop |
//! | `Add`, `Sub`, `Mul`, `Div`, `Neg` | of two values, or with a constant for all or for each channel |
//! | `Concat` of channels, `Flatten`, `Reshape` as one, `Dropout`, `Identity`, `Constant` | |
//! | `Shape`, `Gather`, `Unsqueeze`, `Concat`, `Cast` | of shapes, as exporters write a flattening |
//!
//! Everything else is refused with the operator's and the node's name. Values are
//! `[N, C, H, W]`, or `[N, F]` behind a flattening.

mod arithmetic;
mod build;
mod constants;
mod file;
mod layers;
mod settings;
mod shapes;
mod tensor_proto;
mod windows;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use graph::Graph;

use crate::checkpoint::{Entry, Listing, Reader};
use crate::source::Source;
use crate::{Format, Limits, StateDict, WeightsError};

/// The operators on data that are read, with the settings that this module lists.
pub const OPERATORS: [&str; 34] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "ConvTranspose",
    "Div",
    "Dropout",
    "Flatten",
    "Gemm",
    "GlobalAveragePool",
    "Identity",
    "InstanceNormalization",
    "LeakyRelu",
    "MatMul",
    "MaxPool",
    "Mul",
    "Neg",
    "Pad",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Resize",
    "Shape",
    "Sigmoid",
    "Softmax",
    "Squeeze",
    "Sub",
    "Tanh",
    "Unsqueeze",
    "Upsample",
];

/// An ONNX model that this crate can write down.
#[derive(Clone, Debug)]
pub struct Model {
    /// What it computes.
    pub graph: Graph,
    /// Its weights, under the names of the graph's parameters.
    pub weights: StateDict,
    /// Each input's `[N, C, H, W]`, where the model fixes them.
    pub inputs: Vec<[Option<usize>; 4]>,
    /// Who exported it, and what it says of itself.
    pub metadata: BTreeMap<String, String>,
}

/// Reads a model. Weights in another file are read if that lies beside it.
///
/// # Errors
///
/// If the file is damaged or goes over `limits`, has an operator that is not on the list
/// above, or has its weights in a file that is not beside it.
pub fn read(path: &Path, limits: &Limits) -> Result<Model, WeightsError> {
    let mut source = Source::file(File::open(path)?)?;
    let bytes = whole(&mut source, limits)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let beside = |name: &str, range| beside(folder, name, range, limits);
    build::model(&bytes, &beside, limits)
}

/// [`read`] from memory, with all weights in it.
///
/// # Errors
///
/// As [`read`].
pub fn read_bytes(bytes: &[u8], limits: &Limits) -> Result<Model, WeightsError> {
    build::model(bytes, &alone, limits)
}

/// The bytes of a range (offset, length) of a file beside the model.
type Beside<'b> = &'b dyn Fn(&str, (u64, Option<u64>)) -> Result<Vec<u8>, WeightsError>;

fn alone(name: &str, _: (u64, Option<u64>)) -> Result<Vec<u8>, WeightsError> {
    Err(unsupported(format!("weights in another file, {name:?}")))
}

/// Reads a range of a plain file in the model's own folder.
fn beside(
    folder: &Path,
    name: &str,
    (offset, length): (u64, Option<u64>),
    limits: &Limits,
) -> Result<Vec<u8>, WeightsError> {
    let is_plain = !name.is_empty() && !name.contains(['/', '\\', ':']) && !name.starts_with('.');
    if !is_plain {
        return Err(unsupported(format!("weights in a file that is not beside it, {name:?}")));
    }
    let path = folder.join(name);
    if !path.symlink_metadata()?.is_file() {
        return Err(unsupported(format!("weights in what is no plain file, {name:?}")));
    }
    let mut source = Source::file(File::open(path)?)?;
    let left = source.len().saturating_sub(offset);
    source.read_at(offset, length.unwrap_or(left), (Format::Onnx, limits.bytes))
}

/// The whole of a file, which holds weights and a little beside them.
fn whole(source: &mut Source<'_>, limits: &Limits) -> Result<Vec<u8>, WeightsError> {
    let limit = limits.bytes.saturating_add(limits.header);
    if source.len() > limit {
        return Err(WeightsError::TooLarge { need: source.len(), limit });
    }
    source.seek(SeekFrom::Start(0))?;
    let mut bytes = vec![];
    source.by_ref().take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a file begins as a model does: with its IR version, which all writers put first.
pub(crate) fn looks_like(head: &[u8]) -> bool {
    matches!(head, [0x08, 1..=32, tag, ..] if matches!(tag, 0x12 | 0x1a | 0x22 | 0x2a | 0x32 | 0x3a | 0x42))
}

/// A model's tensors under their own names, whatever its operators are.
pub(crate) struct Onnx {
    bytes: Vec<u8>,
    listing: Listing,
}

impl Onnx {
    pub(crate) fn open(mut source: Source<'_>, limits: &Limits) -> Result<Self, WeightsError> {
        let bytes = whole(&mut source, limits)?;
        let mut listing = Listing::default();
        let model = file::Model::parse(&bytes, limits)?;
        for tensor in &model.tensors {
            let (name, shape) = (tensor.name.to_owned(), tensor.shape.clone());
            listing.add(Entry { name, shape, dtype: tensor.dtype()? }, limits)?;
        }
        let about = [("producer", &model.producer), ("opset", &model.opset.to_string())];
        for (key, text) in about {
            listing.describe(key, text.clone(), limits)?;
        }
        let operators: Vec<&str> = model.nodes.iter().map(|node| node.op).collect();
        listing.describe("operators", counted(operators), limits)?;
        for (key, text) in model.metadata {
            listing.describe(&key, text, limits)?;
        }
        Ok(Self { bytes, listing })
    }
}

/// `Conv 13, Relu 13`: each name once, with its number.
fn counted(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    let runs = names.chunk_by(|a, b| a == b);
    runs.map(|run| format!("{} {}", run[0], run.len())).collect::<Vec<_>>().join(", ")
}

impl Reader for Onnx {
    fn listing(&self) -> &Listing {
        &self.listing
    }

    fn load(&mut self, limits: &Limits) -> Result<StateDict, WeightsError> {
        let mut dict = StateDict::new();
        for tensor in file::Model::parse(&self.bytes, limits)?.tensors {
            if tensor.external.is_some() {
                return Err(unsupported(format!("{:?} in another file", tensor.name)));
            }
            let values = tensor::Tensor::new(tensor.shape.clone(), tensor.values(None)?);
            if dict.insert(tensor.name.to_owned(), values).is_some() {
                return Err(corrupt(format!("there are two tensors called {:?}", tensor.name)));
            }
        }
        Ok(dict)
    }
}

fn corrupt(what: impl Into<String>) -> WeightsError {
    WeightsError::corrupt(Format::Onnx, 0, what)
}

fn unsupported(what: impl Into<String>) -> WeightsError {
    WeightsError::unsupported(Format::Onnx, what)
}
