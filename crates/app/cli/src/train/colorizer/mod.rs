//! `pentimento train colorizer`: flags, then a job with every check made, then the run.

pub(crate) mod flags;
mod resolve;
mod told;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::Ordering;

use pentimento::train::colour::ColorRun;
use pentimento::weights::Precision;

use super::folder::{Begin, Journal, RunFolder, beside, check_output};
use super::live;
use super::resolve::{Preview, previews};
use crate::exit::Outcome;
use crate::interrupt::stop_on_signal;
use crate::progress::{Progress, Voice, say};
use flags::Colorizer;
use told::Report;

/// A run that can be carried out.
#[derive(Debug)]
struct Training<'a> {
    flags: &'a Colorizer,
    folder: RunFolder,
    run: ColorRun,
    journal: Journal,
    previews: Vec<Preview>,
    progress: Progress,
    voice: Voice,
    /// The mean over the last steps, for whoever watches: a single step's jumps.
    loss: Option<f64>,
}

/// Trains what the flags say.
pub(crate) fn run(flags: &Colorizer) -> anyhow::Result<Outcome> {
    Training::new(flags)?.run()
}

impl<'a> Training<'a> {
    fn new(flags: &'a Colorizer) -> anyhow::Result<Self> {
        let begin = Begin::of_flags(flags.resume, flags.overwrite);
        check_output(&flags.output, "a network's", begin)?;
        let job = resolve::job(flags)?;
        let folder = RunFolder::open(&beside(&flags.output, flags.run.as_deref()), begin)?;
        let run = match begin {
            Begin::Resume => ColorRun::resume(job, &folder.checkpoint())?,
            Begin::New | Begin::Anew => ColorRun::start(job)?,
        };
        let voice = if flags.quiet { Voice::Quiet } else { Voice::Normal };
        Ok(Self {
            previews: previews(&flags.preview, run.held_out())?,
            journal: Journal::open(&folder, run.steps(), &told::TABLES)?,
            progress: Progress::of_steps(run.total(), run.steps(), voice),
            loss: None,
            flags,
            folder,
            run,
            voice,
        })
    }

    fn run(mut self) -> anyhow::Result<Outcome> {
        let stop = stop_on_signal("saving; once more to stop at once");
        while !self.run.is_done() && !stop.load(Ordering::Relaxed) {
            self.step().inspect_err(|_| self.tell_what_is_left())?;
        }
        let outcome = if self.run.is_done() { Outcome::Done } else { Outcome::Interrupted };
        let looked = self.run.evaluations().last().is_some_and(|e| e.step == self.run.steps());
        if outcome == Outcome::Done && !looked {
            self.look()?;
        }
        self.run.save(&self.folder.checkpoint())?;
        self.run.export(&self.flags.output, Precision::F16, self.notes())?;
        self.progress.finish();
        self.tell(outcome)?;
        Ok(outcome)
    }

    /// A step, and whatever is due after it.
    fn step(&mut self) -> anyhow::Result<()> {
        let report = self.run.step()?;
        told::step(&mut self.journal, &self.run, &report)?;
        let loss = self.loss.map_or(report.loss, |before| 0.95 * before + 0.05 * report.loss);
        self.loss = Some(loss);
        let step = self.run.steps();
        let now = live::paced(&format!("loss {loss:.4}"), self.run.pace());
        self.progress.step(step, now.clone());
        if step.is_multiple_of(self.flags.preview_every.get()) {
            self.look()?;
        }
        if step.is_multiple_of(self.flags.checkpoint_every.get()) {
            self.run.save(&self.folder.checkpoint())?;
            self.note(&format!("step {step} of {}: {now}", self.run.total()));
        }
        Ok(())
    }

    /// Looks at the photographs kept out, and at the previews.
    fn look(&mut self) -> anyhow::Result<()> {
        let step = self.run.steps();
        if let Some(seen) = self.run.validate()? {
            told::validation(&mut self.journal, &seen)?;
            self.note(&format!("photographs kept out: {}", told::in_words(&seen)));
        }
        for preview in &self.previews {
            let coloured = self.run.preview(&preview.rgb)?;
            self.journal.preview(step, &preview.name, &coloured)?;
        }
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
    fn tell(&self, outcome: Outcome) -> anyhow::Result<()> {
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
        }
        if self.flags.json {
            let report = Report::new(run, [output, self.folder.path()], self.loss);
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
        }
        Ok(())
    }
}
