//! What is told of a run.

use std::fs;
use std::time::UNIX_EPOCH;

use pentimento::train::losses::Losses;
use pentimento::train::run::{Numbers, is_asked_to_stop, is_at_work, shown};
use pentimento::train::style::{self, Origin, Settings};
use serde::Serialize;

use super::plan::Plan;
use super::{Known, Live, Phase};
use crate::Inner;
use crate::fault::Fault;
use crate::id::Id;

/// What is told of a run.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    id: Id,
    name: String,
    origin: Origin,
    state: &'static str,
    steps: u64,
    total: Option<u64>,
    seconds_left: Option<f64>,
    steps_per_second: Option<f64>,
    losses: Option<AboutLosses>,
    validation: Option<AboutLosses>,
    previews: Vec<AboutPreview>,
    style: Option<Id>,
    can_resume: bool,
    note: Option<String>,
    error: Option<Fault>,
    changed: f64,
}

#[derive(Debug, Serialize)]
struct AboutLosses {
    content: f64,
    style: f64,
    variation: f64,
    lpips: f64,
    total: f64,
}

#[derive(Debug, Serialize)]
struct AboutPreview {
    index: usize,
    step: u64,
    name: String,
    url: String,
}

impl From<Losses> for AboutLosses {
    fn from(losses: Losses) -> Self {
        let Losses { content, style, variation, lpips } = losses;
        Self { content, style, variation, lpips, total: losses.total() }
    }
}

impl View {
    pub(crate) fn of(studio: &Inner, known: &Known) -> Self {
        let (live, elsewhere) = known_now(known);
        let settings = Settings::read(&known.path);
        let (origin, steps) = match &settings {
            Ok(Some(settings)) => (settings.origin, settings.recipe.steps),
            _ => (Origin::Command, None),
        };
        let entry = studio.styles.of_file(&known.output);
        let total = live.total.or(steps);
        let done = total.is_some_and(|total| live.steps >= total && live.steps > 0);
        let state = elsewhere.unwrap_or_else(|| match state(known, live.phase) {
            "stopped" if done => "done",
            state => state,
        });
        let working = live.phase.is_at_work();
        let pace = Some(live.pace).filter(|pace| working && pace.steps_per_second > 0.0);
        let idle = ["stopped", "failed"].contains(&state);
        let plan = idle.then(|| Plan::of(studio, settings, &known.output));
        let hindrance = plan.as_ref().and_then(|plan| plan.as_ref().err()).map(hindrance);
        let has_checkpoint = known.path.join("checkpoint.safetensors").is_file();
        Self {
            id: known.id.clone(),
            name: known.output.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            origin,
            state,
            steps: live.steps,
            total,
            seconds_left: pace.map(|pace| pace.left.as_secs_f64()),
            steps_per_second: pace.map(|pace| pace.steps_per_second),
            losses: live.losses.map(Into::into),
            validation: live.validation.map(Into::into),
            previews: previews(known),
            style: entry,
            can_resume: plan.is_some_and(|plan| plan.is_ok()) && has_checkpoint,
            note: live.note.or(hindrance),
            error: live.fault,
            changed: changed(known),
        }
    }

    /// Those at work first, then by last change.
    pub(crate) fn all(studio: &Inner) -> Vec<Self> {
        let mut views: Vec<_> =
            studio.trainings.list().iter().map(|run| Self::of(studio, run)).collect();
        views.sort_by(|a, b| {
            let ((a, changed), (b, then)) = (a.order(), b.order());
            b.cmp(&a).then(then.total_cmp(&changed))
        });
        views
    }

    /// Whether it is at work, and when it last changed: the order in lists.
    fn order(&self) -> (bool, f64) {
        (["waiting", "running", "stopping", "elsewhere"].contains(&self.state), self.changed)
    }
}

/// What is known of a run, and how it is if another program is at it.
fn known_now(known: &Known) -> (Live, Option<&'static str>) {
    let mut live = known.live().clone();
    let elsewhere = !live.phase.is_at_work() && is_at_work(&known.path);
    if elsewhere {
        live = Live::default(); // what this program knew is old
    }
    if live.phase == Phase::Elsewhere || live.losses.is_none() {
        fill(&mut live, known);
    }
    let state = if is_asked_to_stop(&known.path) { "stopping" } else { "elsewhere" };
    (live, elsewhere.then_some(state))
}

/// Why a run cannot go on, for people.
fn hindrance(Fault { message, remedy, .. }: &Fault) -> String {
    format!("It cannot go on from here. {message} {remedy}")
}

/// How a run is, as far as this program knows.
fn state(known: &Known, phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting | Phase::Running if known.is_stopped() => "stopping",
        Phase::Waiting => "waiting",
        Phase::Running => "running",
        Phase::Done => "done",
        Phase::Failed => "failed",
        Phase::Stopped | Phase::Elsewhere => "stopped",
    }
}

/// Fills in what the run's tables say.
fn fill(live: &mut Live, known: &Known) {
    let [losses, validation] = style::TABLES.map(|(table, _)| Numbers::read(&known.path, table));
    let last = |numbers: &Numbers| {
        let row = numbers.rows.last()?;
        let value = |name| numbers.value(row, name);
        let losses = Losses {
            content: value("content")?,
            style: value("style")?,
            variation: value("variation")?,
            lpips: value("lpips").unwrap_or_default(), // runs of earlier versions have none
        };
        Some((row[0] as u64, losses))
    };
    if let Some((step, found)) = last(&losses) {
        (live.steps, live.losses) = (live.steps.max(step), Some(found));
    }
    live.validation = live.validation.or_else(|| last(&validation).map(|(_, found)| found));
}

/// Previews that are told of a run: the last ones.
const PREVIEWS: usize = 200;

fn previews(known: &Known) -> Vec<AboutPreview> {
    let all: Vec<_> = shown(&known.path).into_iter().enumerate().collect();
    let late = all.len().saturating_sub(PREVIEWS);
    let about = |(index, shown): (usize, pentimento::train::run::Shown)| AboutPreview {
        index,
        step: shown.step,
        url: format!("/api/trainings/{}/previews/{index}", known.id),
        name: shown.name,
    };
    all.into_iter().skip(late).map(about).collect()
}

fn changed(known: &Known) -> f64 {
    let [(table, _), _] = style::TABLES;
    let time = fs::metadata(known.path.join(table)).and_then(|about| about.modified()).ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or_else(crate::time::now, |since| since.as_secs_f64())
}
