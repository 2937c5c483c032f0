//! What is written down and said of a classifier's training.

use pentimento::train::TrainError;
use pentimento::train::classifier::{ClassifierRun, Confusion, Epoch, Examination, StepReport};
use pentimento::train::run::{Columns, Journal, Run};
use serde::Serialize;

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
) -> Result<(), TrainError> {
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
) -> Result<(), TrainError> {
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

#[derive(Debug, Serialize)]
struct Line {
    loss: f64,
    accuracy: f64,
    validation_loss: Option<f64>,
    validation_accuracy: Option<f64>,
}

/// What a report says of a classifier; `last` is what its classes are told by.
pub(super) fn report(
    run: &ClassifierRun,
    test: Option<&Examination>,
    last: Option<&Examination>,
) -> serde_json::Value {
    let line = |epoch: &Epoch| Line {
        loss: epoch.loss(),
        accuracy: epoch.accuracy(),
        validation_loss: epoch.validation.as_ref().map(|seen| seen.loss),
        validation_accuracy: epoch.validation.as_ref().map(|seen| seen.accuracy),
    };
    serde_json::json!({
        "recipe": run.recipe(),
        "classes": run.classes(),
        "began_with": run.began_with(),
        "epochs": run.epochs().iter().map(line).collect::<Vec<_>>(),
        "validation": run.epochs().last().and_then(|epoch| epoch.validation.as_ref()),
        "test": test,
        "by_class": last.map(|seen| seen.confusion.by_class()).unwrap_or_default(),
    })
}
