//! What is written down of a style's training.

use super::{StepReport, StyleRun};
use crate::TrainError;
use crate::losses::Losses;
use crate::run::{Columns, Journal, Run};

const LOSSES: [&str; 9] =
    ["step", "content", "style", "variation", "lpips", "total", "gradient", "rate", "seconds"];
const VALIDATION: [&str; 6] = ["step", "content", "style", "variation", "lpips", "total"];

/// The tables: of each step, and of each look at photographs kept out.
pub const TABLES: [Columns<'_>; 2] = [("losses.csv", &LOSSES), ("validation.csv", &VALIDATION)];

/// Writes down a step.
///
/// # Errors
///
/// If the system refuses.
pub fn tell_step(
    journal: &mut Journal,
    run: &StyleRun,
    report: &StepReport,
) -> Result<(), TrainError> {
    let StepReport { losses, gradient, rate, .. } = report;
    let (step, pace) = (run.steps(), run.pace());
    let [content, style, variation, lpips, total] = parts(losses);
    let seconds = run.time().as_secs_f64();
    journal.line(0, step, &[content, style, variation, lpips, total, *gradient, *rate, seconds])?;
    journal.scalars(
        step,
        &[
            ("loss/content", content),
            ("loss/style", style),
            ("loss/variation", variation),
            ("loss/total", total),
            ("step/gradient", *gradient),
            ("step/rate", *rate),
            ("speed/steps_per_second", pace.steps_per_second),
            ("speed/waiting", pace.waiting),
        ],
    )?;
    of_lpips(journal, (step, "loss/lpips"), lpips)
}

/// Writes down a look at the photographs kept out.
///
/// # Errors
///
/// If the system refuses.
pub fn tell_validation(
    journal: &mut Journal,
    step: u64,
    losses: &Losses,
) -> Result<(), TrainError> {
    let [content, style, variation, lpips, total] = parts(losses);
    journal.line(1, step, &[content, style, variation, lpips, total])?;
    journal.scalars(
        step,
        &[
            ("validation/content", content),
            ("validation/style", style),
            ("validation/variation", variation),
            ("validation/total", total),
        ],
    )?;
    of_lpips(journal, (step, "validation/lpips"), lpips)
}

/// A curve of it, where it is asked for.
fn of_lpips(journal: &mut Journal, (step, tag): (u64, &str), lpips: f64) -> Result<(), TrainError> {
    if lpips > 0.0 { journal.scalars(step, &[(tag, lpips)]) } else { Ok(()) }
}

fn parts(losses: &Losses) -> [f64; 5] {
    [losses.content, losses.style, losses.variation, losses.lpips, losses.total()]
}
