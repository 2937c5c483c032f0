//! Training the tutorial's cats-and-dogs network, as in `bench/peers/classify.py`.

use anyhow::Result;
use cpu::{Network, Plan, Session};
use nets::Net;
use tensor::Tensor;
use train::classifier::{ClassifierRecipe, ClassifierTrainer};
use train::losses::binary_cross_entropy;
use weights::Weights;

use crate::made::{SEED, network, unit};
use crate::step::Step;

struct Training {
    trainer: ClassifierTrainer,
    photographs: Tensor,
    /// Every other one is a dog.
    labels: Vec<usize>,
    /// The loss of the first weights, without dropout.
    first: f64,
}

/// Keras's example.
pub(crate) fn training() -> Result<Box<dyn Step>> {
    let recipe = ClassifierRecipe::tutorial();
    let photographs = unit("input", [recipe.batch, 3, recipe.size, recipe.size]);
    let labels: Vec<usize> = (0..recipe.batch).map(|i| i % 2).collect();
    let (net, weights) = network(&recipe.network, "")?;
    let first = first_loss(&net, &weights, (&photographs, &labels))?;
    let trainer = ClassifierTrainer::new(&recipe, (net, weights), SEED)?;
    Ok(Box::new(Training { trainer, photographs, labels, first }))
}

impl Step for Training {
    fn take(&mut self) -> Result<()> {
        self.trainer.step(&self.photographs, &self.labels)?;
        Ok(())
    }

    fn check(&mut self) -> Result<String> {
        Ok(format!("{:.6e}", self.first))
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
