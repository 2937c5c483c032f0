//! What a run of style training needs.

use std::collections::BTreeMap;
use std::path::Path;

use cpu::{Memory, Threads};
use imaging::{Filter, Fit, degrain, resize_tensor};
use tensor::Tensor;
use weights::Limits;

use super::{Beginning, StyleRecipe};
use crate::TrainError;
use crate::data::{Folder, LoadOptions, Reading};
use crate::hash::sha256;
use crate::losses::{Heads, LossNetwork, Objective};
use crate::run::Identity;

/// Everything that a [`StyleRun`](super::StyleRun) is made of.
#[derive(Clone, Debug)]
pub struct StyleJob {
    /// How it is trained.
    pub recipe: StyleRecipe,
    /// What all randomness comes from.
    pub seed: u64,
    /// The style.
    pub painting: Painting,
    /// What judges.
    pub loss_network: LossFile,
    /// Photographs to learn from.
    pub photographs: Folder,
    /// Photographs that are kept out of training.
    pub held_out: Folder,
    /// The weights to begin with; of no account to a run that is resumed.
    pub beginning: Beginning,
    /// How photographs are read.
    pub reading: Reading,
    /// What computes. How many there are changes no bit.
    pub threads: Threads,
    /// What is kept of a step, and what computed again. It changes no bit.
    pub memory: Memory,
}

/// A picture whose style is learnt.
#[derive(Clone, Debug)]
pub struct Painting {
    /// `[1, 3, H, W]`, RGB in 0..=1, at its own size.
    pub rgb: Tensor,
    /// The SHA-256 of its file.
    pub sha256: String,
}

/// A loss network, from a file.
#[derive(Clone, Debug)]
pub struct LossFile {
    /// The network.
    pub network: LossNetwork,
    /// The SHA-256 of its file.
    pub sha256: String,
}

impl Painting {
    /// Reads a picture.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is no picture.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let wrong = |source| TrainError::Picture { path: path.to_owned(), source };
        let sha256 = sha256(path).map_err(|e| wrong(e.into()))?;
        let picture = imaging::decode_file(path, &imaging::Limits::default()).map_err(wrong)?;
        Ok(Self { rgb: picture.to_rgb_tensor(), sha256 })
    }

    /// As it is to be looked at: its shorter side of that length, if one is given, and without
    /// so many levels of [grain](imaging::degrain).
    pub fn at(&self, short: Option<usize>, grain: f32) -> Tensor {
        looked_at(&self.rgb, short, grain)
    }
}

/// As [`Painting::at`] has it.
pub(super) fn looked_at(rgb: &Tensor, short: Option<usize>, grain: f32) -> Tensor {
    let [_, _, h, w] = rgb.shape4();
    let size = short.map_or([h, w], |short| Fit::Short(short).size([h, w]));
    degrain(&resize_tensor(rgb, size, Filter::Triangle), grain)
}

/// Holds levels of grain to what makes sense.
pub(super) fn check_grain(levels: f32) -> Result<(), TrainError> {
    if (0.0..=64.0).contains(&levels) {
        return Ok(());
    }
    Err(TrainError::option("style_degrain", levels, "from 0 to 64"))
}

impl LossFile {
    /// Reads the weights of the loss network called `name` (`vgg16`, `vgg19` or
    /// `vgg19_normalised`), as far as `objective` looks into it.
    ///
    /// Any kind of checkpoint will do that has the network's parameters under
    /// torchvision's names, and may have more, such as a classifier's.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or lacks parameters, or the network lacks a layer.
    pub fn open(path: &Path, name: &str, objective: &Objective) -> Result<Self, TrainError> {
        let wrong = |source| TrainError::weights(path)(source);
        let net = cut(name, objective)?;
        let sha256 = sha256(path).map_err(|e| wrong(e.into()))?;
        let read = weights::read(path, &Limits::default()).map_err(wrong)?;
        let weights = weights::fit_part(&net.graph, read.tensors).map_err(wrong)?;
        let network = LossNetwork { graph: net.graph, input: net.input, weights, heads: None };
        Ok(Self { network, sha256 })
    }

    /// The same with LPIPS's heads from another file, which may be the package's.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or has no heads for VGG16.
    pub fn with_heads(mut self, path: &Path) -> Result<Self, TrainError> {
        let wrong = |source| TrainError::weights(path)(source);
        self.sha256 = format!("{}+{}", self.sha256, sha256(path).map_err(|e| wrong(e.into()))?);
        let read = weights::read(path, &Limits::default()).map_err(wrong)?;
        let none = || TrainError::NoHeads { path: path.to_owned() };
        self.network.heads = Some(Heads::of(&read.tensors).ok_or_else(none)?);
        Ok(self)
    }
}

/// The loss network called `name`, cut off after the last layer that
/// `objective` asks for.
fn cut(name: &str, objective: &Objective) -> Result<nets::Net, TrainError> {
    let config = match name {
        "vgg16" => r#"{"depth": "16"}"#,
        "vgg19" => r#"{"depth": "19"}"#,
        "vgg19_normalised" => r#"{"depth": "19", "form": "normalised"}"#,
        _ => return Err(TrainError::option("loss network", name, LOSS_NETWORKS)),
    };
    let net = nets::by_name("vgg", config)?;
    let mut last = None;
    let style = objective.style.iter().map(|w| w.tap.as_str());
    for tap in style.chain(objective.likened()) {
        let missing = || TrainError::NoTap { network: name.to_owned(), tap: tap.to_owned() };
        last = last.max(Some(net.graph.find(tap).ok_or_else(missing)?));
    }
    let last = last.ok_or(TrainError::NothingToLearn)?;
    Ok(nets::Net { graph: net.graph.up_to(last), ..net })
}

const LOSS_NETWORKS: &str = "vgg16, vgg19 or vgg19_normalised";

/// Photographs of the held-out ones that are looked at, at most.
const JUDGED: usize = 50;

impl StyleJob {
    /// About how many bytes the run takes: every layer's output of both networks for a batch, which
    /// going back needs, as much again for gradients and what lies in between, and weights
    /// with their optimiser's numbers.
    ///
    /// # Errors
    ///
    /// If a network does not take pictures of the recipe's size.
    pub fn need(&self) -> Result<u64, TrainError> {
        let StyleRecipe { network, config, batch, size, .. } = &self.recipe;
        let painter = nets::by_name(network, &config.to_string())?.graph;
        let mut bytes = 0;
        for graph in [&painter, &self.loss_network.network.graph] {
            let shapes =
                graph.shapes(&[[*batch, 3, *size, *size]]).map_err(cpu::EngineError::from)?;
            let values: usize = shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
            bytes += 4 * (2 * values + 4 * graph.param_count()) as u64;
        }
        Ok(bytes)
    }

    /// Holds the job to what makes sense, and settles how many steps it takes.
    pub(super) fn settle(&mut self) -> Result<(), TrainError> {
        let recipe = &mut self.recipe;
        for (option, value) in [("batch", recipe.batch), ("size", recipe.size)] {
            if value == 0 {
                return Err(TrainError::option(option, value, "at least 1"));
            }
        }
        check_grain(recipe.style_degrain)?;
        if recipe.steps.is_none() {
            let steps = recipe.steps_for(self.photographs.photos().len());
            *recipe = recipe.clone().with_steps(steps);
        }
        Ok(())
    }

    /// What the run is a function of.
    pub(super) fn identity(&self) -> Identity {
        Identity(BTreeMap::from([
            ("loss_network", self.loss_network.sha256.clone()),
            ("painting", self.painting.sha256.clone()),
            ("photographs", self.photographs.fingerprint().to_string()),
            ("recipe", serde_json::to_string(&self.recipe).unwrap_or_default()),
            ("seed", self.seed.to_string()),
        ]))
    }

    /// How photographs become batches.
    ///
    /// Small crops are cut from photographs of 256 pixels, so that they show
    /// no larger a scene than large ones do.
    pub(super) fn load_options(&self) -> LoadOptions {
        let size = self.recipe.size;
        LoadOptions {
            batch: self.recipe.batch,
            size: [size; 2],
            short: size.max(256),
            seed: self.seed,
            reading: self.reading.clone(),
            ..LoadOptions::default()
        }
    }

    /// The photographs that are looked at for validation: whole batches of them,
    /// where there are enough.
    pub(super) fn judged(&self) -> Folder {
        let (held, batch) = (self.held_out.photos().len().min(JUDGED), self.recipe.batch);
        self.held_out.clone().limited(if held < batch { held } else { held - held % batch })
    }
}
