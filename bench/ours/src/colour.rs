//! Colouring, as `bench/peers/colour.py` does it. At the best level only.

use anyhow::{Result, bail};
use imaging::colour::Lab;
use imaging::{Channels, Picture, Pixels};
use tensor::Tensor;
use testing::{Random, random_weights};
use train::colour::{Aids, BinWeights, ColorRecipe, ColorTrainer, Seer};
use weights::Weights;

use crate::engine::{SEED, ten_values, timed};

/// A step of training the tutorial's full version, its classifier included.
pub(crate) const STEP: &str = "colour-full-step";
/// A picture of 24 megapixels to Lab and back. Nobody else's program has it.
pub(crate) const LAB: &str = "colour-lab-24";

pub(crate) struct Step {
    trainer: ColorTrainer,
    photographs: Tensor,
}

impl Step {
    pub(crate) fn new() -> Result<Self> {
        let recipe = ColorRecipe::full();
        let random = |name: &str| -> Result<(nets::Net, Weights)> {
            let net = nets::by_name(name, "")?;
            let weights = Weights::bind(&net.graph, random_weights(&net.graph, SEED))?;
            Ok((net, weights))
        };
        let (classifier, weights) = random("efficientnet_lite0")?;
        let seer = Seer::new(classifier, &weights, nets::efficientnet_lite0::SIZE)?;
        let aids = Aids { bins: BinWeights::even(), seer: Some(seer) };
        let trainer = ColorTrainer::new(&recipe, random(&recipe.network)?, (aids, SEED))?;
        let shape = [recipe.batch, 3, recipe.size, recipe.size];
        let mut photographs = Random::named(SEED, "input").tensor(&shape, 1.0);
        photographs.data_mut().iter_mut().for_each(|v| *v = v.midpoint(1.0));
        Ok(Self { trainer, photographs })
    }

    /// `run`: milliseconds of a step. `check`: its loss, of the first step if asked first.
    pub(crate) fn answer(&mut self, what: &str) -> Result<String> {
        match what {
            "run" => {
                let mut last = Ok(());
                let step = || last = self.trainer.step(&self.photographs).map(drop);
                let time = timed(step);
                last?;
                Ok(time)
            }
            "check" => Ok(format!("{:.6e}", self.trainer.step(&self.photographs)?.loss)),
            other => bail!("{other:?} is neither run nor check"),
        }
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
