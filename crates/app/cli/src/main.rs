//! The command `pentimento`.
//!
//! In three steps: `flags` says what can be typed; each command turns its flags
//! into a job with every check made; then the job runs. Only here do errors
//! become exit statuses.

mod allocator;
mod batch;
mod classify;
mod colorize;
mod docs;
mod evaluate;
mod exit;
mod flags;
mod inspect;
mod interrupt;
mod open;
mod optimize;
mod progress;
mod pull;
mod quantity;
mod studio;
mod styles;
mod stylize;
mod train;
mod weights;

use std::process::ExitCode;

use clap::Parser;

use exit::Outcome;
use flags::{Command, Flags};

fn main() -> ExitCode {
    match run(&Flags::parse().command) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            if !exit::is_broken_pipe(&error) {
                progress::say(&exit::in_words(&error));
            }
            exit::status(&error)
        }
    }
}

fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Stylize(flags) => return stylize::run(flags),
        Command::Colorize(flags) => return colorize::run(flags),
        Command::Evaluate(flags) => return evaluate::run(flags),
        Command::Classify(flags) => return classify::run(flags),
        Command::Weights(flags) => return weights::run(flags),
        Command::Train(flags) => return train::run(flags),
        Command::Optimize(flags) => return optimize::run(flags),
        Command::Studio(flags) => return studio::run(flags),
        Command::Styles(flags) => styles::run(flags)?,
        Command::Inspect(flags) => return inspect::run(flags),
        Command::Summary(flags) => inspect::summary(flags)?,
        Command::Completions(flags) => docs::completions(flags)?,
        Command::Man(flags) => docs::man(flags)?,
    }
    Ok(Outcome::Done)
}
