use serde::{Deserialize, Serialize};
use tensor::Tensor;
use weights::Weights;

use crate::TrainError;
use crate::optim::{
    Averaging, Optimizer, Rule, Schedule, State, StateError, WeightAverage, global_norm,
};

/// How parameters follow their gradients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learning {
    /// How the network is changed.
    pub rule: Rule,
    /// The learning rate.
    pub schedule: Schedule,
    /// What is kept in the end is a mean over the last steps.
    pub averaging: Option<Averaging>,
}

/// A network's weights as they learn: with the optimiser's memory, the schedule
/// and the mean over time. Frozen parameters stay as they are.
#[derive(Clone, Debug)]
pub struct Learner {
    weights: Weights,
    /// The parameters that learn, by their place in the graph.
    learning: Vec<usize>,
    schedule: Schedule,
    optimizer: Optimizer,
    average: Option<WeightAverage>,
}

/// What has to be kept of a [`Learner`] to go on to the same bits.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerState {
    /// The network's parameters, in the graph's order.
    pub parameters: Vec<Tensor>,
    /// What the optimiser remembers of those that learn.
    pub optimizer: State,
    /// The mean over the last steps, where there is one.
    pub average: Option<State>,
}

/// A step that was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taken {
    /// The length of the gradient.
    pub gradient: f64,
    /// The learning rate that was used.
    pub rate: f64,
}

impl Learner {
    /// Begins with `weights`, of which those learn that are trainable in `graph`.
    pub fn new(graph: &graph::Graph, weights: Weights, learning: Learning) -> Self {
        let Learning { rule, schedule, averaging } = learning;
        let trainable = graph.params().iter().enumerate().filter(|(_, param)| param.trainable);
        let learning: Vec<usize> = trainable.map(|(index, _)| index).collect();
        let shapes: Vec<Tensor> =
            learning.iter().map(|&i| Tensor::zeros(weights.get(i).shape())).collect();
        Self {
            optimizer: Optimizer::new(rule, &shapes),
            average: averaging.map(|a| WeightAverage::new(a, weights.tensors())),
            weights,
            learning,
            schedule,
        }
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    /// The weights of the next step.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Takes a step down `gradients`, one for each parameter of the graph, empty for
    /// the frozen ones. `afterwards` may change what does not learn, such as running
    /// statistics, before the mean over time takes it in.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotANumber`] if `loss` or a gradient is none; nothing was changed.
    ///
    /// # Panics
    ///
    /// If the gradients are of another network.
    pub fn step(
        &mut self,
        loss: f64,
        gradients: &[Tensor],
        afterwards: impl FnOnce(&mut Weights),
    ) -> Result<Taken, TrainError> {
        let gradient = global_norm(gradients);
        let step = self.steps();
        if !(loss.is_finite() && gradient.is_finite()) {
            return Err(TrainError::NotANumber { step });
        }
        let rate = self.schedule.rate(step);
        self.optimizer.set_rate(rate);
        if self.learning.len() == gradients.len() {
            self.optimizer.step(self.weights.tensors_mut(), gradients);
        } else {
            self.step_for_some(gradients);
        }
        afterwards(&mut self.weights);
        if let Some(average) = &mut self.average {
            average.update(self.weights.tensors());
        }
        Ok(Taken { gradient, rate })
    }

    fn step_for_some(&mut self, gradients: &[Tensor]) {
        let all = self.weights.tensors_mut();
        let take = |&i: &usize| std::mem::replace(&mut all[i], Tensor::zeros([0]));
        let mut some: Vec<Tensor> = self.learning.iter().map(take).collect();
        let theirs: Vec<Tensor> = self.learning.iter().map(|&i| gradients[i].clone()).collect();
        self.optimizer.step(&mut some, &theirs);
        for (&i, tensor) in self.learning.iter().zip(some) {
            self.weights.tensors_mut()[i] = tensor;
        }
    }

    /// What was learnt so far: the mean over the last steps, where there is one.
    pub fn learnt(&self) -> Weights {
        let mut weights = self.weights.clone();
        if let Some(average) = self.average.as_ref().filter(|a| a.shown() > 0) {
            weights.tensors_mut().clone_from_slice(average.parameters());
        }
        weights
    }

    /// What has to be kept to go on from here.
    pub fn state(&self) -> LearnerState {
        LearnerState {
            parameters: self.weights.tensors().to_vec(),
            optimizer: self.optimizer.state(),
            average: self.average.as_ref().map(WeightAverage::state),
        }
    }

    /// Goes on from where another of the same graph and [`Learning`] was.
    ///
    /// # Errors
    ///
    /// If the state is another's: throw this learner away then.
    ///
    /// # Panics
    ///
    /// If there are more or fewer parameters than the network's, or of other shapes.
    pub fn restore(&mut self, state: LearnerState) -> Result<(), TrainError> {
        let own = self.weights.tensors_mut();
        assert!(
            own.iter().map(Tensor::shape).eq(state.parameters.iter().map(Tensor::shape)),
            "another network's parameters"
        );
        own.clone_from_slice(&state.parameters);
        self.optimizer.restore(state.optimizer)?;
        match (&mut self.average, state.average) {
            (Some(average), Some(state)) => average.restore(state)?,
            (None, None) => {}
            (average, _) => {
                let name = "average".to_owned();
                return Err(match average {
                    Some(_) => StateError::Missing { name }.into(),
                    None => StateError::Unused { name }.into(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use graph::{Builder, Conv};

    use super::*;
    use crate::optim::Sgd;

    fn learner(graph: &graph::Graph) -> Learner {
        let dict = graph
            .params()
            .iter()
            .map(|p| (p.name.clone(), Tensor::new(p.shape.clone(), vec![1.0; p.len()])));
        let weights = Weights::bind(graph, dict.collect()).unwrap();
        let learning = Learning {
            rule: Sgd::default().into(),
            schedule: Schedule::Constant { rate: 0.5 },
            averaging: Some(Averaging::Mean),
        };
        Learner::new(graph, weights, learning)
    }

    #[test]
    fn frozen_parameters_stay_and_what_is_changed_afterwards_is_averaged() {
        let mut g = Builder::new("test");
        let x = g.input("x", 1);
        let x = g.conv("c", x, Conv::new(1, 1).without_bias());
        let x = g.batch_norm("bn", x, 1e-5);
        let graph = g.finish(x);
        let mut learner = learner(&graph);
        let gradients: Vec<Tensor> = graph
            .params()
            .iter()
            .map(|p| {
                Tensor::new(
                    if p.trainable { p.shape.clone() } else { vec![0] },
                    vec![1.0; usize::from(p.trainable)],
                )
            })
            .collect();
        let set = |w: &mut Weights| w.tensors_mut()[3].data_mut()[0] = 7.0;
        let taken = learner.step(1.0, &gradients, set).unwrap();
        assert!((taken.gradient - 3f64.sqrt()).abs() < 1e-12);
        let flat = |w: &Weights| -> Vec<f32> { w.tensors().iter().map(|t| t.data()[0]).collect() };
        assert_eq!(flat(learner.weights()), [0.5, 0.5, 0.5, 7.0, 1.0]);
        assert_eq!(flat(&learner.learnt()), [0.5, 0.5, 0.5, 7.0, 1.0]);
        assert!(matches!(
            learner.step(f64::NAN, &gradients, |_| {}),
            Err(TrainError::NotANumber { step: 1 })
        ));
    }

    #[test]
    fn a_restored_learner_goes_on_to_the_same_bits() {
        let mut g = Builder::new("test");
        let x = g.input("x", 1);
        let x = g.conv("c", x, Conv::new(1, 1));
        let graph = g.finish(x);
        let mut first = learner(&graph);
        let gradient = |v: f32| vec![Tensor::new([1, 1, 1, 1], vec![v]), Tensor::new([1], vec![v])];
        first.step(0.0, &gradient(0.25), |_| {}).unwrap();
        let mut second = learner(&graph);
        second.restore(first.state()).unwrap();
        for learner in [&mut first, &mut second] {
            learner.step(0.0, &gradient(0.75), |_| {}).unwrap();
        }
        assert_eq!(first.state(), second.state());
    }
}
