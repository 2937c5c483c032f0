use cpu::{Network, Tape, Wanted};
use kernels::{Distance, Level, Onto, cross_entropy};
use nets::Net;
use nets::colorizer::{CELL, INPUTS};
use tensor::Tensor;
use weights::Weights;

use super::hints::Hinting;
use super::labels::Labels;
use super::target::{Lesson, Target};
use super::{BinWeights, ColorRecipe, Learns, Seer, shrink::shrunk};
use crate::TrainError;
use crate::optim::clip_by_norm;
use crate::run::{Learner, LearnerState, Taken};

/// One network that learns to colour, step by step.
///
/// A step is a function of the state, the photographs and the seed: the same on
/// any number of threads.
#[derive(Debug)]
pub struct ColorTrainer {
    recipe: ColorRecipe,
    seed: u64,
    aids: Aids,
    net: Net,
    learner: Learner,
    tape: Tape,
    /// The last step's, for a step on the same photographs.
    lesson: Option<Lesson>,
}

/// What a trainer needs beside the network.
#[derive(Debug)]
pub struct Aids {
    /// How much each colour counts, where it learns bins.
    pub bins: BinWeights,
    /// Who says what is seen, where the network wants to be told.
    pub seer: Option<Seer>,
}

/// What a step has seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColorReport {
    /// The loss before the step, a mean over pixels: nats for bins, a square of ab / 128 else.
    pub loss: f64,
    /// The length of the gradient, before it was shortened, and the learning rate.
    pub taken: Taken,
}

impl ColorTrainer {
    /// A trainer for `net`, beginning with `weights`.
    ///
    /// # Errors
    ///
    /// If the recipe's size does not fit the network, or the network has parameters
    /// that are not learnt from a gradient.
    pub fn new(
        recipe: &ColorRecipe,
        (net, weights): (Net, Weights),
        (aids, seed): (Aids, u64),
    ) -> Result<Self, TrainError> {
        let network = Network::new(&net.graph, &weights)?;
        let pictures = |channels: usize| [recipe.batch, channels, recipe.size, recipe.size];
        let mut sizes = vec![pictures(match recipe.learns {
            Learns::Bins { .. } => INPUTS,
            Learns::Chroma => 1,
        })];
        sizes.extend(aids.seer.as_ref().map(|seer| [recipe.batch, seer.classes(), 1, 1]));
        let tape = Tape::new(&network, &sizes, &[net.graph.output()], Wanted::Parameters)?;
        let learner = Learner::new(&net.graph, weights, recipe.learning());
        Ok(Self { recipe: recipe.clone(), seed, aids, net, learner, tape, lesson: None })
    }

    /// Bytes of feature maps and gradients.
    pub fn memory(&self) -> usize {
        self.tape.memory()
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.learner.steps()
    }

    /// The recipe.
    pub fn recipe(&self) -> &ColorRecipe {
        &self.recipe
    }

    /// The network.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// What was learnt so far: the mean over the last steps, where the recipe asks for one.
    pub fn learnt(&self) -> Weights {
        self.learner.learnt()
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
    pub fn step(&mut self, photographs: &Tensor) -> Result<ColorReport, TrainError> {
        let loss = self.differentiate(photographs);
        let mut gradients = self.tape.parameter_gradients().to_vec();
        let gradient = match self.recipe.clip {
            Some(most) => clip_by_norm(&mut gradients, most),
            None => f64::NAN,
        };
        let taken = self.learner.step(loss, &gradients, |_| {})?;
        self.tape.set_weights(self.learner.weights())?;
        let gradient = if self.recipe.clip.is_some() { gradient } else { taken.gradient };
        Ok(ColorReport { loss, taken: Taken { gradient, ..taken } })
    }

    /// Runs both ways; the mean loss.
    fn differentiate(&mut self, photographs: &Tensor) -> f64 {
        match self.recipe.learns {
            Learns::Bins { hinting, .. } => self.learn_bins(&Target::of(photographs), hinting),
            Learns::Chroma => self.learn_chroma(photographs),
        }
    }

    fn learn_bins(&mut self, target: &Target, hinting: Hinting) -> f64 {
        self.tape.forward(&[&target.with_hints(hinting, [self.seed, self.steps()])]);
        let labels = Labels::of(&shrunk(&target.ab, CELL), &self.aids.bins);
        let pixels = labels.borrowed().weights.len() as f64;
        let mut loss = 0.0;
        self.tape.backward(|_, logits, grad| {
            let scale = (1.0 / pixels) as f32;
            loss = cross_entropy(Level::best(), (logits, labels.borrowed()), scale, grad);
        });
        loss / pixels
    }

    fn learn_chroma(&mut self, photographs: &Tensor) -> f64 {
        let lesson = self.lesson.take().filter(|lesson| lesson.is_of(photographs));
        let mut lesson = lesson.unwrap_or_else(|| Lesson::of(photographs, self.aids.seer.as_mut()));
        self.tape.forward(&lesson.inputs.iter().collect::<Vec<_>>());
        let count = self.tape.value(0).shape().iter().product::<usize>() as f64;
        let mut loss = 0.0;
        self.tape.backward(|_, ab, grad| {
            let scale = (1.0 / count) as f32;
            let wanted = lesson.wanted(ab);
            loss = Distance::Squared.run([ab, wanted], (scale, Onto::Nothing), grad);
        });
        self.lesson = Some(lesson).filter(|_| self.recipe.is_still());
        loss / count
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

    /// Colours a photograph `[1, 3, H, W]` of RGB in 0..=1 with what was learnt so far:
    /// its lightness with the network's colours, enlarged linearly.
    ///
    /// # Errors
    ///
    /// If it is too small for the network.
    pub fn colour(&mut self, photograph: &Tensor) -> Result<Tensor, TrainError> {
        super::show::coloured(
            (&self.net, &self.learner.learnt()),
            photograph,
            self.aids.seer.as_mut(),
        )
    }
}
