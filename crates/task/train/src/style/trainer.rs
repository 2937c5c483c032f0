use cpu::{Memory, Network, Tape, Wanted};
use graph::Encoding;
use nets::Net;
use tensor::Tensor;
use weights::Weights;

use super::StyleRecipe;
use crate::TrainError;
use crate::losses::{LossNetwork, Losses, Objective, Perceptual, Recode};
use crate::run::{Learner, LearnerState, Taken};

/// One network that learns one style, step by step.
///
/// A step is a function of the state and the photographs: the same on any
/// number of threads.
#[derive(Debug)]
pub struct StyleTrainer {
    recipe: StyleRecipe,
    net: Net,
    learner: Learner,
    tape: Tape,
    perceptual: Perceptual,
}

/// What a step has seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The losses before the step.
    pub losses: Losses,
    /// The length of the gradient.
    pub gradient: f64,
    /// The learning rate that was used.
    pub rate: f64,
    /// How much the pictures vary: the largest difference within a channel of any
    /// of them, where black to white is 1.
    pub spread: f32,
}

impl StyleTrainer {
    /// A trainer for `net`, beginning with `weights`, for a painting
    /// `[1, 3, H, W]` of RGB in 0..=1 in the size in which it is to be looked at.
    ///
    /// # Errors
    ///
    /// If the loss network has not the recipe's taps, a size does not fit, or the
    /// network has parameters that are not learnt from a gradient (batch norm's).
    pub fn new(
        recipe: &StyleRecipe,
        (net, weights): (Net, Weights),
        loss_network: &LossNetwork,
        painting: &Tensor,
    ) -> Result<Self, TrainError> {
        let Some(output) = net.output else { return Err(TrainError::NothingToLearn) };
        if let Some(frozen) = net.graph.params().iter().find(|p| !p.trainable) {
            let network = net.graph.name().to_owned();
            return Err(TrainError::Frozen { network, name: frozen.name.clone() });
        }
        let size = [recipe.batch, 3, recipe.size, recipe.size];
        let network = Network::new(&net.graph, &weights)?;
        let tape = Tape::new(&network, &[size], &[net.graph.output()], Wanted::Parameters)?;
        let targets = loss_network.grams(&recipe.objective.style, painting)?;
        let shape = net.graph.shapes(&[size]).map_err(cpu::EngineError::from)?;
        let shape = shape[net.graph.output().index()];
        let perceptual =
            Perceptual::new(loss_network, (&recipe.objective, targets), (shape, &output))?;
        Ok(Self {
            learner: Learner::new(&net.graph, weights, recipe.learning()),
            recipe: recipe.clone(),
            net,
            tape,
            perceptual,
        })
    }

    /// The same with another way of keeping feature maps until gradients have come back.
    #[must_use]
    pub fn with_memory(self, memory: Memory) -> Self {
        let Self { tape, perceptual, .. } = self;
        let (tape, perceptual) = (tape.with_memory(memory), perceptual.with_memory(memory));
        Self { tape, perceptual, ..self }
    }

    /// Bytes of feature maps and gradients.
    pub fn memory(&self) -> usize {
        self.tape.memory() + self.perceptual.memory()
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.learner.steps()
    }

    /// Takes one step on photographs `[N, 3, H, W]`, RGB in 0..=1.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotANumber`] if the loss or a gradient is none; nothing was changed.
    ///
    /// # Panics
    ///
    /// If there are more or fewer photographs than the recipe says, or of another size.
    pub fn step(&mut self, photographs: &Tensor) -> Result<StepReport, TrainError> {
        let painted = self.painted(photographs);
        let shown = self.recipe.clamp.map_or_else(|| painted.clone(), |c| clamped(&painted, c));
        let (losses, mut gradient) = self.perceptual.evaluate(&shown);
        if let Some([low, high]) = self.recipe.clamp {
            for (g, &y) in gradient.data_mut().iter_mut().zip(painted.data()) {
                *g = if (low..=high).contains(&y) { *g } else { 0.0 };
            }
        }
        self.tape.backward(|_, _, grad| grad.fill_from(&gradient));
        let gradients = self.tape.parameter_gradients();
        let Taken { gradient: length, rate } =
            self.learner.step(losses.total(), gradients, |_| {})?;
        self.tape.set_weights(self.learner.weights())?;
        let spread = spread(&Recode::new(&self.output(), &Encoding::UNIT).apply(&shown));
        Ok(StepReport { losses, gradient: length, rate, spread })
    }

    /// The losses of what was [learnt](Self::learnt) so far. Nothing is changed.
    ///
    /// # Errors
    ///
    /// If the engine refuses.
    ///
    /// # Panics
    ///
    /// As [`StyleTrainer::step`].
    pub fn evaluate(&mut self, photographs: &Tensor) -> Result<Losses, TrainError> {
        self.tape.set_weights(&self.learnt())?;
        let painted = self.painted(photographs);
        let shown = self.recipe.clamp.map_or_else(|| painted.clone(), |c| clamped(&painted, c));
        let (losses, _) = self.perceptual.evaluate(&shown);
        self.tape.set_weights(self.learner.weights())?;
        Ok(losses)
    }

    /// Runs the network on photographs, and shows them to the loss network.
    fn painted(&mut self, photographs: &Tensor) -> Tensor {
        self.tape.forward(&[&Recode::from_unit(&self.net.input).apply(photographs)]);
        self.perceptual.set_photographs(&Recode::from_unit(&self.output()).apply(photographs));
        self.tape.value(0).to_tensor()
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

    fn output(&self) -> Encoding {
        self.net.output.unwrap_or_else(|| unreachable!("checked in `new`"))
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
    pub fn recipe(&self) -> &StyleRecipe {
        &self.recipe
    }

    /// The objective.
    pub fn objective(&self) -> &Objective {
        &self.recipe.objective
    }
}

fn clamped(x: &Tensor, [low, high]: [f32; 2]) -> Tensor {
    Tensor::new(x.shape(), x.data().iter().map(|v| v.clamp(low, high)).collect())
}

/// The largest difference within a plane.
fn spread(x: &Tensor) -> f32 {
    let [_, _, h, w] = x.shape4();
    let range = |plane: &[f32]| {
        let (low, high) =
            plane.iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        high - low
    };
    x.data().chunks_exact(h * w).map(range).fold(0.0, f32::max)
}
