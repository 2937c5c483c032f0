//! `pentimento train`: networks of one's own.

mod classifier;
mod colorizer;
mod course;
pub(crate) mod flags;
pub(crate) mod live;
mod previews;
mod recipe;
pub(crate) mod style;

use crate::exit::Outcome;

/// Runs one of the commands that train.
pub(crate) fn run(flags: &flags::Train) -> anyhow::Result<Outcome> {
    match flags {
        flags::Train::Classifier(flags) => classifier::run(flags),
        flags::Train::Colorizer(flags) => colorizer::run(flags),
        flags::Train::Style(flags) => style::run(flags),
    }
}
