//! What a run of style training leaves on the disk, to go on from.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tensor::Tensor;
use weights::{Limits, NetworkCard, Precision, StateDict, Weights, WeightsError};

use super::begin::net_of;
use super::{Evaluation, TrainerState};
use crate::TrainError;
use crate::optim::State;

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

/// A run of style training between two steps: one safetensors file.
///
/// The tensors are `network.NAME`, `optimizer.SLOT.INDEX` and
/// `average.average.INDEX`, all in full precision.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleCheckpoint {
    pub(super) card: NetworkCard,
    pub(super) identity: Identity,
    pub(super) account: Account,
    pub(super) state: TrainerState,
}

const FORMAT: &str = "training.format";
const RECIPE: &str = "training.recipe";
const SEED: &str = "training.seed";
const STEP: &str = "training.step";
const AVERAGED: &str = "training.averaged";
const PHOTOGRAPHS: &str = "training.photographs";
const PAINTING: &str = "training.painting";
const LOSS_NETWORK: &str = "training.loss_network";
const ACCOUNT: &str = "training.account";
const PROGRAM: &str = "training.program";
const FORMAT_1: &str = "pentimento style checkpoint 1";

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
        metadata.contains_key(FORMAT)
    }

    /// The network as it would be exported: the mean over the last steps, if there is one.
    pub fn learnt(&self) -> StateDict {
        let names = net_of(&self.card).map(|net| net.graph.params().to_vec()).unwrap_or_default();
        let mean = self.state.average.as_ref().filter(|average| average.steps > 0);
        let mean = |i: usize| mean.and_then(|m| m.tensors.get(&format!("average.{i}")));
        let one = |(i, plain): (usize, &Tensor)| mean(i).unwrap_or(plain).clone();
        let tensors = self.state.parameters.iter().enumerate().map(one);
        names.into_iter().map(|param| param.name).zip(tensors).collect()
    }

    /// Writes the file, whole or not at all: until all of it is on the disk, what
    /// was there before stays.
    ///
    /// # Errors
    ///
    /// [`TrainError::Unwritable`] with the file, if the disk is full or the system refuses.
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        let wrong = TrainError::unwritable(path);
        let graph = net_of(&self.card)?.graph;
        let params = graph.params().iter().map(|p| format!("network.{}", p.name));
        let mut tensors: StateDict = params.zip(self.state.parameters.iter().cloned()).collect();
        let mut add = |group: &str, state: &State| {
            let named = state.tensors.iter().map(|(n, t)| (format!("{group}.{n}"), t.clone()));
            tensors.extend(named);
        };
        add("optimizer", &self.state.optimizer);
        self.state.average.iter().for_each(|state| add("average", state));
        let metadata = self.metadata();
        weights::write(path, &tensors, &metadata, Precision::F32).map_err(wrong)
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        let Identity { recipe, seed, photographs, painting, loss_network } = &self.identity;
        let account = serde_json::to_string(&self.account).unwrap_or_default();
        let mut card = self.card.clone();
        let notes = [
            (FORMAT, FORMAT_1.to_owned()),
            (RECIPE, recipe.clone()),
            (SEED, seed.to_string()),
            (STEP, self.steps().to_string()),
            (PHOTOGRAPHS, photographs.to_string()),
            (PAINTING, painting.clone()),
            (LOSS_NETWORK, loss_network.clone()),
            (ACCOUNT, account),
            (PROGRAM, program()),
        ];
        card.notes = notes.map(|(key, text)| (key.to_owned(), text)).into();
        let averaged =
            self.state.average.iter().map(|a| (AVERAGED.to_owned(), a.steps.to_string()));
        card.notes.extend(averaged);
        card.to_metadata()
    }

    /// Reads such a file.
    ///
    /// # Errors
    ///
    /// [`TrainError::Weights`] if the file cannot be read or is damaged,
    /// [`TrainError::Checkpoint`] if it is something else.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let wrong = |source| TrainError::weights(path)(source);
        let read = weights::read(path, &Limits::default()).map_err(wrong)?;
        let refuse = |what: String| TrainError::Checkpoint { path: path.to_owned(), what };
        let keys = Keys(&read.metadata);
        if keys.text(FORMAT).map_err(refuse)? != FORMAT_1 {
            return Err(refuse("it is of another version".to_owned()));
        }
        let identity = keys.identity().map_err(refuse)?;
        let account = serde_json::from_str(keys.text(ACCOUNT).map_err(refuse)?)
            .map_err(|e| refuse(format!("{ACCOUNT}: {e}")))?;
        let card = NetworkCard::from_metadata(&read.metadata).map_err(wrong)?;
        let mut groups = split(read.tensors);
        let mut group = |name: &str| groups.remove(name).unwrap_or_default();
        let net = net_of(&card)?;
        let network = Weights::bind(&net.graph, group("network").into_iter().collect())
            .map_err(|e| wrong(WeightsError::Bind(e)))?;
        let optimizer =
            State { steps: keys.number(STEP).map_err(refuse)?, tensors: group("optimizer") };
        let averaged = read.metadata.contains_key(AVERAGED).then(|| keys.number(AVERAGED));
        let averaged = averaged.transpose().map_err(refuse)?;
        let average = averaged.map(|steps| State { steps, tensors: group("average") });
        let state = TrainerState { parameters: network.tensors().to_vec(), optimizer, average };
        let card = NetworkCard { notes: [].into(), ..card };
        Ok(Self { card, identity, account, state })
    }
}

/// The program and its version, as cards name it.
pub(super) fn program() -> String {
    format!("pentimento {}", env!("CARGO_PKG_VERSION"))
}

/// Tensors by what stands before the first dot of their names.
fn split(tensors: StateDict) -> BTreeMap<String, BTreeMap<String, Tensor>> {
    let mut groups: BTreeMap<String, BTreeMap<String, Tensor>> = BTreeMap::new();
    for (name, tensor) in tensors {
        if let Some((group, rest)) = name.split_once('.') {
            groups.entry(group.to_owned()).or_default().insert(rest.to_owned(), tensor);
        }
    }
    groups
}

/// Metadata, and in words what is wrong with them.
struct Keys<'a>(&'a BTreeMap<String, String>);

impl<'a> Keys<'a> {
    fn text(&self, key: &str) -> Result<&'a str, String> {
        self.0.get(key).map(String::as_str).ok_or_else(|| format!("{key} is missing"))
    }

    fn number(&self, key: &str) -> Result<u64, String> {
        self.text(key)?.parse().map_err(|e| format!("{key}: {e}"))
    }

    fn identity(&self) -> Result<Identity, String> {
        Ok(Identity {
            recipe: self.text(RECIPE)?.to_owned(),
            seed: self.number(SEED)?,
            photographs: self.number(PHOTOGRAPHS)?,
            painting: self.text(PAINTING)?.to_owned(),
            loss_network: self.text(LOSS_NETWORK)?.to_owned(),
        })
    }
}
