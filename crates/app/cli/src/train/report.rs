//! What is said in the end.

use std::path::{Path, PathBuf};

use pentimento::train::data::Bad;
use pentimento::train::losses::Losses;
use pentimento::train::style::{Evaluation, StyleRecipe, StyleRun};
use serde::Serialize;

/// What became of a run, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Of this report's form.
    version: u32,
    /// The style.
    output: PathBuf,
    run: PathBuf,
    recipe: StyleRecipe,
    steps: u64,
    total: u64,
    seconds: f64,
    steps_per_second: f64,
    /// The share of the time that was spent waiting for photographs.
    waiting: f64,
    epochs: f64,
    /// Of the last step.
    losses: Option<Losses>,
    validation: Vec<Evaluation>,
    /// Whether the losses on photographs kept out no longer fall.
    flat: bool,
    interrupted: bool,
    bad_photographs: Vec<BadPhotograph>,
}

#[derive(Debug, Serialize)]
struct BadPhotograph {
    path: PathBuf,
    why: String,
}

/// Evaluations without progress after which stopping early is suggested.
pub(super) const FLAT_AFTER: usize = 4;

impl Report {
    pub(super) fn new(
        run: &StyleRun,
        [output, folder]: [&Path; 2],
        losses: Option<Losses>,
    ) -> Self {
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
            losses,
            validation: run.evaluations().to_vec(),
            flat: run.is_flat(FLAT_AFTER),
            bad_photographs: run.bad().into_iter().map(bad).collect(),
        }
    }
}
