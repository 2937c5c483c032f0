use std::path::PathBuf;

use imaging::{Filter, Limits};

use crate::TrainError;
use crate::augment::{Augmentation, Disturbance};

/// What batches are made of, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadOptions {
    /// Pictures a batch. Default: 4.
    pub batch: usize,
    /// Height and width of what is cut out of each. Default: 256 × 256.
    pub size: [usize; 2],
    /// Pixels of a photograph's shorter side once it is scaled, larger or smaller;
    /// no less than either of `size`. Default: 256.
    pub short: usize,
    /// How it is scaled. Default: [`Filter::Triangle`], which is Pillow's and
    /// torchvision's bilinear.
    pub filter: Filter,
    /// What is cut out. Default: [`Crop::Random`].
    pub crop: Crop,
    /// Further changes to what was cut out. Default: none.
    pub augmentation: Option<Augmentation>,
    /// Then changes of its colours, and what is hidden of it. Default: none.
    pub disturbance: Disturbance,
    /// What all randomness comes from. Default: 0.
    pub seed: u64,
    /// How photographs are read.
    pub reading: Reading,
}

/// How photographs are read. None of this changes what is in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Threads that read, decode and scale. Default: 2.
    pub threads: usize,
    /// Batches that may wait, made, for whoever trains. Default: 4.
    pub ahead: usize,
    /// What a photograph may ask for; larger ones are bad. Default: 50 megapixels
    /// and 1 GiB. While it is scaled a photograph takes 15 bytes a pixel,
    /// in each thread: at the most 750 MB.
    pub limits: Limits,
    /// Bytes of scaled pictures that are kept in memory, so that the next epochs
    /// need not decode them again; once it is full, the rest is read anew each time.
    /// Default: 0.
    pub memory: usize,
    /// A folder for scaled pictures, which is made if it is not there; worth
    /// having where photographs are much larger than what is cut out of them.
    /// Default: none.
    pub cache: Option<PathBuf>,
}

/// What is cut out of a scaled photograph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crop {
    /// Any part of it, mirrored or not.
    #[default]
    Random,
    /// Any part of it, never mirrored.
    RandomUnmirrored,
    /// The middle.
    Centre,
    /// The whole of it, stretched or squeezed to the size: Keras's `target_size`.
    Whole,
}

impl Crop {
    /// The same without chance.
    pub(super) fn still(self) -> Self {
        match self {
            Self::Random | Self::RandomUnmirrored | Self::Centre => Self::Centre,
            Self::Whole => Self::Whole,
        }
    }
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            batch: 4,
            size: [256, 256],
            short: 256,
            filter: Filter::Triangle,
            crop: Crop::default(),
            augmentation: None,
            disturbance: Disturbance::default(),
            seed: 0,
            reading: Reading::default(),
        }
    }
}

impl Default for Reading {
    fn default() -> Self {
        let limits = Limits { pixels: 50_000_000, bytes: 1 << 30 };
        Self { threads: 2, ahead: 4, limits, memory: 0, cache: None }
    }
}

impl LoadOptions {
    /// Holds the options to what makes sense.
    ///
    /// # Errors
    ///
    /// [`TrainError::Option`] with the first that makes none.
    pub fn check(&self) -> Result<(), TrainError> {
        let counts = [
            ("batch", self.batch),
            ("size", self.size[0].min(self.size[1])),
            ("threads", self.reading.threads),
            ("ahead", self.reading.ahead),
        ];
        if let Some((option, value)) = counts.into_iter().find(|(_, value)| *value == 0) {
            return Err(TrainError::option(option, value, "at least 1"));
        }
        if self.crop != Crop::Whole && self.short < self.size[0].max(self.size[1]) {
            let range = "no less than what is cut out";
            return Err(TrainError::option("short", self.short, range));
        }
        self.disturbance.check()?;
        self.augmentation.as_ref().map_or(Ok(()), Augmentation::check)
    }
}
