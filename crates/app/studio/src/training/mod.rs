//! Runs of style training: this program's, and those of the command line.

mod course;
mod options;
mod plan;
mod view;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use pentimento::train::losses::Losses;
use pentimento::train::run::{Begin, Pace, ask_to_stop, is_at_work};
use pentimento::train::style::{self, Settings};

use crate::Inner;
use crate::fault::{Fault, sentence};
use crate::id::Id;

pub(crate) use options::{is_available, options};
pub(crate) use plan::Request;
pub(crate) use view::View;

/// All runs that are known.
#[derive(Debug)]
pub(crate) struct Trainings {
    /// Where styles and the folders of their runs lie.
    folder: PathBuf,
    known: Mutex<BTreeMap<PathBuf, Arc<Known>>>,
    /// Folders of photographs, by the names that the page was told.
    pub(crate) photos: Mutex<BTreeMap<PathBuf, Id>>,
    /// One run is at work, others wait.
    turn: Mutex<()>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A run.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) id: Id,
    /// The folder it lives in, and the style's file.
    path: PathBuf,
    output: PathBuf,
    stop: AtomicBool,
    live: Mutex<Live>,
}

/// What this program knows of a run that it is at, or was.
#[derive(Clone, Debug, Default)]
struct Live {
    phase: Phase,
    steps: u64,
    total: Option<u64>,
    pace: Pace,
    losses: Option<Losses>,
    validation: Option<Losses>,
    note: Option<String>,
    fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// This program has not been at it.
    #[default]
    Elsewhere,
    Waiting,
    Running,
    Stopped,
    Done,
    Failed,
}

impl Phase {
    fn is_at_work(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// What a run's folder is called after its style's file.
const ENDING: &str = ".run";

impl Trainings {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            known: Mutex::default(),
            photos: Mutex::default(),
            turn: Mutex::default(),
            threads: Mutex::default(),
        }
    }

    /// Every run of a style beside the user's styles.
    pub(crate) fn list(&self) -> Vec<Arc<Known>> {
        let mut known = locked(&self.known);
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let runs = entries.map(|entry| entry.path()).filter(|path| is_run(path));
        for path in runs.take(MOST) {
            known.entry(path.clone()).or_insert_with(|| Arc::new(Known::new(path)));
        }
        known.retain(|path, run| path.is_dir() || run.live().phase.is_at_work());
        known.values().cloned().collect()
    }

    pub(crate) fn find(&self, id: &str) -> Result<Arc<Known>, Fault> {
        let found = self.list().into_iter().find(|run| run.id.as_str() == id);
        found.ok_or_else(|| Fault::not_found("training"))
    }

    /// Begins a run.
    ///
    /// # Errors
    ///
    /// If it cannot be, for the first reason found.
    pub(crate) fn start(
        &self,
        studio: &Arc<Inner>,
        request: &Request,
    ) -> Result<Arc<Known>, Fault> {
        let plan = plan::Plan::resolve(studio, request)?;
        let output = &plan.settings.output;
        let path = run_of(output);
        // Held until the run is at work: its folder is made on its own thread, some time later.
        let mut known = locked(&self.known);
        let at_work = known.get(&path).is_some_and(|run| run.live().phase.is_at_work());
        if at_work || output.exists() || path.exists() {
            let name = output.file_stem().unwrap_or_default().display();
            let message = format!("There is a style or a training called {name} already.");
            return Err(Fault::conflict(message, "Choose another name, or resume that one."));
        }
        let run = Arc::new(Known::new(path.clone()));
        self.begin(studio, &run, (plan, Begin::New));
        known.insert(path, Arc::clone(&run));
        Ok(run)
    }

    /// Goes on with a run that this program or the command line began.
    ///
    /// # Errors
    ///
    /// If it is at work, or cannot go on.
    pub(crate) fn resume(&self, studio: &Arc<Inner>, run: &Arc<Known>) -> Result<(), Fault> {
        if run.live().phase.is_at_work() || is_at_work(&run.path) {
            return Err(Fault::conflict("The training is at work already.", ""));
        }
        let plan = plan::Plan::of(studio, Settings::read(&run.path), &run.output)?;
        self.begin(studio, run, (plan, Begin::Resume));
        Ok(())
    }

    fn begin(&self, studio: &Arc<Inner>, run: &Arc<Known>, (plan, begin): (plan::Plan, Begin)) {
        run.stop.store(false, Ordering::Relaxed);
        *run.live() = Live { phase: Phase::Waiting, ..Live::default() };
        let (studio, its) = (Arc::clone(studio), Arc::clone(run));
        let thread = std::thread::Builder::new().name("studio-training".to_owned());
        let spawned = thread.spawn(move || course::carry_out(&studio, &its, &plan, begin));
        match spawned {
            Ok(thread) => locked(&self.threads).push(thread),
            Err(error) => {
                let mut live = run.live();
                live.phase = Phase::Failed;
                live.fault = Some(Fault::internal(error.to_string()));
            }
        }
    }

    /// Ends all runs that are at work, and waits until they are saved.
    pub(crate) fn close(&self) {
        for run in locked(&self.known).values() {
            run.stop.store(true, Ordering::Relaxed);
        }
        let threads = std::mem::take(&mut *locked(&self.threads));
        for thread in threads {
            let _ = thread.join(); // it has told what went wrong
        }
    }
}

/// Runs that are listed.
const MOST: usize = 200;

impl Known {
    fn new(path: PathBuf) -> Self {
        let output = path.with_extension(""); // without `.run`
        Self { id: Id::new(), path, output, stop: AtomicBool::new(false), live: Mutex::default() }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        locked(&self.live)
    }

    /// Ends it after the step it is at, in whichever program it runs.
    ///
    /// # Errors
    ///
    /// If none is at it, or the system refuses.
    pub(crate) fn stop(&self) -> Result<(), Fault> {
        if self.live().phase.is_at_work() {
            self.stop.store(true, Ordering::Relaxed);
            return Ok(());
        }
        if !is_at_work(&self.path) {
            return Err(Fault::conflict("The training is not at work.", "It may be resumed."));
        }
        ask_to_stop(&self.path)
            .map_err(|error| Fault::conflict(sentence(&error), "Stop it where it runs, by Ctrl-C."))
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The folder it lives in.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn run_of(output: &Path) -> PathBuf {
    pentimento::train::run::beside(output, None)
}

/// Columns that every version's table of a style begins with.
const FIRST: usize = 4;

/// Whether a folder is the run of a style, by the head of its table.
fn is_run(path: &Path) -> bool {
    if !path.to_string_lossy().ends_with(ENDING) {
        return false;
    }
    let [(table, columns), _] = style::TABLES;
    let head = fs::File::open(path.join(table)).ok().and_then(|file| {
        let mut line = String::new();
        BufReader::new(file.take(4096)).read_line(&mut line).ok()?;
        Some(line)
    });
    head.is_some_and(|line| {
        line.trim_end().split(',').take(FIRST).eq(columns[..FIRST].iter().copied())
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
