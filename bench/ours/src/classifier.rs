//! A step of training the tutorial's cats-and-dogs network, as `bench/peers/classify.py`
//! takes it. At the best level only.

use anyhow::{Result, bail};
use cpu::{Network, Plan, Session};
use nets::Net;
use tensor::Tensor;
use testing::{Random, random_weights};
use train::classifier::{ClassifierRecipe, ClassifierTrainer};
use train::losses::binary_cross_entropy;
use weights::Weights;

use crate::engine::{SEED, timed};

/// The case's name.
pub(crate) const CASE: &str = "classifier-step";

pub(crate) struct Step {
    trainer: ClassifierTrainer,
    photographs: Tensor,
    /// Every other one is a dog.
    labels: Vec<usize>,
    /// The loss of the first weights, without dropout.
    first: f64,
}

impl Step {
    pub(crate) fn new() -> Result<Self> {
        let recipe = ClassifierRecipe::tutorial();
        let shape = [recipe.batch, 3, recipe.size, recipe.size];
        let mut photographs = Random::named(SEED, "input").tensor(&shape, 1.0);
        photographs.data_mut().iter_mut().for_each(|v| *v = v.midpoint(1.0));
        let labels: Vec<usize> = (0..recipe.batch).map(|i| i % 2).collect();
        let net = nets::by_name(&recipe.network, "")?;
        let weights = Weights::bind(&net.graph, random_weights(&net.graph, SEED))?;
        let first = first_loss(&net, &weights, (&photographs, &labels))?;
        let trainer = ClassifierTrainer::new(&recipe, (net, weights), SEED)?;
        Ok(Self { trainer, photographs, labels, first })
    }

    /// `run`: milliseconds of a step. `check`: the first weights' loss.
    pub(crate) fn answer(&mut self, what: &str) -> Result<String> {
        match what {
            "run" => {
                let mut last = Ok(());
                let step = || last = self.trainer.step(&self.photographs, &self.labels).map(drop);
                let time = timed(step);
                last?;
                Ok(time)
            }
            "check" => Ok(format!("{:.6e}", self.first)),
            other => bail!("{other:?} is neither run nor check"),
        }
    }
}

fn first_loss(net: &Net, weights: &Weights, (x, labels): (&Tensor, &[usize])) -> Result<f64> {
    let network = Network::new(&net.graph, weights)?;
    let logits = net.graph.node(net.graph.output()).inputs[0];
    let mut session = Session::new(Plan::new(&network, &[x.shape4()], &[logits])?);
    let targets: Vec<f32> = labels.iter().map(|&label| label as f32).collect();
    let logits = session.run(&[x]).taps.swap_remove(0);
    Ok(binary_cross_entropy(&logits, &targets, 0.0).loss)
}
