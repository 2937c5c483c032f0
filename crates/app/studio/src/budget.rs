//! Memory that is taken before it is used.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many bytes, to be leased.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

/// Bytes that are taken; dropping gives them back.
#[derive(Debug)]
pub(crate) struct Lease {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self(Arc::new(Inner { limit, used: Mutex::new(0), freed: Condvar::new() }))
    }

    /// The bytes there are in all.
    pub(crate) fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Takes bytes, if they are free.
    pub(crate) fn take(&self, bytes: u64) -> Option<Lease> {
        self.claim(&mut self.used(), bytes)
    }

    /// Takes bytes, and waits for them as long as `patience` says.
    pub(crate) fn wait(&self, bytes: u64, patience: Duration) -> Option<Lease> {
        let until = Instant::now() + patience;
        let mut used = self.used();
        loop {
            if let Some(lease) = self.claim(&mut used, bytes) {
                return Some(lease);
            }
            let left = until.checked_duration_since(Instant::now())?;
            let waited = self.0.freed.wait_timeout(used, left);
            used = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn claim(&self, used: &mut u64, bytes: u64) -> Option<Lease> {
        let all = used.checked_add(bytes).filter(|all| *all <= self.0.limit)?;
        *used = all;
        Some(Lease { budget: self.clone(), bytes })
    }

    fn used(&self) -> MutexGuard<'_, u64> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        *self.budget.used() -= self.bytes;
        self.budget.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_leased_than_there_is() {
        let budget = Budget::new(100);
        let first = budget.take(60).unwrap();
        assert!(budget.take(41).is_none() && budget.take(u64::MAX).is_none());
        let second = budget.take(40).unwrap();
        assert!(budget.wait(1, Duration::from_millis(5)).is_none());
        drop(second);
        assert!(budget.wait(40, Duration::ZERO).is_some());
        drop(first);
        assert_eq!(*budget.used(), 0);
    }

    #[test]
    fn who_waits_gets_what_becomes_free() {
        let budget = Budget::new(10);
        let lease = budget.take(10).unwrap();
        let waiting = budget.clone();
        let thread = std::thread::spawn(move || waiting.wait(5, Duration::from_mins(1)).is_some());
        drop(lease);
        assert!(thread.join().unwrap());
    }
}
