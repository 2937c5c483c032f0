//! What is written down and said of learning to colour.

use pentimento::train::TrainError;
use pentimento::train::colour::{ColorReport, ColorRun, Evaluation};
use pentimento::train::run::{Columns, Journal, Run};

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
) -> Result<(), TrainError> {
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
pub(super) fn validation(journal: &mut Journal, seen: &Evaluation) -> Result<(), TrainError> {
    journal.line(1, seen.step, &[seen.psnr, seen.grey])?;
    journal
        .scalars(seen.step, &[("validation/psnr", seen.psnr), ("validation/grey_psnr", seen.grey)])
}

/// A look in words.
pub(super) fn in_words(seen: &Evaluation) -> String {
    format!("{:.2} dB (as grey {:.2} dB)", seen.psnr, seen.grey)
}
