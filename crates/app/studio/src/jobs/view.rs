use serde::Serialize;
use serde_json::Value;

use super::queue::{Job, Phase};
use crate::fault::Fault;
use crate::id::Id;

/// What is told of a job.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    pub(crate) id: Id,
    kind: &'static str,
    state: &'static str,
    ahead: usize,
    fraction: f64,
    stage: String,
    seconds_left: Option<f64>,
    created: f64,
    keep: bool,
    request: Value,
    result: Option<Id>,
    error: Option<Fault>,
}

/// A share of the work after which the time left can be told from the time gone.
const ENOUGH: f64 = 0.02;

impl View {
    pub(super) fn of(job: &Job, ahead: usize) -> Self {
        let state = job.state();
        let running = state.phase == Phase::Running;
        let left = |gone: f64| gone * (1.0 - state.fraction) / state.fraction;
        let known = state.began.filter(|_| running && state.fraction >= ENOUGH);
        Self {
            id: job.id.clone(),
            kind: job.order.kind,
            state: state.phase.name(),
            ahead,
            fraction: state.fraction,
            stage: state.stage.clone(),
            seconds_left: known.map(|began| left(began.elapsed().as_secs_f64())),
            created: job.created,
            keep: job.order.presence == super::Presence::NotNeeded,
            request: job.order.request.clone(),
            result: state.result.clone(),
            error: state.error.clone(),
        }
    }
}
