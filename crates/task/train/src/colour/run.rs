//! A whole run of learning to colour, from a folder of photographs to a file of weights.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use cpu::Threads;
use graph::Encoding;
use serde::{Deserialize, Serialize};
use tensor::Tensor;
use weights::{NetworkCard, Precision, StateDict, Weights};

use super::{ColorJob, ColorRecipe, ColorReport, ColorTrainer, Learns};
use crate::TrainError;
use crate::data::{Bad, Crop, Folder, LoadOptions, Loader};
use crate::run::{Checkpoint, Clock, Identity, Pace, program};

/// A network on its way to colour.
///
/// ```no_run
/// # fn job() -> train::colour::ColorJob { unimplemented!() }
/// use train::colour::ColorRun;
///
/// let mut run = ColorRun::start(job())?;
/// while !run.is_done() {
///     run.step()?;
/// }
/// println!("{:?}", run.validate()?);
/// run.export("colour.safetensors".as_ref(), weights::Precision::F16, Default::default())?;
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct ColorRun {
    trainer: ColorTrainer,
    loader: Loader,
    /// Photographs kept out, and those of them that are looked at.
    held_out: [Folder; 2],
    card: NetworkCard,
    identity: Identity,
    account: Account,
    threads: Threads,
    clock: Clock,
}

/// What is told of a run, and does not change what it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Account {
    began_with: String,
    seconds: f64,
    evaluations: Vec<Evaluation>,
}

/// How well photographs kept out of training were coloured at some step, without hints.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// How many steps were taken.
    pub step: u64,
    /// The mean over photographs of the peak signal-to-noise ratio of RGB, in dB.
    pub psnr: f64,
    /// The same of the photographs' greys: what colouring has to be better than.
    pub grey: f64,
}

const KIND: &str = "colorizer";

impl ColorRun {
    /// Begins.
    ///
    /// # Errors
    ///
    /// If anything in the job does not go together.
    pub fn start(job: ColorJob) -> Result<Self, TrainError> {
        job.recipe.check()?;
        let net = nets::by_name(&job.recipe.network, &job.recipe.config.to_string())?;
        let mut card = NetworkCard::new(&job.recipe.network, input_of(&job.recipe, &net), None);
        card.config = job.recipe.config.clone();
        let dict = job.start.weights(&net.graph, (job.recipe.initial, job.seed));
        let weights = Weights::bind(&net.graph, dict)?;
        let account = Account { began_with: job.start.name().to_owned(), ..Account::default() };
        Self::new(job, (net, weights), (card, account, None))
    }

    /// Goes on from a checkpoint, to the same bits as if it had never stopped.
    ///
    /// # Errors
    ///
    /// - [`TrainError::Differs`] if the checkpoint is of a run with another recipe, seed,
    ///   photographs or classifier.
    /// - If the file cannot be read or is no checkpoint, and as [`ColorRun::start`].
    pub fn resume(job: ColorJob, path: &Path) -> Result<Self, TrainError> {
        job.recipe.check()?;
        let checkpoint = Checkpoint::read(path, KIND, &ColorJob::NAMES)?;
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
        Self::new(job, net, (checkpoint.card, account, Some(checkpoint.state)))
    }

    fn new(
        mut job: ColorJob,
        net: (nets::Net, Weights),
        (card, account, state): (NetworkCard, Account, Option<crate::run::LearnerState>),
    ) -> Result<Self, TrainError> {
        let identity = job.identity();
        let threads = job.threads.clone();
        let trainer = threads.run(|| {
            let aids = job.aids()?;
            let mut trainer = ColorTrainer::new(&job.recipe, net, (aids, job.seed))?;
            if let Some(state) = state {
                trainer.restore(state)?;
            }
            Ok::<_, TrainError>(trainer)
        })?;
        Ok(Self {
            loader: job.loader(trainer.steps())?,
            held_out: [job.held_out.clone(), job.judged()],
            trainer,
            card,
            identity,
            account,
            threads,
            clock: Clock::default(),
        })
    }

    /// Takes a step.
    ///
    /// # Errors
    ///
    /// - [`TrainError::NotANumber`] if the loss or the gradient is none: what was saved
    ///   last is the best there is.
    /// - [`TrainError::AllBad`] if no photograph can be read.
    pub fn step(&mut self) -> Result<ColorReport, TrainError> {
        let began = Instant::now();
        let ended = || TrainError::Panic { what: "the photographs have ended".to_owned() };
        let batch = self.loader.next().ok_or_else(ended)??;
        let report = self.threads.run(|| self.trainer.step(&batch.pictures))?;
        self.clock.add(began.elapsed());
        Ok(report)
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.trainer.steps()
    }

    /// How many there are to be.
    pub fn total(&self) -> u64 {
        self.recipe().steps
    }

    /// Whether they are all taken.
    pub fn is_done(&self) -> bool {
        self.steps() >= self.total()
    }

    /// The recipe.
    pub fn recipe(&self) -> &ColorRecipe {
        self.trainer.recipe()
    }

    /// The photographs that are kept out of training.
    pub fn held_out(&self) -> &Folder {
        &self.held_out[0]
    }

    /// How often each photograph was shown.
    pub fn epochs(&self) -> f64 {
        self.loader.epochs()
    }

    /// How fast it goes.
    pub fn pace(&self) -> Pace {
        let left = self.total().saturating_sub(self.steps());
        self.clock.pace(left, self.loader.times().waited)
    }

    /// Photographs that could not be read so far, and why.
    pub fn bad(&self) -> Vec<Bad> {
        [self.loader.folder().unreadable().to_vec(), self.loader.bad()].concat()
    }

    /// Time spent on steps, before a resumption too.
    pub fn time(&self) -> Duration {
        let before = Duration::try_from_secs_f64(self.account.seconds).unwrap_or_default();
        before.saturating_add(self.clock.total)
    }

    /// What was found out about the photographs kept out, the latest last.
    pub fn evaluations(&self) -> &[Evaluation] {
        &self.account.evaluations
    }

    /// Colours photographs kept out of training, at most 64 of them, their middles;
    /// none if there are no such photographs.
    ///
    /// # Errors
    ///
    /// If none of them can be read.
    pub fn validate(&mut self) -> Result<Option<Evaluation>, TrainError> {
        let folder = self.held_out[1].clone();
        if folder.photos().is_empty() {
            return Ok(None);
        }
        let recipe = self.recipe();
        let size = recipe.short.next_multiple_of(self.trainer.net().graph.multiple_of());
        let options = LoadOptions {
            batch: 1,
            size: [size; 2],
            short: size,
            crop: Crop::Centre,
            ..LoadOptions::default()
        };
        let (mut sums, mut count) = ([0.0; 2], 0.0);
        for batch in Loader::validation(folder, options)? {
            let photograph = batch?.pictures;
            let coloured = self.preview(&photograph)?;
            let grey = super::show::grey(&photograph);
            for (sum, shown) in sums.iter_mut().zip([coloured, grey]) {
                *sum += psnr(&shown, &photograph);
            }
            count += 1.0;
        }
        if count == 0.0 {
            return Ok(None);
        }
        let [psnr, grey] = sums.map(|sum| sum / count);
        let evaluation = Evaluation { step: self.steps(), psnr, grey };
        self.account.evaluations.push(evaluation);
        Ok(Some(evaluation))
    }

    /// Colours a photograph `[1, 3, H, W]` of RGB in 0..=1 with what was learnt so far.
    ///
    /// # Errors
    ///
    /// If it is too small for the network.
    pub fn preview(&mut self, photograph: &Tensor) -> Result<Tensor, TrainError> {
        let Self { threads, trainer, .. } = self;
        threads.run(|| trainer.colour(photograph))
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
            ("photographs", format!("{count}, fingerprint {print:016x}")),
        ];
        if let Some(Evaluation { step, psnr, grey }) = self.evaluations().last() {
            let text = format!(
                "{psnr:.2} dB on photographs kept out, their greys {grey:.2} dB, at step {step}"
            );
            notes.push(("validation", text));
        }
        notes.into_iter().map(|(key, text)| (key.to_owned(), text)).collect()
    }
}

/// In which numbers the network wants its lightness: the tutorial's take L as it is.
fn input_of(recipe: &ColorRecipe, net: &nets::Net) -> Encoding {
    match recipe.learns {
        Learns::Bins { .. } => net.input,
        Learns::Chroma => Encoding { scale: 100.0, ..Encoding::UNIT },
    }
}

/// Peak signal-to-noise ratio in dB of pictures in 0..=1; at most 100.
fn psnr(shown: &Tensor, original: &Tensor) -> f64 {
    let squares = shown.data().iter().zip(original.data());
    let sum: f64 = squares.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    -10.0 * (sum / original.data().len() as f64).max(1e-10).log10()
}
