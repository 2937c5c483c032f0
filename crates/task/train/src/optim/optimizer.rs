use rayon::prelude::*;
use tensor::Tensor;

use super::chunks::{CHUNK, check_shapes};
use super::rule::Rule;
use super::state::{self, State, StateError};
use super::update::{Piece, Update};

/// Takes steps by a [`Rule`], and remembers what the rule needs.
///
/// ```
/// use tensor::Tensor;
/// use train::optim::{Optimizer, Sgd};
///
/// let mut parameters = [Tensor::new([2], vec![1.0, 2.0])];
/// let gradients = [Tensor::new([2], vec![0.5, -0.5])];
/// let mut optimizer = Optimizer::new(Sgd { rate: 0.5, ..Sgd::default() }, &parameters);
/// optimizer.step(&mut parameters, &gradients);
/// assert_eq!(parameters[0].data(), [0.75, 2.25]);
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer {
    rule: Rule,
    rate: f64,
    steps: u64,
    /// What is remembered of each parameter; empty where the rule has no use for it.
    slots: [Vec<Tensor>; 2],
}

impl Optimizer {
    /// For parameters of these shapes.
    pub fn new(rule: impl Into<Rule>, parameters: &[Tensor]) -> Self {
        let rule = rule.into();
        let zeros = || parameters.iter().map(|p| Tensor::zeros(p.shape())).collect();
        let mut slots = [vec![], vec![]];
        for (slot, _) in slots.iter_mut().zip(rule.slots()) {
            *slot = zeros();
        }
        Self { rule, rate: rule.rate(), steps: 0, slots }
    }

    /// The rule, with the rate it began with.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The learning rate of the next step.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Changes the learning rate from the next step on, as a
    /// [`Schedule`](super::Schedule) says. It is no part of the [`State`].
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes one step. NaN in a gradient gives NaN in the parameter, for good.
    ///
    /// # Shapes
    ///
    /// Parameters and gradients: those given to [`Optimizer::new`], in their order.
    ///
    /// # Panics
    ///
    /// If the shapes are others.
    pub fn step(&mut self, parameters: &mut [Tensor], gradients: &[Tensor]) {
        check_shapes(parameters, gradients);
        for slot in self.slots.iter().filter(|s| !s.is_empty()) {
            check_shapes(parameters, slot);
        }
        self.steps += 1;
        let update = Update::new(&self.rule, self.rate, self.steps);
        let pieces = pieces(parameters, gradients, &mut self.slots);
        pieces.into_par_iter().for_each(|piece| update.apply(piece));
    }

    /// What it remembers.
    pub fn state(&self) -> State {
        let slots = self.rule.slots().iter().copied().zip(&self.slots);
        state::gather(self.steps, slots.map(|(name, tensors)| (name, tensors.as_slice())))
    }

    /// Goes on from where another with the same rule and shapes was.
    ///
    /// # Errors
    ///
    /// If the state is of another rule or of other shapes; then nothing changes.
    pub fn restore(&mut self, state: State) -> Result<(), StateError> {
        let slots = self.rule.slots().iter().copied().zip(&mut self.slots);
        self.steps = state::scatter(state, slots)?;
        Ok(())
    }
}

/// Cuts everything alike.
fn pieces<'a>(
    parameters: &'a mut [Tensor],
    gradients: &'a [Tensor],
    slots: &'a mut [Vec<Tensor>; 2],
) -> Vec<Piece<'a>> {
    let mut slots = slots.each_mut().map(|slot| slot.iter_mut());
    let mut pieces = Vec::new();
    for (parameter, gradient) in parameters.iter_mut().zip(gradients) {
        let mut slots = slots
            .each_mut()
            .map(|slot| slot.next().map_or(&mut [][..], |t| t.data_mut()).chunks_mut(CHUNK));
        let chunks = parameter.data_mut().chunks_mut(CHUNK).zip(gradient.data().chunks(CHUNK));
        pieces.extend(chunks.map(|(parameter, gradient)| Piece {
            parameter,
            gradient,
            slots: slots.each_mut().map(|slot| slot.next().unwrap_or_default()),
        }));
    }
    pieces
}
