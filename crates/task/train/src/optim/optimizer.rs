use rayon::prelude::*;
use tensor::Tensor;

use super::chunks::{CHUNK, check_shapes};
use super::muon::{self, Matrix};
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
    /// What is remembered of each parameter, in the order of the rule's slots.
    memory: Vec<Vec<Tensor>>,
}

impl Optimizer {
    /// For parameters of these shapes.
    pub fn new(rule: impl Into<Rule>, parameters: &[Tensor]) -> Self {
        let rule = rule.into();
        let zeros = |p: &Tensor| vec![Tensor::zeros(p.shape()); rule.slots(p.shape()).len()];
        let memory = parameters.iter().map(zeros).collect();
        Self { rule, rate: rule.rate(), steps: 0, memory }
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
        assert_eq!(parameters.len(), self.memory.len(), "as many parameters as it was made for");
        self.steps += 1;
        let update = Update::new(&self.rule, self.rate, self.steps);
        let (mut matrices, mut pieces) = (vec![], vec![]);
        let each = parameters.iter_mut().zip(gradients).zip(&mut self.memory).enumerate();
        for (i, ((parameter, gradient), memory)) in each {
            for slot in &*memory {
                assert_eq!(parameter.shape(), slot.shape(), "tensor {i} has its parameter's shape");
            }
            // Muon remembers one tensor of a matrix, and Adam's two of everything else.
            match (&self.rule, memory.as_mut_slice()) {
                (Rule::Muon(rule), [momentum]) => {
                    matrices.push((rule, Matrix { parameter, gradient, momentum }));
                }
                (_, memory) => pieces.extend(cut(parameter, gradient, memory)),
            }
        }
        pieces.into_par_iter().for_each(|piece| update.apply(piece));
        matrices.into_par_iter().for_each(|(rule, matrix)| muon::step(rule, self.rate, matrix));
    }

    /// What it remembers.
    pub fn state(&self) -> State {
        let each = self.memory.iter().enumerate().flat_map(|(index, memory)| {
            let slots = names(&self.rule, memory);
            slots.iter().zip(memory).map(move |(&slot, tensor)| (slot, index, tensor))
        });
        state::gather(self.steps, each)
    }

    /// Goes on from where another with the same rule and shapes was.
    ///
    /// # Errors
    ///
    /// If the state is of another rule or of other shapes; then nothing changes.
    pub fn restore(&mut self, state: State) -> Result<(), StateError> {
        let rule = &self.rule;
        let each = self.memory.iter_mut().enumerate().flat_map(|(index, memory)| {
            let slots = names(rule, memory);
            slots.iter().zip(memory).map(move |(&slot, tensor)| (slot, index, tensor))
        });
        self.steps = state::scatter(state, each)?;
        Ok(())
    }
}

/// What the tensors that are remembered of one parameter are called.
fn names(rule: &Rule, memory: &[Tensor]) -> &'static [&'static str] {
    memory.first().map_or(&[], |tensor| rule.slots(tensor.shape()))
}

/// Cuts a parameter and what belongs to it alike.
fn cut<'a>(
    parameter: &'a mut Tensor,
    gradient: &'a Tensor,
    memory: &'a mut [Tensor],
) -> impl Iterator<Item = Piece<'a>> {
    let mut memory = memory.iter_mut();
    let mut slots = [memory.next(), memory.next()]
        .map(|slot| slot.map_or(&mut [][..], Tensor::data_mut).chunks_mut(CHUNK));
    let chunks = parameter.data_mut().chunks_mut(CHUNK).zip(gradient.data().chunks(CHUNK));
    chunks.map(move |(parameter, gradient)| Piece {
        parameter,
        gradient,
        slots: slots.each_mut().map(|slot| slot.next().unwrap_or_default()),
    })
}
