//! Weights to begin with.

use std::path::Path;

use graph::Graph;
use tensor::Tensor;
use weights::{Limits, StateDict};

use crate::TrainError;
use crate::run::Initial;

/// What a network's weights are before the first step.
#[derive(Clone, Debug)]
pub enum Start {
    /// Random ones, as the network's authors draw them.
    Random,
    /// These, where the network has such a parameter of that shape, and random ones elsewhere.
    Partly {
        /// What they are called.
        name: String,
        /// The weights.
        tensors: StateDict,
    },
}

/// A layer that answers begins with this much of its weights, so that at first all answers
/// are about as likely as each other.
const FIRST_ANSWER: f32 = 0.01;

impl Start {
    /// What it is called in a card.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Random => "random weights",
            Self::Partly { name, .. } => name,
        }
    }

    /// The weights of an `EfficientNet-Lite0` in a file, or of a `colorizer`, to begin with.
    ///
    /// # Errors
    ///
    /// [`TrainError::Weights`] if the file cannot be read, [`TrainError::WrongStart`]
    /// if it is of neither.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let read = weights::read(path, &Limits::default()).map_err(TrainError::weights(path))?;
        let name = path.display().to_string();
        let tensors = if read.tensors.contains_key(ANSWER) {
            Some(read.tensors)
        } else {
            from_efficientnet(&read.tensors)
        };
        let tensors = tensors.ok_or_else(|| TrainError::WrongStart {
            name: name.clone(),
            want: "colorizer, or the efficientnet_lite0 that it begins with".to_owned(),
            got: "another network".to_owned(),
        })?;
        Ok(Self::Partly { name, tensors })
    }

    /// A tensor for every parameter.
    pub(super) fn weights(&self, graph: &Graph, (initial, seed): (Initial, u64)) -> StateDict {
        let mut dict = initial.draw(graph, seed);
        if let Some(answer) = dict.get_mut(ANSWER) {
            answer.data_mut().iter_mut().for_each(|x| *x *= FIRST_ANSWER);
        }
        if let Self::Partly { tensors, .. } = self {
            for (name, drawn) in &mut dict {
                if let Some(given) = tensors.get(name).filter(|t| t.shape() == drawn.shape()) {
                    drawn.clone_from(given);
                }
            }
        }
        dict
    }
}

/// The kernel of a `colorizer`'s last layer.
const ANSWER: &str = "colours.weight";

/// An `EfficientNet-Lite0`'s encoder as a `colorizer` begins with it: batch norms
/// multiplied into the convolutions before them, and a stem that takes lightness
/// for all three colours and has hints of no effect yet.
///
/// The stem's lightness, `(L − 50) / 50`, differs from the classifier's
/// `(x − 127) / 128` of a grey by at most 0.07.
///
/// Nothing, if a tensor is missing or has another shape.
pub fn from_efficientnet(classifier: &StateDict) -> Option<StateDict> {
    let mut encoder = StateDict::new();
    for (name, kernel) in classifier {
        let Some(layer) = name.strip_suffix(".weight").filter(|_| kernel.shape().len() == 4) else {
            continue;
        };
        let (block, conv) = layer.rsplit_once('.').map_or(("", layer), |(b, c)| (b, c));
        let norm = match conv {
            "_conv_stem" | "_expand_conv" => "_bn0",
            "_depthwise_conv" => "_bn1",
            "_project_conv" => "_bn2",
            _ => continue,
        };
        let norm = if block.is_empty() { norm.to_owned() } else { format!("{block}.{norm}") };
        let (kernel, bias) = folded(kernel, &norm, classifier)?;
        let kernel = if conv == "_conv_stem" { of_lightness(&kernel) } else { kernel };
        encoder.insert(format!("{layer}.weight"), kernel);
        encoder.insert(format!("{layer}.bias"), bias);
    }
    (!encoder.is_empty()).then_some(encoder)
}

/// A kernel times its norm's gain, and the bias that is left.
fn folded(kernel: &Tensor, norm: &str, from: &StateDict) -> Option<(Tensor, Tensor)> {
    const EPS: f32 = 1e-3;
    let out = kernel.shape()[0];
    let part = |name: &str| {
        from.get(&format!("{norm}.{name}")).map(Tensor::data).filter(|data| data.len() == out)
    };
    let (gain, shift) = (part("weight")?, part("bias")?);
    let (mean, variance) = (part("running_mean")?, part("running_var")?);
    let factors: Vec<f32> = gain.iter().zip(variance).map(|(g, v)| g / (v + EPS).sqrt()).collect();
    let each = kernel.data().len() / out;
    let scaled =
        kernel.data().chunks(each).zip(&factors).flat_map(|(k, f)| k.iter().map(move |x| x * f));
    let kernel = Tensor::new(kernel.shape().to_vec(), scaled.collect());
    let bias = (0..out).map(|c| shift[c] - mean[c] * factors[c]).collect();
    Some((kernel, Tensor::new([out], bias)))
}

/// A stem for lightness and hints.
fn of_lightness(kernel: &Tensor) -> Tensor {
    let [out, colours, h, w] = kernel.shape4();
    let inputs = nets::colorizer::INPUTS;
    let mut data = vec![0.0; out * inputs * h * w];
    for (to, from) in data.chunks_mut(inputs * h * w).zip(kernel.data().chunks(colours * h * w)) {
        for (i, &value) in from.iter().enumerate() {
            to[i % (h * w)] += value;
        }
    }
    Tensor::new([out, inputs, h, w], data)
}

#[cfg(test)]
mod tests {
    use cpu::{Network, Plan, Session};
    use weights::Weights;

    use super::*;

    /// Random but harmless: norms' variances are positive.
    fn classifier() -> StateDict {
        let graph = nets::efficientnet_lite0::graph(nets::efficientnet_lite0::Config::default());
        let mut dict = Initial::He.draw(&graph, 5);
        for (i, (name, tensor)) in dict.iter_mut().enumerate() {
            let norm = ["_bn", ".running", ".bias"].iter().any(|part| name.contains(part));
            if norm && tensor.shape().len() == 1 {
                let value = |c: usize| 0.75 + 0.5 * (((c * 7 + i * 3) % 11) as f32 / 11.0);
                *tensor = Tensor::new(
                    [tensor.data().len()],
                    (0..tensor.data().len()).map(value).collect(),
                );
            }
        }
        dict
    }

    fn last_features(graph: &Graph, dict: StateDict, x: &Tensor) -> Tensor {
        let weights = Weights::bind(graph, dict).unwrap();
        let tap = graph.find("blocks.15").unwrap();
        let plan =
            Plan::new(&Network::new(graph, &weights).unwrap(), &[x.shape4()], &[tap]).unwrap();
        Session::new(plan).run(&[x]).taps.remove(0)
    }

    #[test]
    fn the_encoder_sees_in_lightness_what_the_classifier_sees_in_grey() {
        let dict = classifier();
        let grey: Vec<f32> = (0..64 * 64).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
        let net = nets::efficientnet_lite0::graph(nets::efficientnet_lite0::Config::default());
        let want = last_features(&net, dict.clone(), &Tensor::new([1, 3, 64, 64], grey.repeat(3)));
        let graph = nets::colorizer::graph(nets::colorizer::Config::default());
        let start =
            Start::Partly { name: "test".into(), tensors: from_efficientnet(&dict).unwrap() };
        let mut input = grey;
        input.resize(4 * 64 * 64, 0.0);
        let weights = start.weights(&graph, (Initial::He, 0));
        let got = last_features(&graph, weights, &Tensor::new([1, 4, 64, 64], input));
        let most = want.data().iter().fold(0.0f32, |m, v| m.max(v.abs()));
        for (got, want) in got.data().iter().zip(want.data()) {
            // Forty-seven layers deep, each rounding once more than the other's.
            assert!((got - want).abs() <= 50.0 * 16.0 * f32::EPSILON * most, "{got}, not {want}");
        }
    }

    #[test]
    fn another_network_is_refused() {
        assert!(from_efficientnet(&StateDict::new()).is_none());
    }
}
