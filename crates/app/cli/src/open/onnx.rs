//! Anybody's network, as an ONNX model.

use std::path::Path;

use pentimento::graph::Encoding;
use pentimento::insight::{class_count, usual_size};
use pentimento::nets::{Classes, Classifier, Fit, Net};
use pentimento::weights::onnx::{self, Model};
use pentimento::weights::{self, Format, Limits, Weights};

use super::flags::Feeding;
use super::{Opened, unreadable};
use crate::progress::say;

/// What there is to say of a model that was given as a network's weights, and does not fit it.
pub(super) const NOT_WEIGHTS: &str = "an ONNX model is a network of its own, whose tensors seldom \
     keep their names: give it in the network's place, without --weights";

/// Whether a file is a model, told by its content.
pub(super) fn is_one(path: &Path) -> anyhow::Result<bool> {
    let found = weights::inspect(path, &Limits::default()).map_err(|e| unreadable(path, e))?;
    Ok(found.format == Format::Onnx)
}

/// The network in a model.
pub(super) fn net(path: &Path) -> anyhow::Result<Net> {
    Ok(described(read(path)?).0)
}

/// The network in a model, with its weights.
pub(super) fn open(path: &Path, feeding: &Feeding) -> anyhow::Result<Opened> {
    let mut model = read(path)?;
    let tensors = std::mem::take(&mut model.weights);
    let (net, size) = described(model);
    let weights = Weights::bind(&net.graph, tensors).map_err(|e| unreadable(path, e.into()))?;
    if feeding.encoding.is_none() {
        let path = path.display();
        say(&format!("{path} does not say how it is fed: taken as --encoding imagenet"));
    }
    Ok(Opened { net, weights, classes: vec![], size })
}

/// A model, called as its file: exporters call every one `main_graph`.
fn read(path: &Path) -> anyhow::Result<Model> {
    let model = onnx::read(path, &Limits::default()).map_err(|e| unreadable(path, e))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Model { graph: model.graph.called(&name), ..model })
}

/// The network, fed as torchvision's are until somebody says otherwise, and the size of its
/// pictures if it has but one, which is no square.
fn described(model: Model) -> (Net, Option<[usize; 2]>) {
    let Model { graph, inputs, .. } = model;
    let fixed = match inputs[..] {
        [[_, _, Some(height), Some(width)]] => Some([height, width]),
        _ => None,
    };
    let shown = fixed.unwrap_or_else(|| usual_size(&graph));
    let size = fixed.filter(|[height, width]| height != width);
    let classifier = class_count(&graph, shown).map(|classes| Classifier {
        size: shown[0],
        // A border of 1/8 falls away, as in torchvision's recipes.
        fit: Fit::Centre { shorter: shown[0] * 8 / 7 },
        classes: Classes::of_imagenet(classes),
    });
    (Net { graph, input: Encoding::IMAGENET, output: None, classifier }, size)
}
