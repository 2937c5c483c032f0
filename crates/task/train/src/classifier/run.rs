//! A whole run of a classifier's training, from a folder of pictures to a file of weights.

use std::path::Path;

use graph::Graph;
use serde::{Deserialize, Serialize};
use weights::NetworkCard;

use super::{
    ClassifierJob, ClassifierRecipe, ClassifierTrainer, Examination, Examiner, StepReport,
};
use crate::TrainError;
use crate::data::{Bad, Loader};
use crate::run::{Checkpoint, Course, Learner, Past, Run};

/// A network on its way to tell classes apart.
///
/// ```no_run
/// # fn job() -> train::classifier::ClassifierJob { unimplemented!() }
/// use train::classifier::ClassifierRun;
/// use train::run::Run;
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
    course: Course,
    examiner: Examiner,
    /// Every epoch that has begun.
    epochs: Vec<Epoch>,
    /// What could not be read of the pictures kept out.
    bad: Vec<Bad>,
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

/// What the epochs are called in a checkpoint.
const EPOCHS: &str = "epochs";

impl ClassifierRun {
    /// Begins.
    ///
    /// # Errors
    ///
    /// If anything in the job does not go together.
    pub fn start(mut job: ClassifierJob) -> Result<Self, TrainError> {
        job.settle()?;
        let beginning = std::mem::replace(&mut job.beginning, super::Beginning::Random);
        let past = Past::new(beginning.name());
        let (card, net, weights) =
            beginning.resolve(&job.recipe, (job.pictures.classes(), job.seed))?;
        let trainer =
            job.threads.run(|| ClassifierTrainer::new(&job.recipe, (net, weights), job.seed))?;
        Self::new(&job, trainer, (card, past, vec![]))
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
        let of = (Self::KIND, &job.identity());
        let (checkpoint, past, epochs) = Checkpoint::resumed(path, of, EPOCHS)?;
        let net = checkpoint.network()?;
        let trainer = job.threads.run(|| {
            let mut trainer = ClassifierTrainer::new(&job.recipe, net, job.seed)?;
            trainer.restore(checkpoint.state)?;
            Ok::<_, TrainError>(trainer)
        })?;
        Self::new(&job, trainer, (checkpoint.card, past, epochs))
    }

    fn new(
        job: &ClassifierJob,
        trainer: ClassifierTrainer,
        (card, past, epochs): (NetworkCard, Past, Vec<Epoch>),
    ) -> Result<Self, TrainError> {
        let ClassifierJob { recipe, reading, .. } = job;
        let options = recipe.load_options(job.seed, reading.clone());
        let loader = Loader::training(job.pictures.clone(), options, trainer.learner().steps())?;
        let shown = (recipe.used_at(), recipe.batch);
        Ok(Self {
            course: Course::new(loader, (card, job.identity()), past, job.threads.clone()),
            trainer,
            examiner: Examiner::new(job.held_out.clone(), shown, reading.clone()),
            epochs,
            bad: vec![],
        })
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
        &self.course.card.classes
    }

    /// Every epoch that has begun.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// What the network began with.
    pub fn began_with(&self) -> &str {
        &self.course.past.began_with
    }

    /// Tells the pictures kept out apart with what was learnt so far.
    ///
    /// # Errors
    ///
    /// If none of them can be read.
    pub fn validate(&mut self) -> Result<Examination, TrainError> {
        let (examination, bad) = self.examine(&self.examiner)?;
        self.bad = bad;
        if let Some(epoch) = self.epochs.last_mut() {
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
        let Self { course, trainer, .. } = self;
        course.threads.run(|| examiner.examine(trainer.net(), &trainer.learnt()))
    }

    fn count(&mut self, pictures: usize, report: &StepReport) {
        let number = ((self.steps() - 1) / self.steps_per_epoch()) as usize;
        let epochs = &mut self.epochs;
        epochs.resize_with(epochs.len().max(number + 1), Epoch::default);
        let epoch = &mut epochs[number];
        epoch.steps += 1;
        epoch.pictures += pictures as u64;
        epoch.right += report.right as u64;
        epoch.losses += report.loss;
    }
}

impl Run for ClassifierRun {
    const KIND: &'static str = "classifier";

    type Report = StepReport;

    fn step(&mut self) -> Result<StepReport, TrainError> {
        let Self { course, trainer, .. } = self;
        let (pictures, report) = course.step(|batch| {
            Ok((batch.labels.len(), trainer.step(&batch.pictures, &batch.labels)?))
        })?;
        self.count(pictures, &report);
        Ok(report)
    }

    fn total(&self) -> u64 {
        self.steps_per_epoch().saturating_mul(self.recipe().epochs)
    }

    fn course(&self) -> &Course {
        &self.course
    }

    fn learner(&self) -> (&Learner, &Graph) {
        (self.trainer.learner(), &self.trainer.net().graph)
    }

    fn account(&self) -> serde_json::Value {
        serde_json::json!({ EPOCHS: self.epochs })
    }

    fn findings(&self) -> Vec<(&'static str, String)> {
        let seen = self.epochs.last().and_then(|epoch| epoch.validation.as_ref());
        let in_words = |Examination { loss, accuracy, confusion }: &Examination| {
            let (accuracy, total) = (100.0 * accuracy, confusion.total());
            format!("{accuracy:.1} % of {total} pictures kept out, loss {loss:.3}")
        };
        seen.map(|seen| ("validation", in_words(seen))).into_iter().collect()
    }

    fn bad(&self) -> Vec<Bad> {
        let loader = &self.course.loader;
        let kept_out = self.examiner.folder().unreadable();
        let found = [loader.folder().unreadable(), kept_out].concat();
        [found, loader.bad(), self.bad.clone()].concat()
    }
}
