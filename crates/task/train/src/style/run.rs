//! A whole run of style training, from photographs to a style's file.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use cpu::{Network, Plan, Session, Threads};
use graph::Encoding;
use nets::Net;
use tensor::Tensor;
use weights::{NetworkCard, Precision, StateDict, Weights};

use super::checkpoint::{Account, Identity};
use super::health::Blankness;
use super::{
    Evaluation, StepReport, StyleCheckpoint, StyleJob, StyleRecipe, StyleTrainer, is_flat,
};
use crate::TrainError;
use crate::data::{Bad, Folder, LoadOptions, Loader};
use crate::losses::{Losses, Recode};
use crate::run::{Clock, Pace, program};

/// A network on its way to a style: photographs in, steps taken, and at any moment
/// something to be kept or looked at.
///
/// ```no_run
/// # fn job() -> train::style::StyleJob { unimplemented!() }
/// use train::style::StyleRun;
///
/// let mut run = StyleRun::start(job())?;
/// while !run.is_done() {
///     let report = run.step()?;
///     if run.steps() % 200 == 0 {
///         run.save("wave.run/checkpoint.safetensors".as_ref())?;
///     }
/// }
/// run.export("wave.safetensors".as_ref(), weights::Precision::F16, Default::default())?;
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct StyleRun {
    trainer: StyleTrainer,
    loader: Loader,
    judged: (Folder, LoadOptions),
    card: NetworkCard,
    identity: Identity,
    account: Account,
    threads: Threads,
    clock: Clock,
    blankness: Blankness,
}

impl StyleRun {
    /// Begins.
    ///
    /// # Errors
    ///
    /// If anything in the job does not go together.
    pub fn start(mut job: StyleJob) -> Result<Self, TrainError> {
        job.settle()?;
        let beginning = std::mem::replace(&mut job.beginning, super::Beginning::Random);
        let began_with = beginning.name().to_owned();
        let (card, net, weights) = beginning.resolve(&job.recipe, job.seed)?;
        let identity = job.identity();
        let account = Account { began_with, ..Account::default() };
        Self::new(&job, (card, net, weights), (identity, account), 0)
    }

    /// Goes on from a checkpoint, to the same bits as if it had never stopped.
    ///
    /// # Errors
    ///
    /// - [`TrainError::Differs`] if the checkpoint is of a run with another
    ///   painting, recipe, seed, photographs or loss network.
    /// - If the file cannot be read or is no checkpoint, and as [`StyleRun::start`].
    pub fn resume(mut job: StyleJob, path: &Path) -> Result<Self, TrainError> {
        job.settle()?;
        let checkpoint = StyleCheckpoint::read(path)?;
        let identity = job.identity();
        let what = identity.differences(&checkpoint.identity);
        if !what.is_empty() {
            return Err(TrainError::Differs { path: path.to_owned(), what });
        }
        let (net, weights) = checkpoint.network()?;
        let StyleCheckpoint { card, account, state, .. } = checkpoint;
        let steps = state.optimizer.steps;
        let mut run = Self::new(&job, (card, net, weights), (identity, account), steps)?;
        run.trainer.restore(state)?;
        Ok(run)
    }

    fn new(
        job: &StyleJob,
        (card, net, weights): (NetworkCard, Net, Weights),
        (identity, account): (Identity, Account),
        step: u64,
    ) -> Result<Self, TrainError> {
        let options = job.load_options();
        let trainer = job.threads.run(|| {
            let painting = job.painting.at(job.recipe.style_size);
            StyleTrainer::new(&job.recipe, (net, weights), &job.loss_network.network, &painting)
        })?;
        Ok(Self {
            trainer,
            loader: Loader::training(job.photographs.clone(), options.clone(), step)?,
            judged: (job.judged(), options),
            card,
            identity,
            account,
            threads: job.threads.clone(),
            clock: Clock::default(),
            blankness: Blankness::default(),
        })
    }

    /// Takes a step.
    ///
    /// # Errors
    ///
    /// - [`TrainError::NotANumber`] if the loss or the gradient is none, and
    ///   [`TrainError::Blank`] if the network has stopped painting: what was
    ///   saved last is the best there is.
    /// - [`TrainError::AllBad`] if no photograph can be read.
    pub fn step(&mut self) -> Result<StepReport, TrainError> {
        let began = Instant::now();
        let ended = || TrainError::Panic { what: "the photographs have ended".to_owned() };
        let batch = self.loader.next().ok_or_else(ended)??;
        let report = self.threads.run(|| self.trainer.step(&batch.pictures))?;
        self.clock.add(began.elapsed());
        self.blankness.look(self.steps(), &report)?;
        Ok(report)
    }

    /// Whether the pictures of the last step were no flat colour: if they were, the
    /// run may be going wrong, and what was saved before is better kept.
    pub fn looks_well(&self) -> bool {
        self.blankness.looks_well()
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.trainer.steps()
    }

    /// How many there are to be.
    pub fn total(&self) -> u64 {
        self.recipe().steps.unwrap_or(u64::MAX)
    }

    /// Whether they are all taken.
    pub fn is_done(&self) -> bool {
        self.steps() >= self.total()
    }

    /// The recipe, with its number of steps settled.
    pub fn recipe(&self) -> &StyleRecipe {
        self.trainer.recipe()
    }

    /// The photographs that are kept out of training.
    pub fn held_out(&self) -> &Folder {
        &self.judged.0
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

    /// Whether the losses have not fallen over the last `over` evaluations: a
    /// reason to stop early.
    pub fn is_flat(&self, over: usize) -> bool {
        is_flat(self.evaluations(), over)
    }

    /// Writes a checkpoint, whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`StyleCheckpoint::write`].
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let account = Account { seconds: self.time().as_secs_f64(), ..self.account.clone() };
        let checkpoint = StyleCheckpoint {
            card: self.card.clone(),
            identity: self.identity.clone(),
            account,
            state: self.trainer.state(),
        };
        checkpoint.write(path)
    }

    /// The mean losses over the photographs kept out of training, at most fifty of
    /// them and their middles; none if there are no such photographs.
    ///
    /// # Errors
    ///
    /// If none of them can be read.
    pub fn validate(&mut self) -> Result<Option<Losses>, TrainError> {
        let (folder, options) = self.judged.clone();
        if folder.photos().is_empty() {
            return Ok(None);
        }
        let (mut sum, mut batches) = (Losses::default(), 0);
        for batch in Loader::validation(folder, options)? {
            let pictures = self.filled(&batch?.pictures);
            let losses = self.threads.run(|| self.trainer.evaluate(&pictures))?;
            sum.content += losses.content;
            sum.style += losses.style;
            sum.variation += losses.variation;
            batches += 1;
        }
        if batches == 0 {
            return Ok(None);
        }
        let mean = |sum: f64| sum / f64::from(batches);
        let losses = Losses {
            content: mean(sum.content),
            style: mean(sum.style),
            variation: mean(sum.variation),
        };
        self.account.evaluations.push(Evaluation { step: self.steps(), losses });
        Ok(Some(losses))
    }

    /// A whole batch, by repeating what there is of it.
    fn filled(&self, pictures: &Tensor) -> Tensor {
        let (batch, [_, c, h, w]) = (self.recipe().batch, pictures.shape4());
        let data = pictures.data().iter().copied().cycle().take(batch * c * h * w).collect();
        Tensor::new([batch, c, h, w], data)
    }

    /// Paints a picture `[1, 3, H, W]` of RGB in 0..=1 with what was learnt so far.
    ///
    /// # Errors
    ///
    /// If the picture is too small for the network.
    pub fn preview(&self, picture: &Tensor) -> Result<Tensor, TrainError> {
        let (weights, net) = (self.trainer.learnt(), self.trainer.net());
        self.threads.run(|| {
            let network = Network::new(&net.graph, &weights)?;
            let plan = Plan::new(&network, &[picture.shape4()], &[net.graph.output()])?;
            let mut session = Session::new(plan);
            session.run_in_place(&[&Recode::from_unit(&net.input).apply(picture)]);
            let painted = session.tap(0).to_tensor();
            let output = net.output.ok_or(TrainError::NothingToLearn)?;
            let unit = Recode::new(&output, &Encoding::UNIT).apply(&painted);
            Ok(cropped(&unit, picture.shape4()))
        })
    }

    /// Writes what was learnt as a style's file, with what is known of its making
    /// and the caller's own notes (`title`, `painting`, `licence`, …).
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

    /// What a card says of a style's making.
    fn told(&self) -> BTreeMap<String, String> {
        let Identity { recipe, seed, photographs, painting, loss_network } = &self.identity;
        let count = self.loader.folder().photos().len();
        let mut notes = vec![
            ("provenance", program()),
            ("recipe", recipe.clone()),
            ("seed", seed.to_string()),
            ("steps", self.steps().to_string()),
            ("seconds", format!("{:.0}", self.time().as_secs_f64())),
            ("start", self.account.began_with.clone()),
            ("photographs", format!("{count}, fingerprint {photographs:016x}")),
            ("painting_sha256", painting.clone()),
            ("loss_network_sha256", loss_network.clone()),
        ];
        if let Some(Evaluation { step, losses }) = self.evaluations().last() {
            let Losses { content, style, variation } = losses;
            let text = format!(
                "content {content:.4e}, style {style:.4e}, variation {variation:.4e} \
                 on photographs kept out, at step {step}"
            );
            notes.push(("losses", text));
        }
        notes.into_iter().map(|(key, text)| (key.to_owned(), text)).collect()
    }
}

/// The top left part of that height and width, held to 0..=1.
fn cropped(x: &Tensor, [n, c, height, width]: [usize; 4]) -> Tensor {
    let [_, _, h, w] = x.shape4();
    let rows = x.data().chunks_exact(w).enumerate().filter(|(row, _)| row % h < height);
    let data = rows.flat_map(|(_, row)| row[..width].iter().map(|v| v.clamp(0.0, 1.0)));
    Tensor::new([n, c, height.min(h), width], data.collect())
}
