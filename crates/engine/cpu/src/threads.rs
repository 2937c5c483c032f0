use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use crate::EngineError;

thread_local! { static OURS: Cell<bool> = const { Cell::new(false) }; }

/// The threads that sessions run on. They treat denormal numbers as zero.
///
/// How many there are changes how long a run takes, and nothing else.
#[derive(Clone, Debug)]
pub struct Threads(Arc<rayon::ThreadPool>);

impl Threads {
    /// Starts `count` threads, or as many as the machine runs at once.
    ///
    /// # Errors
    ///
    /// If the operating system refuses.
    pub fn new(count: Option<usize>) -> Result<Self, EngineError> {
        let threads = count.unwrap_or(0); // rayon's word for "as many as there are"
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("pentimento-{i}"))
            .start_handler(|_| {
                kernels::flush_denormals();
                OURS.set(true);
            })
            .build()
            .map(|pool| Self(Arc::new(pool)))
            .map_err(|source| EngineError::Threads { threads, source })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.current_num_threads()
    }

    /// Runs `work`, and every session in it, on these threads.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.0.install(work)
    }

    /// Runs `work` where it is, if that is one of our threads, or else on a
    /// pool shared by the whole process.
    pub(crate) fn on_ours<R: Send>(work: impl FnOnce() -> R + Send) -> R {
        static SHARED: OnceLock<Option<Threads>> = OnceLock::new();
        if OURS.get() {
            return work();
        }
        match SHARED.get_or_init(|| Self::new(None).ok()) {
            Some(threads) => threads.run(work),
            None => work(), // no threads to be had: slower, with denormals, but right
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_our_threads_and_stays_there() {
        let threads = Threads::new(Some(3)).unwrap();
        assert_eq!(threads.count(), 3);
        assert_eq!(threads.run(|| Threads::on_ours(rayon::current_num_threads)), 3);
        assert!(Threads::on_ours(|| OURS.get()));
    }
}
