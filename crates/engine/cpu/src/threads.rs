use std::cell::Cell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use rayon::Yield;

use crate::EngineError;

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
    /// This thread is in the middle of a run that it leads.
    static LEADS: Cell<bool> = const { Cell::new(false) };
}

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
    ///
    /// The pool's other threads stay awake meanwhile: see [`awake`].
    pub(crate) fn on_ours<R: Send>(work: impl FnOnce() -> R + Send) -> R {
        static SHARED: OnceLock<Option<Threads>> = OnceLock::new();
        if OURS.get() {
            return awake(work);
        }
        match SHARED.get_or_init(|| Self::new(None).ok()) {
            Some(threads) => threads.run(|| awake(work)),
            None => work(), // no threads to be had: slower, with denormals, but right
        }
    }
}

/// Runs `work` on this thread of a pool, and keeps the others from falling asleep meanwhile.
///
/// A run is dozens of parallel sections of a millisecond and less. Left alone, a thread that
/// finds nothing to do between two of them falls asleep, and waking it takes a good part of
/// the next one: a tenth of a run was lost so on two threads.
fn awake<R>(work: impl FnOnce() -> R) -> R {
    struct Led(Arc<AtomicBool>);
    impl Drop for Led {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
            LEADS.set(false);
        }
    }

    if LEADS.replace(true) {
        return work();
    }
    let led = Led(Arc::default()); // dropped when `work` panics, too
    for _ in 1..rayon::current_num_threads() {
        look_out(Arc::clone(&led.0), 0);
    }
    work()
}

/// Puts a job into the pool that takes a part of its work, if there is one, and puts itself
/// back until the run is `over`.
///
/// It never waits for that itself: it may have been begun by a thread that waits for somebody
/// else's part, in the middle of a part of its own which the run needs to be over.
fn look_out(over: Arc<AtomicBool>, idle: u32) {
    const SPINS: u32 = 16;
    const PATIENT: u32 = 200; // then somebody else may have the processor
    rayon::spawn(move || {
        if over.load(Ordering::Acquire) {
            return;
        }
        if rayon::yield_now() == Some(Yield::Executed) {
            return look_out(over, 0);
        }
        for _ in 0..SPINS {
            spin_loop();
        }
        if idle > PATIENT {
            thread::yield_now();
        }
        look_out(over, idle.saturating_add(1));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    #[test]
    fn work_runs_on_our_threads_and_stays_there() {
        let threads = Threads::new(Some(3)).unwrap();
        assert_eq!(threads.count(), 3);
        assert_eq!(threads.run(|| Threads::on_ours(rayon::current_num_threads)), 3);
        assert!(Threads::on_ours(|| OURS.get()));
    }

    /// Work inside work, from several sides at once: a thread that waited for the end of a run in
    /// the middle of a part of it would wait here for ever.
    #[test]
    fn runs_end_that_share_their_threads() {
        let threads = Threads::new(Some(3)).unwrap();
        let nested = || {
            let inner = |i: usize| (0..16).into_par_iter().map(move |j| i * j).sum::<usize>();
            Threads::on_ours(|| (0..64).into_par_iter().map(inner).sum::<usize>())
        };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        assert_eq!(threads.run(nested), 2016 * 120);
                    }
                });
            }
        });
    }

    #[test]
    fn a_run_that_panics_leaves_threads_that_run() {
        let threads = Threads::new(Some(2)).unwrap();
        let failing = || threads.run(|| Threads::on_ours(|| panic!("as it is meant to")));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(failing)).is_err());
        assert!(threads.run(|| Threads::on_ours(|| LEADS.get())));
        assert!(!threads.run(|| LEADS.get()));
    }
}
