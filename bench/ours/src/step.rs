//! Steps of training, as `bench/peers` takes them. At the best level only.

use anyhow::{Result, bail};

use crate::engine::timed;
use crate::{classifier, colour, style};

/// A training that can take one step after another, always of the same photographs.
pub(crate) trait Step: Send {
    fn take(&mut self) -> Result<()>;

    /// The numbers to hold against the peers', of the first step if asked first.
    fn check(&mut self) -> Result<String>;
}

/// Makes the training of a case, before its first step.
pub(crate) type Make = fn() -> Result<Box<dyn Step>>;

const CASES: [(&str, Make); 4] = [
    ("style-step", style::training),
    ("classifier-step", classifier::training),
    ("colour-full-step", colour::training),
    ("colour-alpha-step", colour::alpha),
];

/// The training that a case means.
pub(crate) fn of_case(case: &str) -> Option<Make> {
    CASES.iter().find(|(name, _)| *name == case).map(|(_, make)| *make)
}

/// `run`: milliseconds of a step. `check`: its numbers.
pub(crate) fn answer(step: &mut dyn Step, what: &str) -> Result<String> {
    match what {
        "run" => {
            let mut last = Ok(());
            let time = timed(|| last = step.take());
            last?;
            Ok(time)
        }
        "check" => step.check(),
        other => bail!("{other:?} is neither run nor check"),
    }
}
