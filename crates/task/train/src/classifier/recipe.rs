use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::augment::{Augmentation, Disturbance, Fill, Shift};
use crate::data::{Crop, LoadOptions, Reading};
use crate::optim::{Adam, Averaging, Decay, Flavour, RmsProp, Rule, Schedule};
use crate::run::{Initial, Learning};

/// Everything that decides how a classifier is trained, but for the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierRecipe {
    /// The recipe's name.
    pub name: String,
    /// The network that learns, as the registry of networks calls it.
    pub network: String,
    /// The network's settings but for `classes`; an empty object for the published ones.
    pub config: serde_json::Value,
    /// How random weights are drawn.
    pub initial: Initial,
    /// What its last layer tells of two classes.
    pub head: Head,
    /// The last layer that keeps the weights it began with, and all before it; none,
    /// if all learn.
    pub frozen: Option<String>,
    /// Pixels of a training picture's sides.
    pub size: usize,
    /// Pixels of a picture's sides where the network is used; `size`, if not given.
    pub size_in_use: Option<usize>,
    /// Pictures a step.
    pub batch: usize,
    /// Steps an epoch; as many as show every picture once, if not given.
    pub steps_per_epoch: Option<u64>,
    /// How many epochs.
    pub epochs: u64,
    /// The share of the target that is spread over all classes.
    pub smoothing: f64,
    /// How pictures are moved.
    pub augmentation: Augmentation,
    /// How their colours are changed, and what is hidden of them.
    pub disturbance: Disturbance,
    /// How the network is changed.
    pub rule: Rule,
    /// The learning rate; a cosine ends with the steps.
    pub schedule: Schedule,
    /// Whose running statistics batch norms keep.
    pub running: Flavour,
    /// What is kept in the end is a mean over the last steps.
    pub averaging: Option<Averaging>,
}

/// What the last layer tells of two classes; of more it is always a probability each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// One number: the probability of the second, by a sigmoid.
    Sigmoid,
    /// A probability for each, by a softmax.
    Softmax,
}

impl ClassifierRecipe {
    /// Every name that [`ClassifierRecipe::by_name`] knows.
    pub const NAMES: [&str; 3] = ["pentimento", "tutorial", "transfer"];

    /// The recipe of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "pentimento" => Some(Self::default()),
            "tutorial" => Some(Self::tutorial()),
            "transfer" => Some(Self::transfer()),
            _ => None,
        }
    }

    /// The Keras tutorial's: its small network, 100 epochs of 100 steps of 20 pictures,
    /// moved about, and `RMSprop`.
    ///
    /// # Source
    ///
    /// Chollet, "Deep Learning with Python", listing 5.14. Pictures are brought to size
    /// by [`LoadOptions::filter`] where Keras takes the nearest pixel.
    pub fn tutorial() -> Self {
        Self {
            name: "tutorial".into(),
            network: "cats_and_dogs".into(),
            config: serde_json::json!({}),
            initial: Initial::Glorot,
            head: Head::Sigmoid,
            frozen: None,
            size: 150,
            size_in_use: None,
            batch: 20,
            steps_per_epoch: Some(100),
            epochs: 100,
            smoothing: 0.0,
            augmentation: Augmentation {
                rotation_range: 40.0,
                width_shift_range: Shift::Within(0.2),
                height_shift_range: Shift::Within(0.2),
                shear_range: 0.2,
                horizontal_flip: true,
                ..Augmentation::zoomed(0.2)
            },
            disturbance: Disturbance::default(),
            rule: RmsProp { rate: 1e-4, ..RmsProp::keras() }.into(),
            schedule: Schedule::Constant { rate: 1e-4 },
            running: Flavour::Keras,
            averaging: None,
        }
    }

    /// For a network that has learnt something else already: few epochs at a low rate.
    pub fn transfer() -> Self {
        let warmup = 50;
        Self {
            name: "transfer".into(),
            network: "efficientnet_lite0".into(),
            size: 224,
            size_in_use: None,
            epochs: 8,
            schedule: Schedule::Cosine { from: 0.0, peak: 1e-3, last: 1e-5, warmup, steps: 1 },
            averaging: None,
            ..Self::default()
        }
    }

    /// How pictures become batches.
    pub(super) fn load_options(&self, seed: u64, reading: Reading) -> LoadOptions {
        LoadOptions {
            batch: self.batch,
            size: [self.size; 2],
            short: self.size,
            crop: Crop::Whole,
            augmentation: Some(self.augmentation.clone()),
            disturbance: self.disturbance,
            seed,
            reading,
            ..LoadOptions::default()
        }
    }

    /// How the network follows the gradients.
    pub fn learning(&self) -> Learning {
        Learning { rule: self.rule, schedule: self.schedule, averaging: self.averaging }
    }

    /// Pixels of a picture's sides where the network is used.
    pub fn used_at(&self) -> usize {
        self.size_in_use.unwrap_or(self.size)
    }

    /// Steps an epoch, of so many pictures.
    pub fn steps_per_epoch(&self, pictures: usize) -> u64 {
        self.steps_per_epoch.unwrap_or((pictures as u64).div_ceil(self.batch.max(1) as u64)).max(1)
    }

    /// Holds it to what makes sense, and settles for so many pictures how many steps
    /// there are and when the rate has fallen.
    pub(super) fn settle(&mut self, pictures: usize) -> Result<(), TrainError> {
        let counts = [("batch", self.batch), ("size", self.size), ("size in use", self.used_at())];
        if let Some((option, value)) = counts.into_iter().find(|(_, value)| *value == 0) {
            return Err(TrainError::option(option, value, "at least 1"));
        }
        if self.epochs == 0 {
            return Err(TrainError::option("epochs", self.epochs, "at least 1"));
        }
        if !(0.0..1.0).contains(&self.smoothing) {
            return Err(TrainError::option("smoothing", self.smoothing, "from 0 to below 1"));
        }
        let each = self.steps_per_epoch(pictures);
        self.steps_per_epoch = Some(each);
        let total = each.saturating_mul(self.epochs);
        if let Schedule::Cosine { warmup, steps, .. } = &mut self.schedule {
            *warmup = (*warmup).min(total / 10);
            *steps = (total - *warmup).max(1);
        }
        Ok(())
    }

    /// The learning rate, where it is highest; the rest of the schedule follows.
    #[must_use]
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.schedule = self.schedule.peaking_at(rate);
        self
    }
}

impl Default for ClassifierRecipe {
    /// Ours: a small residual network at 112 pixels, used at 128 (learning sees things
    /// enlarged, see Touvron et al., "Fixing the train-test resolution discrepancy",
    /// 2019), pictures zoomed and turned and
    /// partly hidden, a rate that falls to nothing, and averaged weights.
    fn default() -> Self {
        Self {
            name: "pentimento".into(),
            network: "small_resnet".into(),
            config: serde_json::json!({}),
            initial: Initial::He,
            head: Head::Softmax,
            frozen: None,
            size: 112,
            size_in_use: Some(128),
            batch: 32,
            steps_per_epoch: None,
            epochs: 80,
            smoothing: 0.1,
            augmentation: Augmentation {
                rotation_range: 15.0,
                width_shift_range: Shift::Within(0.15),
                height_shift_range: Shift::Within(0.15),
                zoom_range: [0.6, 1.1],
                horizontal_flip: true,
                fill_mode: Fill::Reflect,
                ..Augmentation::default()
            },
            disturbance: Disturbance {
                brightness: 0.25,
                contrast: 0.25,
                saturation: 0.25,
                hidden: 0.3,
            },
            rule: Adam { decay: Decay::Decoupled(0.05), ..Adam::default() }.into(),
            schedule: Schedule::Cosine { from: 0.0, peak: 2e-3, last: 0.0, warmup: 300, steps: 1 },
            running: Flavour::Pytorch,
            averaging: Some(Averaging::Corrected { decay: 0.995 }),
        }
    }
}
