//! `pentimento train classifier`.

pub(crate) mod flags;
mod pictures;
mod resolve;
mod survey;
mod told;

use pentimento::train::classifier::{ClassifierRun, Examination, Examiner, StepReport};
use pentimento::train::run::Columns;
use serde::Serialize;

use super::course::{self, Desk, Kind, Start};
use crate::exit::Outcome;
use flags::Classifier;

/// What there is beside the run.
#[derive(Debug)]
struct Training<'a> {
    flags: &'a Classifier,
    examiner: Option<Examiner>,
    /// Of the test's pictures, in the end.
    test: Option<Examination>,
}

/// Trains what the flags say.
pub(crate) fn run(flags: &Classifier) -> anyhow::Result<Outcome> {
    course::check::<Training<'_>>(&flags.run)?;
    let (job, examiner) = resolve::job(flags)?;
    let training = Training { flags, examiner, test: None };
    course::train(training, &flags.run, |start| match start {
        Start::New => ClassifierRun::start(job),
        Start::From(checkpoint) => ClassifierRun::resume(job, &checkpoint),
    })
}

impl Training<'_> {
    /// Of the test's pictures, or else of those kept out.
    fn last<'a>(&'a self, run: &'a ClassifierRun) -> Option<&'a Examination> {
        self.test.as_ref().or_else(|| run.epochs().last()?.validation.as_ref())
    }
}

impl Kind for Training<'_> {
    type Run = ClassifierRun;

    const TABLES: [Columns<'static>; 2] = told::TABLES;

    const PRODUCT: &'static str = "network";

    fn took(
        &mut self,
        desk: &mut Desk<'_>,
        run: &ClassifierRun,
        report: &StepReport,
    ) -> anyhow::Result<String> {
        told::step(&mut desk.journal, run, report)?;
        Ok(run.epochs().last().map(told::in_words).unwrap_or_default())
    }

    fn is_look_due(&self, run: &ClassifierRun) -> bool {
        let epochs = run.epochs().len() as u64;
        run.ends_an_epoch() && epochs.is_multiple_of(self.flags.validate_every.get())
    }

    fn has_looked(&self, run: &ClassifierRun) -> bool {
        run.epochs().last().is_none_or(|epoch| epoch.validation.is_some())
    }

    fn look(&mut self, desk: &mut Desk<'_>, run: &mut ClassifierRun) -> anyhow::Result<()> {
        let seen = run.validate()?;
        told::epoch(&mut desk.journal, run, &seen)?;
        pictures::curves(desk.folder.path(), run)?;
        pictures::confusion(desk.folder.path(), "confusion.png", &seen.confusion)?;
        let (number, epochs) = (run.epochs().len(), run.recipe().epochs);
        let words = run.epochs().last().map(told::in_words).unwrap_or_default();
        desk.note(&format!("epoch {number} of {epochs}: {words}"));
        Ok(())
    }

    fn conclude(&mut self, desk: &Desk<'_>, run: &ClassifierRun) -> anyhow::Result<()> {
        let Some(examiner) = &self.examiner else { return Ok(()) };
        let (seen, _) = run.examine(examiner)?;
        pictures::confusion(desk.folder.path(), "confusion-test.png", &seen.confusion)?;
        desk.note(&format!("{} test pictures: {}", seen.confusion.total(), told::short(&seen)));
        self.test = Some(seen);
        Ok(())
    }

    fn report(&self, run: &ClassifierRun) -> impl Serialize {
        told::report(run, self.test.as_ref(), self.last(run))
    }

    fn last_words(&self, run: &ClassifierRun) -> Option<String> {
        self.last(run).map(|seen| told::table(&seen.confusion))
    }
}
