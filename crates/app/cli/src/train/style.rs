//! `pentimento train style`: flags, then a job with every check made, then the run.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use pentimento::train::losses::Losses;
use pentimento::train::style::StyleRun;
use pentimento::weights::Precision;

use super::flags;
use super::folder::{Begin, Journal, RunFolder, beside, check_output};
use super::live;
use super::report::{FLAT_AFTER, Report};
use super::resolve::{self, Preview};
use super::told;
use crate::exit::Outcome;
use crate::interrupt::stop_on_signal;
use crate::progress::{Progress, Voice, say};

/// A run that can be carried out.
#[derive(Debug)]
struct Training<'a> {
    flags: &'a flags::Style,
    folder: RunFolder,
    run: StyleRun,
    journal: Journal,
    previews: Vec<Preview>,
    progress: Progress,
    voice: Voice,
    /// Of the last step.
    losses: Option<Losses>,
    /// Whether stopping early was suggested.
    suggested: bool,
}

/// Trains what the flags say.
pub(crate) fn run(flags: &flags::Style) -> anyhow::Result<Outcome> {
    Training::new(flags)?.run()
}

impl<'a> Training<'a> {
    fn new(flags: &'a flags::Style) -> anyhow::Result<Self> {
        let begin = Begin::of_flags(flags.resume, flags.overwrite);
        check_output(&flags.output, "a style's", begin)?;
        let job = resolve::job(flags)?;
        let folder = RunFolder::open(&beside(&flags.output, flags.run.as_deref()), begin)?;
        let run = match begin {
            Begin::Resume => StyleRun::resume(job, &folder.checkpoint())?,
            Begin::New | Begin::Anew => StyleRun::start(job)?,
        };
        let voice = if flags.quiet { Voice::Quiet } else { Voice::Normal };
        Ok(Self {
            previews: resolve::previews(&flags.preview, run.held_out())?,
            journal: Journal::open(&folder, run.steps(), &told::TABLES)?,
            progress: Progress::of_steps(run.total(), run.steps(), voice),
            losses: None,
            suggested: false,
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
        if outcome == Outcome::Done {
            let looked = self.run.evaluations().last().is_some_and(|e| e.step == self.run.steps());
            if !looked {
                self.look()?;
            }
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
        self.losses = Some(report.losses);
        told::step(&mut self.journal, &self.run, &report)?;
        let step = self.run.steps();
        self.progress.step(step, live::now(&self.run, &report.losses));
        if step.is_multiple_of(self.flags.preview_every.get()) {
            self.look()?;
        }
        if step.is_multiple_of(self.flags.checkpoint_every.get()) && self.run.looks_well() {
            self.run.save(&self.folder.checkpoint())?;
            let (total, now) = (self.run.total(), live::now(&self.run, &report.losses));
            self.note(&format!("step {step} of {total}: {now}"));
        }
        Ok(())
    }

    /// Looks at the photographs kept out, and at the previews.
    fn look(&mut self) -> anyhow::Result<()> {
        let step = self.run.steps();
        if let Some(losses) = self.run.validate()? {
            told::validation(&mut self.journal, step, &losses)?;
            self.note(&format!("photographs kept out: {}", live::losses(&losses)));
        }
        for preview in &self.previews {
            let painted = self.run.preview(&preview.rgb)?;
            self.journal.preview(step, &preview.name, &painted)?;
        }
        if !self.suggested && self.run.is_flat(FLAT_AFTER) {
            self.suggested = true;
            self.note(
                "the losses on photographs kept out no longer fall: \
                 to stop here (Ctrl-C writes the style as it is) loses little",
            );
        }
        Ok(())
    }

    fn note(&self, line: &str) {
        if self.voice == Voice::Normal {
            self.progress.note(line);
        }
    }

    fn notes(&self) -> BTreeMap<String, String> {
        let name =
            |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let flags::Style { title, painting, licence, style_picture, output, .. } = self.flags;
        let mut notes = BTreeMap::from([
            ("title".to_owned(), title.clone().unwrap_or_else(|| name(output))),
            ("painting".to_owned(), painting.clone().unwrap_or_else(|| name(style_picture))),
        ]);
        notes.extend(licence.iter().map(|text| ("licence".to_owned(), text.clone())));
        notes
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
                    "{output}: the style after {steps} of {} steps; {} has it all, --resume goes on",
                    run.total(),
                    checkpoint.display()
                ),
                _ => format!("{output}: {steps} steps in {time}"),
            });
        }
        if self.flags.json {
            let report = Report::new(run, [output, self.folder.path()], self.losses);
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
        }
        Ok(())
    }
}
