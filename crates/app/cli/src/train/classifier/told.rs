//! What is written down and said of a classifier's training.

use std::path::{Path, PathBuf};

use pentimento::train::classifier::{
    ClassifierRecipe, ClassifierRun, Confusion, Epoch, Examination, StepReport,
};
use pentimento::train::data::Bad;
use serde::Serialize;

use crate::train::folder::{Columns, Journal};

const STEPS: [&str; 6] = ["step", "loss", "accuracy", "gradient", "rate", "seconds"];
const EPOCHS: [&str; 6] =
    ["step", "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"];

/// The tables.
pub(super) const TABLES: [Columns<'_>; 2] = [("steps.csv", &STEPS), ("epochs.csv", &EPOCHS)];

/// Writes down a step.
pub(super) fn step(
    journal: &mut Journal,
    run: &ClassifierRun,
    report: &StepReport,
) -> anyhow::Result<()> {
    let (step, pace) = (run.steps(), run.pace());
    let accuracy = report.right as f64 / run.recipe().batch as f64;
    let (gradient, rate) = (report.taken.gradient, report.taken.rate);
    let seconds = run.time().as_secs_f64();
    journal.line(0, step, &[report.loss, accuracy, gradient, rate, seconds])?;
    journal.scalars(
        step,
        &[
            ("step/loss", report.loss),
            ("step/gradient", gradient),
            ("step/rate", rate),
            ("speed/steps_per_second", pace.steps_per_second),
            ("speed/waiting", pace.waiting),
        ],
    )
}

/// Writes down an epoch, at the end of which the pictures kept out were looked at.
pub(super) fn epoch(
    journal: &mut Journal,
    run: &ClassifierRun,
    seen: &Examination,
) -> anyhow::Result<()> {
    let Some(epoch) = run.epochs().last() else { return Ok(()) };
    let (step, number) = (run.steps(), run.epochs().len() as f64);
    let [loss, accuracy] = [epoch.loss(), epoch.accuracy()];
    journal.line(1, step, &[number, loss, accuracy, seen.loss, seen.accuracy])?;
    journal.scalars(
        step,
        &[
            ("loss/training", loss),
            ("loss/validation", seen.loss),
            ("accuracy/training", accuracy),
            ("accuracy/validation", seen.accuracy),
        ],
    )
}

/// An epoch in words.
pub(super) fn in_words(epoch: &Epoch) -> String {
    let learning = format!("loss {:.3}, {:.1} % right", epoch.loss(), 100.0 * epoch.accuracy());
    match &epoch.validation {
        Some(seen) => format!("{learning}; kept out: {}", short(seen)),
        None => learning,
    }
}

/// An examination in words.
pub(super) fn short(seen: &Examination) -> String {
    format!("loss {:.3}, {:.1} % right", seen.loss, 100.0 * seen.accuracy)
}

/// A confusion matrix as a table: a line for each class, a column for what it was told to be.
pub(super) fn table(confusion: &Confusion) -> String {
    const CORNER: &str = "told to be";
    let names = &confusion.classes;
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let (first, width) = (longest.max(CORNER.len()), longest.max(6));
    let line = |name: &str, cells: Vec<String>, last: &str| {
        let cells: Vec<String> = cells.iter().map(|cell| format!("  {cell:>width$}")).collect();
        let cells = cells.concat();
        format!("{name:first$}{cells}  {last:>8}\n")
    };
    let mut text = line(CORNER, names.clone(), "right");
    for ((name, counts), right) in names.iter().zip(&confusion.counts).zip(confusion.by_class()) {
        let counts = counts.iter().map(u64::to_string).collect();
        text.push_str(&line(name, counts, &format!("{:.1} %", 100.0 * right)));
    }
    text
}

/// What became of a run, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Of this report's form.
    version: u32,
    output: PathBuf,
    run: PathBuf,
    recipe: ClassifierRecipe,
    classes: Vec<String>,
    began_with: String,
    steps: u64,
    total: u64,
    seconds: f64,
    steps_per_second: f64,
    /// The share of the time that was spent waiting for pictures.
    waiting: f64,
    epochs: Vec<Line>,
    /// Of the pictures kept out, in the end.
    validation: Option<Examination>,
    /// Of the test's pictures, in the end.
    test: Option<Examination>,
    /// For each class the share of the test's pictures, or those kept out, told right.
    by_class: Vec<f64>,
    interrupted: bool,
    bad_pictures: Vec<BadPicture>,
}

#[derive(Debug, Serialize)]
struct Line {
    loss: f64,
    accuracy: f64,
    validation_loss: Option<f64>,
    validation_accuracy: Option<f64>,
}

#[derive(Debug, Serialize)]
struct BadPicture {
    path: PathBuf,
    why: String,
}

impl Report {
    pub(super) fn new(
        run: &ClassifierRun,
        [output, folder]: [&Path; 2],
        test: Option<&Examination>,
    ) -> Self {
        let pace = run.pace();
        let line = |epoch: &Epoch| Line {
            loss: epoch.loss(),
            accuracy: epoch.accuracy(),
            validation_loss: epoch.validation.as_ref().map(|seen| seen.loss),
            validation_accuracy: epoch.validation.as_ref().map(|seen| seen.accuracy),
        };
        let validation = run.epochs().last().and_then(|epoch| epoch.validation.clone());
        let last = test.or(validation.as_ref());
        Self {
            version: 1,
            interrupted: !run.is_done(),
            output: output.to_owned(),
            run: folder.to_owned(),
            recipe: run.recipe().clone(),
            classes: run.classes().to_vec(),
            began_with: run.began_with().to_owned(),
            steps: run.steps(),
            total: run.total(),
            seconds: run.time().as_secs_f64(),
            steps_per_second: pace.steps_per_second,
            waiting: pace.waiting,
            epochs: run.epochs().iter().map(line).collect(),
            by_class: last.map(|seen| seen.confusion.by_class()).unwrap_or_default(),
            validation,
            test: test.cloned(),
            bad_pictures: run
                .bad()
                .into_iter()
                .map(|Bad { path, why }| BadPicture { path, why })
                .collect(),
        }
    }
}
