//! Pictures and results of this session, kept as long as there is room and somebody wants them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fault::Fault;
use crate::id::Id;
use crate::picture::Original;
use crate::results::Outcome;

/// What a session holds.
#[derive(Debug)]
pub(crate) struct Store {
    /// Bytes that are kept.
    limit: u64,
    age: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    pictures: Shelf<Original>,
    results: Shelf<Outcome>,
    /// Of what is here no more, so that a late request gets the right answer.
    gone: VecDeque<Id>,
}

/// Things by their names.
type Shelf<T> = BTreeMap<Id, Kept<T>>;

#[derive(Debug)]
struct Kept<T> {
    thing: Arc<T>,
    bytes: u64,
    used: Instant,
    /// Whether somebody is still at work on it.
    busy: bool,
}

/// Names of what is gone that are remembered.
const REMEMBERED: usize = 10_000;

impl Store {
    pub(crate) fn new(limit: u64, age: Duration) -> Self {
        Self { limit, age, inner: Mutex::default() }
    }

    /// Keeps a picture; gives the names of results that had to go for it.
    ///
    /// # Errors
    ///
    /// If it is larger than all there is room for.
    pub(crate) fn put_picture(&self, picture: Arc<Original>) -> Result<Vec<Id>, Fault> {
        let bytes = picture.bytes();
        if bytes > self.limit {
            return Err(too_large(bytes, self.limit));
        }
        let mut inner = self.inner();
        let id = picture.id.clone();
        inner
            .pictures
            .insert(id, Kept { thing: picture, bytes, used: Instant::now(), busy: false });
        Ok(inner.fit(self.limit))
    }

    /// Keeps a result that somebody is at work on.
    pub(crate) fn put_result(&self, result: Arc<Outcome>) {
        let id = result.id.clone();
        let kept = Kept { thing: result, bytes: 0, used: Instant::now(), busy: true };
        self.inner().results.insert(id, kept);
    }

    /// Weighs a result that has grown, or is finished; gives the names of results that had to go.
    pub(crate) fn weigh(&self, id: &Id, progress: Progress) -> Vec<Id> {
        let mut inner = self.inner();
        if let Some(kept) = inner.results.get_mut(id) {
            kept.bytes = kept.thing.bytes();
            kept.used = Instant::now();
            kept.busy = progress == Progress::Going;
        }
        inner.fit(self.limit)
    }

    pub(crate) fn picture(&self, id: &str) -> Result<Arc<Original>, Fault> {
        let mut inner = self.inner();
        touched(&mut inner.pictures, id).ok_or_else(|| inner.missing(id, "picture"))
    }

    pub(crate) fn result(&self, id: &str) -> Result<Arc<Outcome>, Fault> {
        let mut inner = self.inner();
        touched(&mut inner.results, id).ok_or_else(|| inner.missing(id, "result"))
    }

    /// Newest first.
    pub(crate) fn pictures(&self) -> Vec<Arc<Original>> {
        let inner = self.inner();
        let mut all: Vec<_> = inner.pictures.values().map(|kept| Arc::clone(&kept.thing)).collect();
        all.sort_by(|a, b| b.created.total_cmp(&a.created));
        all
    }

    /// Newest first, and the bytes they take.
    pub(crate) fn results(&self) -> (Vec<Arc<Outcome>>, u64) {
        let inner = self.inner();
        let mut all: Vec<_> = inner.results.values().map(|kept| Arc::clone(&kept.thing)).collect();
        all.sort_by(|a, b| b.created.total_cmp(&a.created));
        (all, inner.results.values().map(|kept| kept.bytes).sum())
    }

    /// Seconds that a result has left if nobody uses it.
    pub(crate) fn left(&self, id: &Id) -> Duration {
        let idle = self.inner().results.get(id).map_or(Duration::ZERO, |kept| kept.used.elapsed());
        self.age.saturating_sub(idle)
    }

    pub(crate) fn forget_picture(&self, id: &str) -> Result<(), Fault> {
        let (id, mut inner) = (Id::of(id), self.inner());
        let found = inner.pictures.remove(&id);
        found.map(|_| inner.bury(id.clone())).ok_or_else(|| inner.missing(id.as_str(), "picture"))
    }

    pub(crate) fn forget_result(&self, id: &str) -> Result<(), Fault> {
        let (id, mut inner) = (Id::of(id), self.inner());
        let found = inner.results.remove(&id);
        found.map(|_| inner.bury(id.clone())).ok_or_else(|| inner.missing(id.as_str(), "result"))
    }

    /// Lets go of what is too old; gives the results' names.
    pub(crate) fn sweep(&self) -> Vec<Id> {
        let (mut inner, age) = (self.inner(), self.age);
        let pictures: Vec<Id> = old(&inner.pictures, age);
        for id in pictures {
            inner.pictures.remove(&id);
            inner.bury(id);
        }
        let results: Vec<Id> = old(&inner.results, age);
        for id in &results {
            inner.results.remove(id);
            inner.bury(id.clone());
        }
        results
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether anything is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Going,
    Over,
}

impl Inner {
    /// Makes room: what was not used for longest goes first.
    fn fit(&mut self, limit: u64) -> Vec<Id> {
        let mut results = vec![];
        while self.bytes() > limit {
            let picture = oldest(&self.pictures);
            let result = oldest(&self.results);
            match (picture, result) {
                (Some((at, id)), other) if other.as_ref().is_none_or(|(then, _)| at <= *then) => {
                    self.pictures.remove(&id);
                    self.bury(id);
                }
                (_, Some((_, id))) => {
                    self.results.remove(&id);
                    self.bury(id.clone());
                    results.push(id);
                }
                _ => break,
            }
        }
        results
    }

    fn bytes(&self) -> u64 {
        let pictures = self.pictures.values().map(|kept| kept.bytes);
        pictures.chain(self.results.values().map(|kept| kept.bytes)).sum()
    }

    fn bury(&mut self, id: Id) {
        self.gone.push_back(id);
        if self.gone.len() > REMEMBERED {
            self.gone.pop_front();
        }
    }

    fn missing(&self, id: &str, what: &str) -> Fault {
        if self.gone.contains(&Id::of(id)) { Fault::gone(what) } else { Fault::not_found(what) }
    }
}

fn touched<T>(shelf: &mut Shelf<T>, id: &str) -> Option<Arc<T>> {
    let kept = shelf.get_mut(&Id::of(id))?;
    kept.used = Instant::now();
    Some(Arc::clone(&kept.thing))
}

fn old<T>(shelf: &Shelf<T>, age: Duration) -> Vec<Id> {
    let expired = |(_, kept): &(&Id, &Kept<T>)| !kept.busy && kept.used.elapsed() > age;
    shelf.iter().filter(expired).map(|(id, _)| id.clone()).collect()
}

fn oldest<T>(shelf: &Shelf<T>) -> Option<(Instant, Id)> {
    let idle = shelf.iter().filter(|(_, kept)| !kept.busy);
    idle.min_by_key(|(_, kept)| kept.used).map(|(id, kept)| (kept.used, id.clone()))
}

fn too_large(bytes: u64, limit: u64) -> Fault {
    let message = format!(
        "The picture takes {} MB, and there is room for {} MB in all.",
        bytes / 1_000_000,
        limit / 1_000_000
    );
    let remedy = "Make the picture smaller, or start the studio with more --memory.";
    Fault::new(crate::fault::TOO_MANY_PIXELS, message, remedy)
}
