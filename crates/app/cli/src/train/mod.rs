//! `pentimento train`: networks of one's own.

mod classifier;
mod colorizer;
pub(crate) mod flags;
mod folder;
pub(crate) mod live;
mod report;
pub(crate) mod resolve;
mod style;
mod table;
mod told;

use crate::exit::Outcome;

/// Runs one of the commands that train.
pub(crate) fn run(flags: &flags::Train) -> anyhow::Result<Outcome> {
    match flags {
        flags::Train::Classifier(flags) => classifier::run(flags),
        flags::Train::Colorizer(flags) => colorizer::run(flags),
        flags::Train::Style(flags) => style::run(flags),
    }
}
