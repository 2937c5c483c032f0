//! What a file of weights holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use pentimento::graph::{Graph, Op, Param};
use pentimento::nets::{self, Net};
use pentimento::pipeline::{PipelineError, recognise};
use pentimento::tensor::Tensor;
use pentimento::weights::{self, Limits, NetworkCard, StateDict, Weights, keras};

use super::{Opened, Said, unreadable};
use crate::exit::Refused;
use crate::progress::say;

/// Weights for a network that is known by name. A card in their file that tells of the same
/// network knows its settings, classes and size.
pub(super) fn of_known((name, config): (&str, &str), path: &Path) -> anyhow::Result<Opened> {
    let read = weights::read(path, &Limits::default()).map_err(|e| unreadable(path, e))?;
    if let Ok(card) = NetworkCard::from_metadata(&read.metadata)
        && card.network == name
    {
        return Said::of_card(card)?.bound(read.tensors, path);
    }
    let net = with_classes_of((name, config), &shapes(&read.tensors))?;
    Said::of_net(net).bound(read.tensors, path)
}

/// What a file holds, as it says or as its tensors show.
pub(super) fn of_file(path: &Path) -> anyhow::Result<(Said, StateDict)> {
    let limits = Limits::default();
    let read = weights::read(path, &limits).map_err(|e| unreadable(path, e))?;
    if let Some(card) = NetworkCard::if_told(&read.metadata).map_err(|e| unreadable(path, e))? {
        return Ok((Said::of_card(card)?, read.tensors));
    }
    let found = weights::inspect(path, &limits).map_err(|e| unreadable(path, e))?;
    if let Some(card) = recognise(&found) {
        return Ok((Said::of_card(card)?, read.tensors));
    }
    match fitting(&shapes(&read.tensors)).into_iter().next() {
        Some((_, net)) => Ok((Said::of_net(net), read.tensors)),
        None => Err(PipelineError::NotAStyle {
            path: path.to_owned(),
            what: "its tensors are of no network that is known here; a network's name with \
                   --weights says which it is"
                .to_owned(),
        }
        .into()),
    }
}

type Shapes = BTreeMap<String, Vec<usize>>;

/// The known networks whose parameters these tensors are, name by name.
fn fitting(tensors: &Shapes) -> Vec<(&'static str, Net)> {
    let fits = |name: &'static str| {
        let net = with_classes_of(nets::known_as(name)?, tensors).ok()?;
        let params = net.graph.params();
        let has = |p: &Param| tensors.get(&p.name) == Some(&p.shape);
        (params.len() == tensors.len() && params.iter().all(has)).then_some((name, net))
    };
    nets::known_names().into_iter().filter_map(fits).collect()
}

/// A known network that tells as many classes apart as its last layer's tensor has values:
/// others retrain it for classes of their own.
fn with_classes_of((name, config): (&str, &str), tensors: &Shapes) -> anyhow::Result<Net> {
    let net = nets::by_name(name, config)?;
    let last = net.graph.params().last().filter(|_| net.classifier.is_some());
    let given = last.and_then(|last| tensors.get(&last.name));
    match (last, given.map(Vec::as_slice)) {
        (Some(last), Some(&[classes])) if last.shape != [classes] => {
            let mut config: serde_json::Value = serde_json::from_str(config)?;
            let settings = config.as_object_mut().context("settings are a JSON object")?;
            settings.insert("classes".to_owned(), classes.into());
            Ok(nets::by_name(name, &config.to_string())?)
        }
        _ => Ok(net),
    }
}

/// The names and shapes of tensors, but for what PyTorch only counts.
fn shapes(tensors: &StateDict) -> Shapes {
    let counted = |(name, _): &(&String, _)| !name.ends_with("num_batches_tracked");
    let shape = |(name, t): (&String, &Tensor)| (name.clone(), t.shape().to_vec());
    tensors.iter().filter(counted).map(shape).collect()
}

/// The network with the tensors; or its first layers, if they are all that there is.
pub(super) fn bound(net: Net, tensors: StateDict, path: &Path) -> anyhow::Result<(Net, Weights)> {
    let net = if keras::is_keras(&tensors) { net.fed_as_in_keras() } else { net };
    let shapes = shapes(&tensors);
    if let Some(graph) = first_layers(&net.graph, &shapes) {
        let weights = weights::fit_part(&graph, tensors).map_err(|e| unreadable(path, e))?;
        let last = &graph.node(graph.output()).name;
        say(&format!("{}: holds the layers of {} up to {last}", path.display(), graph.name()));
        return Ok((Net { graph, classifier: None, ..net }, weights));
    }
    match weights::fit(&net.graph, tensors) {
        Ok(weights) => Ok((net, weights)),
        Err(wrong) => Err(other_network(&net, &shapes, unreadable(path, wrong))),
    }
}

/// Says what the weights do fit, if anything.
fn other_network(net: &Net, shapes: &Shapes, error: PipelineError) -> anyhow::Error {
    let fitting: Vec<&str> = fitting(shapes).iter().map(|(name, _)| *name).collect();
    if fitting.is_empty() {
        return error.into();
    }
    let (wanted, is) = (net.graph.name(), fitting.join(" or "));
    anyhow::Error::new(error).context(format!("these are weights of {is}, not of {wanted}"))
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

/// The names in a file, one a line, of which there have to be as many as classes.
pub(super) fn class_names(path: &Path, net: &Net) -> anyhow::Result<Vec<String>> {
    /// No list of names is longer.
    const MOST: u64 = 16 << 20;
    let refuse = |what: String| Refused::Usage(format!("{}: {what}", path.display()));
    let mut text = String::new();
    let opened = File::open(path).map_err(|e| refuse(e.to_string()))?;
    opened.take(MOST).read_to_string(&mut text).map_err(|e| refuse(e.to_string()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Vec<String> = lines.map(str::to_owned).collect();
    let wanted = net.classifier.map_or(0, |classifier| classifier.classes.count());
    if names.len() != wanted {
        let (got, name) = (names.len(), net.graph.name());
        let what = format!("{got} names, a line each, and {name} tells {wanted} classes apart");
        return Err(refuse(what).into());
    }
    Ok(names)
}
