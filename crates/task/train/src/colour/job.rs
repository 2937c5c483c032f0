//! What a run that learns to colour needs.

use std::collections::BTreeMap;

use cpu::Threads;

use super::trainer::Aids;
use super::{BinWeights, ColorRecipe, Learns, Seer, Start, prior_of};
use crate::TrainError;
use crate::data::{Folder, Loader, Reading};
use crate::run::Identity;

/// Everything that a [`ColorRun`](super::ColorRun) is made of.
#[derive(Debug)]
pub struct ColorJob {
    /// How it is trained.
    pub recipe: ColorRecipe,
    /// What all randomness comes from.
    pub seed: u64,
    /// Photographs to learn from.
    pub photographs: Folder,
    /// Photographs that are kept out of training.
    pub held_out: Folder,
    /// The weights to begin with; of no account to a run that is resumed.
    pub start: Start,
    /// Who says what is seen, and the SHA-256 of its file; for networks that want to be told.
    pub seer: Option<(Seer, String)>,
    /// How photographs are read.
    pub reading: Reading,
    /// What computes. How many there are changes no bit.
    pub threads: Threads,
}

/// Batches of photographs in which colours are counted.
const COUNTED: usize = 32;

/// Photographs of the held-out ones that are looked at, at most.
const JUDGED: usize = 64;

impl ColorJob {
    /// What the run is a function of.
    pub(super) fn identity(&self) -> Identity {
        Identity(BTreeMap::from([
            (
                "classifier",
                self.seer.as_ref().map(|(_, digest)| digest.clone()).unwrap_or_default(),
            ),
            ("photographs", self.photographs.fingerprint().to_string()),
            ("recipe", serde_json::to_string(&self.recipe).unwrap_or_default()),
            ("seed", self.seed.to_string()),
        ]))
    }

    /// Batches to learn from, from that step on.
    pub(super) fn loader(&self, step: u64) -> Result<Loader, TrainError> {
        let options = self.recipe.load_options(self.seed, self.reading.clone());
        Loader::training(self.photographs.clone(), options, step)
    }

    /// The photographs that are looked at for validation.
    pub(super) fn judged(&self) -> Folder {
        self.held_out.clone().limited(JUDGED)
    }

    /// What the trainer needs beside the network. Colours are counted in the first batches.
    pub(super) fn aids(&mut self) -> Result<Aids, TrainError> {
        let seer = self.seer.take().map(|(seer, _)| seer);
        if self.recipe.needs_classifier() && seer.is_none() {
            return Err(TrainError::option(
                "classifier",
                "none",
                "a file of weights: this network is told what is seen",
            ));
        }
        let bins = match self.recipe.learns {
            Learns::Chroma => BinWeights::even(),
            Learns::Bins { rebalancing, .. } => {
                let mut batches = vec![];
                for batch in self.loader(0)?.take(COUNTED) {
                    batches.push(batch?.pictures);
                }
                BinWeights::new(&prior_of(batches), rebalancing)
            }
        };
        Ok(Aids { bins, seer })
    }
}
