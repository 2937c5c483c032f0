//! Samples made ahead by threads, and taken in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use rayon::ThreadPoolBuilder;

use super::source::{Sample, Source, guarded};
use super::{Times, lock};
use crate::TrainError;

/// What becomes of a sample's number.
type Made = Result<Option<Sample>, TrainError>;

/// Threads that make samples from some number on.
///
/// A thread that is free claims the next number, so that samples are finished in
/// any order; they wait here until their turn. No more are claimed than may wait.
#[derive(Debug)]
pub(super) struct Queue {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    source: Arc<Source>,
    /// Most samples claimed and not yet taken.
    most: u64,
    state: Mutex<State>,
    /// Told when a sample is taken, or all must end.
    room: Condvar,
    /// Told when a sample is made.
    made: Condvar,
}

#[derive(Debug)]
struct State {
    /// The next number to be claimed.
    claimed: u64,
    /// The next number to be taken.
    taken: u64,
    waiting: BTreeMap<u64, Made>,
    times: Times,
    /// Nobody wants samples any more.
    ended: bool,
}

impl Queue {
    /// Starts making samples, the first being number `first`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Panic`] if the system has no threads to give.
    pub(super) fn start(source: Arc<Source>, first: u64) -> Result<Self, TrainError> {
        let reading = &source.options.reading;
        let (count, most) = (reading.threads, (reading.ahead * source.options.batch) as u64);
        let state = State {
            claimed: first,
            taken: first,
            waiting: BTreeMap::new(),
            times: Times::default(),
            ended: false,
        };
        let shared = Arc::new(Shared {
            source,
            most,
            state: Mutex::new(state),
            room: Condvar::new(),
            made: Condvar::new(),
        });
        let mut queue = Self { shared, threads: vec![] };
        for i in 0..count {
            let shared = Arc::clone(&queue.shared);
            let work = move || shared.work();
            let thread = std::thread::Builder::new().name(format!("photos {i}"));
            let thread = thread.spawn(move || alone(work));
            // What is already started ends as `queue` is dropped.
            queue.threads.push(thread.map_err(|e| TrainError::Panic { what: e.to_string() })?);
        }
        Ok(queue)
    }

    /// The next sample, when it is made; `None` where its photograph is bad.
    pub(super) fn take(&self) -> Made {
        let start = Instant::now();
        let mut state = lock(&self.shared.state);
        loop {
            let number = state.taken;
            if let Some(made) = state.waiting.remove(&number) {
                state.taken += 1;
                state.times.waited += start.elapsed();
                self.shared.room.notify_one();
                return made;
            }
            state = self.shared.made.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many samples were taken, counted from number 0.
    pub(super) fn taken(&self) -> u64 {
        lock(&self.shared.state).taken
    }

    pub(super) fn times(&self) -> Times {
        lock(&self.shared.state).times
    }
}

impl Drop for Queue {
    /// Waits for the photographs that are being read just now, and no others.
    fn drop(&mut self) {
        lock(&self.shared.state).ended = true;
        self.shared.room.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join(); // a panic has been caught and told already
        }
    }
}

impl Shared {
    fn work(&self) {
        while let Some(number) = self.claim() {
            let start = Instant::now();
            let made = guarded(|| self.source.sample(number));
            let made = made.unwrap_or_else(|what| Err(TrainError::Panic { what }));
            let mut state = lock(&self.state);
            state.times.worked += start.elapsed();
            state.waiting.insert(number, made);
            self.made.notify_one();
        }
    }

    /// The next number, once there is room; `None` at the end.
    fn claim(&self) -> Option<u64> {
        let mut state = lock(&self.state);
        loop {
            if state.ended || state.claimed >= self.source.len() {
                return None;
            }
            if state.claimed < state.taken.saturating_add(self.most) {
                state.claimed += 1;
                return Some(state.claimed - 1);
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Runs `work` in a rayon pool of one thread, so that decoding and scaling leave the
/// threads alone on which the network is trained.
fn alone(work: impl FnOnce() + Send) {
    match ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(), // the system is out of threads: share the others'
    }
}
