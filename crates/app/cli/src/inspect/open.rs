//! From what was typed to a network with weights.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pentimento::graph::{Graph, Op, Param};
use pentimento::insight::{self, InsightError, Model};
use pentimento::nets::{self, Net};
use pentimento::pipeline::{PipelineError, pull, recognise, shipped};
use pentimento::tensor::Tensor;
use pentimento::weights::{self, Limits, NetworkCard, StateDict, WeightsError};

use super::flags;
use crate::exit::NotPulled;
use crate::progress::say;

/// A network without its weights: by its name, a style's, or as a file says.
pub(crate) fn net(wanted: &OsStr) -> anyhow::Result<Net> {
    let name = wanted.to_string_lossy();
    if let Some((name, config)) = nets::known_as(&name) {
        return Ok(nets::by_name(name, config)?);
    }
    if let Some(style) = shipped().find(|s| s.name == name) {
        return of_card(&style.card()?);
    }
    let path = Path::new(wanted);
    if path.exists() {
        return Ok(of_file(path)?.0);
    }
    Err(unknown(&name))
}

/// A network with its weights.
pub(super) fn model(flags: &flags::Network) -> anyhow::Result<Model> {
    open(&flags.network, flags.weights.as_deref())
}

/// By a name and perhaps a file.
pub(super) fn open(wanted: &OsStr, file: Option<&Path>) -> anyhow::Result<Model> {
    let name = wanted.to_string_lossy();
    if file.is_none()
        && let Some(found) = insight::shipped().find(|found| found.name == name)
    {
        let path = Path::new(found.name);
        let (card, tensors) = found.read().map_err(|e| unreadable(path, e))?;
        let model = bound(&of_card(&card)?, tensors, path)?.with_classes(card.classes);
        return Ok(card.size.into_iter().fold(model, Model::with_size));
    }
    if let Some((known, config)) = nets::known_as(&name) {
        let path = file.map_or_else(|| pulled(&name), |file| Ok(file.to_owned()))?;
        let read = weights::read(&path, &Limits::default()).map_err(|e| unreadable(&path, e))?;
        return bound(&nets::by_name(known, config)?, read.tensors, &path);
    }
    if let Some(style) = shipped().find(|s| s.name == name) {
        let path = Path::new(style.name);
        let read = weights::read_bytes(style.bytes, &Limits::default());
        return bound(
            &of_card(&style.card()?)?,
            read.map_err(|e| unreadable(path, e))?.tensors,
            path,
        );
    }
    let path = Path::new(wanted);
    if !path.exists() {
        return Err(unknown(&name));
    }
    let (net, tensors) = of_file(path)?;
    bound(&net, tensors, path)
}

fn pulled(name: &str) -> anyhow::Result<PathBuf> {
    match pull::named(name) {
        Ok(known) => Ok(pull::find(known.name).ok_or(NotPulled(known.name))?),
        Err(_) => Err(InsightError::NoWeights { network: name.to_owned() }.into()),
    }
}

fn unknown(name: &str) -> anyhow::Error {
    let styles = shipped().map(|style| style.name);
    let known: Vec<&str> = nets::known_names().into_iter().chain(styles).collect();
    let near = insight::near(name, known.iter().copied());
    InsightError::UnknownNetwork { name: name.to_owned(), near, known: known.join(", ") }.into()
}

/// What a file holds, as it says or as its tensors show.
fn of_file(path: &Path) -> anyhow::Result<(Net, StateDict)> {
    let limits = Limits::default();
    let read = weights::read(path, &limits).map_err(|e| unreadable(path, e))?;
    if let Ok(card) = NetworkCard::from_metadata(&read.metadata) {
        return Ok((of_card(&card)?, read.tensors));
    }
    let found = weights::inspect(path, &limits).map_err(|e| unreadable(path, e))?;
    if let Some(card) = recognise(&found) {
        return Ok((of_card(&card)?, read.tensors));
    }
    match fitting(&shapes(&read.tensors)).first() {
        Some(name) => Ok((named(name)?, read.tensors)),
        None => Err(PipelineError::NotAStyle {
            path: path.to_owned(),
            what: "its tensors are of no network that is known here; --network with --weights \
                   says which it is"
                .to_owned(),
        }
        .into()),
    }
}

fn of_card(card: &NetworkCard) -> anyhow::Result<Net> {
    nets::by_name(&card.network, &card.config.to_string()).context("the file's network")
}

fn named(name: &str) -> anyhow::Result<Net> {
    let (name, config) = nets::known_as(name).context("a known name")?;
    Ok(nets::by_name(name, config)?)
}

type Shapes = BTreeMap<String, Vec<usize>>;

/// The known networks whose parameters these tensors are, name by name.
fn fitting(tensors: &Shapes) -> Vec<&'static str> {
    let fits = |name: &&str| {
        named(name).is_ok_and(|net| {
            let params = net.graph.params();
            let has = |p: &Param| tensors.get(&p.name) == Some(&p.shape);
            params.len() == tensors.len() && params.iter().all(has)
        })
    };
    nets::known_names().into_iter().filter(fits).collect()
}

/// The names and shapes of tensors, but for what PyTorch only counts.
fn shapes(tensors: &StateDict) -> Shapes {
    let counted = |(name, _): &(&String, _)| !name.ends_with("num_batches_tracked");
    let shape = |(name, t): (&String, &Tensor)| (name.clone(), t.shape().to_vec());
    tensors.iter().filter(counted).map(shape).collect()
}

/// The network with the tensors; or its first layers, if they are all that there is.
fn bound(net: &Net, tensors: StateDict, path: &Path) -> anyhow::Result<Model> {
    let shapes = shapes(&tensors);
    if let Some(graph) = first_layers(&net.graph, &shapes) {
        let weights = weights::fit_part(&graph, tensors).map_err(|e| unreadable(path, e))?;
        let last = &graph.node(graph.output()).name;
        say(&format!("{}: holds the layers of {} up to {last}", path.display(), graph.name()));
        return Ok(Model::of(&Net { graph, classifier: None, ..net.clone() }, &weights)?);
    }
    match weights::fit(&net.graph, tensors) {
        Ok(weights) => Ok(Model::of(net, &weights)?),
        Err(wrong) => Err(other_network(net, &shapes, unreadable(path, wrong))),
    }
}

/// Says what the weights do fit, if anything.
fn other_network(net: &Net, shapes: &Shapes, error: PipelineError) -> anyhow::Error {
    let fitting = fitting(shapes).join(" and ");
    if fitting.is_empty() {
        return error.into();
    }
    let what = format!("these weights are not of {}, they fit {fitting}", net.graph.name());
    anyhow::Error::new(error).context(what)
}

/// The part of a network before the first layer without its tensors.
///
/// Nothing, if all are there, or others are there too.
fn first_layers(graph: &Graph, tensors: &Shapes) -> Option<Graph> {
    let has = |p: &usize| {
        let param = &graph.params()[*p];
        tensors.get(&param.name) == Some(&param.shape)
    };
    let short = graph.ids().find(|id| !graph.node(*id).params.iter().all(has))?;
    let idle =
        |op: &Op| matches!(op, Op::Flatten | Op::AdaptiveAvgPool { .. } | Op::Dropout { .. });
    let before = graph.ids().take_while(|id| *id < short);
    let last = before.filter(|id| !idle(&graph.node(*id).op)).last()?;
    let part = graph.up_to(last);
    let known = |name: &String| part.params().iter().any(|p| p.name == *name);
    (!part.params().is_empty() && tensors.keys().all(known)).then_some(part)
}

fn unreadable(path: &Path, source: WeightsError) -> PipelineError {
    PipelineError::Weights { path: path.to_owned(), source }
}
