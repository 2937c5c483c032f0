//! Runs a network up to a layer once, and from there on as often as methods ask.

use std::cell::OnceCell;

use cpu::{Network, Plan, Session, Tape, Wanted, Watch};
use graph::{Graph, NodeId, Shape4};
use tensor::Tensor;

use super::layers::{sensible_layer, wrong};
use super::scorer::{Ending, Scorer, channel_means, of_class, score_node};
use super::weigh::{Evidence, principal, weighted};
use super::{Map, Method};
use crate::{InsightError, Model};

/// Settings of the methods that try many variants of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CamOptions {
    /// Seed of the noise of [`Method::SmoothGrad`].
    pub seed: u64,
    /// Steps of [`Method::IntegratedGradients`], and copies of [`Method::SmoothGrad`].
    pub steps: usize,
    /// Deviation of [`Method::SmoothGrad`]'s noise, as a share of the range of the
    /// picture's values.
    pub noise: f32,
    /// Side of [`Method::Occlusion`]'s square, as a share of the picture's sides.
    pub patch: f32,
}

impl Default for CamOptions {
    /// 32 steps, noise of 0.15, a square of a sixth of the sides.
    fn default() -> Self {
        Self { seed: 1, steps: 32, noise: 0.15, patch: 1.0 / 6.0 }
    }
}

/// Explains a network's answer for one picture.
#[derive(Debug)]
pub struct Explainer<'m> {
    pub(super) model: &'m Model,
    /// The picture in the network's numbers, `[1, 3, H, W]`.
    pub(super) seen: Tensor,
    /// The network up to its scores, once it has been asked for.
    scored: OnceCell<Network>,
    ending: Ending,
    layer: NodeId,
    /// The network up to the layer.
    head: Session,
    /// What the layer gives, then what else the rest of the network reads.
    pub(super) middle: Vec<Tensor>,
    /// The rest of the network.
    pub(super) rest: Network,
    tape: Tape,
    scores: Vec<f32>,
}

impl<'m> Explainer<'m> {
    /// For a picture in the network's numbers ([`Model::see`]). Without a layer, it
    /// looks at the last one that has space and is followed by nothing but poolings
    /// and what has none.
    ///
    /// # Errors
    ///
    /// If the picture does not go with the network, or a map of the layer has one
    /// pixel, or the output does not depend on it.
    pub fn new(
        model: &'m Model,
        seen: Tensor,
        layer: Option<NodeId>,
    ) -> Result<Self, InsightError> {
        let [_, _, height, width] = seen.shape4();
        let shapes = model.shapes([height, width])?;
        let (score, ending) = score_node(model.graph());
        let graph = model.graph().up_to(score);
        let layer = match layer {
            Some(layer) => layer,
            None => sensible_layer(&graph, &shapes).ok_or_else(|| wrong(model, None))?,
        };
        if shapes[layer.index()][2..] == [1, 1] || layer > score {
            return Err(wrong(model, Some(layer)));
        }
        let (rest, inputs) =
            graph.after(layer, &shapes).ok_or_else(|| wrong(model, Some(layer)))?;
        let head = head(model, &graph, (&inputs, seen.shape4()))?;
        let rest = model.part(&rest)?;
        let shapes: Vec<Shape4> = inputs.iter().map(|i| shapes[i.index()]).collect();
        let tape = Tape::new(&rest, &shapes, &[rest.graph().output()], Wanted::Inputs)?;
        let (middle, scores) = (vec![], vec![]);
        let mut explainer = Self {
            model,
            seen,
            scored: OnceCell::new(),
            ending,
            layer,
            head,
            middle,
            rest,
            tape,
            scores,
        };
        explainer.run();
        Ok(explainer)
    }

    /// Looks at another picture of the same size: what was prepared is kept.
    ///
    /// # Panics
    ///
    /// If it is of another size.
    pub fn show(&mut self, seen: Tensor) {
        assert_eq!(seen.shape(), self.seen.shape(), "another size");
        self.seen = seen;
        self.run();
    }

    fn run(&mut self) {
        self.middle = self.head.run(&[&self.seen]).taps;
        self.tape.forward(&self.middle.iter().collect::<Vec<_>>());
        self.scores = channel_means(&self.tape.value(0).to_tensor()).remove(0);
    }

    /// The network up to its scores.
    pub(super) fn scored(&self) -> Result<&Network, InsightError> {
        if self.scored.get().is_none() {
            let (score, _) = score_node(self.model.graph());
            let whole = score == self.model.graph().output();
            let network = if whole {
                self.model.network().clone()
            } else {
                self.model.part(&self.model.graph().up_to(score))?
            };
            let _ = self.scored.set(network); // nobody else has, in between
        }
        Ok(self.scored.get().unwrap_or_else(|| unreachable!("it was just set")))
    }

    /// The layer it looks at.
    pub fn layer(&self) -> &str {
        self.model.layer_name(self.layer)
    }

    /// The class with the highest score.
    pub fn best_class(&self) -> usize {
        let classes = 0..self.model.class_count();
        let by_score = |&a: &usize, &b: &usize| self.score(a).total_cmp(&self.score(b));
        classes.rev().max_by(by_score).unwrap_or(0)
    }

    /// A class's score: the output before a closing softmax or sigmoid.
    pub fn score(&self, class: usize) -> f32 {
        of_class(&self.scores, class)
    }

    /// A class's probability, where scores become such: by a softmax, or by a
    /// sigmoid if there is but one. A network that leaves that to its user, as
    /// torchvision's do, is taken to mean it.
    pub fn probability(&self, class: usize) -> f32 {
        if self.scores.len() == 1 || self.ending == Ending::Sigmoid {
            return 1.0 / (1.0 + (-self.score(class)).exp());
        }
        let most = self.scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = self.scores.iter().map(|s| (s - most).exp()).sum();
        (self.score(class) - most).exp() / total
    }

    /// What the layer gives, `[1, C, H, W]`.
    pub fn activations(&self) -> &Tensor {
        &self.middle[0]
    }

    /// The gradient of a class's score by the layer's output.
    pub fn gradient(&mut self, class: usize) -> Tensor {
        let mut seed = vec![0.0; self.scores.len()];
        seed[class.min(self.scores.len() - 1)] = if self.is_opposite(class) { -1.0 } else { 1.0 };
        self.back(&seed)
    }

    /// The gradient of a class's probability by the layer's output.
    fn probability_gradient(&mut self, class: usize) -> Tensor {
        let p = self.probability(class);
        let lone = self.scores.len() == 1 || self.ending == Ending::Sigmoid;
        let derivative = |other: usize| match (lone, other == class) {
            (true, _) if self.is_opposite(class) => -p * (1.0 - p),
            (true, same) if same || self.scores.len() == 1 => p * (1.0 - p),
            (true, _) => 0.0,
            (false, same) => p * (f32::from(same) - self.probability(other)),
        };
        let seed: Vec<f32> = (0..self.scores.len()).map(derivative).collect();
        self.back(&seed)
    }

    fn is_opposite(&self, class: usize) -> bool {
        self.scores.len() == 1 && class == 0
    }

    /// From derivatives by the scores, each a mean over space, to those by the layer.
    fn back(&mut self, seed: &[f32]) -> Tensor {
        self.tape.backward(|_, value, gradient| spread(seed, value.shape(), gradient));
        self.tape.input_gradient(0)
    }

    /// Where the network sees a class.
    ///
    /// # Errors
    ///
    /// If the network does not run on several pictures at once, or an option makes
    /// no sense.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    ///
    /// # Source
    ///
    /// Selvaraju et al., "Grad-CAM" (2017), equations 1 and 2; Draelos and Carin,
    /// "`HiResCAM`" (2020); Jiang et al., "`LayerCAM`" (2021), equation 6; Chollet, "Deep
    /// Learning with Python" (2018), listings 5.42 and 5.43; the others name theirs.
    pub fn map(
        &mut self,
        class: usize,
        method: Method,
        options: &CamOptions,
    ) -> Result<Map, InsightError> {
        self.map_watched((class, method), options, &mut |_| true)
    }

    /// [`Explainer::map`] that tells, where a method takes many passes, what share of them is
    /// done, and ends as soon as `watch` gives `false`.
    ///
    /// # Errors
    ///
    /// As [`Explainer::map`]; [`InsightError::Stopped`] if `watch` ends it.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    pub fn map_watched(
        &mut self,
        (class, method): (usize, Method),
        options: &CamOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Map, InsightError> {
        assert!(class < self.model.class_count(), "no class {class}");
        let [_, _, h, w] = self.middle[0].shape4();
        let (size, values) = match method {
            Method::EigenCam => ([h, w], principal(&self.middle[0])),
            Method::ScoreCam => {
                ([h, w], weighted(&self.middle[0], &self.score_weights(class, watch)?))
            }
            Method::AblationCam => {
                ([h, w], weighted(&self.middle[0], &self.ablation_weights(class, watch)?))
            }
            Method::Occlusion => self.occlusion(class, options, watch)?,
            Method::IntegratedGradients => self.integrated(class, options, watch)?,
            Method::SmoothGrad => self.smooth(class, options, watch)?,
            Method::GuidedBackprop => self.guided_map(class)?,
            _ => ([h, w], self.by_gradient(class, method)),
        };
        let layer = method.has_layer().then(|| self.layer().to_owned());
        Ok(Map { method, layer, class, score: self.score(class), size, values })
    }

    fn by_gradient(&mut self, class: usize, method: Method) -> Vec<f32> {
        let gradients = match method {
            Method::Tutorial => self.probability_gradient(class),
            _ => self.gradient(class),
        };
        let activations = &self.middle[0];
        let evidence = Evidence { activations, gradients: &gradients };
        match method {
            Method::HiResCam => evidence.products(|g| g),
            Method::LayerCam => evidence.products(|g| g.max(0.0)),
            Method::GradCamPlusPlus => weighted(activations, &evidence.plus_plus()),
            Method::XGradCam => weighted(activations, &evidence.x_gradients()),
            Method::Tutorial => {
                let channels = activations.shape4()[1] as f64;
                let means = evidence.mean_gradients();
                weighted(activations, &means.iter().map(|m| m / channels).collect::<Vec<_>>())
            }
            _ => weighted(activations, &evidence.mean_gradients()),
        }
    }

    /// The scores of many pictures of the shape of this one.
    pub(super) fn scorer(&self) -> Result<Scorer, InsightError> {
        Scorer::new(self.scored()?, &[self.seen.shape4()])
    }

    /// The gradient of a class's score by the pixels of many pictures, one after the
    /// other, given to `with`; `watch` is told the share that is done, and may end it.
    pub(super) fn pixel_gradients(
        &self,
        class: usize,
        (pictures, watch): (impl ExactSizeIterator<Item = Tensor>, &mut Watch<'_>),
        mut with: impl FnMut(Tensor),
    ) -> Result<(), InsightError> {
        let (network, shape) = (self.scored()?, [self.seen.shape4()]);
        let output = network.graph().output();
        let mut tape = Tape::new(network, &shape, &[output], Wanted::Inputs)?;
        let count = pictures.len() as f64;
        for (done, picture) in pictures.enumerate() {
            if !watch(done as f64 / count) {
                return Err(InsightError::Stopped);
            }
            tape.forward(&[&picture]);
            with(self.pixel_gradient(class, &mut tape));
        }
        Ok(())
    }

    /// By a tape that has gone forwards.
    pub(super) fn pixel_gradient(&self, class: usize, tape: &mut Tape) -> Tensor {
        let mut seed = vec![0.0; self.scores.len()];
        seed[class.min(self.scores.len() - 1)] = if self.is_opposite(class) { -1.0 } else { 1.0 };
        tape.backward(|_, value, gradient| spread(&seed, value.shape(), gradient));
        tape.input_gradient(0)
    }
}

/// Writes derivatives by channel means as derivatives by the values.
fn spread(seed: &[f32], [_, _, h, w]: Shape4, gradient: &mut tensor::Plane) {
    let share = 1.0 / (h * w) as f32;
    let stride = gradient.stride();
    for pixel in gradient.data_mut().chunks_exact_mut(stride) {
        pixel.fill(0.0);
        pixel.iter_mut().zip(seed).for_each(|(to, s)| *to = s * share);
    }
}

/// The part of a network that some nodes' outputs take.
fn head(
    model: &Model,
    graph: &Graph,
    (nodes, shape): (&[NodeId], Shape4),
) -> Result<Session, InsightError> {
    let last = nodes.iter().copied().max().unwrap_or_else(|| graph.output());
    let head = model.part(&graph.up_to(last))?;
    Ok(Session::new(Plan::new(&head, &[shape], nodes)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::tiny;

    #[test]
    fn methods_of_many_passes_tell_how_far_they_are_and_stop_when_told() {
        let model = tiny(3).with_size([16, 16]);
        let seen = testing::Random::new(3).tensor(&[1, 3, 16, 16], 1.0);
        let layer = model.layer("conv1").unwrap();
        let mut explainer = Explainer::new(&model, seen, Some(layer)).unwrap();
        let options = CamOptions::default();
        for method in [
            Method::ScoreCam,
            Method::AblationCam,
            Method::Occlusion,
            Method::IntegratedGradients,
            Method::SmoothGrad,
        ] {
            let mut shares = vec![];
            let mut watch = |share: f64| {
                shares.push(share);
                true
            };
            let map = explainer.map_watched((1, method), &options, &mut watch).unwrap();
            assert_eq!(map, explainer.map(1, method, &options).unwrap());
            let within = shares.iter().all(|share| (0.0..=1.0).contains(share));
            assert!(shares.len() > 2 && shares.is_sorted() && within, "{method}: {shares:?}");
            let mut left = 2;
            let mut watch = |_| {
                left -= 1;
                left > 0
            };
            let stopped = explainer.map_watched((1, method), &options, &mut watch);
            assert!(matches!(stopped, Err(InsightError::Stopped)), "{method}");
            assert_eq!(left, 0, "{method}");
        }
    }
}
