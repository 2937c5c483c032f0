//! What all requests share.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pentimento::cpu::{EngineError, Threads};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::Settings;
use crate::budget::Budget;
use crate::fault::Fault;
use crate::guard::Hosts;
use crate::hub::Hub;
use crate::id::Id;
use crate::jobs::{self, Jobs};
use crate::nets::Nets;
use crate::store::{Progress, Store};
use crate::styles::Styles;
use crate::training::Trainings;

/// A session: pictures, results, jobs. Clones are the same one; it ends with the last.
#[derive(Clone, Debug)]
pub struct Session(pub(crate) Studio);

/// The same, as requests see it.
#[derive(Clone, Debug)]
pub(crate) struct Studio(Arc<Owner>);

/// Whoever drops it ends the session's threads.
#[derive(Debug)]
struct Owner(Arc<Inner>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What a session is made of.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) hosts: Hosts,
    pub(crate) hub: Arc<Hub>,
    pub(crate) jobs: Jobs,
    pub(crate) store: Store,
    /// Memory for computing.
    pub(crate) budget: Budget,
    pub(crate) styles: Styles,
    pub(crate) nets: Nets,
    /// For what takes long, and for what somebody waits for: so that neither holds up the other.
    pub(crate) long: Threads,
    pub(crate) short: Threads,
    /// Whose turn it is on the long threads: a job's, or a step of training's.
    pub(crate) turn: Mutex<()>,
    /// Jobs that want their turn: training lets them go first.
    pub(crate) wanted: AtomicUsize,
    pub(crate) trainings: Trainings,
    /// Requests that may compute at once.
    turns: Arc<Semaphore>,
    /// Event streams that may be open at once.
    pub(crate) streams: Arc<Semaphore>,
}

/// Why there is no studio.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudioError {
    /// Other machines could ask for anything.
    #[error("{address} can be reached from other machines: give a --token that they must know")]
    NoToken {
        /// The address.
        address: SocketAddr,
    },
    /// The token can be guessed, or no cookie can hold it.
    #[error("a token has at least 16 characters, and none but letters, digits, - and _")]
    Token,
    /// A folder that was named is none.
    #[error("{path}: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}; choose another --port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        source: std::io::Error,
    },
    /// The system gives no threads.
    #[error(transparent)]
    Threads(#[from] EngineError),
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Requests that compute at once: a picture to be looked at takes a moment.
const TURNS: usize = 2;

impl Session {
    /// A session for a server at `address`. Nothing is read or computed yet.
    ///
    /// # Errors
    ///
    /// If a setting cannot be, or the system gives no threads.
    pub fn new(settings: Settings, address: SocketAddr) -> Result<Self, StudioError> {
        check(&settings, address)?;
        let (hub, limits) = (Arc::new(Hub::new()), &settings.limits);
        let inner = Arc::new(Inner {
            hosts: Hosts::new(address, &settings.names),
            jobs: Jobs::new(limits.queue, Arc::clone(&hub)),
            store: Store::new(limits.stored(), limits.age),
            budget: Budget::new(limits.working()),
            styles: Styles::new(settings.styles.clone()),
            nets: Nets::default(),
            long: Threads::new(settings.threads)?,
            short: Threads::new(settings.threads)?,
            turn: Mutex::default(),
            wanted: AtomicUsize::new(0),
            trainings: Trainings::new(settings.styles.clone()),
            turns: Arc::new(Semaphore::new(TURNS)),
            streams: Arc::new(Semaphore::new(limits.streams)),
            hub,
            settings,
        });
        jobs::start(&inner)?;
        Ok(Self(Studio(Arc::new(Owner(inner)))))
    }

    /// Lets go of pictures and results that are too old.
    pub fn sweep(&self) {
        let gone = self.0.store.sweep();
        self.0.tell_gone(&gone);
    }
}

impl Studio {
    /// What outlives a request.
    pub(crate) fn inner(&self) -> Arc<Inner> {
        Arc::clone(&self.0.0)
    }

    /// Computes something on the threads for what somebody waits for, when its turn comes and
    /// `need` bytes of memory are free.
    pub(crate) async fn computed<R: Send + 'static>(
        &self,
        need: u64,
        work: impl FnOnce(&Inner) -> Result<R, Fault> + Send + 'static,
    ) -> Result<R, Fault> {
        let patience = self.settings.limits.turn;
        let turn = timeout(patience, Arc::clone(&self.turns).acquire_owned());
        let Ok(Ok(turn)) = turn.await else { return Err(Fault::busy()) };
        let inner = Arc::clone(&self.0.0);
        let task = spawn_blocking(move || {
            let _turn = turn; // kept even if nobody waits any more: the work goes on
            let _memory = inner.budget.wait(need, patience).ok_or_else(Fault::busy)?;
            inner.short.run(|| work(&inner))
        });
        task.await.unwrap_or_else(|panic| Err(Fault::internal(panic.to_string())))
    }
}

impl Deref for Studio {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0.0
    }
}

impl Inner {
    /// Waits for the long threads, before any further step of training.
    pub(crate) fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.wanted.fetch_add(1, Ordering::SeqCst);
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.wanted.fetch_sub(1, Ordering::SeqCst);
        turn
    }

    /// Weighs a result, and tells which others had to go for it.
    pub(crate) fn weigh(&self, result: &Id, progress: Progress) {
        let gone = self.store.weigh(result, progress);
        self.tell_gone(&gone);
    }

    /// Forgets a result that came to nothing.
    pub(crate) fn forget_result(&self, result: &Id) {
        if self.store.forget_result(result.as_str()).is_ok() {
            self.tell_gone(std::slice::from_ref(result));
        }
    }

    /// Ends jobs and trainings; these are saved.
    pub(crate) fn close(&self) {
        self.jobs.close();
        self.trainings.close();
    }

    pub(crate) fn tell_gone(&self, results: &[Id]) {
        for id in results {
            self.hub.tell("result-gone", &serde_json::json!({ "id": id }));
        }
    }
}

/// Characters of a token that nobody guesses.
const TOKEN: usize = 16;

fn check(settings: &Settings, address: SocketAddr) -> Result<(), StudioError> {
    match &settings.token {
        None if !address.ip().is_loopback() => return Err(StudioError::NoToken { address }),
        Some(token) => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            if token.len() < TOKEN || !token.bytes().all(plain) {
                return Err(StudioError::Token);
            }
        }
        None => {}
    }
    for path in settings.photos.iter().chain([&settings.styles]) {
        let wrong = |source| StudioError::Folder { path: path.clone(), source };
        path.read_dir().map_err(wrong)?;
    }
    Ok(())
}
