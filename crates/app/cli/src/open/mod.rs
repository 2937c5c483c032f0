//! From what was typed to a network with weights.

mod file;
pub(crate) mod flags;
mod onnx;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pentimento::insight::{self, InsightError};
use pentimento::nets::{self, Fit, Net};
use pentimento::pipeline::{PipelineError, pull, shipped};
use pentimento::weights::{self, Limits, NetworkCard, StateDict, Weights, WeightsError};

use crate::exit::{NotPulled, Refused};
use flags::Feeding;

/// A network with its weights, how it is fed, and what it tells apart.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) net: Net,
    pub(crate) weights: Weights,
    /// The names of its classes, where its maker gave them.
    pub(crate) classes: Vec<String>,
    /// Height and width of its pictures, where its file says so.
    pub(crate) size: Option<[usize; 2]>,
}

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
    match path.exists() {
        true if onnx::is_one(path)? => onnx::net(path),
        true => Ok(file::of_file(path)?.0.net),
        false => Err(unknown(&name)),
    }
}

/// The network of that name with the weights in a file, or with those that ship or were
/// pulled under the name; or the one in a file.
pub(crate) fn open(
    wanted: &OsStr,
    file: Option<&Path>,
    feeding: &Feeding,
) -> anyhow::Result<Opened> {
    let mut opened = find(wanted, file, feeding)?;
    if let Some(numbers) = feeding.encoding {
        opened.net.input = numbers.into();
    }
    if let Some(path) = &feeding.class_names {
        opened.classes = file::class_names(path, &opened.net)?;
    }
    Ok(opened)
}

fn find(wanted: &OsStr, file: Option<&Path>, feeding: &Feeding) -> anyhow::Result<Opened> {
    let name = wanted.to_string_lossy();
    if file.is_none()
        && let Some(found) = insight::shipped().find(|f| f.name == name.replace('_', "-"))
    {
        let path = Path::new(found.name);
        let (card, tensors) = found.read().map_err(|e| unreadable(path, e))?;
        let mut said = Said::of_card(card)?;
        said.net.graph = said.net.graph.called(found.name);
        return said.bound(tensors, path);
    }
    if let Some((known, config)) = nets::known_as(&name) {
        let path = file.map_or_else(|| pulled(&name), |file| Ok(file.to_owned()))?;
        return file::of_known((known, config), &path).map_err(|error| match onnx::is_one(&path) {
            Ok(true) => error.context(onnx::NOT_WEIGHTS),
            _ => error,
        });
    }
    if let Some(style) = shipped().find(|s| s.name == name) {
        let path = Path::new(style.name);
        let read = weights::read_bytes(style.bytes, &Limits::default());
        let tensors = read.map_err(|e| unreadable(path, e))?.tensors;
        return Said::of_card(style.card()?)?.bound(tensors, path);
    }
    let path = Path::new(wanted);
    if !path.exists() {
        return Err(unknown(&name));
    }
    if file.is_some() {
        let what = format!("{name} is a file of weights itself: --weights goes with a name");
        return Err(Refused::Usage(what).into());
    }
    if onnx::is_one(path)? {
        return onnx::open(path, feeding);
    }
    let (said, tensors) = file::of_file(path)?;
    said.bound(tensors, path)
}

/// What a file, or a name, says of a network.
#[derive(Debug)]
struct Said {
    net: Net,
    classes: Vec<String>,
    size: Option<[usize; 2]>,
}

impl Said {
    fn of_net(net: Net) -> Self {
        Self { net, classes: vec![], size: None }
    }

    /// What a card says, which knows better than the network's name.
    fn of_card(card: NetworkCard) -> anyhow::Result<Self> {
        Ok(Self { net: of_card(&card)?, classes: card.classes, size: card.size })
    }

    /// The network with its tensors.
    fn bound(self, tensors: StateDict, path: &Path) -> anyhow::Result<Opened> {
        let (net, weights) = file::bound(self.net, tensors, path)?;
        Ok(Opened { net, weights, classes: self.classes, size: self.size })
    }
}

/// A card's network, fed as the card says.
fn of_card(card: &NetworkCard) -> anyhow::Result<Net> {
    let config = card.config.to_string();
    let mut net = nets::by_name(&card.network, &config).context("the file's network")?;
    net.input = card.input;
    if let (Some(classifier), Some([height, width])) = (&mut net.classifier, card.size)
        && height == width
    {
        (classifier.size, classifier.fit) = (height, Fit::Stretch);
    }
    Ok(net)
}

/// The network whose layers the classifier of that name that ships has, if the name is also a
/// published network's with layers of its own: `cats-and-dogs` is the tutorial's, too.
pub(crate) fn namesake(wanted: &OsStr) -> anyhow::Result<Option<String>> {
    let known = |name: &str| nets::known_as(name).map(|(network, _)| network);
    let Some(published) = known(&wanted.to_string_lossy()) else { return Ok(None) };
    let Some(found) = insight::shipped().find(|found| known(found.name) == Some(published)) else {
        return Ok(None);
    };
    let (card, _) = found.read().map_err(|e| unreadable(Path::new(found.name), e))?;
    Ok(Some(card.network).filter(|network| network != published))
}

/// The file that was pulled under a name.
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

fn unreadable(path: &Path, source: WeightsError) -> PipelineError {
    PipelineError::Weights { path: path.to_owned(), source }
}
