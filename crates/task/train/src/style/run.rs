//! A whole run of style training, from photographs to a style's file.

use std::path::Path;

use cpu::{Network, Plan, Session};
use graph::{Encoding, Graph};
use nets::Net;
use tensor::Tensor;
use weights::{NetworkCard, Weights};

use super::health::Blankness;
use super::{Evaluation, StepReport, StyleJob, StyleRecipe, StyleTrainer, is_flat};
use crate::TrainError;
use crate::data::{Folder, LoadOptions, Loader};
use crate::losses::{Losses, Recode};
use crate::run::{Checkpoint, Course, Learner, Past, Run};

/// A network on its way to a style: photographs in, steps taken, and at any moment
/// something to be kept or looked at.
///
/// ```no_run
/// # fn job() -> train::style::StyleJob { unimplemented!() }
/// use train::run::Run;
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
    course: Course,
    /// Photographs kept out, and those of them that are looked at.
    held_out: [Folder; 2],
    options: LoadOptions,
    evaluations: Vec<Evaluation>,
    blankness: Blankness,
}

/// What the evaluations are called in a checkpoint.
const EVALUATIONS: &str = "evaluations";

impl StyleRun {
    /// Begins.
    ///
    /// # Errors
    ///
    /// If anything in the job does not go together.
    pub fn start(mut job: StyleJob) -> Result<Self, TrainError> {
        job.settle()?;
        let beginning = std::mem::replace(&mut job.beginning, super::Beginning::Random);
        let past = Past::new(beginning.name());
        let (card, net, weights) = beginning.resolve(&job.recipe, job.seed)?;
        Self::new(&job, (card, net, weights), (past, vec![]), 0)
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
        let of = (Self::KIND, &job.identity());
        let (checkpoint, past, evaluations) = Checkpoint::resumed(path, of, EVALUATIONS)?;
        let (net, weights) = checkpoint.network()?;
        let (card, steps) = (checkpoint.card.clone(), checkpoint.steps());
        let mut run = Self::new(&job, (card, net, weights), (past, evaluations), steps)?;
        run.trainer.restore(checkpoint.state)?;
        Ok(run)
    }

    fn new(
        job: &StyleJob,
        (card, net, weights): (NetworkCard, Net, Weights),
        (past, evaluations): (Past, Vec<Evaluation>),
        step: u64,
    ) -> Result<Self, TrainError> {
        let options = job.load_options();
        let trainer = job.threads.run(|| {
            let painting = job.painting.at(job.recipe.style_size, job.recipe.style_degrain);
            let loss_network = &job.loss_network.network;
            let trainer = StyleTrainer::new(&job.recipe, (net, weights), loss_network, &painting);
            trainer.map(|trainer| trainer.with_memory(job.memory))
        })?;
        let loader = Loader::training(job.photographs.clone(), options.clone(), step)?;
        Ok(Self {
            course: Course::new(loader, (card, job.identity()), past, job.threads.clone()),
            trainer,
            held_out: [job.held_out.clone(), job.judged()],
            options,
            evaluations,
            blankness: Blankness::default(),
        })
    }

    /// Whether the pictures of the last step were no flat colour: if they were, the
    /// run may be going wrong, and what was saved before is better kept.
    pub fn looks_well(&self) -> bool {
        self.blankness.looks_well()
    }

    /// The recipe, with its number of steps settled.
    pub fn recipe(&self) -> &StyleRecipe {
        self.trainer.recipe()
    }

    /// The photographs that are kept out of training.
    pub fn held_out(&self) -> &Folder {
        &self.held_out[0]
    }

    /// What was found out about the photographs kept out, the latest last.
    pub fn evaluations(&self) -> &[Evaluation] {
        &self.evaluations
    }

    /// Whether the losses have not fallen over the last `over` evaluations: a
    /// reason to stop early.
    pub fn is_flat(&self, over: usize) -> bool {
        is_flat(self.evaluations(), over)
    }

    /// The mean losses over the photographs kept out of training, at most fifty of
    /// them and their middles; none if there are no such photographs.
    ///
    /// # Errors
    ///
    /// If none of them can be read.
    pub fn validate(&mut self) -> Result<Option<Losses>, TrainError> {
        let (folder, options) = (self.held_out[1].clone(), self.options.clone());
        if folder.photos().is_empty() {
            return Ok(None);
        }
        let (mut sum, mut batches) = (Losses::default(), 0);
        for batch in Loader::validation(folder, options)? {
            let pictures = self.filled(&batch?.pictures);
            let losses = self.course.threads.run(|| self.trainer.evaluate(&pictures))?;
            sum.content += losses.content;
            sum.style += losses.style;
            sum.variation += losses.variation;
            sum.lpips += losses.lpips;
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
            lpips: mean(sum.lpips),
        };
        self.evaluations.push(Evaluation { step: self.steps(), losses });
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
        self.course.threads.run(|| {
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
}

impl Run for StyleRun {
    const KIND: &'static str = "style";

    type Report = StepReport;

    /// Takes a step; besides what any run may end with, [`TrainError::Blank`] if the
    /// network has stopped painting.
    fn step(&mut self) -> Result<StepReport, TrainError> {
        let Self { course, trainer, .. } = self;
        let report = course.step(|batch| trainer.step(&batch.pictures))?;
        self.blankness.look(self.steps(), &report)?;
        Ok(report)
    }

    fn total(&self) -> u64 {
        self.recipe().steps.unwrap_or(u64::MAX)
    }

    fn course(&self) -> &Course {
        &self.course
    }

    fn learner(&self) -> (&Learner, &Graph) {
        (self.trainer.learner(), &self.trainer.net().graph)
    }

    fn account(&self) -> serde_json::Value {
        serde_json::json!({ EVALUATIONS: self.evaluations })
    }

    fn findings(&self) -> Vec<(&'static str, String)> {
        let of = |name: &str| self.course.identity.0.get(name).cloned().unwrap_or_default();
        let mut notes =
            vec![("painting_sha256", of("painting")), ("loss_network_sha256", of("loss_network"))];
        let in_words = |Evaluation { step, losses }: &Evaluation| {
            let Losses { content, style, variation, lpips } = losses;
            let lpips = if *lpips > 0.0 { format!(", LPIPS {lpips:.4e}") } else { String::new() };
            format!(
                "content {content:.4e}, style {style:.4e}, variation {variation:.4e}{lpips} \
                 on photographs kept out, at step {step}"
            )
        };
        notes.extend(self.evaluations.last().map(|seen| ("losses", in_words(seen))));
        notes
    }
}

/// The top left part of that height and width, held to 0..=1.
fn cropped(x: &Tensor, [n, c, height, width]: [usize; 4]) -> Tensor {
    let [_, _, h, w] = x.shape4();
    let rows = x.data().chunks_exact(w).enumerate().filter(|(row, _)| row % h < height);
    let data = rows.flat_map(|(_, row)| row[..width].iter().map(|v| v.clamp(0.0, 1.0)));
    Tensor::new([n, c, height.min(h), width], data.collect())
}
