//! Weights to begin with.

use std::path::Path;

use graph::{Graph, Param};
use nets::Net;
use tensor::Tensor;
use weights::{Limits, NetworkCard, StateDict, Weights};

use super::{StyleRecipe, StyleRun};
use crate::random::hashed;
use crate::run::{Checkpoint, Run, net_of};
use crate::{Random, TrainError};

/// What a network begins to learn with.
#[derive(Clone, Debug)]
pub enum Beginning {
    /// Random weights, as its reference draws them.
    Random,
    /// Those of a style it already has.
    Warm(Box<WarmStart>),
}

/// Another style's weights.
#[derive(Clone, Debug)]
pub struct WarmStart {
    /// What it is called.
    pub name: String,
    /// Which network it is of.
    pub card: NetworkCard,
    /// Its weights.
    pub weights: StateDict,
}

impl Beginning {
    /// What a style that is another run's checkpoint has learnt.
    ///
    /// # Errors
    ///
    /// If the file is no checkpoint, or damaged.
    pub fn from_checkpoint(path: &Path) -> Result<Self, TrainError> {
        let checkpoint = Checkpoint::read(path, StyleRun::KIND, &[])?;
        let (name, weights) = (path.display().to_string(), checkpoint.learnt());
        Ok(Self::Warm(Box::new(WarmStart { name, card: checkpoint.card, weights })))
    }

    /// The weights of a style in the house format.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or does not say which network it is of.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, TrainError> {
        let wrong = |source| TrainError::weights(name)(source);
        let read = weights::read_bytes(bytes, &Limits::default()).map_err(wrong)?;
        let card = NetworkCard::from_metadata(&read.metadata).map_err(wrong)?;
        Ok(Self::Warm(Box::new(WarmStart { name: name.to_owned(), card, weights: read.tensors })))
    }

    /// What it is called in a card.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Random => "random weights",
            Self::Warm(start) => &start.name,
        }
    }

    /// The card, the network and its weights.
    pub(super) fn resolve(
        self,
        recipe: &StyleRecipe,
        seed: u64,
    ) -> Result<(NetworkCard, Net, Weights), TrainError> {
        let start = match self {
            Self::Warm(start) => start,
            Self::Random => {
                let net = nets::by_name(&recipe.network, &recipe.config.to_string())?;
                let output = net.output.ok_or(TrainError::NothingToLearn)?;
                let mut card = NetworkCard::new(&recipe.network, net.input, output);
                card.config = recipe.config.clone();
                let weights = Weights::bind(&net.graph, drawn(&recipe.network, &net.graph, seed))?;
                return Ok((card, net, weights));
            }
        };
        let WarmStart { name, card, weights } = *start;
        if card.network != recipe.network {
            let (want, got) = (recipe.network.clone(), card.network);
            return Err(TrainError::WrongStart { name, want, got });
        }
        let card = NetworkCard { notes: [].into(), ..card };
        let net = net_of(&card)?;
        let weights = weights::fit(&net.graph, weights).map_err(TrainError::weights(name))?;
        Ok((card, net, weights))
    }
}

/// What a stream of random numbers is for.
const WEIGHTS: u64 = 2;

/// Random weights, each tensor from the stream of its own name.
///
/// # Source
///
/// PyTorch's default for convolutions, uniform in ±1/√`fan_in` for kernel and bias
/// alike; for lengstrom's network its `transform.py`, a normal distribution of
/// standard deviation 0.1, drawn again beyond two of them. Norms are the identity.
fn drawn(network: &str, graph: &Graph, seed: u64) -> StateDict {
    let one = |param: &Param| {
        let mut random = Random::keyed(seed, &[WEIGHTS, hashed(param.name.as_bytes())]);
        let norm = if param.name.strip_suffix(".bias").is_some() { 0.0 } else { 1.0 };
        let draw = |_| match bound(graph, param) {
            Some(_) if network == "lengstrom" => (0.1 * truncated_normal(&mut random)) as f32,
            Some(bound) => random.between(-bound, bound) as f32,
            None => norm,
        };
        (param.name.clone(), Tensor::new(param.shape.clone(), (0..param.len()).map(draw).collect()))
    };
    graph.params().iter().map(one).collect()
}

/// 1/√`fan_in` of the kernel that a parameter is or belongs to; a norm's has none.
fn bound(graph: &Graph, param: &Param) -> Option<f64> {
    let kernel = match param.name.strip_suffix(".bias") {
        Some(layer) => {
            let weight = format!("{layer}.weight");
            graph.params().iter().find(|p| p.name == weight)?
        }
        None => param,
    };
    let fan_in: usize = kernel.shape.iter().skip(1).product();
    (kernel.shape.len() > 1).then(|| 1.0 / (fan_in as f64).sqrt())
}

/// Box and Muller's, until it is within two standard deviations.
fn truncated_normal(random: &mut Random) -> f64 {
    loop {
        let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
        let drawn = radius * (std::f64::consts::TAU * random.unit()).cos();
        if drawn.abs() <= 2.0 {
            return drawn;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deviation(tensor: &Tensor) -> f64 {
        let squares = tensor.data().iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        (squares / tensor.data().len() as f64).sqrt()
    }

    #[test]
    fn random_weights_are_spread_as_their_references_draw_them() {
        let net = nets::by_name("transformer_net", "").unwrap();
        let weights = drawn("transformer_net", &net.graph, 3);
        // A uniform distribution's deviation is its bound over √3.
        let want = 1.0 / (32.0 * 81.0f64).sqrt() / 3f64.sqrt();
        let got = deviation(&weights["deconv3.conv2d.weight"]);
        assert!((got / want - 1.0).abs() < 0.03, "{got}, not {want}");
        assert_eq!(weights["in1.weight"].data(), [1.0; 32]);
        assert_eq!(weights["in1.bias"].data(), [0.0; 32]);
        assert!(weights["conv1.conv2d.bias"].data().iter().any(|v| *v != 0.0));
        let net = nets::by_name("lengstrom", "").unwrap();
        let kernel = &drawn("lengstrom", &net.graph, 3)["resid1.conv1.weight"];
        // Cut at two deviations, 0.880 of it is left.
        assert!((deviation(kernel) / 0.088 - 1.0).abs() < 0.01, "{}", deviation(kernel));
        assert!(kernel.data().iter().all(|v| v.abs() <= 0.2));
    }

    #[test]
    fn a_start_of_another_network_is_refused() {
        let net = nets::by_name("lengstrom", "").unwrap();
        let card = NetworkCard::new("lengstrom", net.input, net.output.unwrap());
        let weights = drawn("lengstrom", &net.graph, 0);
        let start = Beginning::Warm(Box::new(WarmStart { name: "wave".into(), card, weights }));
        let error = start.resolve(&StyleRecipe::default(), 0).unwrap_err().to_string();
        assert_eq!(error, "wave is a lengstrom, the recipe trains a transformer_net");
    }
}
