//! What every command that trains does: steps until they are all taken or someone says
//! stop, looks in between, checkpoints, and in the end a file of weights and a report.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use pentimento::train::TrainError;
use pentimento::train::data::{Bad, Reading};
use pentimento::train::run::{Begin, Columns, Journal, Run, RunFolder, beside, check_output};
use pentimento::weights::Precision;
use serde::Serialize;

use super::flags::RunFlags;
use super::live;
use crate::exit::Outcome;
use crate::interrupt::stop_on_signal;
use crate::progress::{Progress, Voice, say};

/// What a kind of training adds.
pub(super) trait Kind {
    type Run: Run;

    /// The tables that it writes.
    const TABLES: [Columns<'static>; 2];

    /// What comes out.
    const PRODUCT: &'static str;

    /// Writes down what the run was begun with.
    fn began(&self, _desk: &Desk<'_>, _run: &Self::Run) -> anyhow::Result<()> {
        Ok(())
    }

    /// Writes down a step that was taken, and says how it goes.
    fn took(
        &mut self,
        desk: &mut Desk<'_>,
        run: &Self::Run,
        report: &<Self::Run as Run>::Report,
    ) -> anyhow::Result<String>;

    /// Whether what was kept out is to be looked at now.
    fn is_look_due(&self, run: &Self::Run) -> bool;

    /// Whether the last look was after the last step.
    fn has_looked(&self, run: &Self::Run) -> bool;

    /// Looks at what was kept out.
    fn look(&mut self, desk: &mut Desk<'_>, run: &mut Self::Run) -> anyhow::Result<()>;

    /// Whether the run is worth a checkpoint as it is.
    fn is_well(&self, _run: &Self::Run) -> bool {
        true
    }

    /// What is left to do once all is written.
    fn conclude(&mut self, _desk: &Desk<'_>, _run: &Self::Run) -> anyhow::Result<()> {
        Ok(())
    }

    /// Notes for the card.
    fn notes(&self) -> Vec<(&'static str, String)> {
        vec![]
    }

    /// Its part of the report.
    fn report(&self, run: &Self::Run) -> impl Serialize;

    /// The last words on standard output, where they are wanted.
    fn last_words(&self, _run: &Self::Run) -> Option<String> {
        None
    }
}

/// How a run comes about.
pub(super) enum Start {
    New,
    From(PathBuf),
}

/// Carries out what the flags say; `start` makes the run.
pub(super) fn train<K: Kind>(
    mut kind: K,
    flags: &RunFlags,
    start: impl FnOnce(Start) -> Result<K::Run, TrainError>,
) -> anyhow::Result<Outcome> {
    let begin = flags.begin();
    let folder = RunFolder::open(&beside(&flags.output, flags.run.as_deref()), begin)?;
    let mut run = start(match begin {
        Begin::Resume => Start::From(folder.checkpoint()),
        Begin::New | Begin::Anew => Start::New,
    })?;
    let voice = if flags.quiet { Voice::Quiet } else { Voice::Normal };
    let mut desk = Desk {
        journal: Journal::open(&folder, run.steps(), &K::TABLES)?,
        progress: Progress::of_steps(run.total(), run.steps(), voice),
        flags,
        folder,
        voice,
    };
    kind.began(&desk, &run)?;
    step_on(&mut kind, &mut desk, &mut run)?;
    let outcome = if run.is_done() { Outcome::Done } else { Outcome::Interrupted };
    if outcome == Outcome::Done && !kind.has_looked(&run) {
        kind.look(&mut desk, &mut run)?;
    }
    run.save(&desk.folder.checkpoint())?;
    run.export(&flags.output, Precision::F16, desk.notes(kind.notes()))?;
    if outcome == Outcome::Done {
        kind.conclude(&desk, &run)?;
    }
    desk.progress.finish();
    desk.tell(&kind, &run)?;
    Ok(outcome)
}

/// Refuses an output that could not be written hours later, before anything is read.
pub(super) fn check<K: Kind>(flags: &RunFlags) -> Result<(), TrainError> {
    let what = format!("a {}'s", K::PRODUCT);
    check_output(&flags.output, &what, flags.begin())
}

/// How pictures are read.
pub(super) fn reading(flags: &RunFlags, cache: Option<PathBuf>) -> Reading {
    let memory = usize::try_from(flags.memory).unwrap_or(usize::MAX);
    Reading { cache, memory, ..Reading::default() }
}

/// Steps until all are taken, or somebody says stop: here, or in the studio.
fn step_on<K: Kind>(kind: &mut K, desk: &mut Desk<'_>, run: &mut K::Run) -> anyhow::Result<()> {
    let stop = stop_on_signal("saving; once more to stop at once");
    while !run.is_done() && !stop.load(Ordering::Relaxed) && !desk.folder.is_asked_to_stop() {
        step(kind, desk, run).inspect_err(|_| desk.tell_what_is_left())?;
    }
    Ok(())
}

/// A step, and whatever is due after it.
fn step<K: Kind>(kind: &mut K, desk: &mut Desk<'_>, run: &mut K::Run) -> anyhow::Result<()> {
    let report = run.step()?;
    let words = kind.took(desk, run, &report)?;
    let (step, now) = (run.steps(), live::paced(&words, run.pace()));
    desk.progress.step(step, now.clone());
    let looks = kind.is_look_due(run);
    if looks {
        kind.look(desk, run)?;
    }
    let is_due = step.is_multiple_of(desk.flags.checkpoint_every.get());
    if (looks || is_due) && kind.is_well(run) {
        run.save(&desk.folder.checkpoint())?;
        if is_due {
            desk.note(&format!("step {step} of {}: {now}", run.total()));
        }
    }
    Ok(())
}

/// Where a run is written down and told of.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    pub(super) journal: Journal,
    pub(super) folder: RunFolder,
    flags: &'a RunFlags,
    progress: Progress,
    voice: Voice,
}

/// What became of a run, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a, T> {
    /// Of this report's form.
    version: u32,
    output: &'a PathBuf,
    run: PathBuf,
    steps: u64,
    total: u64,
    seconds: f64,
    steps_per_second: f64,
    /// The share of the time that was spent waiting for pictures.
    waiting: f64,
    /// How often each picture was shown.
    rounds: f64,
    interrupted: bool,
    bad_pictures: Vec<BadPicture>,
    #[serde(flatten)]
    of_its_kind: T,
}

#[derive(Debug, Serialize)]
struct BadPicture {
    path: PathBuf,
    why: String,
}

impl Desk<'_> {
    /// A line above the progress, unless nothing is to be said.
    pub(super) fn note(&self, line: &str) {
        if self.voice == Voice::Normal {
            self.progress.note(line);
        }
    }

    /// What the card of the weights says.
    pub(super) fn notes(
        &self,
        of_its_kind: Vec<(&'static str, String)>,
    ) -> BTreeMap<String, String> {
        let name = self.flags.output.file_stem().unwrap_or_default().to_string_lossy();
        let title = self.flags.title.clone().unwrap_or_else(|| name.into_owned());
        let licence = self.flags.licence.iter().map(|text| ("licence", text.clone()));
        let notes = [("title", title)].into_iter().chain(licence).chain(of_its_kind);
        notes.map(|(key, text)| (key.to_owned(), text)).collect()
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
    fn tell<K: Kind>(&self, kind: &K, run: &K::Run) -> anyhow::Result<()> {
        let bad = run.bad();
        for Bad { path, why } in &bad {
            say(&format!("passed over {}: {why}", path.display()));
        }
        if self.voice == Voice::Normal {
            say(&self.summary::<K>(run));
        }
        if self.flags.json {
            let report = self.report(kind, run, bad);
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
        } else if let (Voice::Normal, Some(words)) = (self.voice, kind.last_words(run)) {
            write!(io::stdout(), "{words}")?;
        }
        Ok(())
    }

    fn summary<K: Kind>(&self, run: &K::Run) -> String {
        let (steps, output) = (run.steps(), self.flags.output.display());
        if run.is_done() {
            return format!("{output}: {steps} steps in {}", live::time(run.time()));
        }
        format!(
            "{output}: the {} after {steps} of {} steps; {} has it all, --resume goes on",
            K::PRODUCT,
            run.total(),
            self.folder.checkpoint().display()
        )
    }

    fn report<K: Kind>(&self, kind: &K, run: &K::Run, bad: Vec<Bad>) -> impl Serialize {
        let pace = run.pace();
        Report {
            version: 2,
            output: &self.flags.output,
            run: self.folder.path().to_owned(),
            steps: run.steps(),
            total: run.total(),
            seconds: run.time().as_secs_f64(),
            steps_per_second: pace.steps_per_second,
            waiting: pace.waiting,
            rounds: run.rounds(),
            interrupted: !run.is_done(),
            bad_pictures: bad
                .into_iter()
                .map(|Bad { path, why }| BadPicture { path, why })
                .collect(),
            of_its_kind: kind.report(run),
        }
    }
}
