//! `pentimento classify`.

pub(crate) mod flags;
mod model;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pentimento::cpu::Threads;
use pentimento::imaging::{self, decode_file};
use pentimento::insight::classify::{Guess, Judge};

use crate::exit::{Outcome, Refused};
use crate::progress::say;
use flags::Classify;
use model::Model;

/// What is told of one picture.
#[derive(Debug, serde::Serialize)]
struct Report<'a> {
    picture: &'a Path,
    network: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<Vec<Guess>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Says what pictures show.
pub(crate) fn run(flags: &Classify) -> anyhow::Result<Outcome> {
    let Model { net, weights, classes } = model::open(&flags.model, flags.weights.as_deref())?;
    let classifier = net.classifier.ok_or_else(|| Refused::Usage("no classifier".to_owned()))?;
    let threads = Threads::new(flags.threads.map(Into::into))?;
    threads.run(|| {
        let judge = Judge::new((&net.graph, &weights), net.input, classifier)?;
        judged(flags, net.graph.name(), &mut judge.with_names(classes))
    })
}

fn judged(flags: &Classify, network: &str, judge: &mut Judge) -> anyhow::Result<Outcome> {
    let mut out = io::stdout().lock();
    let mut reports = vec![];
    for picture in &flags.pictures {
        let report = judge_one(flags, picture, network, judge);
        match (&report.top, &report.error) {
            (_, Some(error)) => say(&format!("{}: {error}", picture.display())),
            (Some(top), None) if !flags.json => {
                if flags.pictures.len() > 1 {
                    writeln!(out, "{}", picture.display())?;
                }
                top.iter().try_for_each(|guess| writeln!(out, "{}", line(guess)))?;
            }
            _ => {}
        }
        reports.push(report);
    }
    if flags.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&reports)?)?;
    }
    match reports.iter().filter(|r| r.error.is_some()).count() {
        0 => Ok(Outcome::Done),
        failed if failed < reports.len() => Ok(Outcome::SomeFailed),
        _ => Err(Refused::NoPictures("no picture can be read".to_owned()).into()),
    }
}

fn judge_one<'a>(
    flags: &Classify,
    picture: &'a PathBuf,
    network: &'a str,
    judge: &mut Judge,
) -> Report<'a> {
    let mut limits = imaging::Limits::default();
    if let Some(pixels) = flags.max_pixels {
        limits.pixels = pixels;
    }
    let (top, error) = match decode_file(picture, &limits) {
        Ok(decoded) => (Some(judge.guesses(&decoded, flags.top.into())), None),
        Err(error) => (None, Some(crate::exit::in_words(&error.into()))),
    };
    Report { picture, network, top, error }
}

/// `n02504458  African_elephant  0.9094`, or without an id where there is none.
fn line(Guess { wordnet, name, probability, .. }: &Guess) -> String {
    match wordnet {
        Some(id) => format!("{id}  {name:<24}  {probability:.4}"),
        None => format!("{name:<24}  {probability:.4}"),
    }
}
