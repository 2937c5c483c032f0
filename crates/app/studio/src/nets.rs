//! Networks in use, kept so that the next job need not read them again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pentimento::graph::{NodeId, Op};
use pentimento::insight::cam::{self, Method};
use pentimento::insight::{self, Model, overview, pictorial_layers};
use pentimento::nets;
use pentimento::pipeline::{ColorModel, Style, pull};
use pentimento::weights::{self, NetworkCard};
use serde::Serialize;

use crate::Inner;
use crate::budget::Lease;
use crate::fault::Fault;
use crate::id::Id;
use crate::styles::Entry;

/// Networks that were read.
#[derive(Debug, Default)]
pub(crate) struct Nets {
    styles: Mutex<VecDeque<(Id, Arc<Style>)>>,
    color: Mutex<Option<Arc<ColorModel>>>,
    models: Mutex<VecDeque<Kept>>,
}

/// A network to look into, with the memory that it takes.
#[derive(Debug)]
struct Kept {
    id: String,
    model: Arc<Model>,
    _memory: Lease,
}

/// Styles that are kept: some 40 MB each.
const STYLES: usize = 4;

/// Networks to look into that are kept.
const MODELS: usize = 2;

impl Nets {
    /// A style, kept for the next time.
    pub(crate) fn style(&self, entry: &Entry) -> Result<Arc<Style>, Fault> {
        let mut kept = locked(&self.styles);
        let at = kept.iter().position(|(id, _)| *id == entry.id);
        let found = match at.and_then(|at| kept.remove(at)) {
            Some(found) => found,
            None => (entry.id.clone(), Arc::new(entry.open()?)),
        };
        let style = Arc::clone(&found.1);
        kept.push_back(found);
        if kept.len() > STYLES {
            kept.pop_front();
        }
        Ok(style)
    }

    /// A style for one look: it does not push out those that are kept.
    pub(crate) fn style_once(&self, entry: &Entry) -> Result<Arc<Style>, Fault> {
        let kept = locked(&self.styles);
        let found = kept.iter().find(|(id, _)| *id == entry.id);
        if let Some((_, style)) = found {
            return Ok(Arc::clone(style));
        }
        drop(kept);
        Ok(Arc::new(entry.open()?))
    }

    /// The network that colours.
    pub(crate) fn color(&self) -> Result<Arc<ColorModel>, Fault> {
        let mut kept = locked(&self.color);
        let model = kept.take().map_or_else(|| ColorModel::shipped().map(Arc::new), Ok)?;
        *kept = Some(Arc::clone(&model));
        Ok(model)
    }

    /// A network to look into.
    pub(crate) fn model(&self, studio: &Inner, id: &str) -> Result<Arc<Model>, Fault> {
        let mut kept = locked(&self.models);
        if let Some(found) = kept.iter().position(|k| k.id == id).and_then(|at| kept.remove(at)) {
            let model = Arc::clone(&found.model);
            kept.push_back(found);
            return Ok(model);
        }
        let subject = Subject::find(studio, id)?;
        if kept.len() >= MODELS {
            kept.pop_front();
        }
        // Weights as they are, packed, and as they come from the file.
        let need = 3 * 4 * subject.net()?.graph.param_count() as u64;
        let memory = loop {
            match studio.budget.take(need) {
                Some(memory) => break memory,
                None if kept.pop_front().is_some() => {}
                None => return Err(Fault::busy()),
            }
        };
        let model = Arc::new(subject.open(studio)?);
        kept.push_back(Kept { id: id.to_owned(), model: Arc::clone(&model), _memory: memory });
        Ok(model)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a network to look into comes from.
enum Subject {
    Ships(insight::Shipped),
    Pulled(&'static pull::KnownWeights),
    Style(Box<Entry>),
}

/// What a style's name as a network begins with.
const STYLE: &str = "style:";

impl Subject {
    fn find(studio: &Inner, id: &str) -> Result<Self, Fault> {
        if let Some(style) = id.strip_prefix(STYLE) {
            return Ok(Self::Style(Box::new(studio.styles.find(style)?)));
        }
        if let Some(ships) = insight::shipped().find(|ships| ships.name == id) {
            return Ok(Self::Ships(ships));
        }
        let known = pulled(studio).find(|known| known.name == id).map(Self::Pulled);
        known.ok_or_else(|| Fault::not_found("network"))
    }

    /// What it computes, without its weights.
    fn net(&self) -> Result<nets::Net, Fault> {
        let card = |card: NetworkCard| (card.network, card.config.to_string());
        let (network, config) = match self {
            Self::Ships(ships) => card(ships.read().map_err(damaged)?.0),
            Self::Pulled(known) => (known.network.to_owned(), known.config.to_owned()),
            Self::Style(entry) => card(entry.card()),
        };
        nets::by_name(&network, &config).map_err(damaged)
    }

    fn open(&self, studio: &Inner) -> Result<Model, Fault> {
        Ok(match self {
            Self::Ships(ships) => ships.model()?,
            Self::Pulled(known) => {
                let net = nets::by_name(known.network, known.config).map_err(damaged)?;
                let path = studio.settings.pulled(known.name);
                Model::of_file(&net, &path.ok_or_else(|| Fault::not_found("network"))?)?
            }
            Self::Style(entry) => match (entry.shipped(), entry.file()) {
                (Some(ships), _) => {
                    let read = weights::read_bytes(ships.bytes, &weights::Limits::default());
                    Model::of_card(entry.card(), read.map_err(damaged)?.tensors)?
                }
                (None, Some(path)) => Model::of_file(&self.net()?, path)?,
                (None, None) => return Err(Fault::not_found("network")),
            },
        })
    }
}

fn damaged(error: impl std::error::Error) -> Fault {
    let words = crate::fault::sentence(&error);
    Fault::new(crate::fault::UNAVAILABLE, words, "Choose another network.")
}

fn pulled(studio: &Inner) -> impl Iterator<Item = &'static pull::KnownWeights> {
    pull::known().iter().filter(|known| studio.settings.pulled(known.name).is_some())
}

/// Whether a method runs the network many times.
pub(crate) fn is_slow(method: Method) -> bool {
    matches!(
        method,
        Method::ScoreCam
            | Method::AblationCam
            | Method::Occlusion
            | Method::IntegratedGradients
            | Method::SmoothGrad
    )
}

/// What is told of a network in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    id: String,
    title: String,
    kind: &'static str,
    classes: usize,
}

/// All networks: classifiers, then styles.
pub(crate) fn list(studio: &Inner) -> Result<Vec<Summary>, Fault> {
    let mut all = vec![];
    for ships in insight::shipped() {
        let (card, _) = ships.read().map_err(damaged)?;
        let classes = card.classes.len();
        all.push(Summary {
            id: ships.name.to_owned(),
            title: ships.name.to_owned(),
            kind: CLASSIFIER,
            classes,
        });
    }
    for known in pulled(studio) {
        let net = nets::by_name(known.network, known.config).map_err(damaged)?;
        let classes = net.classifier.map_or(0, |classifier| classifier.classes.count());
        all.push(Summary {
            id: known.name.to_owned(),
            title: known.what.to_owned(),
            kind: CLASSIFIER,
            classes,
        });
    }
    for entry in studio.styles.list()?.0 {
        let (id, title) = (format!("{STYLE}{}", entry.id), entry.title.clone());
        all.push(Summary { id, title, kind: "style", classes: 0 });
    }
    Ok(all)
}

const CLASSIFIER: &str = "classifier";

/// What is told of a network that is looked into.
#[derive(Debug, Serialize)]
pub(crate) struct About {
    #[serde(flatten)]
    summary: Summary,
    parameters: usize,
    width: usize,
    height: usize,
    layers: Vec<Layer>,
    defaults: Defaults,
    methods: Vec<AboutMethod>,
    class_names: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Layer {
    name: String,
    operation: &'static str,
    channels: usize,
    width: usize,
    height: usize,
    parameters: usize,
    activations: bool,
    filters: bool,
    cam: bool,
}

#[derive(Debug, Serialize)]
struct Defaults {
    activations: Option<String>,
    filters: Option<String>,
    cam: Option<String>,
}

#[derive(Debug, Serialize)]
struct AboutMethod {
    name: &'static str,
    layer: bool,
    slow: bool,
}

/// A network with its layers.
pub(crate) fn about(studio: &Inner, id: &str) -> Result<About, Fault> {
    let summary = list(studio)?.into_iter().find(|summary| summary.id == id);
    let summary = summary.ok_or_else(|| Fault::not_found("network"))?;
    let model = studio.nets.model(studio, id)?;
    let [height, width] = model.usual_size();
    let table = overview(model.graph(), [height, width]).map_err(insight::InsightError::from)?;
    let is_classifier = model.is_classifier();
    let pictorial = pictorial_layers(&model, [height, width])?;
    let mapped = if is_classifier { cam::layers(&model)? } else { vec![] };
    let graph = model.graph();
    let layer = |(id, row): (_, &pentimento::graph::Row)| Layer {
        name: row.layer.clone(),
        operation: row.kind,
        channels: row.shape[1],
        width: row.shape[3],
        height: row.shape[2],
        parameters: row.params,
        activations: pictorial.contains(&id),
        filters: pictorial.contains(&id),
        cam: mapped.contains(&id),
    };
    let layers = graph.ids().zip(&table.summary.rows).map(layer).collect();
    let defaults = defaults(&model, &pictorial)?;
    Ok(About {
        parameters: table.summary.params,
        width,
        height,
        layers,
        defaults,
        methods: Method::ALL.into_iter().filter(|_| is_classifier).map(about_method).collect(),
        class_names: (0..summary.classes).map(|class| model.class_name(class)).collect(),
        summary,
    })
}

/// The layers that are shown before anybody chooses: the first convolution, one in the middle, and
/// what maps of classes are usually drawn at.
fn defaults(model: &Model, pictorial: &[NodeId]) -> Result<Defaults, Fault> {
    let is_convolution = |id: &&NodeId| matches!(model.graph().node(**id).op, Op::Conv(_));
    let convolutions: Vec<&NodeId> = pictorial.iter().filter(is_convolution).collect();
    let named = |id: &NodeId| model.layer_name(*id).to_owned();
    let cam = if model.is_classifier() { cam::default_layer(model)? } else { None };
    Ok(Defaults {
        activations: convolutions.first().copied().map(named),
        filters: convolutions.get(convolutions.len() / 2).copied().map(named),
        cam: cam.as_ref().map(named),
    })
}

fn about_method(method: Method) -> AboutMethod {
    AboutMethod { name: method.name(), layer: method.has_layer(), slow: is_slow(method) }
}
