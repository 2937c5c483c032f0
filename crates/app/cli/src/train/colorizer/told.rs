//! What is written down and said of learning to colour.

use std::path::{Path, PathBuf};

use pentimento::train::colour::{ColorRecipe, ColorReport, ColorRun, Evaluation};
use pentimento::train::data::Bad;
use serde::Serialize;

use crate::train::folder::{Columns, Journal};

const STEPS: [&str; 5] = ["step", "loss", "gradient", "rate", "seconds"];
const VALIDATION: [&str; 3] = ["step", "psnr", "grey_psnr"];

/// The tables.
pub(super) const TABLES: [Columns<'_>; 2] =
    [("losses.csv", &STEPS), ("validation.csv", &VALIDATION)];

/// Writes down a step.
pub(super) fn step(
    journal: &mut Journal,
    run: &ColorRun,
    report: &ColorReport,
) -> anyhow::Result<()> {
    let (step, pace) = (run.steps(), run.pace());
    let (loss, gradient, rate) = (report.loss, report.taken.gradient, report.taken.rate);
    journal.line(0, step, &[loss, gradient, rate, run.time().as_secs_f64()])?;
    journal.scalars(
        step,
        &[
            ("step/loss", loss),
            ("step/gradient", gradient),
            ("step/rate", rate),
            ("speed/steps_per_second", pace.steps_per_second),
            ("speed/waiting", pace.waiting),
        ],
    )
}

/// Writes down a look at the photographs kept out.
pub(super) fn validation(journal: &mut Journal, seen: &Evaluation) -> anyhow::Result<()> {
    journal.line(1, seen.step, &[seen.psnr, seen.grey])?;
    journal
        .scalars(seen.step, &[("validation/psnr", seen.psnr), ("validation/grey_psnr", seen.grey)])
}

/// A look in words.
pub(super) fn in_words(seen: &Evaluation) -> String {
    format!("{:.2} dB (as grey {:.2} dB)", seen.psnr, seen.grey)
}

/// What became of a run, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Of this report's form.
    version: u32,
    output: PathBuf,
    run: PathBuf,
    recipe: ColorRecipe,
    steps: u64,
    total: u64,
    seconds: f64,
    steps_per_second: f64,
    /// The share of the time that was spent waiting for photographs.
    waiting: f64,
    epochs: f64,
    /// Of the last step.
    loss: Option<f64>,
    validation: Vec<Evaluation>,
    interrupted: bool,
    bad_photographs: Vec<BadPhotograph>,
}

#[derive(Debug, Serialize)]
struct BadPhotograph {
    path: PathBuf,
    why: String,
}

impl Report {
    pub(super) fn new(run: &ColorRun, [output, folder]: [&Path; 2], loss: Option<f64>) -> Self {
        let pace = run.pace();
        let bad = |Bad { path, why }: Bad| BadPhotograph { path, why };
        Self {
            version: 1,
            interrupted: !run.is_done(),
            output: output.to_owned(),
            run: folder.to_owned(),
            recipe: run.recipe().clone(),
            steps: run.steps(),
            total: run.total(),
            seconds: run.time().as_secs_f64(),
            steps_per_second: pace.steps_per_second,
            waiting: pace.waiting,
            epochs: run.epochs(),
            loss,
            validation: run.evaluations().to_vec(),
            bad_photographs: run.bad().into_iter().map(bad).collect(),
        }
    }
}
