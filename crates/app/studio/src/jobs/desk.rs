//! Where a job is done: what it needs, and whom it tells.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::order::Work;
use super::queue::{Job, Lane};
use crate::Inner;
use crate::fault::Fault;
use crate::id::Id;
use crate::results::{Image, Outcome};
use crate::store::Progress;

/// Where a job is done.
pub(crate) struct Desk<'a> {
    pub(super) studio: &'a Inner,
    job: &'a Arc<Job>,
    pub(super) result: Arc<Outcome>,
}

/// An image that is there before its job is done.
#[derive(Serialize)]
struct Part<'a> {
    job: &'a Id,
    result: &'a Id,
    role: &'static str,
    index: usize,
    style: Option<Id>,
    channel: Option<usize>,
    url: String,
}

/// Time between two words about progress.
const PAUSE: Duration = Duration::from_millis(100);

impl<'a> Desk<'a> {
    pub(super) fn new(studio: &'a Inner, job: &'a Arc<Job>, work: &dyn Work) -> Self {
        let request = job.order.request.clone();
        let name = (job.id.clone(), job.order.kind);
        let result = Arc::new(Outcome::new(name, work.title(), request, work.source()));
        studio.store.put_result(Arc::clone(&result));
        Self { studio, job, result }
    }

    /// Runs on the threads of the job's lane.
    pub(super) fn compute<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match self.job.order.lane {
            Lane::Long => self.studio.long.run(work),
            Lane::Short => self.studio.short.run(work),
        }
    }

    /// Says what is being done.
    pub(super) fn stage(&self, stage: &str) {
        stage.clone_into(&mut self.job.state().stage);
        self.tell();
    }

    /// Says how far it is, from 0 to 1, and gives whether to go on.
    pub(super) fn progress(&self, fraction: f64) -> bool {
        let mut state = self.job.state();
        state.fraction = fraction.clamp(state.fraction, 1.0);
        let due = state.told.elapsed() >= PAUSE;
        drop(state);
        if due {
            self.tell();
        }
        !self.job.is_stopped()
    }

    /// Ends the work if nobody wants it any more.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.job.is_stopped() { Err(stopped()) } else { Ok(()) }
    }

    fn tell(&self) {
        self.job.state().told = Instant::now();
        self.studio.hub.tell_of(&self.job.id, ("job", false), &self.studio.jobs.view(self.job));
    }

    /// Adds an image to the result, and tells of it.
    pub(super) fn add_image(&self, role: &'static str, image: Image) {
        let (style, channel) = (image.style.clone(), image.channel);
        let index = self.result.add_image(image);
        let url = self.result.image_url(index);
        self.part(&Part {
            job: &self.job.id,
            result: &self.result.id,
            role,
            index,
            style,
            channel,
            url,
        });
    }

    /// Tells that the quick version is there.
    pub(super) fn tell_quick(&self) {
        let result = &self.result.id;
        let url = format!("/api/results/{result}/preview");
        let (index, style, channel) = (0, None, None);
        self.part(&Part { job: &self.job.id, result, role: "quick", index, style, channel, url });
    }

    fn part(&self, part: &Part<'_>) {
        self.job.state().result = Some(self.result.id.clone());
        self.studio.weigh(&self.result.id, Progress::Going);
        self.studio.hub.tell_of(&self.job.id, ("part", false), part);
    }
}

/// What a job that was cancelled ends with; nobody is told.
pub(super) fn stopped() -> Fault {
    Fault::conflict("The job was cancelled.", "")
}
