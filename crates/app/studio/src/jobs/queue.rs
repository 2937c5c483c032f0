//! Jobs, in order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::order::{Order, Work};
use super::view::View;
use crate::fault::{Fault, QUEUE_FULL};
use crate::hub::Hub;
use crate::id::Id;
use crate::time::now;

/// Two at a time: a long one does not hold up what takes a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Seconds to minutes.
    Long,
    /// A second or less, as a rule.
    Short,
}

impl Lane {
    pub(crate) const ALL: [Self; 2] = [Self::Long, Self::Short];
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl Phase {
    pub(crate) fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Whether a job goes on when the page that wants it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It does not.
    Needed,
    /// It does.
    NotNeeded,
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: Id,
    pub(crate) order: Order,
    /// Taken by whoever does it, and dropped with all it holds when the job ends.
    work: Mutex<Option<Box<dyn Work>>>,
    pub(crate) created: f64,
    stop: AtomicBool,
    /// Event streams of its own that are open.
    streams: AtomicUsize,
    pub(super) state: Mutex<State>,
}

/// What changes about a job.
#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) fraction: f64,
    pub(super) stage: String,
    pub(super) began: Option<Instant>,
    /// When it was last told.
    pub(super) told: Instant,
    pub(super) result: Option<Id>,
    pub(super) error: Option<Fault>,
}

impl Job {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work, once.
    pub(super) fn take_work(&self) -> Option<Box<dyn Work>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state().phase.is_over()
    }

    /// Whether it should end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// An event stream of its own opens.
    pub(crate) fn watch(&self) {
        self.streams.fetch_add(1, Ordering::SeqCst);
    }

    /// One closes. Gives whether nobody is left who wants it.
    pub(crate) fn unwatch(&self) -> bool {
        let left = self.streams.fetch_sub(1, Ordering::SeqCst) == 1;
        left && self.order.presence == Presence::Needed && !self.is_over()
    }
}

/// All jobs of the session.
#[derive(Debug)]
pub(crate) struct Jobs {
    inner: Mutex<Inner>,
    wake: Condvar,
    limit: usize,
    hub: Arc<Hub>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Oldest first.
    all: VecDeque<Arc<Job>>,
    waiting: VecDeque<Arc<Job>>,
    running: Vec<Arc<Job>>,
    closed: bool,
}

/// Ended jobs that are remembered.
const REMEMBERED: usize = 500;

impl Jobs {
    pub(crate) fn new(limit: usize, hub: Arc<Hub>) -> Self {
        Self { inner: Mutex::default(), wake: Condvar::new(), limit, hub }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether one more may come.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub(crate) fn check_room(&self) -> Result<(), Fault> {
        self.inner().check_room(self.limit)
    }

    /// Queues a job.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub(crate) fn submit(&self, (order, work): (Order, Box<dyn Work>)) -> Result<View, Fault> {
        let state = State {
            phase: Phase::Queued,
            fraction: 0.0,
            stage: "Waiting".to_owned(),
            began: None,
            told: Instant::now(),
            result: None,
            error: None,
        };
        let job = Arc::new(Job {
            id: Id::new(),
            order,
            work: Mutex::new(Some(work)),
            created: now(),
            stop: AtomicBool::new(false),
            streams: AtomicUsize::new(0),
            state: Mutex::new(state),
        });
        let mut inner = self.inner();
        inner.check_room(self.limit)?;
        inner.waiting.push_back(Arc::clone(&job));
        inner.all.push_back(Arc::clone(&job));
        inner.forget();
        drop(inner);
        self.wake.notify_all();
        let view = self.view(&job);
        self.hub.tell_of(&job.id, ("job", false), &view);
        Ok(view)
    }

    /// The next job of a lane, as soon as there is one; none once all is over.
    pub(super) fn next(&self, lane: Lane) -> Option<Arc<Job>> {
        let mut inner = self.inner();
        loop {
            if inner.closed {
                return None;
            }
            let at = inner.waiting.iter().position(|job| job.order.lane == lane);
            if let Some(job) = at.and_then(|at| inner.waiting.remove(at)) {
                job.state().phase = Phase::Running;
                inner.running.push(Arc::clone(&job));
                return Some(job);
            }
            inner = self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A job has ended.
    pub(super) fn end(&self, job: &Arc<Job>, end: impl FnOnce(&mut State)) {
        self.inner().running.retain(|other| other.id != job.id);
        end(&mut job.state());
        self.hub.tell_of(&job.id, ("job", true), &self.view(job));
        self.tell_queue(job.order.lane);
    }

    /// Tells those who wait that they have moved up.
    fn tell_queue(&self, lane: Lane) {
        let waiting: Vec<_> = self.inner().waiting.iter().cloned().collect();
        for job in waiting.iter().filter(|job| job.order.lane == lane) {
            self.hub.tell_of(&job.id, ("job", false), &self.view(job));
        }
    }

    /// Ends a job as soon as can be; nothing happens to one that has ended.
    pub(crate) fn cancel(&self, job: &Arc<Job>) -> View {
        job.stop.store(true, Ordering::Relaxed);
        let mut inner = self.inner();
        let waits = inner.waiting.iter().position(|other| other.id == job.id);
        if let Some(at) = waits {
            inner.waiting.remove(at);
        }
        drop(inner);
        if waits.is_some() {
            drop(job.take_work());
            self.end(job, |state| {
                (state.phase, state.stage) = (Phase::Cancelled, "Cancelled".to_owned());
            });
        }
        self.view(job)
    }

    /// A page has gone: its jobs go with it.
    pub(crate) fn abandon(&self, client: &Id) {
        let jobs: Vec<_> = self.inner().all.iter().cloned().collect();
        let its = |job: &&Arc<Job>| {
            job.order.client.as_ref() == Some(client) && job.order.presence == Presence::Needed
        };
        for job in jobs.iter().filter(its).filter(|job| !job.is_over()) {
            self.cancel(job);
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Job>> {
        self.inner().all.iter().find(|job| job.id.as_str() == id).cloned()
    }

    /// Newest first.
    pub(crate) fn list(&self) -> Vec<View> {
        let jobs: Vec<_> = self.inner().all.iter().rev().cloned().collect();
        jobs.iter().map(|job| self.view(job)).collect()
    }

    pub(crate) fn view(&self, job: &Job) -> View {
        let ahead = self.inner().ahead(job);
        View::of(job, ahead)
    }

    /// No more jobs; those at work are told to stop.
    pub(crate) fn close(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        inner.waiting.clear();
        inner.running.iter().for_each(|job| job.stop.store(true, Ordering::Relaxed));
        drop(inner);
        self.wake.notify_all();
    }
}

impl Inner {
    fn check_room(&self, limit: usize) -> Result<(), Fault> {
        if self.waiting.len() + self.running.len() < limit {
            return Ok(());
        }
        let message = format!("{limit} jobs are waiting or running already.");
        let remedy = "Wait for one to end, or cancel one.";
        Err(Fault::new(QUEUE_FULL, message, remedy).after(5))
    }

    /// Jobs that come before one that waits.
    fn ahead(&self, job: &Job) -> usize {
        let lane = job.order.lane;
        let same = |other: &&Arc<Job>| other.order.lane == lane;
        let waiting = self.waiting.iter().filter(same);
        match waiting.clone().position(|other| other.id == job.id) {
            Some(before) => before + self.running.iter().filter(same).count(),
            None => 0,
        }
    }

    /// Forgets the oldest of too many that have ended.
    fn forget(&mut self) {
        while self.all.len() > REMEMBERED {
            let Some(at) = self.all.iter().position(|job| job.is_over()) else { break };
            self.all.remove(at);
        }
    }
}
