//! `pentimento train classifier`: flags, then a job with every check made, then the run.

pub(crate) mod flags;
mod pictures;
mod resolve;
mod told;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::Ordering;

use pentimento::train::classifier::{ClassifierRun, Examination, Examiner};
use pentimento::weights::Precision;

use super::folder::{Begin, Journal, RunFolder, beside, check_output};
use super::live;
use crate::exit::Outcome;
use crate::interrupt::stop_on_signal;
use crate::progress::{Progress, Voice, say};
use flags::Classifier;

/// A run that can be carried out.
#[derive(Debug)]
struct Training<'a> {
    flags: &'a Classifier,
    folder: RunFolder,
    run: ClassifierRun,
    journal: Journal,
    test: Option<Examiner>,
    progress: Progress,
    voice: Voice,
}

/// Trains what the flags say.
pub(crate) fn run(flags: &Classifier) -> anyhow::Result<Outcome> {
    Training::new(flags)?.run()
}

impl<'a> Training<'a> {
    fn new(flags: &'a Classifier) -> anyhow::Result<Self> {
        let begin = Begin::of_flags(flags.resume, flags.overwrite);
        check_output(&flags.output, "a network's", begin)?;
        let (job, test) = resolve::job(flags)?;
        let folder = RunFolder::open(&beside(&flags.output, flags.run.as_deref()), begin)?;
        let run = match begin {
            Begin::Resume => ClassifierRun::resume(job, &folder.checkpoint())?,
            Begin::New | Begin::Anew => ClassifierRun::start(job)?,
        };
        let voice = if flags.quiet { Voice::Quiet } else { Voice::Normal };
        let journal = Journal::open(&folder, run.steps(), &told::TABLES)?;
        let progress = Progress::of_steps(run.total(), run.steps(), voice);
        Ok(Self { flags, folder, run, journal, test, progress, voice })
    }

    fn run(mut self) -> anyhow::Result<Outcome> {
        let stop = stop_on_signal("saving; once more to stop at once");
        while !self.run.is_done() && !stop.load(Ordering::Relaxed) {
            self.step().inspect_err(|_| self.tell_what_is_left())?;
        }
        let outcome = if self.run.is_done() { Outcome::Done } else { Outcome::Interrupted };
        if outcome == Outcome::Done
            && self.run.epochs().last().is_some_and(|epoch| epoch.validation.is_none())
        {
            self.look()?;
        }
        self.run.save(&self.folder.checkpoint())?;
        self.run.export(&self.flags.output, Precision::F16, self.notes())?;
        let test = match &self.test {
            Some(examiner) if outcome == Outcome::Done => Some(self.run.examine(examiner)?.0),
            _ => None,
        };
        if let Some(seen) = &test {
            pictures::confusion(self.folder.path(), "confusion-test.png", &seen.confusion)?;
        }
        self.progress.finish();
        self.tell(outcome, test.as_ref())?;
        Ok(outcome)
    }

    /// A step, and whatever is due after it.
    fn step(&mut self) -> anyhow::Result<()> {
        let report = self.run.step()?;
        told::step(&mut self.journal, &self.run, &report)?;
        let step = self.run.steps();
        let words = self.run.epochs().last().map(told::in_words).unwrap_or_default();
        self.progress.step(step, live::paced(&words, self.run.pace()));
        let due = (self.run.epochs().len() as u64).is_multiple_of(self.flags.validate_every.get());
        if self.run.ends_an_epoch() && due {
            self.look()?;
            self.run.save(&self.folder.checkpoint())?;
        } else if step.is_multiple_of(self.flags.checkpoint_every.get()) {
            self.run.save(&self.folder.checkpoint())?;
        }
        Ok(())
    }

    /// Looks at the pictures kept out.
    fn look(&mut self) -> anyhow::Result<()> {
        let seen = self.run.validate()?;
        told::epoch(&mut self.journal, &self.run, &seen)?;
        pictures::curves(self.folder.path(), &self.run)?;
        pictures::confusion(self.folder.path(), "confusion.png", &seen.confusion)?;
        let (epochs, number) = (self.run.epochs(), self.run.epochs().len());
        let words = epochs.last().map(told::in_words).unwrap_or_default();
        let now = live::paced(&words, self.run.pace());
        self.note(&format!("epoch {number} of {}: {now}", self.run.recipe().epochs));
        Ok(())
    }

    fn note(&self, line: &str) {
        if self.voice == Voice::Normal {
            self.progress.note(line);
        }
    }

    fn notes(&self) -> BTreeMap<String, String> {
        let name = self.flags.output.file_stem().unwrap_or_default().to_string_lossy();
        let title = self.flags.title.clone().unwrap_or_else(|| name.into_owned());
        let licence = self.flags.licence.iter().map(|text| ("licence".to_owned(), text.clone()));
        [("title".to_owned(), title)].into_iter().chain(licence).collect()
    }

    /// What there is, when a step went wrong.
    fn tell_what_is_left(&self) {
        self.progress.finish();
        let checkpoint = self.folder.checkpoint();
        if checkpoint.exists() {
            say(&format!("{} is the last checkpoint", checkpoint.display()));
        }
    }

    /// The last words.
    fn tell(&self, outcome: Outcome, test: Option<&Examination>) -> anyhow::Result<()> {
        let (run, output) = (&self.run, &self.flags.output);
        for bad in run.bad() {
            say(&format!("passed over {}: {}", bad.path.display(), bad.why));
        }
        if self.voice == Voice::Normal {
            let (steps, time) = (run.steps(), live::time(run.time()));
            let (output, checkpoint) = (output.display(), self.folder.checkpoint());
            say(&match outcome {
                Outcome::Interrupted => format!(
                    "{output}: the network after {steps} of {} steps; {} has it all, --resume goes on",
                    run.total(),
                    checkpoint.display()
                ),
                _ => format!("{output}: {steps} steps in {time}"),
            });
            if let Some(seen) = test {
                say(&format!("{} test pictures: {}", seen.confusion.total(), told::short(seen)));
            }
        }
        let report = Report::new(run, [output, self.folder.path()], test);
        if self.flags.json {
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
        } else if self.voice == Voice::Normal {
            let kept_out = run.epochs().last().and_then(|epoch| epoch.validation.as_ref());
            if let Some(seen) = test.or(kept_out) {
                write!(io::stdout(), "{}", told::table(&seen.confusion))?;
            }
        }
        Ok(())
    }
}

use told::Report;
