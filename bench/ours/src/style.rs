//! Style training, as in `bench/peers/step.py`.

use anyhow::{Context, Result};
use tensor::Tensor;
use testing::random_weights;
use train::losses::LossNetwork;
use train::style::{StyleRecipe, StyleTrainer};
use weights::Weights;

use crate::made::{SEED, network, unit};
use crate::step::Step;

struct Training {
    trainer: StyleTrainer,
    photographs: Tensor,
}

/// PyTorch's example.
pub(crate) fn training() -> Result<Box<dyn Step>> {
    let vgg = nets::by_name("vgg", "")?;
    let graph = vgg.graph.up_to(vgg.graph.find("relu4_3").context("a tap of VGG16")?);
    let weights = Weights::bind(&graph, random_weights(&graph, SEED))?;
    let looker = LossNetwork { graph, weights, input: vgg.input, heads: None };
    let (recipe, painting) = (StyleRecipe::pytorch_examples(), unit("painting", [1, 3, 256, 256]));
    let trainer = StyleTrainer::new(&recipe, network("transformer_net", "")?, &looker, &painting)?;
    Ok(Box::new(Training { trainer, photographs: unit("input", [4, 3, 256, 256]) }))
}

impl Step for Training {
    fn take(&mut self) -> Result<()> {
        self.trainer.step(&self.photographs)?;
        Ok(())
    }

    fn check(&mut self) -> Result<String> {
        let losses = self.trainer.step(&self.photographs)?.losses;
        Ok(format!("{:.6e} {:.6e}", losses.content, losses.style))
    }
}
