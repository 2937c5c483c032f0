//! A whole run of learning to colour, from a folder of photographs to a file of weights.

use std::path::Path;

use graph::{Encoding, Graph};
use serde::{Deserialize, Serialize};
use tensor::Tensor;
use weights::{NetworkCard, Weights};

use super::{ColorJob, ColorRecipe, ColorReport, ColorTrainer, Learns};
use crate::TrainError;
use crate::data::{Crop, Folder, LoadOptions, Loader};
use crate::run::{Checkpoint, Course, Learner, LearnerState, Past, Run};

/// A network on its way to colour.
///
/// ```no_run
/// # fn job() -> train::colour::ColorJob { unimplemented!() }
/// use train::colour::ColorRun;
/// use train::run::Run;
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
    course: Course,
    /// Photographs kept out, and those of them that are looked at.
    held_out: [Folder; 2],
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

/// What the evaluations are called in a checkpoint.
const EVALUATIONS: &str = "evaluations";

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
        let past = Past::new(job.start.name());
        Self::new(job, (net, weights, None), (card, past, vec![]))
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
        let of = (Self::KIND, &job.identity());
        let (checkpoint, past, evaluations) = Checkpoint::resumed(path, of, EVALUATIONS)?;
        let (net, weights) = checkpoint.network()?;
        let net = (net, weights, Some(checkpoint.state));
        Self::new(job, net, (checkpoint.card, past, evaluations))
    }

    fn new(
        mut job: ColorJob,
        (net, weights, state): (nets::Net, Weights, Option<LearnerState>),
        (card, past, evaluations): (NetworkCard, Past, Vec<Evaluation>),
    ) -> Result<Self, TrainError> {
        let identity = job.identity();
        let threads = job.threads.clone();
        let trainer = threads.run(|| {
            let aids = job.aids()?;
            let mut trainer = ColorTrainer::new(&job.recipe, (net, weights), (aids, job.seed))?;
            if let Some(state) = state {
                trainer.restore(state)?;
            }
            Ok::<_, TrainError>(trainer)
        })?;
        let loader = job.loader(trainer.learner().steps())?;
        Ok(Self {
            course: Course::new(loader, (card, identity), past, threads),
            held_out: [job.held_out.clone(), job.judged()],
            trainer,
            evaluations,
        })
    }

    /// The recipe.
    pub fn recipe(&self) -> &ColorRecipe {
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
        self.evaluations.push(evaluation);
        Ok(Some(evaluation))
    }

    /// Colours a photograph `[1, 3, H, W]` of RGB in 0..=1 with what was learnt so far.
    ///
    /// # Errors
    ///
    /// If it is too small for the network.
    pub fn preview(&mut self, photograph: &Tensor) -> Result<Tensor, TrainError> {
        let Self { course, trainer, .. } = self;
        course.threads.run(|| trainer.colour(photograph))
    }
}

impl Run for ColorRun {
    const KIND: &'static str = "colorizer";

    type Report = ColorReport;

    fn step(&mut self) -> Result<ColorReport, TrainError> {
        let Self { course, trainer, .. } = self;
        course.step(|batch| trainer.step(&batch.pictures))
    }

    fn total(&self) -> u64 {
        self.recipe().steps
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
        let in_words = |Evaluation { step, psnr, grey }: &Evaluation| {
            format!(
                "{psnr:.2} dB on photographs kept out, their greys {grey:.2} dB, at step {step}"
            )
        };
        self.evaluations.last().map(|seen| ("validation", in_words(seen))).into_iter().collect()
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
