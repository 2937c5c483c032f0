//! A network that colours, its weights, and how it is asked and answers.

use std::ffi::OsStr;
use std::path::Path;

use cpu::{Network, Plan, Session};
use graph::{Encoding, Graph, Op, Shape4};
use imaging::colour::{BINS, ab_bins, annealed_mean};
use imaging::{Filter, resize_tensor};
use tensor::Tensor;
use weights::{Checkpoint, Limits, NetworkCard};

use crate::PipelineError;
use crate::error::unreadable;
use crate::recognise::by_shapes;
use crate::shipped::COLORIZER;

/// The name of the network that ships.
const NAME: &str = "colorizer";

/// What ab is divided by in networks that give it as numbers of −1 to 1.
const AB_RANGE: f32 = 128.0;

/// How a network is asked and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lightness and hints in, a distribution over ab bins out.
    Bins,
    /// Lightness in, ab out.
    Regression,
    /// Lightness and what a classifier sees in the picture in, ab out.
    Fused,
}

/// Classes that a [`Kind::Fused`] network is told about.
const CLASSES: usize = 1000;

/// A side on which every network that colours can be tried.
const TRIAL: usize = 64;

impl Kind {
    fn of(graph: &Graph) -> Option<Self> {
        let gives = |inputs: &[Shape4]| {
            let shapes = graph.shapes(inputs).ok()?;
            Some(shapes[graph.output().index()])
        };
        let lightness = [1, 1, TRIAL, TRIAL];
        let same = Some([1, 2, TRIAL, TRIAL]);
        match graph.inputs() {
            [_] if gives(&[lightness]) == same => Some(Self::Regression),
            [_] => {
                let [1, BINS, height, width] = gives(&[[1, 4, TRIAL, TRIAL]])? else { return None };
                (height == width).then_some(Self::Bins)
            }
            [_, _] if gives(&[lightness, [1, CLASSES, 1, 1]]) == same => Some(Self::Fused),
            _ => None,
        }
    }
}

/// A classifier that says what a picture shows.
#[derive(Debug)]
struct Classifier {
    network: Network,
    encoding: Encoding,
    side: usize,
}

/// A network that colours pictures.
#[derive(Debug)]
pub struct ColorModel {
    name: String,
    card: NetworkCard,
    pub(crate) kind: Kind,
    pub(crate) network: Network,
    classifier: Option<Classifier>,
}

impl ColorModel {
    /// The network that ships.
    ///
    /// # Errors
    ///
    /// [`PipelineError::NoColorizer`] if none ships with this version.
    pub fn shipped() -> Result<Self, PipelineError> {
        Self::from_bytes(NAME, COLORIZER.ok_or(PipelineError::NoColorizer)?)
    }

    /// Whether one ships with this version.
    pub fn ships() -> bool {
        COLORIZER.is_some()
    }

    /// The network in that file, or the one that ships, if it is called so.
    ///
    /// # Errors
    ///
    /// As [`ColorModel::from_file`] and [`ColorModel::shipped`], and
    /// [`PipelineError::UnknownColorizer`] if there is no such file.
    pub fn open(name_or_file: impl AsRef<OsStr>) -> Result<Self, PipelineError> {
        let wanted = name_or_file.as_ref();
        let path = Path::new(wanted);
        match path.exists() {
            true => Self::from_file(path),
            false if wanted == NAME => Self::shipped(),
            false => {
                Err(PipelineError::UnknownColorizer { name: wanted.to_string_lossy().into_owned() })
            }
        }
    }

    /// The network in a file of weights that says which network it is for.
    ///
    /// # Errors
    ///
    /// - [`PipelineError::Weights`] if the file cannot be read, is damaged, or does
    ///   not fit the network it is for.
    /// - [`PipelineError::NotAColorizer`] if it is of another kind of network.
    pub fn from_file(path: &Path) -> Result<Self, PipelineError> {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let checkpoint = weights::read(path, &Limits::default());
        let checkpoint = checkpoint.map_err(|source| unreadable(path, source))?;
        Self::from_checkpoint(name, path, checkpoint)
    }

    /// The network in the bytes of such a file, by a name of the caller's choice.
    ///
    /// # Errors
    ///
    /// As [`ColorModel::from_file`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, PipelineError> {
        let path = Path::new(name);
        let checkpoint = weights::read_bytes(bytes, &Limits::default());
        let checkpoint = checkpoint.map_err(|source| unreadable(path, source))?;
        Self::from_checkpoint(name.to_owned(), path, checkpoint)
    }

    fn from_checkpoint(
        name: String,
        path: &Path,
        Checkpoint { tensors, metadata, .. }: Checkpoint,
    ) -> Result<Self, PipelineError> {
        let refuse = |what: String| PipelineError::NotAColorizer { path: path.to_owned(), what };
        let card = NetworkCard::if_told(&metadata).map_err(|e| unreadable(path, e))?;
        let Some(card) = card else {
            let style = by_shapes(tensors.iter().map(|(n, t)| (n.as_str(), t.shape())));
            return Err(refuse(style.map_or_else(
                || {
                    "does not say which network it is of: `pentimento train` writes files that do"
                        .into()
                },
                |style| another(&style.network),
            )));
        };
        let net = nets::by_name(&card.network, &card.config.to_string())
            .map_err(|e| refuse(e.to_string()))?;
        let kind = Kind::of(&net.graph).ok_or_else(|| refuse(another(&card.network)))?;
        let weights = weights::fit(&net.graph, tensors).map_err(|e| unreadable(path, e))?;
        let network = Network::new(&net.graph, &weights)?;
        Ok(Self { name, card, kind, network, classifier: None })
    }

    /// The same with a classifier, whose 1000 classes of `ImageNet` a network that was trained
    /// with one is told: a file that says which network it is for, or an
    /// `EfficientNet-Lite0` of the package `efficientnet_lite_pytorch`.
    ///
    /// # Errors
    ///
    /// As [`ColorModel::from_file`].
    pub fn with_classifier(self, path: &Path) -> Result<Self, PipelineError> {
        let refuse = |what: String| PipelineError::NotAColorizer { path: path.to_owned(), what };
        let read = weights::read(path, &Limits::default()).map_err(|e| unreadable(path, e))?;
        let card = NetworkCard::if_told(&read.metadata).map_err(|e| unreadable(path, e))?;
        let (network, config) = card.map_or_else(
            || ("efficientnet_lite0".to_owned(), String::new()),
            |card| (card.network, card.config.to_string()),
        );
        let net = nets::by_name(&network, &config).map_err(|e| refuse(e.to_string()))?;
        let side = if network == "efficientnet_lite0" { 224 } else { 299 };
        let shapes = net.graph.shapes(&[[1, 3, side, side]]);
        if !shapes.is_ok_and(|s| s[net.graph.output().index()] == [1, CLASSES, 1, 1]) {
            return Err(refuse(format!("holds {network}, which is no classifier of 1000 classes")));
        }
        let weights = weights::fit(&net.graph, read.tensors).map_err(|e| unreadable(path, e))?;
        let network = Network::new(&net.graph, &weights)?;
        Ok(Self { classifier: Some(Classifier { network, encoding: net.input, side }), ..self })
    }

    /// A network that is in no registry.
    #[cfg(test)]
    pub(crate) fn for_test(card: NetworkCard, network: Network) -> Self {
        let Some(kind) = Kind::of(network.graph()) else { panic!("it does not colour") };
        Self { name: "test".into(), card, kind, network, classifier: None }
    }

    /// The name it goes by: the one that ships, or its file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its file says about it.
    pub fn card(&self) -> &NetworkCard {
        &self.card
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        self.network.graph()
    }

    /// Whether it takes hints.
    pub fn takes_hints(&self) -> bool {
        self.kind == Kind::Bins
    }

    /// The shapes of the network's inputs for a picture of this size.
    pub(crate) fn shapes(&self, [height, width]: [usize; 2]) -> Vec<Shape4> {
        match self.kind {
            Kind::Bins => vec![[1, 4, height, width]],
            Kind::Regression => vec![[1, 1, height, width]],
            Kind::Fused => vec![[1, 1, height, width], [1, CLASSES, 1, 1]],
        }
    }

    /// The first input of lightness `[1, 1, H, W]`, without hints.
    pub(crate) fn input(&self, lightness: &Tensor) -> Tensor {
        let [_, _, height, width] = lightness.shape4();
        let mut input = Tensor::zeros(self.shapes([height, width])[0]);
        let Encoding { scale, mean, std, .. } = self.card.input;
        let unit = |l: f32| match self.kind {
            Kind::Bins => (l - 50.0) / 50.0,
            Kind::Regression | Kind::Fused => (l / 100.0 * scale - mean[0]) / std[0],
        };
        input.data_mut().iter_mut().zip(lightness.data()).for_each(|(v, l)| *v = unit(*l));
        input
    }

    /// What a [`Kind::Fused`] network is told beside lightness: the classifier's probabilities
    /// for the grey picture.
    pub(crate) fn classes(&self, grey: &Tensor) -> Result<Tensor, PipelineError> {
        let Some(Classifier { network, encoding, side }) = &self.classifier else {
            return Err(PipelineError::Option {
                option: "--classifier",
                value: "(none)".into(),
                range: "this network wants to be told what a classifier sees",
            });
        };
        let small = resize_tensor(grey, [*side; 2], Filter::Triangle);
        let mut input = Tensor::zeros([1, 3, *side, *side]);
        for (c, plane) in input.data_mut().chunks_mut(side * side).enumerate() {
            let (scale, shift) =
                (encoding.scale / encoding.std[c], encoding.mean[c] / encoding.std[c]);
            plane.iter_mut().zip(small.data()).for_each(|(v, grey)| *v = grey * scale - shift);
        }
        let mut session = Session::new(Plan::new(network, &[input.shape4()], &[])?);
        let graph = network.graph();
        let output = session.run(&[&input]).output;
        let probabilities = matches!(graph.node(graph.output()).op, Op::Softmax);
        Ok(if probabilities { output } else { softmax(output) })
    }

    /// The ab `[1, 2, h, w]` that the network's output stands for.
    pub(crate) fn decoded(
        &self,
        output: Tensor,
        temperature: f32,
    ) -> Result<Tensor, PipelineError> {
        let ab = match self.kind {
            Kind::Bins => annealed_mean(&output, ab_bins(), temperature).map_err(|_error| {
                PipelineError::Option {
                    option: "temperature",
                    value: temperature.to_string(),
                    range: "over 0, at most 1",
                }
            })?,
            Kind::Regression | Kind::Fused => {
                let mut output = output;
                output.data_mut().iter_mut().for_each(|v| *v *= AB_RANGE);
                output
            }
        };
        let finite = ab.data().iter().all(|v| v.is_finite());
        finite.then_some(ab).ok_or(PipelineError::NotFinite)
    }
}

fn another(network: &str) -> String {
    format!("holds {network}, which does not colour pictures; wanted is a network such as {NAME}")
}

fn softmax(mut logits: Tensor) -> Tensor {
    let most = logits.data().iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.data_mut().iter_mut().for_each(|v| *v = (*v - most).exp());
    let sum: f32 = logits.data().iter().sum();
    logits.data_mut().iter_mut().for_each(|v| *v /= sum);
    logits
}
