//! Colour, and the colours that a place may have.

use std::sync::Arc;

use pentimento::pipeline::{ColorModel, ColorizeOptions, Colorizer, Hint, Hints, InColor};
use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::Desk;
use super::order::{Work, fields, within};
use super::queue::Lane;
use crate::Inner;
use crate::fault::Fault;
use crate::picture::{Original, bytes_of};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    picture: String,
    #[serde(default)]
    hints: Vec<HintRequest>,
    #[serde(default = "one")]
    saturation: f32,
    temperature: Option<f32>,
    #[serde(default)]
    recolor: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposalsRequest {
    picture: String,
    x: usize,
    y: usize,
    #[serde(default)]
    hints: Vec<HintRequest>,
    #[serde(default = "six")]
    count: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HintRequest {
    x: usize,
    y: usize,
    color: String,
}

fn one() -> f32 {
    1.0
}

fn six() -> usize {
    6
}

/// Hints that one picture may have.
const MOST: usize = 1000;

/// What both kinds need.
#[derive(Debug)]
struct Task {
    source: Arc<Original>,
    model: Arc<ColorModel>,
    options: ColorizeOptions,
    need: u64,
}

#[derive(Debug)]
struct Colorize(Task);

#[derive(Debug)]
struct Proposals {
    task: Task,
    at: [usize; 2],
    count: usize,
}

pub(super) fn resolve(studio: &Inner, request: Value) -> Result<Box<dyn Work>, Fault> {
    let Request { picture, hints, saturation, temperature, recolor } = fields(request)?;
    let mut options = ColorizeOptions { saturation, ..ColorizeOptions::default() };
    options.temperature = temperature.unwrap_or(options.temperature);
    let task = task(studio, &picture, &hints, &options)?;
    if !recolor && task.source.in_color() {
        return Err(pentimento::pipeline::PipelineError::InColor.into());
    }
    Ok(Box::new(Colorize(task)))
}

pub(super) fn resolve_proposals(studio: &Inner, request: Value) -> Result<Box<dyn Work>, Fault> {
    let ProposalsRequest { picture, x, y, hints, count } = fields(request)?;
    let count = within("count", count, [1, 16])?;
    let task = task(studio, &picture, &hints, &ColorizeOptions::default())?;
    let picture = &task.source.picture;
    within("x", x, [0, picture.width() - 1])?;
    within("y", y, [0, picture.height() - 1])?;
    Ok(Box::new(Proposals { task, at: [x, y], count }))
}

fn task(
    studio: &Inner,
    picture: &str,
    hints: &[HintRequest],
    options: &ColorizeOptions,
) -> Result<Task, Fault> {
    within("hints", hints.len(), [0, MOST])?;
    let source = studio.store.picture(picture)?;
    let points = hints.iter().map(|hint| point(hint, source.picture.size()));
    let hints = Hints { points: points.collect::<Result<_, _>>()?, overlay: None };
    let memory = studio.budget.limit();
    let options = ColorizeOptions { hints, memory, in_color: InColor::Recolor, ..options.clone() };
    let model = studio.nets.color()?;
    let need = Colorizer::new(Arc::clone(&model)).memory(&source.picture, &options)?;
    Ok(Task { need: need + bytes_of(&source.picture), source, model, options })
}

/// A hint of a picture of that size.
fn point(hint: &HintRequest, [height, width]: [usize; 2]) -> Result<Hint, Fault> {
    let HintRequest { x, y, color } = hint;
    within("hints.x", *x, [0, width - 1])?;
    within("hints.y", *y, [0, height - 1])?;
    Ok(format!("{x},{y},{color}").parse()?)
}

impl Work for Colorize {
    fn need(&self) -> u64 {
        self.0.need
    }

    fn lane(&self) -> Lane {
        Lane::Short
    }

    fn title(&self) -> String {
        match self.0.options.hints.points.len() {
            0 => "coloured".to_owned(),
            1 => "coloured, 1 hint".to_owned(),
            n => format!("coloured, {n} hints"),
        }
    }

    fn source(&self) -> Option<Arc<Original>> {
        Some(Arc::clone(&self.0.source))
    }

    fn run(&self, desk: &Desk<'_>) -> Result<(), Fault> {
        desk.stage("Colouring");
        let Task { source, model, options, .. } = &self.0;
        let mut colorizer = Colorizer::new(Arc::clone(model));
        let coloured = desk.compute(|| colorizer.colorize(&source.picture, options))?;
        desk.result.add_picture(coloured);
        Ok(())
    }
}

impl Work for Proposals {
    fn need(&self) -> u64 {
        self.task.need
    }

    fn lane(&self) -> Lane {
        Lane::Short
    }

    fn title(&self) -> String {
        format!("colours at {}, {}", self.at[0], self.at[1])
    }

    fn source(&self) -> Option<Arc<Original>> {
        Some(Arc::clone(&self.task.source))
    }

    fn run(&self, desk: &Desk<'_>) -> Result<(), Fault> {
        desk.stage("Looking for colours");
        let Task { source, model, options, .. } = &self.task;
        let mut colorizer = Colorizer::new(Arc::clone(model));
        let asked = (self.at, self.count);
        let found = desk.compute(|| colorizer.proposals(&source.picture, asked, options))?;
        let colors = found.iter().map(|proposal| {
            let [r, g, b] = proposal.color;
            json!({ "color": format!("#{r:02x}{g:02x}{b:02x}"), "probability": proposal.probability })
        });
        let [x, y] = self.at;
        desk.result.add_data(json!({ "x": x, "y": y, "colors": colors.collect::<Vec<_>>() }));
        Ok(())
    }
}
