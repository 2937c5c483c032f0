//! A step of style training, as `bench/peers/step.py` takes it. At the best level only.

use anyhow::{Context, Result, bail};
use tensor::Tensor;
use testing::{Random, random_weights};
use train::losses::LossNetwork;
use train::style::{StyleRecipe, StyleTrainer};
use weights::Weights;

use crate::engine::{SEED, timed};

/// The case's name.
pub(crate) const CASE: &str = "style-step";

pub(crate) struct Step {
    trainer: StyleTrainer,
    photographs: Tensor,
}

impl Step {
    pub(crate) fn new() -> Result<Self> {
        let vgg = nets::by_name("vgg", "")?;
        let graph = vgg.graph.up_to(vgg.graph.find("relu4_3").context("a tap of VGG16")?);
        let weights = Weights::bind(&graph, random_weights(&graph, SEED))?;
        let looker = LossNetwork { graph, weights, input: vgg.input, heads: None };
        let net = nets::by_name("transformer_net", "")?;
        let weights = Weights::bind(&net.graph, random_weights(&net.graph, SEED))?;
        let recipe = StyleRecipe::pytorch_examples();
        let trainer = StyleTrainer::new(
            &recipe,
            (net, weights),
            &looker,
            &unit("painting", [1, 3, 256, 256]),
        )?;
        Ok(Self { trainer, photographs: unit("input", [4, 3, 256, 256]) })
    }

    /// `run`: milliseconds of a step. `check`: its losses, of the first step if asked first.
    pub(crate) fn answer(&mut self, what: &str) -> Result<String> {
        match what {
            "run" => {
                let mut last = Ok(());
                let step = || last = self.trainer.step(&self.photographs).map(drop);
                let time = timed(step);
                last?;
                Ok(time)
            }
            "check" => {
                let losses = self.trainer.step(&self.photographs)?.losses;
                Ok(format!("{:.6e} {:.6e}", losses.content, losses.style))
            }
            other => bail!("{other:?} is neither run nor check"),
        }
    }
}

/// A picture in 0..=1.
fn unit(name: &str, shape: [usize; 4]) -> Tensor {
    let mut picture = Random::named(SEED, name).tensor(&shape, 1.0);
    for v in picture.data_mut() {
        *v = v.midpoint(1.0);
    }
    picture
}
