//! A run on a thread of its own, from its first step to its style.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pentimento::train::run::{Begin, Journal, Preview, Run, RunFolder};
use pentimento::train::style::{self, Settings, StyleRun};
use pentimento::weights::Precision;

use super::plan::Plan;
use super::{Known, Phase, View, locked};
use crate::Inner;
use crate::budget::Lease;
use crate::fault::Fault;

/// Evaluations without progress after which stopping early is suggested.
const FLAT_AFTER: usize = 4;

/// Between two words about progress.
const PAUSE: Duration = Duration::from_millis(500);

/// Carries out a run, whatever comes of it.
pub(super) fn carry_out(studio: &Arc<Inner>, known: &Arc<Known>, plan: &Plan, begin: Begin) {
    tell(studio, known);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let _turn = locked(&studio.trainings.turn);
        if known.is_stopped() {
            return Ok(Phase::Stopped);
        }
        Course::open(studio, known, (plan, begin))?.run()
    }));
    let ended = ended.unwrap_or_else(|_panic| {
        Err(Fault::internal("The training broke off; its last checkpoint is there."))
    });
    let mut live = known.live();
    match ended {
        Ok(phase) => live.phase = phase,
        Err(fault) => (live.phase, live.fault) = (Phase::Failed, Some(fault)),
    }
    drop(live);
    tell(studio, known);
}

fn tell(studio: &Inner, known: &Known) {
    studio.hub.tell("training", &View::of(studio, known));
}

/// A run that is at work.
struct Course<'a> {
    studio: &'a Inner,
    known: &'a Known,
    settings: &'a Settings,
    folder: RunFolder,
    run: StyleRun,
    journal: Journal,
    previews: Vec<Preview>,
    told: Instant,
    _memory: Lease,
}

impl<'a> Course<'a> {
    fn open(
        studio: &'a Inner,
        known: &'a Known,
        (plan, begin): (&'a Plan, Begin),
    ) -> Result<Self, Fault> {
        let folder = RunFolder::open(&known.path, begin)?;
        plan.write(&folder)?;
        let job = plan.job(studio, &folder)?;
        let need = job.need()?;
        let memory = studio.budget.take(need).ok_or_else(|| {
            let message = format!("The training needs about {} MB of memory.", need / 1_000_000);
            Fault::conflict(message, "Choose a smaller size or batch, or more --memory.")
        })?;
        let previews = plan.previews(&job)?;
        let run = match begin {
            Begin::Resume => StyleRun::resume(job, &folder.checkpoint())?,
            Begin::New | Begin::Anew => StyleRun::start(job)?,
        };
        let journal = Journal::open(&folder, run.steps(), &style::TABLES)?;
        let (settings, told) = (&plan.settings, Instant::now());
        Ok(Self { studio, known, settings, folder, run, journal, previews, told, _memory: memory })
    }

    fn run(mut self) -> Result<Phase, Fault> {
        self.known.live().phase = Phase::Running;
        self.note();
        while !self.run.is_done() && !self.is_stopped() {
            self.step()?;
        }
        let looked = self.run.evaluations().last().is_some_and(|e| e.step == self.run.steps());
        if self.run.is_done() && !looked {
            self.look()?;
        }
        self.run.save(&self.folder.checkpoint())?;
        self.run.export(&self.known.output, Precision::F16, self.settings.notes.clone())?;
        Ok(if self.run.is_done() { Phase::Done } else { Phase::Stopped })
    }

    /// Whether somebody says stop: here, or in another program.
    fn is_stopped(&self) -> bool {
        self.known.is_stopped() || self.folder.is_asked_to_stop()
    }

    /// A step, when no job wants the threads, and whatever is due after it.
    fn step(&mut self) -> Result<(), Fault> {
        while self.studio.wanted.load(Ordering::SeqCst) > 0 && !self.known.is_stopped() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let report = {
            let _threads = locked(&self.studio.turn);
            self.run.step()?
        };
        style::tell_step(&mut self.journal, &self.run, &report)?;
        self.known.live().losses = Some(report.losses);
        let step = self.run.steps();
        if step.is_multiple_of(self.settings.preview_every) {
            self.look()?;
        }
        if step.is_multiple_of(self.settings.checkpoint_every) && self.run.looks_well() {
            self.run.save(&self.folder.checkpoint())?;
        }
        self.note();
        Ok(())
    }

    /// Looks at the photographs kept out, and at the previews.
    fn look(&mut self) -> Result<(), Fault> {
        let step = self.run.steps();
        if let Some(losses) = self.run.validate()? {
            style::tell_validation(&mut self.journal, step, &losses)?;
            self.known.live().validation = Some(losses);
        }
        for Preview { name, rgb } in &self.previews {
            self.journal.preview(step, name, &self.run.preview(rgb)?)?;
        }
        if self.run.is_flat(FLAT_AFTER) {
            let words =
                "The losses on photographs kept out no longer fall: to stop now loses little.";
            self.known.live().note = Some(words.to_owned());
        }
        Ok(())
    }

    /// Notes how it goes, and tells of it now and then.
    fn note(&mut self) {
        let mut live = self.known.live();
        (live.steps, live.total) = (self.run.steps(), Some(self.run.total()));
        live.pace = self.run.pace();
        drop(live);
        if self.told.elapsed() >= PAUSE {
            self.told = Instant::now();
            tell(self.studio, self.known);
        }
    }
}
