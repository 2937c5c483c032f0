//! What a run of style training leaves on the disk, to go on from.

use std::collections::BTreeMap;
use std::path::Path;

use nets::Net;
use serde::{Deserialize, Serialize};
use weights::{NetworkCard, StateDict, Weights};

use super::Evaluation;
use crate::TrainError;
use crate::run::{self, Checkpoint, LearnerState};

/// What a run is a function of, beside the program: two runs that agree in all of
/// it take the same steps to the same bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The recipe, as JSON.
    pub recipe: String,
    /// What all randomness comes from.
    pub seed: u64,
    /// The fingerprint of the photographs' names and order.
    pub photographs: u64,
    /// The SHA-256 of the painting's file.
    pub painting: String,
    /// The SHA-256 of the file of the loss network's weights.
    pub loss_network: String,
}

impl Identity {
    const NAMES: [&'static str; 5] = ["loss_network", "painting", "photographs", "recipe", "seed"];

    /// In what `self` and `other` differ, in words.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            ("painting", self.painting == other.painting),
            ("recipe", self.recipe == other.recipe),
            ("seed", self.seed == other.seed),
            ("folder of photographs", self.photographs == other.photographs),
            ("loss network", self.loss_network == other.loss_network),
        ];
        parts.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }

    fn to_run(&self) -> run::Identity {
        let Self { recipe, seed, photographs, painting, loss_network } = self;
        let texts = [
            loss_network.clone(),
            painting.clone(),
            photographs.to_string(),
            recipe.clone(),
            seed.to_string(),
        ];
        run::Identity(Self::NAMES.into_iter().zip(texts).collect())
    }

    fn from_run(mut identity: run::Identity) -> Result<Self, String> {
        let mut text = |name: &str| identity.0.remove(name).unwrap_or_default();
        let number = |name: &str, text: String| text.parse().map_err(|e| format!("{name}: {e}"));
        Ok(Self {
            seed: number("seed", text("seed"))?,
            photographs: number("photographs", text("photographs"))?,
            recipe: text("recipe"),
            painting: text("painting"),
            loss_network: text("loss_network"),
        })
    }
}

/// What is told of a run, and does not change what it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// What its network began with.
    pub began_with: String,
    /// Seconds spent on steps.
    pub seconds: f64,
    /// The losses over the photographs kept out, as they were worked out.
    pub evaluations: Vec<Evaluation>,
}

/// A run of style training between two steps: a [`Checkpoint`] of kind `style`.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleCheckpoint {
    pub(super) card: NetworkCard,
    pub(super) identity: Identity,
    pub(super) account: Account,
    pub(super) state: LearnerState,
}

const KIND: &str = "style";

impl StyleCheckpoint {
    /// Which network it is of.
    pub fn card(&self) -> &NetworkCard {
        &self.card
    }

    /// What the run is a function of.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What is told of the run.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.state.optimizer.steps
    }

    /// Whether a file's metadata are a checkpoint's.
    pub fn is_told_by(metadata: &BTreeMap<String, String>) -> bool {
        Checkpoint::is_told_by(metadata)
    }

    /// The network as it would be exported: the mean over the last steps, if there is one.
    pub fn learnt(&self) -> StateDict {
        self.clone().into_run().learnt()
    }

    /// The network that it is of, with the weights of the next step.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::network`].
    pub fn network(&self) -> Result<(Net, Weights), TrainError> {
        self.clone().into_run().network()
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::write`].
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        self.clone().into_run().write(path)
    }

    fn into_run(self) -> Checkpoint {
        let Self { card, identity, account, state } = self;
        let account = serde_json::to_value(account).unwrap_or_default();
        Checkpoint { kind: KIND, card, identity: identity.to_run(), account, state }
    }

    /// Reads such a file.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::read`].
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let refuse =
            |what: String| TrainError::Checkpoint { path: path.to_owned(), kind: KIND, what };
        let Checkpoint { card, identity, account, state, .. } =
            Checkpoint::read(path, KIND, &Identity::NAMES)?;
        let identity = Identity::from_run(identity).map_err(refuse)?;
        let account = serde_json::from_value(account).map_err(|e| refuse(e.to_string()))?;
        Ok(Self { card, identity, account, state })
    }
}
