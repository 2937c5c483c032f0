use std::fmt::Write;
use std::path::PathBuf;

/// Why a network cannot be looked into.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InsightError {
    /// There is no network of that name.
    #[error(
        "there is no network {name:?}, and no file of that name{}; known are {known}",
        hint(near)
    )]
    UnknownNetwork {
        /// What was asked for.
        name: String,
        /// The names that look most like it.
        near: Vec<String>,
        /// All names.
        known: String,
    },
    /// The network is known, and there are no weights to look at it with.
    #[error(
        "{network} needs a file of weights (--weights): none ship or can be pulled by its name"
    )]
    NoWeights {
        /// The network.
        network: String,
    },
    /// The picture could not be read.
    #[error("{path}: {source}", path = path.display())]
    Picture {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        source: imaging::ImagingError,
    },
    /// The network has no layer of that name.
    #[error("{network} has no layer {name:?}{}", hint(near))]
    UnknownLayer {
        /// The network.
        network: String,
        /// The name asked for.
        name: String,
        /// Its layers with similar names.
        near: Vec<String>,
    },
    /// The network has no class of that name or number.
    #[error("{network} has no class {name:?}: it has {count}, from 0 on{}", hint(near))]
    UnknownClass {
        /// The network.
        network: String,
        /// What was asked for.
        name: String,
        /// How many there are.
        count: usize,
        /// Classes with similar names.
        near: Vec<String>,
    },
    /// A layer cannot be used for what was asked.
    #[error("layer {name:?} {what}")]
    WrongLayer {
        /// The layer.
        name: String,
        /// Why not.
        what: String,
    },
    /// The network does not take one colour picture.
    #[error("{network} takes {takes}, not one colour picture")]
    Input {
        /// The network.
        network: String,
        /// What it takes.
        takes: String,
    },
    /// The picture is too small for the network.
    #[error(
        "{height}×{width} pixels are too few for {network}: a square has to have at least {least} a side"
    )]
    TooSmall {
        /// The network.
        network: String,
        /// Of the picture as it would reach the network.
        height: usize,
        /// Of the picture as it would reach the network.
        width: usize,
        /// The smallest square that the network takes.
        least: usize,
    },
    /// The network goes with pictures of one size, and this is another.
    #[error("{network} takes pictures of {want} pixels a side, not {height}×{width}")]
    OneSize {
        /// The network.
        network: String,
        /// The size it takes.
        want: usize,
        /// The size asked for.
        height: usize,
        /// The size asked for.
        width: usize,
    },
    /// An option has a value that makes no sense.
    #[error("{option} is {got}, not {want}")]
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        got: String,
        /// What it may be.
        want: String,
    },
    /// Whoever watches has said that it is not wanted any more.
    #[error("stopped")]
    Stopped,
    /// The network does not fit inputs of this size.
    #[error(transparent)]
    Shape(#[from] graph::ShapeError),
    /// The engine refuses.
    #[error(transparent)]
    Engine(#[from] cpu::EngineError),
    /// The weights do not fit the network.
    #[error(transparent)]
    Bind(#[from] weights::BindError),
    /// The weights cannot be read, or do not fit.
    #[error(transparent)]
    Weights(Box<weights::WeightsError>),
    /// The weights are of a network that is not known.
    #[error(transparent)]
    Net(#[from] nets::NetError),
}

fn hint(near: &[String]) -> String {
    let mut text = String::new();
    if let Some((last, others)) = near.split_last() {
        let others = others.join(", ");
        let and = if others.is_empty() { "" } else { " or " };
        // Writing to a string cannot fail.
        let _ = write!(text, "; is it {others}{and}{last}?");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_a_question() {
        let error = |near: &[&str]| InsightError::UnknownLayer {
            network: "vgg16".into(),
            name: "rellu".into(),
            near: near.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(error(&[]).to_string(), "vgg16 has no layer \"rellu\"");
        assert!(error(&["a"]).to_string().ends_with("; is it a?"));
        assert!(error(&["a", "b", "c"]).to_string().ends_with("; is it a, b or c?"));
    }
}
