//! What a run of a classifier's training needs.

use std::collections::BTreeMap;

use cpu::Threads;

use super::classes::{check_all_there, check_same};
use super::{Beginning, ClassifierRecipe};
use crate::TrainError;
use crate::data::{Folder, Reading};
use crate::run::Identity;

/// Everything that a [`ClassifierRun`](super::ClassifierRun) is made of.
#[derive(Clone, Debug)]
pub struct ClassifierJob {
    /// How it is trained.
    pub recipe: ClassifierRecipe,
    /// What all randomness comes from.
    pub seed: u64,
    /// Pictures to learn from, by class.
    pub pictures: Folder,
    /// Pictures of the same classes that are kept out of training.
    pub held_out: Folder,
    /// The weights to begin with; of no account to a run that is resumed.
    pub beginning: Beginning,
    /// How pictures are read.
    pub reading: Reading,
    /// What computes. How many there are changes no bit.
    pub threads: Threads,
}

impl ClassifierJob {
    /// Holds its folders, and perhaps one more, to having the same classes and pictures of each.
    ///
    /// # Errors
    ///
    /// [`TrainError::OtherClasses`] and [`TrainError::EmptyClass`].
    pub fn check_classes(&self, other: Option<&Folder>) -> Result<(), TrainError> {
        for folder in [&self.pictures, &self.held_out].into_iter().chain(other) {
            check_same(&self.pictures, folder)?;
            check_all_there(folder)?;
        }
        Ok(())
    }

    /// Holds the job to what makes sense, and settles how many steps it takes.
    pub(super) fn settle(&mut self) -> Result<(), TrainError> {
        self.check_classes(None)?;
        self.recipe.settle(self.pictures.photos().len())
    }

    /// What the run is a function of.
    pub(super) fn identity(&self) -> Identity {
        Identity(BTreeMap::from([
            ("classes", serde_json::json!(self.pictures.classes()).to_string()),
            ("pictures", self.pictures.fingerprint().to_string()),
            ("recipe", serde_json::to_string(&self.recipe).unwrap_or_default()),
            ("seed", self.seed.to_string()),
        ]))
    }
}
