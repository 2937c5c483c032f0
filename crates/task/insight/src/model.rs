//! A network to look into, with its weights and what it wants to see.

use cpu::Network;
use graph::{ChannelOrder, Encoding, Graph, NodeId, Op, Shape4, ShapeError};
use imaging::{Filter, Fit, Picture, resize_tensor};
use tensor::Tensor;
use weights::Weights;

use crate::InsightError;
use crate::near::near;

/// A network with weights, and how it is fed.
#[derive(Clone, Debug)]
pub struct Model {
    network: Network,
    weights: Weights,
    input: Encoding,
    size: Option<[usize; 2]>,
    classes: Vec<String>,
}

/// The side that classifiers of `ImageNet` are trained on, for a network that takes any.
const USUAL: usize = 224;
/// No published network wants its picture larger than this.
const LARGEST: usize = 640;

impl Model {
    /// A network that takes one colour picture.
    ///
    /// # Errors
    ///
    /// If it takes anything else, or the weights are another graph's.
    pub fn new(graph: &Graph, weights: &Weights, input: Encoding) -> Result<Self, InsightError> {
        let channels = |id: &NodeId| match graph.node(*id).op {
            Op::Input { channels } => channels,
            _ => 0,
        };
        if graph.inputs().len() != 1 || channels(&graph.inputs()[0]) != 3 {
            let each: Vec<String> =
                graph.inputs().iter().map(|i| format!("{} channels", channels(i))).collect();
            let (network, takes) = (graph.name().to_owned(), each.join(" and "));
            return Err(InsightError::Input { network, takes });
        }
        let network = Network::new(graph, weights)?;
        Ok(Self { network, weights: weights.clone(), input, size: None, classes: vec![] })
    }

    /// A network of the registry, with the size and the classes that it knows of.
    ///
    /// # Errors
    ///
    /// As [`Model::new`].
    pub fn of(net: &nets::Net, weights: &Weights) -> Result<Self, InsightError> {
        let model = Self::new(&net.graph, weights, net.input)?;
        let Some(classifier) = net.classifier else { return Ok(model) };
        let name = |i: usize| classifier.classes.get(i).map(|class| class.name.replace('_', " "));
        let classes = (0..classifier.classes.count()).map_while(name).collect();
        Ok(model.with_size([classifier.size; 2]).with_classes(classes))
    }

    /// The same, with names for its classes.
    #[must_use]
    pub fn with_classes(self, classes: Vec<String>) -> Self {
        Self { classes, ..self }
    }

    /// The same, for pictures of `[height, width]` where nothing else is said.
    #[must_use]
    pub fn with_size(self, size: [usize; 2]) -> Self {
        Self { size: Some(size), ..self }
    }

    /// What it computes.
    pub fn graph(&self) -> &Graph {
        self.network.graph()
    }

    /// The numbers that it wants its picture in.
    pub fn encoding(&self) -> &Encoding {
        &self.input
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The part of the weights that a part of the graph takes, by their names.
    pub(crate) fn part(&self, part: &Graph) -> Result<Network, InsightError> {
        let params = self.graph().params().iter().zip(self.weights.tensors());
        let wanted = |name: &str| part.params().iter().any(|p| p.name == name);
        let some = params.filter(|(p, _)| wanted(&p.name));
        let some = some.map(|(p, tensor)| (p.name.clone(), tensor.clone())).collect();
        Ok(Network::new(part, &Weights::bind(part, some)?)?)
    }

    /// The layer of that name.
    ///
    /// # Errors
    ///
    /// [`InsightError::UnknownLayer`] with the layers of similar names.
    pub fn layer(&self, name: &str) -> Result<NodeId, InsightError> {
        self.graph().find(name).ok_or_else(|| InsightError::UnknownLayer {
            network: self.graph().name().to_owned(),
            name: name.to_owned(),
            near: near(name, self.graph().nodes().iter().map(|n| n.name.as_str())),
        })
    }

    /// A layer's name.
    ///
    /// # Panics
    ///
    /// If the node is of another graph and out of range.
    pub fn layer_name(&self, id: NodeId) -> &str {
        &self.graph().node(id).name
    }

    /// How many classes the network tells apart: channels of its output, or 2 if it
    /// is one, which speaks for the second.
    pub fn class_count(&self) -> usize {
        outputs(self.graph(), self.usual_size()).map_or(0, |[_, channels, _, _]| classes(channels))
    }

    /// The class of that name or number.
    ///
    /// # Errors
    ///
    /// [`InsightError::UnknownClass`] with the classes of similar names.
    pub fn class(&self, wanted: &str) -> Result<usize, InsightError> {
        let count = self.class_count();
        let same = |name: &String| same_words(name, wanted);
        // As a class without a name is called, too.
        let number = wanted.strip_prefix("class ").unwrap_or(wanted);
        let number = number.parse().ok().filter(|&n: &usize| n < count);
        number.or_else(|| self.classes.iter().position(same)).ok_or_else(|| {
            InsightError::UnknownClass {
                network: self.graph().name().to_owned(),
                name: wanted.to_owned(),
                count,
                near: near(wanted, self.classes.iter().map(String::as_str)),
            }
        })
    }

    /// A class in words.
    pub fn class_name(&self, class: usize) -> String {
        self.classes.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
    }

    /// The size that pictures are brought to, `[height, width]`, where nothing else
    /// is said: what was set, the one size that the network takes, or 224 a side.
    pub fn usual_size(&self) -> [usize; 2] {
        self.size.unwrap_or_else(|| usual_size(self.graph()))
    }

    /// The shapes of all layers for a picture of this size.
    ///
    /// # Errors
    ///
    /// If the size does not go with the network, saying which does.
    pub fn shapes(&self, size: [usize; 2]) -> Result<Vec<Shape4>, InsightError> {
        let network = || self.graph().name().to_owned();
        let [height, width] = size;
        let takes = |side: usize| self.graph().shapes(&[shape([side; 2])]);
        self.graph().shapes(&[shape(size)]).map_err(|error| match error {
            ShapeError::TooSmall { .. } => (1..=LARGEST)
                .find(|&side| takes(side).is_ok())
                .map(|least| InsightError::TooSmall { network: network(), height, width, least })
                .unwrap_or(InsightError::Shape(error)),
            ShapeError::Features { .. } => match self.size.or_else(|| only_size(self.graph())) {
                Some([want, _]) => {
                    InsightError::OneSize { network: network(), want, height, width }
                }
                None => InsightError::Shape(error),
            },
            error => InsightError::Shape(error),
        })
    }

    /// A picture in the network's numbers, `[1, 3, height, width]`. Without a size,
    /// a classifier gets its own, squashed to a square as Keras's `load_img` does it,
    /// and any other network the picture with its shorter side at 224.
    ///
    /// # Errors
    ///
    /// As [`Model::shapes`].
    pub fn see(&self, picture: &Picture, size: Option<[usize; 2]>) -> Result<Tensor, InsightError> {
        let size = size.unwrap_or_else(|| {
            if self.size.is_some() || self.is_classifier() {
                self.usual_size()
            } else {
                Fit::Short(USUAL).size(picture.size())
            }
        });
        self.shapes(size)?;
        let rgb = resize_tensor(&picture.to_rgb_tensor(), size, Filter::CatmullRom);
        Ok(self.encoded(&rgb))
    }

    /// Whether the output is one value a class.
    pub fn is_classifier(&self) -> bool {
        class_count(self.graph(), self.usual_size()).is_some()
    }

    /// `[N, 3, H, W]` sRGB in 0..=1 in the network's numbers.
    pub fn encoded(&self, rgb: &Tensor) -> Tensor {
        let Encoding { scale, mean, std, .. } = self.input;
        self.turned(rgb, |[_, to], v| (v * scale - mean[to]) / std[to])
    }

    /// The other way round.
    pub fn decoded(&self, seen: &Tensor) -> Tensor {
        let Encoding { scale, mean, std, .. } = self.input;
        self.turned(seen, |[from, _], v| (v * std[from] + mean[from]) / scale)
    }

    /// A gradient by the network's numbers in the order red, green, blue.
    pub(crate) fn in_picture_order(&self, gradient: &Tensor) -> Tensor {
        self.turned(gradient, |_, g| g)
    }

    /// A gradient by the network's numbers as one by values in 0..=1: the adjoint of
    /// [`Model::encoded`].
    pub(crate) fn by_picture(&self, gradient: &Tensor) -> Tensor {
        let Encoding { scale, std, .. } = self.input;
        self.turned(gradient, |[from, _], g| g * scale / std[from])
    }

    /// A function of each value, its channel before and its channel after the turn
    /// between red, green, blue and the network's order.
    fn turned(&self, x: &Tensor, value: impl Fn([usize; 2], f32) -> f32) -> Tensor {
        let [_, _, h, w] = x.shape4();
        let mut out = Tensor::zeros(x.shape());
        for (index, plane) in out.data_mut().chunks_exact_mut(h * w).enumerate() {
            let (image, to) = (index / 3, index % 3);
            let from = if self.input.order == ChannelOrder::Bgr { 2 - to } else { to };
            let values = &x.data()[(image * 3 + from) * h * w..][..h * w];
            plane.iter_mut().zip(values).for_each(|(out, &v)| *out = value([from, to], v));
        }
        out
    }
}

/// The size of pictures for a network that says nothing of it, `[height, width]`: the one
/// that it takes, or 224 a side.
pub fn usual_size(graph: &Graph) -> [usize; 2] {
    only_size(graph).unwrap_or([USUAL; 2])
}

/// How many classes a network tells apart, if it gives one value a class for a colour
/// picture of this size. A single value speaks for the second of two.
pub fn class_count(graph: &Graph, size: [usize; 2]) -> Option<usize> {
    match outputs(graph, size)? {
        [_, channels, 1, 1] => Some(classes(channels)),
        _ => None,
    }
}

fn classes(channels: usize) -> usize {
    if channels == 1 { 2 } else { channels }
}

/// The shape of what a network gives for a colour picture, if it takes it.
fn outputs(graph: &Graph, size: [usize; 2]) -> Option<Shape4> {
    graph.shapes(&[shape(size)]).ok().map(|shapes| shapes[graph.output().index()])
}

/// The size of square pictures that the network takes, if it takes but one.
fn only_size(graph: &Graph) -> Option<[usize; 2]> {
    let takes = |side: usize| graph.shapes(&[shape([side; 2])]);
    match takes(USUAL) {
        Err(ShapeError::Features { .. }) => {
            (1..=LARGEST).rev().find(|&side| takes(side).is_ok()).map(|side| [side; 2])
        }
        _ => None,
    }
}

/// Of one picture.
fn shape([height, width]: [usize; 2]) -> Shape4 {
    [1, 3, height, width]
}

/// Whether two names are equal but for case, underscores and spaces.
fn same_words(a: &str, b: &str) -> bool {
    let plain = |s: &str| s.to_lowercase().replace(['_', '-'], " ");
    plain(a) == plain(b)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use graph::{Builder, Conv, PadMode, Pool, PoolKind};

    /// Two convolutions, a pooling, and a dense layer over what is left of 16×16 pixels.
    pub(crate) fn tiny(classes: usize) -> Model {
        let mut g = Builder::new("tiny");
        let x = g.input("rgb", 3);
        let x = g.conv("conv1", x, Conv::same(8, 3, PadMode::Zero));
        let x = g.relu(x);
        let x = g.tap(x, "relu1");
        let x = g.pool("pool1", x, Pool::new(PoolKind::Max, 2));
        let x = g.conv("conv2", x, Conv::same(6, 3, PadMode::Zero));
        let x = g.relu(x);
        let x = g.tap(x, "relu2");
        let x = g.pool("pool2", x, Pool::new(PoolKind::Max, 2));
        let x = g.flatten(x);
        let x = g.linear("dense", x, 6 * 16, classes);
        let graph = g.finish(x);
        let weights = testing::random_weights(&graph, 5);
        let weights = Weights::bind(&graph, weights).unwrap();
        Model::new(&graph, &weights, Encoding::IMAGENET).unwrap()
    }

    #[test]
    fn finds_the_one_size_that_goes() {
        let model = tiny(4);
        assert_eq!(model.usual_size(), [19, 19]); // the largest of 16..=19, all pooled to 4
        assert!(model.is_classifier());
        let message = model.shapes([3, 3]).unwrap_err().to_string();
        assert_eq!(
            message,
            "3×3 pixels are too few for tiny: a square has to have at least 16 a side"
        );
        let message = model.shapes([64, 64]).unwrap_err().to_string();
        assert_eq!(message, "tiny takes pictures of 19 pixels a side, not 64×64");
    }

    #[test]
    fn unknown_layers_and_classes_name_the_nearest() {
        let model = tiny(3).with_classes(vec!["tabby_cat".into(), "dog".into(), "cow".into()]);
        let message = model.layer("relu_2").unwrap_err().to_string();
        assert!(message.starts_with("tiny has no layer \"relu_2\"; is it relu2"), "{message}");
        assert_eq!(model.class("Tabby cat").unwrap(), 0);
        assert_eq!(model.class("2").unwrap(), 2);
        assert_eq!(model.class("class 1").unwrap(), 1);
        let message = model.class("tabby").unwrap_err().to_string();
        assert_eq!(message, "tiny has no class \"tabby\": it has 3, from 0 on; is it tabby_cat?");
        assert!(model.class("3").is_err());
    }

    #[test]
    fn encoding_goes_there_and_back_in_either_order() {
        let rgb = testing::Random::new(1).tensor(&[1, 3, 2, 2], 0.5);
        let mut model = tiny(2);
        model.input = Encoding {
            order: ChannelOrder::Bgr,
            scale: 255.0,
            mean: [103.939, 116.779, 123.68],
            std: [1.0; 3],
        };
        let seen = model.encoded(&rgb);
        assert!((seen.data()[0] - (rgb.data()[8] * 255.0 - 103.939)).abs() < 1e-4);
        let back = model.decoded(&seen);
        testing::check_close(back.data(), rgb.data(), testing::TAP).unwrap();
    }
}
