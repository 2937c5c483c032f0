use std::path::PathBuf;

/// Why training cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// An option has a value that makes no sense.
    #[error("{option} {value} is out of range: {range}")]
    Option {
        /// Which option.
        option: &'static str,
        /// What it was given.
        value: String,
        /// What it takes.
        range: &'static str,
    },
    /// A folder of photographs holds none.
    #[error("{folder}: no pictures found in it or below it{hint}", folder = folder.display())]
    NoPictures {
        /// The folder.
        folder: PathBuf,
        /// The remedy, or nothing.
        hint: &'static str,
    },
    /// Not one of the photographs can be read.
    #[error("none of the {count} pictures can be read; the first, {path}: {why}", path = path.display())]
    AllBad {
        /// How many there are.
        count: usize,
        /// One of them.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its words.
        source: std::io::Error,
    },
    /// A picture could not be made or written.
    #[error(transparent)]
    Imaging(#[from] imaging::ImagingError),
    /// The loss network has no tap of that name.
    #[error("{network} has no layer {tap:?}")]
    NoTap {
        /// The network.
        network: String,
        /// The name asked for.
        tap: String,
    },
    /// An objective without content and style, or a network that gives no picture.
    #[error("there is nothing to learn: no content, no style, or no picture comes out")]
    NothingToLearn,
    /// A loss or a gradient is not a number.
    #[error("the loss is not a number at step {step}: try a lower learning rate")]
    NotANumber {
        /// How many steps went well.
        step: u64,
    },
    /// A network cannot be run.
    #[error(transparent)]
    Engine(#[from] cpu::EngineError),
    /// Weights do not fit their network.
    #[error(transparent)]
    Bind(#[from] weights::BindError),
    /// A bug: a background thread panicked.
    #[error("internal error, please report it: {what}")]
    Panic {
        /// The panic's message.
        what: String,
    },
}

impl TrainError {
    /// An option's value that is out of range.
    pub(crate) fn option(
        option: &'static str,
        value: impl std::fmt::Debug,
        range: &'static str,
    ) -> Self {
        Self::Option { option, value: format!("{value:?}"), range }
    }

    /// An operating system's error, with the path it is about.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
