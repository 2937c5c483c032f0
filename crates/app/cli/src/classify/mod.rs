//! `pentimento classify`.

pub(crate) mod flags;

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pentimento::cpu::Threads;
use pentimento::imaging::{self, decode_file};
use pentimento::insight::classify::{Guess, Judge};
use pentimento::nets::{self, Classifier};

use crate::exit::{Outcome, Refused};
use crate::open::{Opened, open};
use crate::progress::say;
use flags::Classify;

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
    check_name(&flags.model)?;
    let opened = open(&flags.model, flags.weights.as_deref(), &flags.feeding)?;
    let classifier = classifier(&opened, &flags.model)?;
    let Opened { net, weights, classes, .. } = opened;
    let threads = Threads::new(flags.threads.map(Into::into))?;
    threads.run(|| {
        let judge = Judge::new((&net.graph, &weights), net.input, classifier)?;
        judged(flags, net.graph.name(), &mut judge.with_names(classes))
    })
}

/// What the network tells apart.
fn classifier(opened: &Opened, model: &OsStr) -> Result<Classifier, Refused> {
    let (name, model) = (opened.net.graph.name(), model.to_string_lossy());
    match (opened.net.classifier, opened.size) {
        (Some(_), Some([height, width])) if height != width => Err(Refused::Weights(format!(
            "{model}: it wants pictures of {height}×{width}, no square"
        ))),
        (Some(classifier), _) => Ok(classifier),
        (None, _) => Err(Refused::Weights(format!("{model}: {name} is no classifier"))),
    }
}

/// Refuses the name of a network that is none, before its weights are looked for.
fn check_name(model: &OsStr) -> anyhow::Result<()> {
    let name = model.to_string_lossy();
    let Some((network, config)) = nets::known_as(&name) else { return Ok(()) };
    if nets::by_name(network, config)?.classifier.is_some() {
        return Ok(());
    }
    let known = classifiers().join(", ");
    Err(Refused::Usage(format!("{name} is no classifier; these are: {known}")).into())
}

/// The names of all networks that classify.
fn classifiers() -> Vec<&'static str> {
    let mut names = nets::known_names();
    names.retain(|name| {
        let net = nets::known_as(name).and_then(|(name, config)| nets::by_name(name, config).ok());
        net.is_some_and(|net| net.classifier.is_some())
    });
    names
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
