//! What a run of training leaves on the disk, to go on from.

use std::collections::BTreeMap;
use std::path::Path;

use nets::Net;
use serde::de::DeserializeOwned;
use tensor::Tensor;
use weights::{Limits, NetworkCard, Precision, StateDict, Weights, WeightsError};

use super::LearnerState;
use super::course::Past;
use crate::TrainError;
use crate::optim::State;

/// What a run is a function of, beside the program: two runs that agree in all of
/// it take the same steps to the same bits. Names of one word, or joined by `_`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity(pub BTreeMap<&'static str, String>);

impl Identity {
    /// The names under which `self` and `other` differ.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let names = self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name)));
        names.copied().filter(|name| self.0.get(name) != other.0.get(name)).collect()
    }
}

/// A run between two steps: one safetensors file.
///
/// The tensors are `network.NAME`, `optimizer.SLOT.INDEX` and
/// `average.average.INDEX`, all in full precision; the metadata are the network's
/// card and `training.…`.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What kind of training it is of: `style`, `classifier`, ….
    pub kind: &'static str,
    /// Which network it is of.
    pub card: NetworkCard,
    /// What the run is a function of.
    pub identity: Identity,
    /// What is told of the run, and does not change what it does.
    pub account: serde_json::Value,
    /// What the next step depends on.
    pub state: LearnerState,
}

const FORMAT: &str = "training.format";
const STEP: &str = "training.step";
const AVERAGED: &str = "training.averaged";
const ACCOUNT: &str = "training.account";
const PROGRAM: &str = "training.program";

impl Checkpoint {
    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.state.optimizer.steps
    }

    /// Whether a file's metadata are a checkpoint's, of whatever kind.
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

    /// The network that it is of, with the weights of the next step.
    ///
    /// # Errors
    ///
    /// If the card names no known network.
    pub fn network(&self) -> Result<(Net, Weights), TrainError> {
        let net = net_of(&self.card)?;
        let names = net.graph.params().iter().map(|p| p.name.clone());
        let dict: StateDict = names.zip(self.state.parameters.iter().cloned()).collect();
        let weights = Weights::bind(&net.graph, dict)?;
        Ok((net, weights))
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
        weights::write(path, &tensors, &self.metadata(), Precision::F32).map_err(wrong)
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        let mut card = self.card.clone();
        let notes = [
            (FORMAT, format_of(self.kind)),
            (STEP, self.steps().to_string()),
            (ACCOUNT, self.account.to_string()),
            (PROGRAM, program()),
        ];
        card.notes = notes.map(|(key, text)| (key.to_owned(), text)).into();
        let identity = self.identity.0.iter();
        card.notes.extend(identity.map(|(name, text)| (format!("training.{name}"), text.clone())));
        let averaged =
            self.state.average.iter().map(|a| (AVERAGED.to_owned(), a.steps.to_string()));
        card.notes.extend(averaged);
        card.to_metadata()
    }

    /// Reads the checkpoint of a run that is to go on as `identity` says. Beside it: what
    /// is told of every run, and what its kind tells under the name `findings`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Differs`] if it is of another run, and as [`Checkpoint::read`].
    pub(crate) fn resumed<T: DeserializeOwned>(
        path: &Path,
        (kind, identity): (&'static str, &Identity),
        findings: &str,
    ) -> Result<(Self, Past, T), TrainError> {
        let names: Vec<&'static str> = identity.0.keys().copied().collect();
        let mut checkpoint = Self::read(path, kind, &names)?;
        let what = identity.differences(&checkpoint.identity);
        if !what.is_empty() {
            return Err(TrainError::Differs { path: path.to_owned(), what });
        }
        let refuse = |e: serde_json::Error| TrainError::Checkpoint {
            path: path.to_owned(),
            kind,
            what: format!("{ACCOUNT}: {e}"),
        };
        let found = checkpoint.account.get_mut(findings).map(serde_json::Value::take);
        let found = serde_json::from_value(found.unwrap_or_default()).map_err(refuse)?;
        let past = serde_json::from_value(checkpoint.account.take()).map_err(refuse)?;
        Ok((checkpoint, past, found))
    }

    /// Reads such a file, whose identity has to have these names.
    ///
    /// # Errors
    ///
    /// [`TrainError::Weights`] if the file cannot be read or is damaged,
    /// [`TrainError::Checkpoint`] if it is something else.
    pub fn read(
        path: &Path,
        kind: &'static str,
        names: &[&'static str],
    ) -> Result<Self, TrainError> {
        let wrong = |source| TrainError::weights(path)(source);
        let read = weights::read(path, &Limits::default()).map_err(wrong)?;
        let refuse = |what: String| TrainError::Checkpoint { path: path.to_owned(), kind, what };
        let keys = Keys(&read.metadata);
        if keys.text(FORMAT).map_err(refuse)? != format_of(kind) {
            return Err(refuse("it is of another kind or version".to_owned()));
        }
        let one =
            |name: &&'static str| Ok((*name, keys.text(&format!("training.{name}"))?.to_owned()));
        let identity = names.iter().map(one).collect::<Result<_, _>>().map_err(refuse)?;
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
        let state = LearnerState { parameters: network.tensors().to_vec(), optimizer, average };
        let card = NetworkCard { notes: [].into(), ..card };
        Ok(Self { kind, card, identity: Identity(identity), account, state })
    }
}

fn format_of(kind: &str) -> String {
    format!("pentimento {kind} checkpoint 1")
}

/// The program and its version, as cards name it.
pub(super) fn program() -> String {
    format!("pentimento {}", env!("CARGO_PKG_VERSION"))
}

/// The network that a card describes.
pub(crate) fn net_of(card: &NetworkCard) -> Result<Net, TrainError> {
    let net = nets::by_name(&card.network, &card.config.to_string())?;
    Ok(Net { input: card.input, output: card.output.or(net.output), ..net })
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named_from_both_sides() {
        let of = |pairs: &[(&'static str, &str)]| {
            Identity(pairs.iter().map(|(name, text)| (*name, (*text).to_owned())).collect())
        };
        let (a, b) = (of(&[("seed", "1"), ("recipe", "{}")]), of(&[("seed", "2"), ("size", "3")]));
        assert_eq!(a.differences(&b), ["recipe", "seed", "size"]);
        assert!(a.differences(&a).is_empty());
    }
}
