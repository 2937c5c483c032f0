//! From the words for a model to a network with its weights.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use pentimento::insight;
use pentimento::nets::{self, Fit, Net};
use pentimento::pipeline::{PipelineError, pull};
use pentimento::weights::{self, Checkpoint, Limits, NetworkCard, Weights, WeightsError, keras};

use crate::exit::{NotPulled, Refused};

/// A classifier with its weights.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) net: Net,
    pub(crate) weights: Weights,
    /// The names of its classes, where its maker gave them.
    pub(crate) classes: Vec<String>,
}

/// The classifier of that name with weights from a file, those that ship, or those pulled
/// under the name; or the one in a file.
pub(crate) fn open(model: &OsStr, file: Option<&Path>) -> anyhow::Result<Model> {
    let name = model.to_string_lossy();
    if file.is_none()
        && let Some(shipped) = insight::shipped().find(|shipped| shipped.name == name)
    {
        let path = Path::new(shipped.name);
        let read = weights::read_bytes(shipped.bytes, &Limits::default()).map_err(wrong(path))?;
        return from_checkpoint(path, read);
    }
    let Some((network, config)) = nets::known_as(&name) else {
        let path = Path::new(model);
        return match file {
            None if path.exists() => from_file(path),
            _ => Err(Refused::Usage(unknown(&name)).into()),
        };
    };
    let net = nets::by_name(network, config)?;
    if net.classifier.is_none() {
        let what = format!("{name} is no classifier; these are: {}", classifiers().join(", "));
        return Err(Refused::Usage(what).into());
    }
    let path = file.map_or_else(|| pulled(net.graph.name()), |file| Ok(file.to_owned()))?;
    bound(net, &path, read(&path)?)
}

/// The file that was pulled under a name.
fn pulled(name: &str) -> anyhow::Result<PathBuf> {
    let Ok(known) = pull::named(name) else {
        let what = format!("no weights of {name} ship: give a file of them with --weights");
        return Err(Refused::Weights(what).into());
    };
    Ok(pull::find(known.name).ok_or(NotPulled(known.name))?)
}

/// The house format says which network a file is of; others tell by their names.
fn from_file(path: &Path) -> anyhow::Result<Model> {
    from_checkpoint(path, read(path)?)
}

fn from_checkpoint(path: &Path, checkpoint: Checkpoint) -> anyhow::Result<Model> {
    let refuse = |what: String| Refused::Weights(format!("{}: {what}", path.display()));
    if checkpoint.metadata.contains_key("pentimento.network") {
        let card = NetworkCard::from_metadata(&checkpoint.metadata).map_err(wrong(path))?;
        let net = nets::by_name(&card.network, &card.config.to_string())
            .map_err(|e| refuse(e.to_string()))?;
        let Some(mut classifier) = net.classifier else {
            return Err(refuse(format!("{} is no classifier", card.network)).into());
        };
        if let Some([height, width]) = card.size {
            if height != width {
                return Err(
                    refuse(format!("it wants pictures of {height}×{width}, no square")).into()
                );
            }
            (classifier.size, classifier.fit) = (height, Fit::Stretch);
        }
        let net = Net { input: card.input, classifier: Some(classifier), ..net };
        return Ok(Model { classes: card.classes, ..bound(net, path, checkpoint)? });
    }
    let fitting = nets::classifiers_with(checkpoint.tensors.keys().map(String::as_str));
    let [name] = fitting[..] else {
        let what = "which network it is of cannot be told: name it with --model, and give the file with --weights";
        return Err(refuse(what.to_owned()).into());
    };
    let (network, config) = nets::known_as(name).unwrap_or((name, "{}"));
    bound(nets::by_name(network, config)?, path, checkpoint)
}

fn read(path: &Path) -> anyhow::Result<Checkpoint> {
    Ok(weights::read(path, &Limits::default()).map_err(wrong(path))?)
}

fn bound(net: Net, path: &Path, Checkpoint { tensors, .. }: Checkpoint) -> anyhow::Result<Model> {
    let net = if keras::is_keras(&tensors) { net.fed_as_in_keras() } else { net };
    let fitting = nets::classifiers_with(tensors.keys().map(String::as_str));
    let classes = vec![];
    match weights::fit(&net.graph, tensors) {
        Ok(weights) => Ok(Model { net, weights, classes }),
        Err(_) if !fitting.is_empty() && !fitting.contains(&net.graph.name()) => {
            let (path, wanted, is) = (path.display(), net.graph.name(), fitting.join(" or "));
            Err(Refused::Weights(format!("{path}: these are weights of {is}, not of {wanted}"))
                .into())
        }
        Err(error) => Err(wrong(path)(error).into()),
    }
}

fn wrong(path: &Path) -> impl FnOnce(WeightsError) -> PipelineError + '_ {
    move |source| PipelineError::Weights { path: path.to_owned(), source }
}

fn unknown(name: &str) -> String {
    format!(
        "there is no model {name:?}, and no file of that name; known are {}",
        classifiers().join(", ")
    )
}

/// The names of all networks that classify.
fn classifiers() -> Vec<&'static str> {
    let mut names = nets::known_names();
    names.retain(|name| {
        let net = nets::known_as(name).and_then(|(name, config)| nets::by_name(name, config).ok());
        net.is_some_and(|net| net.classifier.is_some())
    });
    names
}
