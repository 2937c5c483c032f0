use cpu::{Network, Tape, Wanted};
use graph::Encoding;
use nets::Net;
use tensor::Tensor;
use weights::Weights;

use super::StyleRecipe;
use crate::TrainError;
use crate::losses::{LossNetwork, Losses, Objective, Perceptual, Recode};
use crate::optim::{Optimizer, WeightAverage};

/// One network that learns one style, step by step.
///
/// A step is a function of the state and the photographs: the same on any
/// number of threads.
#[derive(Debug)]
pub struct StyleTrainer {
    recipe: StyleRecipe,
    net: Net,
    weights: Weights,
    tape: Tape,
    perceptual: Perceptual,
    optimizer: Optimizer,
    average: Option<WeightAverage>,
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
}

impl StyleTrainer {
    /// A trainer for `net`, beginning with `weights`, for a painting
    /// `[1, 3, H, W]` of RGB in 0..=1 in the size in which it is to be looked at.
    ///
    /// # Errors
    ///
    /// If the loss network has not the recipe's taps, or a size does not fit.
    pub fn new(
        recipe: &StyleRecipe,
        (net, weights): (Net, Weights),
        loss_network: &LossNetwork,
        painting: &Tensor,
    ) -> Result<Self, TrainError> {
        let Some(output) = net.output else { return Err(TrainError::NothingToLearn) };
        let size = [recipe.batch, 3, recipe.size, recipe.size];
        let network = Network::new(&net.graph, &weights)?;
        let tape = Tape::new(&network, &[size], &[net.graph.output()], Wanted::Parameters)?;
        let targets = loss_network.grams(&recipe.objective.style, painting)?;
        let shape = net.graph.shapes(&[size]).map_err(cpu::EngineError::from)?;
        let shape = shape[net.graph.output().index()];
        let perceptual =
            Perceptual::new(loss_network, (&recipe.objective, targets), (shape, &output))?;
        Ok(Self {
            optimizer: Optimizer::new(recipe.rule, weights.tensors()),
            average: recipe.averaging.map(|a| WeightAverage::new(a, weights.tensors())),
            recipe: recipe.clone(),
            net,
            weights,
            tape,
            perceptual,
        })
    }

    /// Bytes of feature maps and gradients.
    pub fn memory(&self) -> usize {
        self.tape.memory() + self.perceptual.memory()
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.optimizer.steps()
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
        let output = self.output();
        self.tape.forward(&[&Recode::from_unit(&self.net.input).apply(photographs)]);
        let painted = self.tape.value(0).to_tensor();
        let shown = self.recipe.clamp.map_or_else(|| painted.clone(), |c| clamped(&painted, c));
        self.perceptual.set_photographs(&Recode::from_unit(&output).apply(photographs));
        let (losses, mut gradient) = self.perceptual.evaluate(&shown);
        if let Some([low, high]) = self.recipe.clamp {
            for (g, &y) in gradient.data_mut().iter_mut().zip(painted.data()) {
                *g = if (low..=high).contains(&y) { *g } else { 0.0 };
            }
        }
        self.tape.backward(|_, _, grad| grad.fill_from(&gradient));
        let gradients = self.tape.parameter_gradients();
        let length = crate::optim::global_norm(gradients);
        let step = self.optimizer.steps();
        if !(losses.total().is_finite() && length.is_finite()) {
            return Err(TrainError::NotANumber { step });
        }
        let rate = self.recipe.schedule.rate(step);
        self.optimizer.set_rate(rate);
        self.optimizer.step(self.weights.tensors_mut(), gradients);
        if let Some(average) = &mut self.average {
            average.update(self.weights.tensors());
        }
        self.tape.set_weights(&self.weights)?;
        Ok(StepReport { losses, gradient: length, rate })
    }

    fn output(&self) -> Encoding {
        self.net.output.unwrap_or_else(|| unreachable!("checked in `new`"))
    }

    /// What the network has learnt so far: the mean over the last steps, where
    /// the recipe asks for one.
    pub fn learnt(&self) -> Weights {
        let mut weights = self.weights.clone();
        if let Some(average) = self.average.as_ref().filter(|a| a.shown() > 0) {
            weights.tensors_mut().clone_from_slice(average.parameters());
        }
        weights
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
