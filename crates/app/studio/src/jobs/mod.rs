//! Work that waits, runs, can be looked at and cancelled.

mod colorize;
mod desk;
mod gallery;
mod inspect;
mod order;
mod queue;
mod stylize;
mod view;
mod worker;

pub(crate) use order::{Order, fields, object};
pub(crate) use queue::{Job, Jobs, Presence};
pub(crate) use view::View;
pub(crate) use worker::start;
