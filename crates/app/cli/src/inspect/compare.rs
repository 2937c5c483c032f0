//! `inspect compare`.

use std::ffi::OsStr;
use std::path::Path;

use pentimento::imaging::Picture;
use pentimento::insight::cam::{CamOptions, Explainer, Method, overlay};
use pentimento::insight::plot::{ColourBar, Colours, Grid, Panel};

use super::{cam, flags, opened, read, write};
use crate::exit::Outcome;
use crate::progress::say;

/// As in the tutorial.
const STRENGTH: f32 = 0.4;

/// Draws networks below each other and methods side by side.
pub(super) fn run(flags: &flags::Compare) -> anyhow::Result<Outcome> {
    let methods = cam::methods(&flags.method)?;
    let picture = read(&flags.picture)?;
    let mut outcome = Outcome::Done;
    let mut panels = vec![];
    for network in &flags.networks {
        let (row, whole) = row(network, &picture, (flags, &methods))?;
        panels.extend(row);
        if !whole {
            outcome = Outcome::SomeFailed;
        }
    }
    let bar = Some(ColourBar { colours: flags.colours.into(), range: [0.0, 1.0] });
    let grid = Grid { columns: methods.len() + 1, panels, bar, ..Grid::default() };
    write(&grid.draw(), &flags.output)?;
    Ok(outcome)
}

/// The picture and its maps by one network, and whether all are there.
fn row(
    network: &OsStr,
    picture: &Picture,
    (flags, methods): (&flags::Compare, &[Method]),
) -> anyhow::Result<(Vec<Panel>, bool)> {
    let text = network.to_string_lossy();
    let model = match text.split_once('=') {
        Some((name, file)) => opened(OsStr::new(name), Some(Path::new(file)), &flags.feeding)?,
        None => opened(network, None, &flags.feeding)?,
    };
    let mut explainer = Explainer::new(&model, model.see(picture, None)?, None)?;
    let class = cam::classes(&model, &explainer, std::slice::from_ref(&flags.class))?[0];
    let (name, probability) = (model.class_name(class), explainer.probability(class));
    let caption = format!("{}: {name} {:.0} %", model.graph().name(), probability * 100.0);
    let mut panels = vec![Panel::new(caption, cam::panel(picture))];
    let mut whole = true;
    for &method in methods {
        let map = explainer.map(class, method, &CamOptions::default())?;
        let fault = map.fault();
        if let Some(fault) = &fault {
            say(&format!("{} by {method}: {fault}", model.graph().name()));
            whole = false;
        }
        let small = cam::panel(picture);
        let is_blank = fault.is_some();
        let shown = if is_blank {
            small
        } else {
            let colours: Colours = flags.colours.into();
            overlay(&small, &map.enlarged(small.size()), colours, STRENGTH)
        };
        let at = map.layer.as_deref().map_or(String::new(), |layer| format!(" at {layer}"));
        let what = if is_blank { format!("{method}: blank") } else { format!("{method}{at}") };
        panels.push(Panel::new(what, shown));
    }
    Ok((panels, whole))
}
