//! `inspect cam`.

use std::io::{self, Write};
use std::path::Path;

use pentimento::imaging::{Filter, Fit, Picture, resize_tensor};
use pentimento::insight::cam::{CamOptions, Explainer, Map, Method, Quality, overlay, quality};
use pentimento::insight::plot::{ColourBar, Grid, Panel, heatmap};
use pentimento::insight::{InsightError, Model, near, npy};

use super::{file_part, flags, folder, model, read, write, write_bytes};
use crate::exit::Outcome;
use crate::progress::say;

/// Longest side of a picture on a sheet.
const PANEL: usize = 320;
/// Noise and seed of ROAD.
const NOISE: (f32, u64) = (0.01, 1);

#[derive(serde::Serialize)]
struct Line {
    class: usize,
    name: String,
    score: f32,
    probability: f32,
    method: &'static str,
    layer: Option<String>,
    /// Why nothing is drawn.
    fault: Option<String>,
    quality: Option<Quality>,
    files: Vec<String>,
}

/// Draws where a network sees classes.
pub(super) fn run(flags: &flags::Cam) -> anyhow::Result<Outcome> {
    let methods = methods(&flags.method)?;
    let picture = read(&flags.picture)?;
    let model = model(&flags.network)?;
    let seen = model.see(&picture, flags.network.size)?;
    let layer = flags.layer.as_deref().map(|name| model.layer(name)).transpose()?;
    let mut explainer = Explainer::new(&model, seen, layer)?;
    let classes = classes(&model, &explainer, &flags.classes)?;
    folder(&flags.output)?;
    let mut lines = vec![];
    let mut panels = vec![];
    let small = panel(&picture);
    let rows = classes.len() > 1 && methods.len() < MOST_COLUMNS;
    for (place, &class) in classes.iter().enumerate() {
        if rows || place == 0 {
            panels.push(Panel::new(seen_as(&model, &explainer, class), small.clone()));
        }
        for &method in &methods {
            let map = explainer.map(class, method, &CamOptions::default())?;
            let mut line = line(&model, &explainer, &map);
            if line.fault.is_none() {
                line.quality = measured(&explainer, &map, flags)?;
                panels.push(draw(&picture, &map, (flags, &mut line))?);
            } else {
                panels.push(Panel::new(format!("{method}: blank"), small.clone()));
            }
            lines.push(line);
        }
    }
    let title = format!("{} looking at {}", model.graph().name(), explainer.layer());
    let columns = if rows { methods.len() + 1 } else { columns(panels.len()) };
    sheet(Grid { title, columns, panels, ..Grid::default() }, flags)?;
    report(&lines, flags)?;
    let faults = lines.iter().any(|line| line.fault.is_some());
    Ok(if faults { Outcome::SomeFailed } else { Outcome::Done })
}

/// Writes all maps side by side.
fn sheet(grid: Grid, flags: &flags::Cam) -> anyhow::Result<()> {
    let bar = Some(ColourBar { colours: flags.colours.into(), range: [0.0, 1.0] });
    write(&Grid { bar, ..grid }.draw(), &flags.output.join("cam.png"))
}

/// Panels side by side, at the most.
const MOST_COLUMNS: usize = 6;

/// As many columns as leave the fewest places empty; of equal ones the most.
fn columns(panels: usize) -> usize {
    let empty = |columns: &usize| panels.next_multiple_of(*columns) - panels;
    (4..=MOST_COLUMNS).rev().min_by_key(empty).unwrap_or(1).min(panels)
}

/// A class and its probability.
fn seen_as(model: &Model, explainer: &Explainer<'_>, class: usize) -> String {
    let percent = 100.0 * explainer.probability(class);
    format!("{}, {percent:.0} %", model.class_name(class))
}

/// Methods by name.
pub(super) fn methods(wanted: &[String]) -> Result<Vec<Method>, InsightError> {
    if wanted.iter().any(|name| name == "all") {
        return Ok(Method::ALL.to_vec());
    }
    let names = || Method::ALL.iter().map(|m| m.name());
    let method = |name: &String| {
        Method::ALL.into_iter().find(|m| m.name() == name).ok_or_else(|| {
            let close = near(name, names());
            let close = if close.is_empty() { names().collect() } else { close.join(", ") };
            InsightError::Option { option: "--method", got: name.clone(), want: close }
        })
    };
    wanted.iter().map(method).collect()
}

/// Classes by name or number, or the best one.
pub(super) fn classes(
    model: &Model,
    explainer: &Explainer<'_>,
    wanted: &[String],
) -> Result<Vec<usize>, InsightError> {
    let class = |name: &String| match name.as_str() {
        "auto" => Ok(explainer.best_class()),
        name => model.class(name),
    };
    wanted.iter().map(class).collect()
}

fn line(model: &Model, explainer: &Explainer<'_>, map: &Map) -> Line {
    Line {
        class: map.class,
        name: model.class_name(map.class),
        score: map.score,
        probability: explainer.probability(map.class),
        method: map.method.name(),
        layer: map.layer.clone(),
        fault: map.fault(),
        quality: None,
        files: vec![],
    }
}

fn measured(
    explainer: &Explainer<'_>,
    map: &Map,
    flags: &flags::Cam,
) -> Result<Option<Quality>, InsightError> {
    flags.score.then(|| quality(explainer, map, NOISE)).transpose()
}

/// Writes what belongs to one map.
fn draw(
    picture: &Picture,
    map: &Map,
    (flags, line): (&flags::Cam, &mut Line),
) -> anyhow::Result<Panel> {
    let size = picture.size();
    let values = map.enlarged(size);
    let over = overlay(picture, &values, flags.colours.into(), flags.strength);
    let alone = heatmap(&values, size, [0.0, 1.0], flags.colours.into());
    let name = format!("{}-{}", file_part(&line.name), line.method);
    let mut file = |ending: &str| {
        line.files.push(format!("{name}{ending}"));
        flags.output.join(format!("{name}{ending}"))
    };
    write(&over, &file("-overlay.png"))?;
    write(&alone, &file("-map.png"))?;
    write_bytes(&npy(&map.size, &map.values), &file(".npy"))?;
    Ok(Panel::new(format!("{}, {}", line.method, line.name), panel(&over)))
}

/// A picture small enough for a sheet.
pub(super) fn panel(picture: &Picture) -> Picture {
    let size = Fit::Long(PANEL).size(picture.size());
    let small = resize_tensor(&picture.to_rgb_tensor(), size, Filter::Triangle);
    Picture::from_rgb_tensor(&small, pentimento::imaging::Depth::Eight)
}

fn report(lines: &[Line], flags: &flags::Cam) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if flags.json {
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(lines)?)?);
    }
    for line in lines {
        let Line { name, class, score, method, .. } = line;
        let layer = line.layer.as_deref().unwrap_or("the picture's pixels");
        write!(out, "{method} at {layer} for {name} ({class}): score {score:.4}, ")?;
        writeln!(out, "probability {:.4}", line.probability)?;
        if let Some(Quality { road, insertion, deletion }) = line.quality {
            writeln!(out, "  ROAD {road:.4}  insertion {insertion:.4}  deletion {deletion:.4}")?;
        }
        if let Some(fault) = &line.fault {
            say(&format!("{method} for {name}: {fault}"));
        }
    }
    say(&format!("{}: {}", Path::new(&flags.output).display(), "cam.png shows all of them"));
    Ok(())
}
