//! Threads that do jobs, one a lane.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::desk::{Desk, stopped};
use super::queue::{Job, Lane, Phase};
use crate::Inner;
use crate::budget::Lease;
use crate::fault::Fault;
use crate::store::Progress;

/// Starts the threads. They end when the queue is closed.
///
/// # Errors
///
/// If the operating system gives none.
pub(crate) fn start(studio: &Arc<Inner>) -> std::io::Result<()> {
    for lane in Lane::ALL {
        let studio = Arc::clone(studio);
        let work = move || {
            while let Some(job) = studio.jobs.next(lane) {
                done(&studio, &job);
            }
        };
        thread::Builder::new().name("studio-jobs".to_owned()).spawn(work)?;
    }
    Ok(())
}

/// Does a job, whatever comes of it.
fn done(studio: &Inner, job: &Arc<Job>) {
    let Some(work) = job.take_work() else { return };
    let desk = Desk::new(studio, job, &*work);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let _memory = leased(studio, job)?;
        let _threads = (job.order.lane == Lane::Long).then(|| studio.take_turn());
        job.state().began = Some(Instant::now());
        work.run(&desk)
    }));
    drop(work);
    let ended = match ended {
        _ if job.is_stopped() => Err(stopped()),
        Ok(ended) => ended,
        Err(panic) => Err(Fault::internal(format!("The job broke off: {}.", words(&*panic)))),
    };
    let result = desk.result.id.clone();
    if ended.is_ok() {
        desk.result.complete();
        studio.weigh(&result, Progress::Over);
    } else {
        studio.forget_result(&result);
    }
    studio.jobs.end(job, |state| match ended {
        Ok(()) => {
            (state.phase, state.fraction) = (Phase::Done, 1.0);
            (state.stage, state.result) = ("Done".to_owned(), Some(result));
        }
        Err(_) if job.is_stopped() => {
            (state.phase, state.result) = (Phase::Cancelled, None);
            "Cancelled".clone_into(&mut state.stage);
        }
        Err(fault) => {
            (state.phase, state.result) = (Phase::Failed, None);
            (state.stage, state.error) = ("Failed".to_owned(), Some(fault));
        }
    });
}

/// The memory for a job, which may have to wait for it.
fn leased(studio: &Inner, job: &Job) -> Result<Lease, Fault> {
    loop {
        if job.is_stopped() {
            return Err(stopped());
        }
        if let Some(lease) = studio.budget.wait(job.order.need, Duration::from_millis(200)) {
            return Ok(lease);
        }
    }
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
