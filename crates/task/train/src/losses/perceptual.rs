//! Losses in the features of a trained classifier.
//!
//! # Source
//!
//! Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer
//! and Super-Resolution" (ECCV 2016), equations 2 to 5.

use cpu::{Memory, Network, Plan, Session, Tape, Wanted};
use graph::{Encoding, Graph, NodeId};
use kernels::{Distance, Epilogue, Level, Onto, gram, gram_gradient};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tensor::{Plane, Tensor};
use weights::Weights;

use super::{Heads, Recode, Variation};
use crate::TrainError;

/// A tap of the loss network, and how much it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighted {
    /// The tap's name, such as `relu3_3`.
    pub tap: String,
    /// Times its part of the loss.
    pub weight: f64,
}

/// What is asked of a picture. All parts are means: content over all values of a
/// tap, style over all values of its Gram matrix, which is divided by `C·H·W`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Features that should be those of the photograph.
    pub content: Vec<Weighted>,
    /// Features whose Gram matrices should be those of the painting.
    pub style: Vec<Weighted>,
    /// Smoothness, in the picture's own numbers.
    pub variation: Variation,
    /// Times LPIPS's distance from the photograph, a mean over the pictures. It looks
    /// through VGG16, and weighs what it sees by [`LossNetwork::heads`].
    #[serde(default, skip_serializing_if = "is_none")]
    pub lpips: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_none(weight: &f64) -> bool {
    *weight == 0.0
}

impl Objective {
    /// The taps whose features should be like the photograph's: those of the content, and
    /// LPIPS's.
    pub fn likened(&self) -> impl Iterator<Item = &str> {
        let lpips = if self.lpips > 0.0 { &nets::lpips::LAYERS[..] } else { &[] };
        self.content.iter().map(|w| w.tap.as_str()).chain(lpips.iter().copied())
    }
}

/// A trained classifier to look through.
#[derive(Clone, Debug)]
pub struct LossNetwork {
    /// Its graph, whole.
    pub graph: Graph,
    /// Its weights.
    pub weights: Weights,
    /// How it wants its picture.
    pub input: Encoding,
    /// LPIPS's heads, for an objective that asks for it.
    pub heads: Option<Heads>,
}

/// The parts of a loss, each with its weight in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// Distance of the content features.
    pub content: f64,
    /// Distance of the Gram matrices.
    pub style: f64,
    /// Total variation.
    pub variation: f64,
    /// LPIPS's distance from the photograph.
    #[serde(default)]
    pub lpips: f64,
}

impl Losses {
    /// The sum of all parts.
    pub fn total(&self) -> f64 {
        self.content + self.style + self.variation + self.lpips
    }
}

/// An objective, for pictures of one size.
#[derive(Debug)]
pub struct Perceptual {
    objective: Objective,
    recode: Recode,
    level: Level,
    /// Looks at the picture that is judged. Its taps are those of the style, then of the
    /// content, then LPIPS's.
    tape: Tape,
    heads: Option<Heads>,
    /// Looks at the photograph: the taps of the content, then LPIPS's.
    photograph: Option<Session>,
    /// For each tap of the style, the Gram matrix it should have.
    targets: Vec<Vec<f32>>,
}

impl LossNetwork {
    /// The nodes of these taps.
    fn nodes<'t>(&self, taps: impl Iterator<Item = &'t str>) -> Result<Vec<NodeId>, TrainError> {
        let find = |tap: &str| {
            let (network, tap) = (self.graph.name().to_owned(), tap.to_owned());
            self.graph.find(&tap).ok_or(TrainError::NoTap { network, tap })
        };
        taps.map(find).collect()
    }

    /// LPIPS's heads, if they are asked for.
    fn heads_for(&self, objective: &Objective) -> Result<Option<Heads>, TrainError> {
        if objective.lpips == 0.0 {
            return Ok(None);
        }
        let is_its = self.graph.name() == "vgg16" && self.input == Encoding::IMAGENET;
        if !is_its || self.heads.is_none() {
            let range = "only with vgg16 as the loss network, and its heads";
            return Err(TrainError::option("lpips", objective.lpips, range));
        }
        Ok(self.heads.clone())
    }

    /// The network cut off after the last of `taps`: what it takes to compute them.
    fn up_to(&self, taps: &[NodeId]) -> Result<Option<Network>, TrainError> {
        let Some(&last) = taps.iter().max() else { return Ok(None) };
        let graph = self.graph.up_to(last);
        let dict = self.graph.params().iter().zip(self.weights.tensors());
        let wanted = |name: &str| graph.params().iter().any(|p| p.name == name);
        let dict = dict.filter(|(p, _)| wanted(&p.name)).map(|(p, t)| (p.name.clone(), t.clone()));
        let weights = Weights::bind(&graph, dict.collect())?;
        Ok(Some(Network::new(&graph, &weights)?))
    }

    fn session(&self, taps: &[NodeId], size: [usize; 4]) -> Result<Option<Session>, TrainError> {
        let network = self.up_to(taps)?;
        let plan = network.map(|network| Plan::new(&network, &[size], taps));
        Ok(plan.transpose()?.map(Session::new))
    }

    /// The Gram matrix of each tap of the style, divided by `C·H·W`, for a
    /// painting `[1, 3, H, W]` of RGB in 0..=1.
    ///
    /// # Errors
    ///
    /// If a tap is not there, or the painting is too small for the network.
    pub fn grams(
        &self,
        style: &[Weighted],
        painting: &Tensor,
    ) -> Result<Vec<Vec<f32>>, TrainError> {
        let taps = self.nodes(names(style))?;
        let Some(mut session) = self.session(&taps, painting.shape4())? else { return Ok(vec![]) };
        session.run_in_place(&[&Recode::from_unit(&self.input).apply(painting)]);
        let of = |tap: usize| {
            let plane = session.tap(tap);
            let scale = gram_scale(plane);
            gram(Level::best(), plane)[0].iter().map(|&g| (f64::from(g) * scale) as f32).collect()
        };
        Ok((0..taps.len()).map(of).collect())
    }
}

fn names(taps: &[Weighted]) -> impl Iterator<Item = &str> {
    taps.iter().map(|w| w.tap.as_str())
}

/// What a Gram matrix is divided by, as a factor.
fn gram_scale(plane: &Plane) -> f64 {
    let [_, c, h, w] = plane.shape();
    1.0 / (c * h * w) as f64
}

impl Perceptual {
    /// An objective for pictures of shape `size` in the numbers of `encoding`,
    /// with the Gram matrices that [`LossNetwork::grams`] gave for the painting.
    ///
    /// # Errors
    ///
    /// If a tap is not there, or pictures of that size are too small for the network.
    ///
    /// # Panics
    ///
    /// If there is not one matrix for each tap of the style.
    pub fn new(
        network: &LossNetwork,
        (objective, targets): (&Objective, Vec<Vec<f32>>),
        (size, encoding): ([usize; 4], &Encoding),
    ) -> Result<Self, TrainError> {
        assert_eq!(targets.len(), objective.style.len(), "a matrix for each tap");
        let likened = network.nodes(objective.likened())?;
        let taps = [network.nodes(names(&objective.style))?, likened.clone()].concat();
        let Some(cut) = network.up_to(&taps)? else { return Err(TrainError::NothingToLearn) };
        Ok(Self {
            objective: objective.clone(),
            recode: Recode::new(encoding, &network.input),
            level: cut.level(),
            tape: Tape::new(&cut, &[size], &taps, Wanted::Inputs)?,
            heads: network.heads_for(objective)?,
            photograph: network.session(&likened, size)?,
            targets,
        })
    }

    /// The same with another way of keeping features until gradients have come back.
    #[must_use]
    pub fn with_memory(self, memory: Memory) -> Self {
        Self { tape: self.tape.with_memory(memory), ..self }
    }

    /// Bytes that the features and their gradients take.
    pub fn memory(&self) -> usize {
        self.tape.memory() + self.photograph.as_ref().map_or(0, |s| s.plan().memory())
    }

    /// Looks at the photographs whose content is to be kept.
    ///
    /// # Panics
    ///
    /// If they are of another shape.
    pub fn set_photographs(&mut self, photographs: &Tensor) {
        if let Some(session) = &mut self.photograph {
            session.run_in_place(&[&self.recode.apply(photographs)]);
        }
    }

    /// The losses of `pictures`, and the gradient of their sum by them. Call
    /// [`Perceptual::set_photographs`] before.
    ///
    /// # Panics
    ///
    /// If they are of another shape.
    pub fn evaluate(&mut self, pictures: &Tensor) -> (Losses, Tensor) {
        let mut losses = Losses::default();
        let Self { objective, recode, level, tape, targets, photograph, heads } = self;
        let (styles, contents) = (objective.style.len(), objective.content.len());
        tape.forward(&[&recode.apply(pictures)]);
        tape.backward(|tap, features, grad| {
            if tap < styles {
                let weight = objective.style[tap].weight;
                losses.style += style(*level, (features, &targets[tap]), weight, grad);
                return;
            }
            let Some(session) = photograph else { unreachable!("a tap has its session") };
            let (place, [n, c, h, w]) = (tap - styles, features.shape());
            let planes = [features, session.tap(place)];
            if let Some(wanted) = objective.content.get(place) {
                let scale = wanted.weight / (n * c * h * w) as f64;
                let sum = Distance::Squared.run(planes, (scale as f32, Onto::Nothing), grad);
                losses.content += scale * sum;
            } else if let Some(heads) = heads {
                let scale = objective.lpips / (n * h * w) as f64;
                losses.lpips += heads.compare(place - contents, planes, scale, grad);
            }
        });
        let mut gradient = recode.gradient(&tape.input_gradient(0));
        losses.variation = objective.variation.evaluate(pictures, &mut gradient);
        (losses, gradient)
    }
}

/// The mean squared distance of the Gram matrices of `features` from `target`,
/// times `weight`, and its gradient.
fn style(level: Level, (features, target): (&Plane, &[f32]), weight: f64, grad: &mut Plane) -> f64 {
    let scale = gram_scale(features);
    let mean = weight / (features.shape()[0] * target.len()) as f64;
    let mut matrices = gram(level, features);
    let of_matrix = |matrix: &mut Vec<f32>| {
        let mut squares = 0.0;
        for (g, &t) in matrix.iter_mut().zip(target) {
            let d = f64::from(*g) * scale - f64::from(t);
            squares += d * d;
            // Twice, for the matrix's own gradient and its transpose.
            *g = (4.0 * mean * d * scale) as f32;
        }
        squares
    };
    let squares: Vec<f64> = matrices.par_iter_mut().map(of_matrix).collect();
    let loss = mean * squares.iter().sum::<f64>();
    gram_gradient(level, (features, &matrices), &Epilogue::default(), grad);
    loss
}
