//! A whole run of a classifier's training, from a folder of pictures to a file of weights.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use cpu::Threads;
use serde::{Deserialize, Serialize};
use weights::{NetworkCard, Precision, StateDict};

use super::{
    ClassifierJob, ClassifierRecipe, ClassifierTrainer, Examination, Examiner, StepReport,
};
use crate::TrainError;
use crate::data::{Bad, Loader};
use crate::run::{Checkpoint, Clock, Identity, Pace, program};

/// A network on its way to tell classes apart.
///
/// ```no_run
/// # fn job() -> train::classifier::ClassifierJob { unimplemented!() }
/// use train::classifier::ClassifierRun;
///
/// let mut run = ClassifierRun::start(job())?;
/// while !run.is_done() {
///     run.step()?;
///     if run.ends_an_epoch() {
///         let seen = run.validate()?;
///         println!("{:.1} % right", 100.0 * seen.accuracy);
///         run.save("pets.run/checkpoint.safetensors".as_ref())?;
///     }
/// }
/// run.export("pets.safetensors".as_ref(), weights::Precision::F16, Default::default())?;
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct ClassifierRun {
    trainer: ClassifierTrainer,
    loader: Loader,
    examiner: Examiner,
    card: NetworkCard,
    identity: Identity,
    account: Account,
    threads: Threads,
    clock: Clock,
    /// What could not be read of the pictures kept out.
    bad: Vec<Bad>,
}

/// What is told of a run, and does not change what it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// What its network began with.
    pub began_with: String,
    /// Seconds spent on steps.
    pub seconds: f64,
    /// Every epoch that has begun.
    pub epochs: Vec<Epoch>,
}

/// How an epoch went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its steps so far.
    pub steps: u64,
    /// Pictures seen, and told right while learning.
    pub pictures: u64,
    /// See `pictures`.
    pub right: u64,
    /// The sum of the steps' losses.
    pub losses: f64,
    /// How the pictures kept out were told at its end, if they were looked at.
    pub validation: Option<Examination>,
}

impl Epoch {
    /// The mean loss while learning; NaN before the first step.
    pub fn loss(&self) -> f64 {
        self.losses / self.steps as f64
    }

    /// The share of the pictures that were told right while learning.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.pictures as f64
    }
}

const KIND: &str = "classifier";

impl ClassifierRun {
    /// Begins.
    ///
    /// # Errors
    ///
    /// If anything in the job does not go together.
    pub fn start(mut job: ClassifierJob) -> Result<Self, TrainError> {
        job.settle()?;
        let beginning = std::mem::replace(&mut job.beginning, super::Beginning::Random);
        let began_with = beginning.name().to_owned();
        let (card, net, weights) =
            beginning.resolve(&job.recipe, (job.pictures.classes(), job.seed))?;
        let trainer =
            job.threads.run(|| ClassifierTrainer::new(&job.recipe, (net, weights), job.seed))?;
        let account = Account { began_with, ..Account::default() };
        Self::new(&job, trainer, (card, account))
    }

    /// Goes on from a checkpoint, to the same bits as if it had never stopped.
    ///
    /// # Errors
    ///
    /// - [`TrainError::Differs`] if the checkpoint is of a run with another recipe, seed,
    ///   pictures or classes.
    /// - If the file cannot be read or is no checkpoint, and as [`ClassifierRun::start`].
    pub fn resume(mut job: ClassifierJob, path: &Path) -> Result<Self, TrainError> {
        job.settle()?;
        let checkpoint = Checkpoint::read(path, KIND, &ClassifierJob::NAMES)?;
        let what = job.identity().differences(&checkpoint.identity);
        if !what.is_empty() {
            return Err(TrainError::Differs { path: path.to_owned(), what });
        }
        let refuse = |e: serde_json::Error| TrainError::Checkpoint {
            path: path.to_owned(),
            kind: KIND,
            what: e.to_string(),
        };
        let account = serde_json::from_value(checkpoint.account.clone()).map_err(refuse)?;
        let net = checkpoint.network()?;
        let trainer = job.threads.run(|| {
            let mut trainer = ClassifierTrainer::new(&job.recipe, net, job.seed)?;
            trainer.restore(checkpoint.state)?;
            Ok::<_, TrainError>(trainer)
        })?;
        Self::new(&job, trainer, (checkpoint.card, account))
    }

    fn new(
        job: &ClassifierJob,
        trainer: ClassifierTrainer,
        (card, account): (NetworkCard, Account),
    ) -> Result<Self, TrainError> {
        let ClassifierJob { recipe, reading, .. } = job;
        let options = recipe.load_options(job.seed, reading.clone());
        let shown = (recipe.used_at(), recipe.batch);
        Ok(Self {
            loader: Loader::training(job.pictures.clone(), options, trainer.steps())?,
            trainer,
            examiner: Examiner::new(job.held_out.clone(), shown, reading.clone()),
            card,
            identity: job.identity(),
            account,
            threads: job.threads.clone(),
            clock: Clock::default(),
            bad: vec![],
        })
    }

    /// Takes a step.
    ///
    /// # Errors
    ///
    /// - [`TrainError::NotANumber`] if the loss or the gradient is none: what was saved
    ///   last is the best there is.
    /// - [`TrainError::AllBad`] if no picture can be read.
    pub fn step(&mut self) -> Result<StepReport, TrainError> {
        let began = Instant::now();
        let ended = || TrainError::Panic { what: "the pictures have ended".to_owned() };
        let batch = self.loader.next().ok_or_else(ended)??;
        let report = self.threads.run(|| self.trainer.step(&batch.pictures, &batch.labels))?;
        self.clock.add(began.elapsed());
        let number = ((self.steps() - 1) / self.steps_per_epoch()) as usize;
        let epochs = &mut self.account.epochs;
        epochs.resize_with(epochs.len().max(number + 1), Epoch::default);
        let epoch = &mut epochs[number];
        epoch.steps += 1;
        epoch.pictures += batch.labels.len() as u64;
        epoch.right += report.right as u64;
        epoch.losses += report.loss;
        Ok(report)
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.trainer.steps()
    }

    /// How many there are to be.
    pub fn total(&self) -> u64 {
        self.steps_per_epoch().saturating_mul(self.recipe().epochs)
    }

    /// Whether they are all taken.
    pub fn is_done(&self) -> bool {
        self.steps() >= self.total()
    }

    /// Steps an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.recipe().steps_per_epoch.unwrap_or(1)
    }

    /// Whether the last step was an epoch's last.
    pub fn ends_an_epoch(&self) -> bool {
        self.steps() > 0 && self.steps().is_multiple_of(self.steps_per_epoch())
    }

    /// The recipe, with its number of steps settled.
    pub fn recipe(&self) -> &ClassifierRecipe {
        self.trainer.recipe()
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.card.classes
    }

    /// Every epoch that has begun.
    pub fn epochs(&self) -> &[Epoch] {
        &self.account.epochs
    }

    /// What the network began with.
    pub fn began_with(&self) -> &str {
        &self.account.began_with
    }

    /// How fast it goes.
    pub fn pace(&self) -> Pace {
        let left = self.total().saturating_sub(self.steps());
        self.clock.pace(left, self.loader.times().waited)
    }

    /// Time spent on steps, before a resumption too.
    pub fn time(&self) -> Duration {
        let before = Duration::try_from_secs_f64(self.account.seconds).unwrap_or_default();
        before.saturating_add(self.clock.total)
    }

    /// Pictures that could not be read so far, and why.
    pub fn bad(&self) -> Vec<Bad> {
        let kept_out = self.examiner.folder().unreadable();
        let found = [self.loader.folder().unreadable(), kept_out].concat();
        [found, self.loader.bad(), self.bad.clone()].concat()
    }

    /// Tells the pictures kept out apart with what was learnt so far.
    ///
    /// # Errors
    ///
    /// If none of them can be read.
    pub fn validate(&mut self) -> Result<Examination, TrainError> {
        let (examination, bad) = self.examine(&self.examiner)?;
        self.bad = bad;
        if let Some(epoch) = self.account.epochs.last_mut() {
            epoch.validation = Some(examination.clone());
        }
        Ok(examination)
    }

    /// Tells other pictures apart with what was learnt so far.
    ///
    /// # Errors
    ///
    /// If none of them can be read.
    pub fn examine(&self, examiner: &Examiner) -> Result<(Examination, Vec<Bad>), TrainError> {
        self.threads.run(|| examiner.examine(self.trainer.net(), &self.trainer.learnt()))
    }

    /// Writes a checkpoint, whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::write`].
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let account = Account { seconds: self.time().as_secs_f64(), ..self.account.clone() };
        let checkpoint = Checkpoint {
            kind: KIND,
            card: self.card.clone(),
            identity: self.identity.clone(),
            account: serde_json::to_value(account).unwrap_or_default(),
            state: self.trainer.state(),
        };
        checkpoint.write(path)
    }

    /// Writes what was learnt as a file of weights, with what is known of its making
    /// and the caller's own notes (`title`, `licence`, …).
    ///
    /// # Errors
    ///
    /// [`TrainError::Unwritable`], if the disk is full or the system refuses.
    pub fn export(
        &self,
        path: &Path,
        precision: Precision,
        notes: BTreeMap<String, String>,
    ) -> Result<(), TrainError> {
        let mut card = self.card.clone();
        card.notes = self.told();
        card.notes.extend(notes);
        let learnt = self.trainer.learnt();
        let names = self.trainer.net().graph.params().iter().map(|p| p.name.clone());
        let tensors: StateDict = names.zip(learnt.tensors().iter().cloned()).collect();
        weights::write(path, &tensors, &card.to_metadata(), precision)
            .map_err(TrainError::unwritable(path))
    }

    /// What a card says of a network's making.
    fn told(&self) -> BTreeMap<String, String> {
        let folder = self.loader.folder();
        let (count, print) = (folder.photos().len(), folder.fingerprint());
        let text = |name: &str| self.identity.0.get(name).cloned().unwrap_or_default();
        let mut notes = vec![
            ("provenance", program()),
            ("recipe", text("recipe")),
            ("seed", text("seed")),
            ("steps", self.steps().to_string()),
            ("seconds", format!("{:.0}", self.time().as_secs_f64())),
            ("start", self.account.began_with.clone()),
            ("pictures", format!("{count}, fingerprint {print:016x}")),
        ];
        if let Some(seen) = self.epochs().last().and_then(|epoch| epoch.validation.as_ref()) {
            let Examination { loss, accuracy, confusion } = seen;
            let (accuracy, total) = (100.0 * accuracy, confusion.total());
            let text = format!("{accuracy:.1} % of {total} pictures kept out, loss {loss:.3}");
            notes.push(("validation", text));
        }
        notes.into_iter().map(|(key, text)| (key.to_owned(), text)).collect()
    }
}
