//! `pentimento train style`.

pub(crate) mod flags;
pub(crate) mod losses;
pub(crate) mod resolve;
mod settings;

use std::path::Path;

use pentimento::train::losses::Losses;
use pentimento::train::run::{Columns, Preview, Run};
use pentimento::train::style::{self, StepReport, StyleRun};
use serde::Serialize;

use super::course::{self, Desk, Kind, Start};
use super::live;
use super::previews;
use crate::exit::Outcome;

/// Evaluations without progress after which stopping early is suggested.
const FLAT_AFTER: usize = 4;

/// What there is beside the run.
#[derive(Debug)]
struct Training<'a> {
    flags: &'a flags::Style,
    previews: Vec<Preview>,
    /// Of the last step.
    losses: Option<Losses>,
    /// Whether stopping early was suggested.
    suggested: bool,
}

/// Trains what the flags say.
pub(crate) fn run(flags: &flags::Style) -> anyhow::Result<Outcome> {
    course::check::<Training<'_>>(&flags.run)?;
    let job = resolve::job(flags)?;
    let previews = previews::previews(&flags.previews.preview, [&job.held_out, &job.photographs])?;
    let training = Training { flags, previews, losses: None, suggested: false };
    course::train(training, &flags.run, |start| match start {
        Start::New => StyleRun::start(job),
        Start::From(checkpoint) => StyleRun::resume(job, &checkpoint),
    })
}

impl Kind for Training<'_> {
    type Run = StyleRun;

    const TABLES: [Columns<'static>; 2] = style::TABLES;

    const PRODUCT: &'static str = "style";

    fn began(&self, desk: &Desk<'_>, run: &StyleRun) -> anyhow::Result<()> {
        settings::write(self.flags, desk, (run, self.notes()))
    }

    fn took(
        &mut self,
        desk: &mut Desk<'_>,
        run: &StyleRun,
        report: &StepReport,
    ) -> anyhow::Result<String> {
        style::tell_step(&mut desk.journal, run, report)?;
        self.losses = Some(report.losses);
        Ok(live::losses(&report.losses))
    }

    fn is_look_due(&self, run: &StyleRun) -> bool {
        run.steps().is_multiple_of(self.flags.previews.preview_every.get())
    }

    fn has_looked(&self, run: &StyleRun) -> bool {
        run.evaluations().last().is_some_and(|e| e.step == run.steps())
    }

    fn look(&mut self, desk: &mut Desk<'_>, run: &mut StyleRun) -> anyhow::Result<()> {
        let step = run.steps();
        if let Some(losses) = run.validate()? {
            style::tell_validation(&mut desk.journal, step, &losses)?;
            desk.note(&format!("photographs kept out: {}", live::losses(&losses)));
        }
        previews::show(&self.previews, (&mut desk.journal, step), |rgb| run.preview(rgb))?;
        if !self.suggested && run.is_flat(FLAT_AFTER) {
            self.suggested = true;
            desk.note(
                "the losses on photographs kept out no longer fall: \
                 to stop here (Ctrl-C writes the style as it is) loses little",
            );
        }
        Ok(())
    }

    fn is_well(&self, run: &StyleRun) -> bool {
        run.looks_well()
    }

    fn notes(&self) -> Vec<(&'static str, String)> {
        let name =
            |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let flags::Style { painting, style_picture, .. } = self.flags;
        vec![("painting", painting.clone().unwrap_or_else(|| name(style_picture)))]
    }

    fn report(&self, run: &StyleRun) -> impl Serialize {
        serde_json::json!({
            "recipe": run.recipe(),
            "losses": self.losses,
            "validation": run.evaluations(),
            "flat": run.is_flat(FLAT_AFTER),
        })
    }
}
