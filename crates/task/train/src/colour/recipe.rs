use serde::{Deserialize, Serialize};

use super::{Hinting, Rebalancing};
use crate::TrainError;
use crate::augment::Augmentation;
use crate::data::{Crop, LoadOptions, Reading};
use crate::optim::{Adam, Averaging, RmsProp, Rule, Schedule};
use crate::run::{Initial, Learning};

/// Everything that decides how a network learns to colour, but for the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColorRecipe {
    /// The recipe's name.
    pub name: String,
    /// The network that learns, as the registry of networks calls it.
    pub network: String,
    /// The network's settings; an empty object for the published ones.
    pub config: serde_json::Value,
    /// What it learns.
    pub learns: Learns,
    /// How random weights are drawn.
    pub initial: Initial,
    /// Photographs a step.
    pub batch: usize,
    /// Pixels of a training picture's side.
    pub size: usize,
    /// Pixels of the shorter side of a photograph that it is cut from.
    pub short: usize,
    /// What is cut out.
    pub crop: Cut,
    /// How pictures are moved.
    pub augmentation: Augmentation,
    /// How many steps.
    pub steps: u64,
    /// How the network is changed.
    pub rule: Rule,
    /// The learning rate; a cosine ends with the steps.
    pub schedule: Schedule,
    /// Gradients are shortened to this length together.
    pub clip: Option<f64>,
    /// What is kept in the end is a mean over the last steps.
    pub averaging: Option<Averaging>,
}

/// What a network that colours is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learns {
    /// How likely each of the 313 colours is: cross-entropy with soft labels.
    Bins {
        /// How rare colours count.
        rebalancing: Rebalancing,
        /// How hints are drawn.
        hinting: Hinting,
    },
    /// a and b over 128: the mean squared error.
    Chroma,
}

/// What is cut out of a photograph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// Any part of it, mirrored or not.
    Random,
    /// The middle.
    Centre,
}

/// Keras's `zoom_range`, `shear_range` and so on of the tutorial, mirrored or not.
fn keras(amount: f64, degrees: f64) -> Augmentation {
    Augmentation {
        shear_range: amount,
        rotation_range: degrees,
        horizontal_flip: true,
        ..Augmentation::zoomed(amount)
    }
}

impl ColorRecipe {
    /// Every name that [`ColorRecipe::by_name`] knows.
    pub const NAMES: [&str; 4] = ["pentimento", "alpha", "beta", "full"];

    /// The recipe of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "pentimento" => Some(Self::default()),
            "alpha" => Some(Self::alpha()),
            "beta" => Some(Self::beta()),
            "full" => Some(Self::full()),
            _ => None,
        }
    }

    /// The tutorial's alpha version: one picture of 400×400, 3000 times.
    pub fn alpha() -> Self {
        Self {
            name: "alpha".into(),
            network: "colour_alpha".into(),
            batch: 1,
            size: 400,
            short: 400,
            crop: Cut::Centre,
            augmentation: Augmentation::default(),
            steps: 3000,
            ..Self::beta()
        }
    }

    /// The tutorial's beta version: batches of 50 at 256², sheared and zoomed by up to
    /// 0.2, turned by up to 20°, mirrored. The tutorial leaves the number of steps open.
    pub fn beta() -> Self {
        Self {
            name: "beta".into(),
            network: "colour_beta".into(),
            config: serde_json::Value::Object(serde_json::Map::new()),
            learns: Learns::Chroma,
            initial: Initial::Glorot,
            batch: 50,
            size: 256,
            short: 256,
            crop: Cut::Centre,
            augmentation: keras(0.2, 20.0),
            steps: 1000,
            rule: RmsProp::keras().into(),
            schedule: Schedule::Constant { rate: 1e-3 },
            clip: None,
            averaging: None,
        }
    }

    /// The tutorial's full version: batches of 20, sheared and zoomed by up to 0.4,
    /// turned by up to 40°, Adam. It looks at the grey picture through a classifier too.
    pub fn full() -> Self {
        Self {
            name: "full".into(),
            network: "colour_full".into(),
            batch: 20,
            augmentation: keras(0.4, 40.0),
            rule: Adam::keras().into(),
            ..Self::beta()
        }
    }

    /// Whether its network is told by a classifier what is seen.
    pub fn needs_classifier(&self) -> bool {
        self.network == "colour_full"
    }

    /// Whether a photograph looks the same each time.
    pub(super) fn is_still(&self) -> bool {
        self.crop == Cut::Centre && !self.is_moved()
    }

    fn is_moved(&self) -> bool {
        self.augmentation != Augmentation::default()
    }

    /// With another number of steps, over which a falling rate is stretched.
    #[must_use]
    pub fn with_steps(mut self, steps: u64) -> Self {
        if let Schedule::Cosine { warmup, steps: down, .. } = &mut self.schedule {
            *warmup = (*warmup).min(steps / 10);
            *down = steps.saturating_sub(*warmup).max(1);
        }
        self.steps = steps;
        self
    }

    /// With another rate, where it is highest.
    #[must_use]
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.schedule = match self.schedule {
            Schedule::Cosine { peak, last, warmup, steps, .. } => {
                Schedule::Cosine { from: 0.0, peak: rate, last: last / peak * rate, warmup, steps }
            }
            _ => Schedule::Constant { rate },
        };
        self
    }

    /// Holds the recipe to what makes sense.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        for (option, value) in [("batch", self.batch), ("size", self.size)] {
            if value == 0 {
                return Err(TrainError::option(option, value, "at least 1"));
            }
        }
        Ok(())
    }

    pub(super) fn learning(&self) -> Learning {
        let Self { rule, schedule, averaging, .. } = *self;
        Learning { rule, schedule, averaging }
    }

    /// How photographs become batches.
    pub(super) fn load_options(&self, seed: u64, reading: Reading) -> LoadOptions {
        LoadOptions {
            batch: self.batch,
            size: [self.size; 2],
            short: self.short.max(self.size),
            crop: match self.crop {
                Cut::Random => Crop::Random,
                Cut::Centre => Crop::Centre,
            },
            augmentation: self.is_moved().then(|| self.augmentation.clone()),
            seed,
            reading,
            ..LoadOptions::default()
        }
    }
}

impl Default for ColorRecipe {
    /// Ours: the network `colorizer`, from the encoder of a classifier.
    fn default() -> Self {
        let (warmup, steps) = (100, 3600);
        Self {
            name: "pentimento".into(),
            network: "colorizer".into(),
            config: serde_json::Value::Object(serde_json::Map::new()),
            learns: Learns::Bins {
                rebalancing: Rebalancing::default(),
                hinting: Hinting::default(),
            },
            initial: Initial::He,
            batch: 16,
            size: 160,
            short: 192,
            crop: Cut::Random,
            augmentation: Augmentation::default(),
            steps,
            rule: Adam::default().into(),
            schedule: Schedule::Cosine { from: 0.0, peak: 7e-4, last: 7e-6, warmup, steps },
            clip: Some(1.0),
            averaging: Some(Averaging::Corrected { decay: 0.998 }),
        }
    }
}
