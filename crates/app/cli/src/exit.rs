//! Exit statuses, as `--help` lists them.

use std::fmt;
use std::io;
use std::process::ExitCode;

use pentimento::insight::InsightError;
use pentimento::pipeline::PipelineError;
use pentimento::pipeline::pull::PullError;
use pentimento::train::TrainError;
use studio::StudioError;

/// What a run that could be carried out ended as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything is done.
    Done,
    /// Something is wrong with some of the pictures.
    SomeFailed,
    /// Stopped by a signal.
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::SomeFailed => 1,
            Outcome::Interrupted => INTERRUPTED,
        })
    }
}

/// Weights that have a name, and were not fetched yet.
#[derive(Debug)]
pub(crate) struct NotPulled(pub(crate) &'static str);

impl std::error::Error for NotPulled {}

impl fmt::Display for NotPulled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        write!(f, "{name} is not here: `pentimento weights pull {name}` fetches it")
    }
}

/// What cannot be carried out, in words, by whose fault it is.
#[derive(Debug)]
pub(crate) enum Refused {
    /// What was typed.
    Usage(String),
    /// No picture among what was named.
    NoPictures(String),
    /// The weights.
    Weights(String),
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(what) | Self::NoPictures(what) | Self::Weights(what)) = self;
        f.write_str(what)
    }
}

const OTHER: u8 = 1;
const USAGE: u8 = 2;
const NO_PICTURES: u8 = 3;
const WEIGHTS: u8 = 4;
const OUTPUT: u8 = 5;
pub(crate) const INTERRUPTED: u8 = 130;

/// The status for a run that could not be carried out.
pub(crate) fn status(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let known = of_cause(error, of_pull)
        .or_else(|| of_cause(error, of_training))
        .or_else(|| of_cause(error, of_studio))
        .or_else(|| of_cause(error, of_refused))
        .or_else(|| of_cause(error, of_insight))
        .or_else(|| of_cause(error, |_: &NotPulled| WEIGHTS))
        .or_else(|| of_cause(error, of_pipeline).flatten());
    let other = || if io_kinds(error).next().is_some() { OUTPUT } else { OTHER };
    ExitCode::from(known.unwrap_or_else(other))
}

/// What `status` says of the first cause of its kind, if there is one.
fn of_cause<E, S>(error: &anyhow::Error, status: impl Fn(&E) -> S) -> Option<S>
where
    E: std::error::Error + 'static,
{
    error.chain().find_map(|cause| cause.downcast_ref()).map(status)
}

fn of_refused(error: &Refused) -> u8 {
    match error {
        Refused::Usage(_) => USAGE,
        Refused::NoPictures(_) => NO_PICTURES,
        Refused::Weights(_) => WEIGHTS,
    }
}

/// None where it depends on the cause.
fn of_pipeline(error: &PipelineError) -> Option<u8> {
    Some(match error {
        PipelineError::Option { .. }
        | PipelineError::Output { .. }
        | PipelineError::Hint { .. }
        | PipelineError::Shape(_) => USAGE,
        PipelineError::NoPictures { .. } => NO_PICTURES,
        PipelineError::UnknownStyle { .. }
        | PipelineError::Weights { .. }
        | PipelineError::NotAStyle { .. }
        | PipelineError::NotAColorizer { .. }
        | PipelineError::NoColorizer
        | PipelineError::UnknownColorizer { .. } => WEIGHTS,
        PipelineError::Unwritable { .. } => OUTPUT,
        _ => return None,
    })
}

fn of_pull(error: &PullError) -> u8 {
    match error {
        PullError::Unknown { .. } => USAGE,
        PullError::Size { .. } | PullError::Hash { .. } => WEIGHTS,
        PullError::NoCache | PullError::Busy { .. } | PullError::Io { .. } => OUTPUT,
        _ => OTHER,
    }
}

fn of_studio(error: &StudioError) -> u8 {
    match error {
        StudioError::NoToken { .. } | StudioError::Token | StudioError::Folder { .. } => USAGE,
        _ => OTHER,
    }
}

fn of_insight(error: &InsightError) -> u8 {
    match error {
        InsightError::Picture { .. } => NO_PICTURES,
        InsightError::UnknownNetwork { .. }
        | InsightError::NoWeights { .. }
        | InsightError::Bind(_) => WEIGHTS,
        InsightError::Engine(_) => OTHER,
        _ => USAGE,
    }
}

fn of_training(error: &TrainError) -> u8 {
    match error {
        TrainError::Option { .. }
        | TrainError::Output { .. }
        | TrainError::NoTap { .. }
        | TrainError::NothingToLearn
        | TrainError::WrongStart { .. }
        | TrainError::Frozen { .. }
        | TrainError::Net(_)
        | TrainError::Engine(_) => USAGE,
        TrainError::NoPictures { .. }
        | TrainError::AllBad { .. }
        | TrainError::EmptyClass { .. }
        | TrainError::LostClass { .. }
        | TrainError::Unreadable { .. }
        | TrainError::OneClass { .. }
        | TrainError::OtherClasses { .. }
        | TrainError::Picture { .. } => NO_PICTURES,
        TrainError::Weights { .. }
        | TrainError::NoHeads { .. }
        | TrainError::Bind(_)
        | TrainError::Checkpoint { .. }
        | TrainError::Settings { .. }
        | TrainError::Differs { .. }
        | TrainError::State(_) => WEIGHTS,
        TrainError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => NO_PICTURES,
        TrainError::Io { .. } | TrainError::Unwritable { .. } => OUTPUT,
        _ => OTHER,
    }
}

/// An error and its causes, but for those that are named already.
pub(crate) fn in_words(error: &anyhow::Error) -> String {
    let mut words = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words
}

/// Whether all that happened is that nobody reads on, as with `| head`.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    io_kinds(error).any(|kind| kind == io::ErrorKind::BrokenPipe)
}

fn io_kinds(error: &anyhow::Error) -> impl Iterator<Item = io::ErrorKind> {
    error.chain().filter_map(|e| e.downcast_ref::<io::Error>()).map(io::Error::kind)
}
