use cpu::{Network, Running, Statistics, Tape, Wanted};
use graph::{Activation, Graph, NodeId, Op};
use nets::Net;
use tensor::Tensor;
use weights::Weights;

use super::ClassifierRecipe;
use crate::losses::{Judged, Recode, binary_cross_entropy, cross_entropy};
use crate::optim::Flavour;
use crate::run::{Learner, LearnerState, Taken};
use crate::{Random, TrainError};

/// One network that learns classes, step by step.
///
/// A step is a function of the state and the pictures: the same on any number of
/// threads.
#[derive(Debug)]
pub struct ClassifierTrainer {
    recipe: ClassifierRecipe,
    net: Net,
    learner: Learner,
    tape: Tape,
    seed: u64,
}

/// What a step has seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The loss before the step.
    pub loss: f64,
    /// How many of the pictures were told right.
    pub right: usize,
    /// The length of the gradient, and the learning rate that was used.
    pub taken: Taken,
}

/// What a stream of random numbers is for.
const DROPOUT: u64 = 3;

/// The node whose values are logits: what is before the last sigmoid or softmax, or
/// the output itself.
pub(super) fn logits(graph: &Graph) -> NodeId {
    let last = graph.node(graph.output());
    match last.op {
        Op::Softmax | Op::Activation(Activation::Sigmoid) => last.inputs[0],
        _ => graph.output(),
    }
}

/// The loss of logits `[N, C, 1, 1]`; with `C` 1 they are the second class's.
pub(super) fn judge(logits: &Tensor, labels: &[usize], smoothing: f64) -> Judged {
    if logits.shape4()[1] > 1 {
        return cross_entropy(logits, labels, smoothing);
    }
    let targets: Vec<f32> = labels.iter().map(|&label| label as f32).collect();
    binary_cross_entropy(logits, &targets, smoothing)
}

/// The likeliest class of each picture.
pub(super) fn told(logits: &Tensor) -> Vec<usize> {
    let classes = logits.shape4()[1];
    let of = |one: &[f32]| match one {
        [second] => usize::from(*second > 0.0),
        _ => (1..one.len()).fold(0, |best, c| if one[c] > one[best] { c } else { best }),
    };
    logits.data().chunks_exact(classes).map(of).collect()
}

impl ClassifierTrainer {
    /// A trainer for `net`, beginning with `weights`.
    ///
    /// # Errors
    ///
    /// If the network does not fit pictures of the recipe's size, or has no frozen
    /// layer of the recipe's name.
    pub fn new(
        recipe: &ClassifierRecipe,
        (mut net, weights): (Net, Weights),
        seed: u64,
    ) -> Result<Self, TrainError> {
        if let Some(name) = &recipe.frozen {
            let missing =
                || TrainError::NoTap { network: recipe.network.clone(), tap: name.clone() };
            let last = net.graph.find(name).ok_or_else(missing)?;
            net.graph = net.graph.frozen_up_to(last);
        }
        if net.graph.params().iter().all(|param| !param.trainable) {
            return Err(TrainError::NothingToLearn);
        }
        let network = Network::new(&net.graph, &weights)?;
        let size = [recipe.batch, 3, recipe.size, recipe.size];
        let how = (Wanted::Parameters, Statistics::Batch);
        let tape = Tape::with_statistics(&network, &[size], &[logits(&net.graph)], how)?;
        let learner = Learner::new(&net.graph, weights, recipe.learning());
        Ok(Self { recipe: recipe.clone(), net, learner, tape, seed })
    }

    /// Bytes of feature maps and gradients.
    pub fn memory(&self) -> usize {
        self.tape.memory()
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.learner.steps()
    }

    /// Takes one step on pictures `[N, 3, H, W]`, RGB in 0..=1, of these classes.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotANumber`] if the loss or a gradient is none; nothing was changed.
    ///
    /// # Panics
    ///
    /// If there are more or fewer pictures than the recipe says, or of another size.
    pub fn step(&mut self, pictures: &Tensor, labels: &[usize]) -> Result<StepReport, TrainError> {
        self.tape.set_seed(Random::keyed(self.seed, &[DROPOUT, self.steps()]).bits());
        self.tape.forward(&[&Recode::from_unit(&self.net.input).apply(pictures)]);
        let logits = self.tape.value(0).to_tensor();
        let Judged { loss, gradient } = judge(&logits, labels, self.recipe.smoothing);
        self.tape.backward(|_, _, grad| grad.fill_from(&gradient));
        let running = match self.recipe.running {
            Flavour::Pytorch => Running::PYTORCH,
            Flavour::Keras => Running::KERAS,
        };
        let gradients = self.tape.parameter_gradients();
        let taken =
            self.learner.step(loss, gradients, |w| self.tape.update_statistics(w, running))?;
        self.tape.set_weights(self.learner.weights())?;
        let right = told(&logits).iter().zip(labels).filter(|(a, b)| a == b).count();
        Ok(StepReport { loss, right, taken })
    }

    /// What learns.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// Goes on from where another with the same recipe and network was.
    ///
    /// # Errors
    ///
    /// If the state is another recipe's or network's: throw this trainer away then.
    ///
    /// # Panics
    ///
    /// If there are more or fewer parameters than the network's, or of other shapes.
    pub fn restore(&mut self, state: LearnerState) -> Result<(), TrainError> {
        self.learner.restore(state)?;
        Ok(self.tape.set_weights(self.learner.weights())?)
    }

    /// What the network has learnt so far: the mean over the last steps, where
    /// the recipe asks for one.
    pub fn learnt(&self) -> Weights {
        self.learner.learnt()
    }

    /// The network's graph and encodings.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// The recipe.
    pub fn recipe(&self) -> &ClassifierRecipe {
        &self.recipe
    }
}
