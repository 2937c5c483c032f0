//! `inspect activations`.

use std::io::{self, Write};

use pentimento::graph::NodeId;
use pentimento::imaging::{Filter, Fit, Picture, resize_tensor};
use pentimento::insight::plot::{Grid, Panel};
use pentimento::insight::{Activation, InsightError, Model, activations, pictorial_layers};

use super::{file_part, flags, folder, model, read, write};
use crate::progress::say;

/// Longest side of a grid on the contact sheet.
const THUMB: usize = 360;

#[derive(serde::Serialize)]
struct Line {
    layer: String,
    kind: &'static str,
    channels: usize,
    size: [usize; 2],
    silent: f64,
    file: String,
}

/// Draws what a picture makes of each layer.
pub(super) fn run(flags: &flags::Activations) -> anyhow::Result<()> {
    let picture = read(&flags.picture)?;
    let model = model(&flags.network)?;
    let seen = model.see(&picture, flags.network.size)?;
    let [_, _, height, width] = seen.shape4();
    let layers = layers(&model, [height, width], &flags.layers)?;
    folder(&flags.output)?;
    let mut lines = vec![];
    let mut sheet = vec![];
    for (index, shown) in activations(&model, &seen, &layers)?.iter().enumerate() {
        let grid = shown.grid(flags.colours.into());
        let file = format!("{:02}-{}.png", index + 1, file_part(&shown.layer));
        write(&grid, &flags.output.join(&file))?;
        let line = line(shown, file);
        sheet.push(Panel::new(caption(&line), thumbnail(&grid)));
        lines.push(line);
    }
    let title = format!("{} on {}", model.graph().name(), name(&flags.picture));
    let sheet = Grid { title, columns: 4, panels: sheet, ..Grid::default() };
    write(&sheet.draw(), &flags.output.join("contact-sheet.png"))?;
    report(&lines, flags)
}

/// Those that are named, or all that give a picture.
fn layers(model: &Model, size: [usize; 2], wanted: &[String]) -> Result<Vec<NodeId>, InsightError> {
    if wanted.iter().any(|name| name == "all") {
        return pictorial_layers(model, size);
    }
    wanted.iter().map(|name| model.layer(name)).collect()
}

fn line(shown: &Activation, file: String) -> Line {
    let [_, channels, h, w] = shown.values.shape4();
    let (layer, kind, silent) = (shown.layer.clone(), shown.kind, shown.silent());
    Line { layer, kind, channels, size: [h, w], silent, file }
}

fn caption(line: &Line) -> String {
    let [h, w] = line.size;
    format!("{}  {}×{h}×{w}, {:.0} % silent", line.layer, line.channels, line.silent * 100.0)
}

fn thumbnail(grid: &Picture) -> Picture {
    let size = Fit::Long(THUMB).size(grid.size());
    let small = resize_tensor(&grid.to_rgb_tensor(), size, Filter::Triangle);
    grid.with_rgb_tensor(&small)
}

fn name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn report(lines: &[Line], flags: &flags::Activations) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if flags.json {
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(lines)?)?);
    }
    let width = lines.iter().map(|l| l.layer.chars().count()).max().unwrap_or(0).max(5);
    writeln!(out, "{:width$}  {:>8}  {:>9}  {:>7}", "Layer", "Channels", "Size", "Silent")?;
    for Line { layer, channels, size: [h, w], silent, .. } in lines {
        let (size, silent) = (format!("{h}×{w}"), format!("{:.1} %", silent * 100.0));
        writeln!(out, "{layer:width$}  {channels:>8}  {size:>9}  {silent:>7}")?;
    }
    say(&format!("{}: {} layers and contact-sheet.png", flags.output.display(), lines.len()));
    Ok(())
}
