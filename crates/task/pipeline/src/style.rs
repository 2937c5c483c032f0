//! A style: a network, its weights, and the numbers it sees pictures in.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use cpu::Network;
use graph::{Encoding, Graph};
use weights::{Checkpoint, Limits, NetworkCard};

use crate::PipelineError;
use crate::error::unreadable;
use crate::frame::Fit;
use crate::recognise::{by_shapes, recognise};
use crate::shipped::{near, shipped};

/// A network that turns pictures into pictures, ready to run at any size.
#[derive(Debug)]
pub struct Style {
    name: String,
    card: NetworkCard,
    /// In which numbers it gives a picture.
    pub(crate) output: Encoding,
    pub(crate) network: Network,
    pub(crate) fit: Fit,
}

impl Style {
    /// The style of that name that ships, or else the one in that file.
    ///
    /// # Errors
    ///
    /// [`PipelineError::UnknownStyle`] if it is neither, and as [`Style::from_file`].
    pub fn open(name_or_file: impl AsRef<OsStr>) -> Result<Self, PipelineError> {
        let wanted = name_or_file.as_ref();
        if let Some(style) = shipped().find(|s| OsStr::new(s.name) == wanted) {
            return style.open();
        }
        let path = Path::new(wanted);
        let index = path.with_extension("index"); // TensorFlow's checkpoints are named without it
        if path.exists() || index.exists() || with_ending(path, ".index").exists() {
            return Self::from_file(path);
        }
        let name = wanted.to_string_lossy().into_owned();
        let near = near(&name, shipped().map(|s| s.name));
        Err(PipelineError::UnknownStyle { name, near })
    }

    /// The style in a file of weights: the house format, which says what network it
    /// is, or a foreign checkpoint of a network that is known by its tensors.
    ///
    /// # Errors
    ///
    /// - [`PipelineError::Weights`] if the file cannot be read, is damaged, or does
    ///   not fit the network it is for.
    /// - [`PipelineError::NotAStyle`] if it is of no style network.
    pub fn from_file(path: &Path) -> Result<Self, PipelineError> {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let checkpoint = weights::read(path, &Limits::default());
        let checkpoint = checkpoint.map_err(|e| unreadable(path, e))?;
        Self::from_checkpoint(name, path, checkpoint)
    }

    /// What a file of weights says of itself, if it holds a style; nothing if it holds another
    /// network that is known, or none that is. Reads no tensors.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Weights`] if the file cannot be read or is damaged.
    pub fn card_of_file(path: &Path) -> Result<Option<NetworkCard>, PipelineError> {
        let found = weights::inspect(path, &Limits::default()).map_err(|e| unreadable(path, e))?;
        let told = NetworkCard::if_told(&found.metadata).map_err(|e| unreadable(path, e))?;
        let Some(card) = told.or_else(|| recognise(&found)) else { return Ok(None) };
        let net = nets::by_name(&card.network, &card.config.to_string()).ok();
        let style = net.is_some_and(|net| net.output.is_some() && Fit::of(&net.graph).is_some());
        Ok(style.then_some(card))
    }

    /// The style in the bytes of such a file, by a name of the caller's choice.
    ///
    /// # Errors
    ///
    /// As [`Style::from_file`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, PipelineError> {
        let checkpoint = weights::read_bytes(bytes, &Limits::default());
        let checkpoint = checkpoint.map_err(|e| unreadable(Path::new(name), e))?;
        Self::from_checkpoint(name.to_owned(), Path::new(name), checkpoint)
    }

    fn from_checkpoint(
        name: String,
        path: &Path,
        Checkpoint { tensors, metadata, .. }: Checkpoint,
    ) -> Result<Self, PipelineError> {
        let refuse = |what: String| PipelineError::NotAStyle { path: path.to_owned(), what };
        let told = NetworkCard::if_told(&metadata).map_err(|e| unreadable(path, e))?;
        let shapes = tensors.iter().map(|(n, t)| (n.as_str(), t.shape()));
        let card = told.or_else(|| by_shapes(shapes));
        let card = card.ok_or_else(|| refuse(UNRECOGNISED.to_owned()))?;
        let net = nets::by_name(&card.network, &card.config.to_string())
            .map_err(|e| refuse(with_causes(&e)))?;
        let fit = Fit::of(&net.graph).filter(|_| net.output.is_some());
        let fit = fit.ok_or_else(|| {
            refuse(format!("{} turns no picture into a picture of its size", card.network))
        })?;
        let Some(output) = card.output.or(net.output) else {
            return Err(refuse("its file does not say in which units it gives a picture".into()));
        };
        let card = NetworkCard { output: Some(output), ..card };
        if ![card.input, output].iter().all(sane) {
            return Err(refuse("its units for pictures are no numbers to compute with".to_owned()));
        }
        let weights = weights::fit(&net.graph, tensors).map_err(|e| unreadable(path, e))?;
        let network = Network::new(&net.graph, &weights)?;
        Ok(Self { name, card, output, network, fit })
    }

    /// The name it goes by: one that ships, or its file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its file says about it, or what was found out.
    pub fn card(&self) -> &NetworkCard {
        &self.card
    }

    /// Whether `pentimento train style` made it, which writes its recipe into the file.
    pub(crate) fn is_trained_here(&self) -> bool {
        self.card.notes.contains_key("recipe")
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        self.network.graph()
    }
}

const UNRECOGNISED: &str = "its tensors are of no style network that is known here \
    (`pentimento weights inspect` shows them)";

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Whether the units can be turned back: a stranger's file may say anything.
fn sane(e: &Encoding) -> bool {
    let divides = |v: f32| v.is_normal();
    divides(e.scale) && e.std.into_iter().all(divides) && e.mean.into_iter().all(f32::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tensor::Tensor;
    use weights::{Precision, StateDict};

    fn tiny() -> (NetworkCard, StateDict) {
        let mut card = NetworkCard::new("transformer_net", Encoding::BYTES, Encoding::BYTES);
        card.config = serde_json::json!({ "width": 4, "residual_blocks": 1 });
        let net = nets::by_name(&card.network, &card.config.to_string()).unwrap();
        let zeros = |p: &graph::Param| (p.name.clone(), Tensor::zeros(p.shape.clone()));
        (card, net.graph.params().iter().map(zeros).collect())
    }

    fn open(
        metadata: &BTreeMap<String, String>,
        tensors: &StateDict,
    ) -> Result<Style, PipelineError> {
        let mut bytes = vec![];
        weights::write_to(&mut bytes, tensors, metadata, Precision::F16).unwrap();
        Style::from_bytes("test", &bytes)
    }

    #[test]
    fn opens_with_a_card_or_by_its_tensors() {
        let (card, tensors) = tiny();
        let told = open(&card.to_metadata(), &tensors).unwrap();
        let guessed = open(&BTreeMap::new(), &tensors).unwrap();
        assert_eq!(told.card(), guessed.card());
        assert_eq!(told.graph(), guessed.graph());
        assert_eq!(told.name(), "test");
    }

    #[test]
    fn a_files_card_is_read_without_its_tensors() {
        let dir = tempfile::tempdir().unwrap();
        let (card, tensors) = tiny();
        let write = |name: &str, metadata: &BTreeMap<String, String>| {
            let path = dir.path().join(name);
            let mut bytes = vec![];
            weights::write_to(&mut bytes, &tensors, metadata, Precision::F16).unwrap();
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let told = write("told.safetensors", &card.to_metadata());
        assert_eq!(Style::card_of_file(&told).unwrap(), Some(card.clone()));
        let guessed = write("guessed.safetensors", &BTreeMap::new());
        assert!(Style::card_of_file(&guessed).unwrap().is_some());
        let mut other = card;
        other.network = "vgg".into();
        other.config = serde_json::json!({});
        let other = write("other.safetensors", &other.to_metadata());
        assert_eq!(Style::card_of_file(&other).unwrap(), None);
        std::fs::write(&other, b"half a file").unwrap();
        assert!(Style::card_of_file(&other).is_err());
    }

    #[test]
    fn says_why_it_is_no_style() {
        let (card, tensors) = tiny();
        let message = |change: &dyn Fn(&mut NetworkCard)| {
            let mut card = card.clone();
            change(&mut card);
            open(&card.to_metadata(), &tensors).unwrap_err().to_string()
        };
        let unknown = message(&|c| c.network = "esrgan".into());
        assert!(unknown.contains("no network \"esrgan\""), "{unknown}");
        let wide = message(&|c| c.config["width"] = 5.into());
        assert!(wide.contains("conv1.conv2d.weight"), "{wide}");
        let config = message(&|c| c.config["colour"] = 5.into());
        assert!(config.contains("colour"), "{config}");
        let units = message(&|c| c.input.std[1] = 0.0);
        assert!(units.contains("units"), "{units}");
        let other = [("a".to_owned(), Tensor::zeros([1]))].into();
        let other = open(&BTreeMap::new(), &other).unwrap_err().to_string();
        assert!(other.contains("no style network"), "{other}");
    }

    #[test]
    fn an_unknown_name_is_no_missing_file() {
        let error = Style::open("no-such-style").unwrap_err();
        assert!(matches!(error, PipelineError::UnknownStyle { .. }), "{error}");
    }
}
