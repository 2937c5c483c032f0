//! `pentimento train colorizer`.

pub(crate) mod flags;
mod resolve;
mod told;

use pentimento::train::colour::{ColorReport, ColorRun};
use pentimento::train::run::{Columns, Preview, Run};
use serde::Serialize;

use super::course::{self, Desk, Kind, Start};
use super::previews;
use crate::exit::Outcome;
use flags::Colorizer;

/// What there is beside the run.
#[derive(Debug)]
struct Training<'a> {
    flags: &'a Colorizer,
    previews: Vec<Preview>,
    /// The mean over the last steps, for whoever watches: a single step's jumps.
    loss: Option<f64>,
}

/// Trains what the flags say.
pub(crate) fn run(flags: &Colorizer) -> anyhow::Result<Outcome> {
    course::check::<Training<'_>>(&flags.run)?;
    let job = resolve::job(flags)?;
    let previews = previews::previews(&flags.previews.preview, [&job.held_out, &job.photographs])?;
    let training = Training { flags, previews, loss: None };
    course::train(training, &flags.run, |start| match start {
        Start::New => ColorRun::start(job),
        Start::From(checkpoint) => ColorRun::resume(job, &checkpoint),
    })
}

impl Kind for Training<'_> {
    type Run = ColorRun;

    const TABLES: [Columns<'static>; 2] = told::TABLES;

    const PRODUCT: &'static str = "network";

    fn took(
        &mut self,
        desk: &mut Desk<'_>,
        run: &ColorRun,
        report: &ColorReport,
    ) -> anyhow::Result<String> {
        told::step(&mut desk.journal, run, report)?;
        let loss = self.loss.map_or(report.loss, |before| 0.95 * before + 0.05 * report.loss);
        self.loss = Some(loss);
        Ok(format!("loss {loss:.4}"))
    }

    fn is_look_due(&self, run: &ColorRun) -> bool {
        run.steps().is_multiple_of(self.flags.previews.preview_every.get())
    }

    fn has_looked(&self, run: &ColorRun) -> bool {
        run.evaluations().last().is_some_and(|e| e.step == run.steps())
    }

    fn look(&mut self, desk: &mut Desk<'_>, run: &mut ColorRun) -> anyhow::Result<()> {
        if let Some(seen) = run.validate()? {
            told::validation(&mut desk.journal, &seen)?;
            desk.note(&format!("photographs kept out: {}", told::in_words(&seen)));
        }
        let at = (&mut desk.journal, run.steps());
        Ok(previews::show(&self.previews, at, |rgb| run.preview(rgb))?)
    }

    fn report(&self, run: &ColorRun) -> impl Serialize {
        serde_json::json!({
            "recipe": run.recipe(),
            "loss": self.loss,
            "validation": run.evaluations(),
        })
    }
}
