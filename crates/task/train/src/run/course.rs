use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use cpu::Threads;
use graph::Graph;
use serde::{Deserialize, Serialize};
use weights::{NetworkCard, Precision, StateDict};

use super::checkpoint::program;
use super::pace::Clock;
use super::{Checkpoint, Identity, Learner, Pace};
use crate::TrainError;
use crate::data::{Bad, Batch, Loader};

/// A run of training of whatever kind: steps are taken, and at any moment there is
/// something to be kept or looked at.
pub trait Run {
    /// What kind it is of, as its checkpoints say.
    const KIND: &'static str;

    /// What a step has seen.
    type Report;

    /// Takes a step.
    ///
    /// # Errors
    ///
    /// - [`TrainError::NotANumber`] if the loss or the gradient is none: what was saved
    ///   last is the best there is.
    /// - [`TrainError::AllBad`] if no picture can be read.
    fn step(&mut self) -> Result<Self::Report, TrainError>;

    /// How many steps there are to be.
    fn total(&self) -> u64;

    /// What all kinds have.
    fn course(&self) -> &Course;

    /// What learns, and the graph that it belongs to.
    fn learner(&self) -> (&Learner, &Graph);

    /// What this kind has found out so far, as the fields of a JSON object: told in
    /// checkpoints, and without effect on what the run does.
    fn account(&self) -> serde_json::Value;

    /// What this kind adds to the notes on a card.
    fn findings(&self) -> Vec<(&'static str, String)>;

    /// How many steps were taken.
    fn steps(&self) -> u64 {
        self.learner().0.steps()
    }

    /// Whether all steps are taken.
    fn is_done(&self) -> bool {
        self.steps() >= self.total()
    }

    /// How fast it goes.
    fn pace(&self) -> Pace {
        let Course { clock, loader, .. } = self.course();
        clock.pace(self.total().saturating_sub(self.steps()), loader.times().waited)
    }

    /// Time spent on steps, before a resumption too.
    fn time(&self) -> Duration {
        self.course().time()
    }

    /// How often each picture was shown.
    fn rounds(&self) -> f64 {
        self.course().loader.epochs()
    }

    /// Pictures that could not be read so far, and why.
    fn bad(&self) -> Vec<Bad> {
        let loader = &self.course().loader;
        [loader.folder().unreadable().to_vec(), loader.bad()].concat()
    }

    /// Writes a checkpoint, whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::write`].
    fn save(&self, path: &Path) -> Result<(), TrainError> {
        let Course { card, identity, past, .. } = self.course();
        let past = Past { seconds: self.time().as_secs_f64(), ..past.clone() };
        let mut account = self.account();
        if let (Some(all), Ok(serde_json::Value::Object(past))) =
            (account.as_object_mut(), serde_json::to_value(past))
        {
            all.extend(past);
        }
        let (card, identity) = (card.clone(), identity.clone());
        let state = self.learner().0.state();
        Checkpoint { kind: Self::KIND, card, identity, account, state }.write(path)
    }

    /// Writes what was learnt as a file of weights, with what is known of its making
    /// and the caller's own notes (`title`, `licence`, …).
    ///
    /// # Errors
    ///
    /// [`TrainError::Unwritable`], if the disk is full or the system refuses.
    fn export(
        &self,
        path: &Path,
        precision: Precision,
        notes: BTreeMap<String, String>,
    ) -> Result<(), TrainError> {
        let (learner, graph) = self.learner();
        let mut card = self.course().card.clone();
        card.notes = self.course().told(learner.steps());
        card.notes.extend(self.findings().into_iter().map(|(key, text)| (key.to_owned(), text)));
        card.notes.extend(notes);
        let names = graph.params().iter().map(|p| p.name.clone());
        let tensors: StateDict = names.zip(learner.learnt().tensors().iter().cloned()).collect();
        weights::write(path, &tensors, &card.to_metadata(), precision)
            .map_err(TrainError::unwritable(path))
    }
}

/// What is told of a run of any kind, and does not change what it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Past {
    /// What its network began with.
    pub(crate) began_with: String,
    /// Seconds spent on steps.
    pub(crate) seconds: f64,
}

impl Past {
    /// Of a run that has not begun yet.
    pub(crate) fn new(began_with: &str) -> Self {
        Self { began_with: began_with.to_owned(), seconds: 0.0 }
    }
}

/// What a run of any kind has beside its trainer: pictures, what the run is a function
/// of, and how long it took.
#[derive(Debug)]
pub struct Course {
    pub(crate) loader: Loader,
    pub(crate) card: NetworkCard,
    pub(crate) identity: Identity,
    pub(crate) past: Past,
    pub(crate) threads: Threads,
    clock: Clock,
}

impl Course {
    /// Of a run that takes its steps from now on.
    pub(crate) fn new(
        loader: Loader,
        (card, identity): (NetworkCard, Identity),
        past: Past,
        threads: Threads,
    ) -> Self {
        Self { loader, card, identity, past, threads, clock: Clock::default() }
    }

    /// Takes a step on the next batch, and the time that both took.
    pub(crate) fn step<T: Send>(
        &mut self,
        take: impl FnOnce(&Batch) -> Result<T, TrainError> + Send,
    ) -> Result<T, TrainError> {
        let began = Instant::now();
        let ended = || TrainError::Panic { what: "the pictures have ended".to_owned() };
        let batch = self.loader.next().ok_or_else(ended)??;
        let report = self.threads.run(|| take(&batch))?;
        self.clock.add(began.elapsed());
        Ok(report)
    }

    fn time(&self) -> Duration {
        let before = Duration::try_from_secs_f64(self.past.seconds).unwrap_or_default();
        before.saturating_add(self.clock.total)
    }

    /// What every card says of a network's making.
    fn told(&self, steps: u64) -> BTreeMap<String, String> {
        let folder = self.loader.folder();
        let (count, print) = (folder.photos().len(), folder.fingerprint());
        let of = |name: &str| self.identity.0.get(name).cloned().unwrap_or_default();
        let is_of_classes = self.identity.0.contains_key("classes");
        let notes = [
            ("provenance", program()),
            ("recipe", recipe_without_folders(&of("recipe"))),
            ("seed", of("seed")),
            ("steps", steps.to_string()),
            ("seconds", format!("{:.0}", self.time().as_secs_f64())),
            ("start", without_folders(&self.past.began_with)),
            (
                if is_of_classes { "pictures" } else { "photographs" },
                format!("{count}, fingerprint {print:016x}"),
            ),
        ];
        notes.map(|(key, text)| (key.to_owned(), text)).into()
    }
}

/// A file's name alone: where it lay on somebody's disk is nobody else's business.
fn without_folders(file: &str) -> String {
    let name = Path::new(file).file_name();
    name.map_or_else(|| file.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// A recipe with the file that it starts from so named.
fn recipe_without_folders(json: &str) -> String {
    let Ok(mut recipe) = serde_json::from_str::<serde_json::Value>(json) else {
        return json.to_owned();
    };
    if let Some(serde_json::Value::String(start)) = recipe.get_mut("start") {
        *start = without_folders(start);
    }
    recipe.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_does_not_tell_where_files_lay() {
        assert_eq!(without_folders("/home/ada/secret/wave.safetensors"), "wave.safetensors");
        assert_eq!(without_folders("random weights"), "random weights");
        let told = recipe_without_folders(r#"{"start":"/home/ada/wave.safetensors","steps":7}"#);
        assert_eq!(told, r#"{"start":"wave.safetensors","steps":7}"#);
        for same in [r#"{"start":"starry-night"}"#, r#"{"start":null}"#, "{}", "no JSON"] {
            assert_eq!(recipe_without_folders(same), same);
        }
    }
}
