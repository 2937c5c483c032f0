//! Looking into networks.

use std::sync::Arc;

use pentimento::graph::NodeId;
use pentimento::imaging::Format;
use pentimento::insight::cam::{self, CamOptions, Explainer, Method};
use pentimento::insight::filters::{PatternOptions, patterns, sheet};
use pentimento::insight::plot::{Colours, heatmap};
use pentimento::insight::{InsightError, Model, activations, overview};
use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::Desk;
use super::order::{Work, fields, within};
use super::queue::Lane;
use crate::Inner;
use crate::fault::Fault;
use crate::nets::is_slow;
use crate::picture::{Original, encoded, shown_size};
use crate::results::Image;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivationsRequest {
    picture: String,
    network: String,
    layer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FiltersRequest {
    network: String,
    layer: String,
    channels: Option<Vec<usize>>,
    #[serde(default = "side")]
    side: usize,
    #[serde(default = "steps")]
    steps: usize,
    #[serde(default = "seed")]
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CamRequest {
    picture: String,
    network: String,
    layer: Option<String>,
    method: Option<String>,
    class: Option<usize>,
}

fn side() -> usize {
    PatternOptions::VIVID.size
}

fn steps() -> usize {
    PatternOptions::VIVID.steps
}

fn seed() -> u64 {
    PatternOptions::VIVID.seed
}

/// A network that is looked into.
#[derive(Debug)]
struct Subject {
    id: String,
    model: Arc<Model>,
    need: u64,
}

impl Subject {
    /// `images` of `size` (the network's usual one, if none is given) go through it at once.
    fn open(studio: &Inner, id: String, images: (u64, Option<usize>)) -> Result<Self, Fault> {
        let model = studio.nets.model(studio, &id)?;
        let size = images.1.map_or_else(|| model.usual_size(), |side| [side; 2]);
        // What does not fit this size is told by whoever looks; here it only counts.
        let need = overview(model.graph(), size).map_or(0, |all| {
            // Outputs, their gradients and the kernels' own room; weights cut out and packed.
            3 * images.0 * all.output_bytes + 3 * all.parameter_bytes
        });
        Ok(Self { id, model, need })
    }
}

#[derive(Debug)]
struct Activations {
    source: Arc<Original>,
    subject: Subject,
    layer: NodeId,
}

#[derive(Debug)]
struct Filters {
    subject: Subject,
    layer: NodeId,
    channels: Vec<usize>,
    options: PatternOptions,
}

#[derive(Debug)]
struct Cam {
    source: Arc<Original>,
    subject: Subject,
    layer: Option<NodeId>,
    method: Method,
    class: Option<usize>,
}

pub(super) fn resolve_activations(studio: &Inner, request: Value) -> Result<Box<dyn Work>, Fault> {
    let ActivationsRequest { picture, network, layer } = fields(request)?;
    let source = studio.store.picture(&picture)?;
    let subject = Subject::open(studio, network, (1, None))?;
    let layer = subject.model.layer(&layer)?;
    let shown = pentimento::insight::pictorial_layers(&subject.model, subject.model.usual_size())?;
    if !shown.contains(&layer) {
        return Err(no_picture(&subject.model, layer));
    }
    Ok(Box::new(Activations { source, subject, layer }))
}

pub(super) fn resolve_filters(studio: &Inner, request: Value) -> Result<Box<dyn Work>, Fault> {
    let FiltersRequest { network, layer, channels, side, steps, seed } = fields(request)?;
    let side = within("side", side, [8, 256])?;
    let steps = within("steps", steps, [1, 500])?;
    let subject = Subject::open(studio, network, (AT_ONCE as u64, Some(side)))?;
    let model = &subject.model;
    let layer = model.layer(&layer)?;
    let count = model.shapes(model.usual_size())?[layer.index()][1];
    let channels = channels.unwrap_or_else(|| (0..count.min(16)).collect());
    within("channels", channels.len(), [1, 64])?;
    for &channel in &channels {
        within("channels", channel, [0, count - 1])?;
    }
    let options = PatternOptions { size: side, steps, seed, ..PatternOptions::VIVID };
    Ok(Box::new(Filters { subject, layer, channels, options }))
}

pub(super) fn resolve_cam(studio: &Inner, request: Value) -> Result<Box<dyn Work>, Fault> {
    let CamRequest { picture, network, layer, method, class } = fields(request)?;
    let source = studio.store.picture(&picture)?;
    let subject = Subject::open(studio, network, (1, None))?;
    let model = &subject.model;
    if !model.is_classifier() {
        return Err(Fault::option("This network tells no classes apart.", "Choose a classifier."));
    }
    let method = method.map_or(Ok(Method::default()), |name| {
        let found = Method::ALL.into_iter().find(|method| method.name() == name);
        let unknown = || {
            Fault::option(
                format!("There is no method {name:?}."),
                "The network's `methods` are there.",
            )
        };
        found.ok_or_else(unknown)
    })?;
    let layer = layer.map(|name| model.layer(&name)).transpose()?;
    if let Some(layer) = layer.filter(|_| method.has_layer())
        && !cam::layers(model)?.contains(&layer)
    {
        return Err(no_picture(model, layer));
    }
    if let Some(class) = class {
        within("class", class, [0, model.class_count() - 1])?;
    }
    Ok(Box::new(Cam { source, subject, layer, method, class }))
}

fn no_picture(model: &Model, layer: NodeId) -> Fault {
    let name = model.layer_name(layer).to_owned();
    InsightError::WrongLayer { name, what: "gives no picture".to_owned() }.into()
}

/// Patterns that are climbed at once, so that the first are there early.
const AT_ONCE: usize = 4;

/// Patterns side by side in the sheet.
const COLUMNS: usize = 8;

/// The longer side of a heat map.
const MAP: usize = 1024;

impl Work for Activations {
    fn need(&self) -> u64 {
        self.subject.need
    }

    fn lane(&self) -> Lane {
        Lane::Short
    }

    fn title(&self) -> String {
        format!("{} of {}", self.subject.model.layer_name(self.layer), self.subject.id)
    }

    fn source(&self) -> Option<Arc<Original>> {
        Some(Arc::clone(&self.source))
    }

    fn run(&self, desk: &Desk<'_>) -> Result<(), Fault> {
        desk.stage("Running the network");
        let model = &self.subject.model;
        let (grid, shown) = desk.compute(|| {
            let seen = model.see(&self.source.picture, None)?;
            let shown = activations(model, &seen, &[self.layer])?.swap_remove(0);
            Ok::<_, InsightError>((shown.grid(Colours::Viridis), shown))
        })?;
        let [_, channels, height, width] = shown.values.shape4();
        let columns = grid.width() / width;
        desk.result.add_picture(grid);
        desk.result.add_data(json!({
            "network": self.subject.id, "layer": shown.layer, "operation": shown.kind,
            "channels": channels, "columns": columns, "cell_width": width, "cell_height": height,
            "silent": shown.silent(),
        }));
        Ok(())
    }
}

impl Work for Filters {
    fn need(&self) -> u64 {
        self.subject.need
    }

    fn lane(&self) -> Lane {
        Lane::Long
    }

    fn title(&self) -> String {
        format!("patterns of {}", self.subject.model.layer_name(self.layer))
    }

    fn source(&self) -> Option<Arc<Original>> {
        None
    }

    fn run(&self, desk: &Desk<'_>) -> Result<(), Fault> {
        desk.stage("Climbing");
        let model = &self.subject.model;
        let mut found = vec![];
        for channels in self.channels.chunks(AT_ONCE) {
            let share = |done: usize, all: usize| {
                let done = found.len() as f64 + channels.len() as f64 * done as f64 / all as f64;
                desk.progress(done / self.channels.len() as f64)
            };
            let asked = (self.layer, channels);
            let some = desk.compute(|| patterns(model, asked, &self.options, share))?;
            desk.check()?;
            for pattern in some {
                let shown = Arc::new(encoded(&pattern.picture, Format::Png)?);
                let (channel, answer) = (Some(pattern.channel), Some(pattern.answer));
                desk.add_image("pattern", Image { shown, style: None, channel, answer });
                found.push(pattern);
            }
        }
        let mute = found.iter().filter(|pattern| pattern.answer <= 0.0).count();
        let columns = COLUMNS.min(found.len());
        desk.result.add_picture(sheet(&found, COLUMNS));
        let (network, layer) = (&self.subject.id, model.layer_name(self.layer));
        desk.result.add_data(
            json!({ "network": network, "layer": layer, "columns": columns, "mute": mute }),
        );
        Ok(())
    }
}

impl Work for Cam {
    fn need(&self) -> u64 {
        self.subject.need
    }

    fn lane(&self) -> Lane {
        if is_slow(self.method) { Lane::Long } else { Lane::Short }
    }

    fn title(&self) -> String {
        format!("{} of {}", self.method, self.subject.id)
    }

    fn source(&self) -> Option<Arc<Original>> {
        Some(Arc::clone(&self.source))
    }

    fn run(&self, desk: &Desk<'_>) -> Result<(), Fault> {
        desk.stage("Running the network");
        let (model, picture) = (&self.subject.model, &self.source.picture);
        let size = shown_size(picture.size(), MAP);
        let (shown, data) = desk.compute(|| {
            let seen = model.see(picture, None)?;
            let mut explainer = Explainer::new(model, seen, self.layer)?;
            let class = self.class.unwrap_or_else(|| explainer.best_class());
            let asked = (class, self.method);
            let mut watch = |share: f64| desk.progress(share);
            let map = explainer.map_watched(asked, &CamOptions::default(), &mut watch)?;
            let heat = heatmap(&map.enlarged(size), size, [0.0, 1.0], Colours::Turbo);
            Ok::<_, Fault>((encoded(&heat, Format::Jpeg)?, self.data(&explainer, &map)))
        })?;
        let shown = Arc::new(shown);
        desk.result.add_image(Image { shown, style: None, channel: None, answer: None });
        desk.result.add_data(data);
        Ok(())
    }
}

/// Classes that are told.
const BEST: usize = 5;

impl Cam {
    fn data(&self, explainer: &Explainer<'_>, map: &cam::Map) -> Value {
        let model = &self.subject.model;
        let mut classes: Vec<usize> = (0..model.class_count()).collect();
        classes.sort_by(|&a, &b| explainer.score(b).total_cmp(&explainer.score(a)));
        classes.truncate(BEST);
        let told = |&class: &usize| {
            let probability = explainer.probability(class);
            json!({ "class": class, "name": model.class_name(class), "probability": probability })
        };
        json!({
            "network": self.subject.id, "layer": map.layer, "method": map.method.name(),
            "class": map.class, "class_name": model.class_name(map.class), "score": map.score,
            "fault": map.fault(), "classes": classes.iter().map(told).collect::<Vec<_>>(),
        })
    }
}
