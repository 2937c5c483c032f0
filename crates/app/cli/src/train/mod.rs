//! `pentimento train`: networks of one's own.

pub(crate) mod flags;
mod folder;
pub(crate) mod live;
mod report;
pub(crate) mod resolve;
mod style;
mod table;

use crate::exit::Outcome;

/// Runs one of the commands that train.
pub(crate) fn run(flags: &flags::Train) -> anyhow::Result<Outcome> {
    match flags {
        flags::Train::Style(flags) => style::run(flags),
    }
}
