use std::fmt::Write;
use std::path::PathBuf;

use crate::data::Bad;

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
    /// A class's folder holds no pictures.
    #[error("{folder}: a class without pictures; take the folder away, or fill it", folder = folder.display())]
    EmptyClass {
        /// The class's folder.
        folder: PathBuf,
    },
    /// Pictures that training would need cannot be read.
    #[error("{} of {count} pictures cannot be read:{}", bad.len(), listed(bad))]
    Unreadable {
        /// How many pictures there are.
        count: usize,
        /// Those, and why.
        bad: Vec<Bad>,
    },
    /// Not one picture of a class can be read.
    #[error("{folder}: none of its pictures can be read", folder = folder.display())]
    LostClass {
        /// The class's folder.
        folder: PathBuf,
    },
    /// There is nothing to tell apart.
    #[error("{folder}: there is only one class, {class:?}; each needs a folder of its own", folder = folder.display())]
    OneClass {
        /// The folder of classes.
        folder: PathBuf,
        /// The class.
        class: String,
    },
    /// Pictures to be judged by are of other classes than those learnt.
    #[error("{folder}: its classes are {}, those learnt are {}", got.join(", "), want.join(", "), folder = folder.display())]
    OtherClasses {
        /// The folder of classes.
        folder: PathBuf,
        /// The classes learnt.
        want: Vec<String>,
        /// Its classes.
        got: Vec<String>,
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
    /// A picture that is needed cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Picture {
        /// The picture.
        path: PathBuf,
        /// What is wrong with it.
        source: imaging::ImagingError,
    },
    /// The loss network has no tap of that name.
    #[error("{network} has no layer {tap:?}")]
    NoTap {
        /// The network.
        network: String,
        /// The name asked for.
        tap: String,
    },
    /// A file that should have LPIPS's heads has not.
    #[error(
        "{path}: no five heads of LPIPS for VGG16: lin0.weight … lin4.weight, as in the package \
         lpips", path = path.display()
    )]
    NoHeads {
        /// The file.
        path: PathBuf,
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
    /// A network has parameters that no gradient changes, which cannot be trained yet.
    #[error("{network} cannot be trained: {name} is not learnt from a gradient")]
    Frozen {
        /// The network.
        network: String,
        /// The first such parameter.
        name: String,
    },
    /// The network has stopped painting.
    #[error(
        "the network paints nothing but flat colour since {flat} steps, at step {step}: \
         try a lower learning rate, less smoothness or more style"
    )]
    Blank {
        /// How many steps were taken.
        step: u64,
        /// For how many of them.
        flat: u64,
    },
    /// Weights cannot be read, or are another network's.
    #[error("{path}: {source}", path = path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<weights::WeightsError>,
    },
    /// A run's output or folder cannot be what it was said to be.
    #[error("{path}: {what}", path = path.display())]
    Output {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and the remedy.
        what: String,
    },
    /// What a run leaves cannot be written; what was there before still is.
    #[error("{path}: cannot be written: {source}", path = path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file is no checkpoint of a training run, or a damaged one.
    #[error("{path}: not a checkpoint of {kind} training: {what}", path = path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// The kind of training that was to go on.
        kind: &'static str,
        /// Why not.
        what: String,
    },
    /// What a run's folder says of how it was begun cannot be read.
    #[error("{path}: not the settings of a run: {what}", path = path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A run cannot go on with something else than what it began with.
    #[error(
        "{path}: that run had another {}, and cannot go on with this",
        what.join(", another ").replace('_', " ")
    )]
    Differs {
        /// The checkpoint.
        path: PathBuf,
        /// What differs: `painting`, `recipe`, `seed`, `photographs`, `loss_network`, ….
        what: Vec<&'static str>,
    },
    /// A warm start from another kind of network than the recipe trains.
    #[error("{name} is a {got}, the recipe trains a {want}")]
    WrongStart {
        /// What was to be begun with.
        name: String,
        /// The recipe's network.
        want: String,
        /// Its network.
        got: String,
    },
    /// The recipe names a network that is not known.
    #[error(transparent)]
    Net(#[from] nets::NetError),
    /// What an optimiser remembers is another's.
    #[error(transparent)]
    State(#[from] crate::optim::StateError),
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

    /// What is wrong with weights, with their file.
    pub(crate) fn weights(path: impl Into<PathBuf>) -> impl FnOnce(weights::WeightsError) -> Self {
        let path = path.into();
        move |source| Self::Weights { path, source: Box::new(source) }
    }

    /// Why a file cannot be written.
    pub(crate) fn unwritable<E: std::error::Error + Send + Sync + 'static>(
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(E) -> Self {
        let path = path.into();
        move |source| Self::Unwritable { path, source: Box::new(source) }
    }

    /// An operating system's error, with the path it is about.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

/// A line each, the first of them if they are many.
fn listed(bad: &[Bad]) -> String {
    const SHOWN: usize = 20;
    let mut text = String::new();
    for Bad { path, why } in bad.iter().take(SHOWN) {
        let _ = write!(text, "\n  {}: {why}", path.display()); // a string takes everything
    }
    if bad.len() > SHOWN {
        let _ = write!(text, "\n  and {} more", bad.len() - SHOWN);
    }
    text
}
