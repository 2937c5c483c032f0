//! Colouring, as `bench/peers/colour.py` does it. At the best level only.

use anyhow::{Result, bail};
use imaging::colour::Lab;
use imaging::{Channels, Picture, Pixels};
use tensor::Tensor;
use testing::Random;
use train::colour::{Aids, BinWeights, ColorRecipe, ColorTrainer, Seer};

use crate::engine::{ten_values, timed};
use crate::made::{SEED, network, unit};
use crate::step::Step;

/// A picture of 24 megapixels to Lab and back. Nobody else's program has it.
pub(crate) const LAB: &str = "colour-lab-24";

struct Training {
    trainer: ColorTrainer,
    photographs: Tensor,
}

/// The tutorial's full version, its classifier included.
pub(crate) fn training() -> Result<Box<dyn Step>> {
    let recipe = ColorRecipe::full();
    let (classifier, weights) = network("efficientnet_lite0", "")?;
    let seer = Seer::new(classifier, &weights, nets::efficientnet_lite0::SIZE)?;
    let aids = Aids { bins: BinWeights::even(), seer: Some(seer) };
    let trainer = ColorTrainer::new(&recipe, network(&recipe.network, "")?, (aids, SEED))?;
    let photographs = unit("input", [recipe.batch, 3, recipe.size, recipe.size]);
    Ok(Box::new(Training { trainer, photographs }))
}

/// The tutorial's alpha version: one picture, again and again. Nobody else's program has it.
pub(crate) fn alpha() -> Result<Box<dyn Step>> {
    let recipe = ColorRecipe::alpha();
    let aids = Aids { bins: BinWeights::even(), seer: None };
    let trainer = ColorTrainer::new(&recipe, network(&recipe.network, "")?, (aids, SEED))?;
    let photographs = unit("input", [recipe.batch, 3, recipe.size, recipe.size]);
    Ok(Box::new(Training { trainer, photographs }))
}

impl Step for Training {
    fn take(&mut self) -> Result<()> {
        self.trainer.step(&self.photographs)?;
        Ok(())
    }

    fn check(&mut self) -> Result<String> {
        Ok(format!("{:.6e}", self.trainer.step(&self.photographs)?.loss))
    }
}

/// `run`: milliseconds there and back. `check`: ten values of Lab.
pub(crate) fn lab(what: &str) -> Result<String> {
    let mut random = Random::named(SEED, "picture");
    let values = (0..4000 * 6000 * 3 / 8).flat_map(|_| random.bits().to_le_bytes());
    let picture = Picture::new([4000, 6000], Channels::Rgb, Pixels::U8(values.collect()));
    match what {
        "run" => Ok(timed(|| Lab::of_picture(&picture).to_picture(&picture))),
        "check" => Ok(ten_values(Lab::of_picture(&picture).tensor())),
        other => bail!("{other:?} is neither run nor check"),
    }
}
