//! `pentimento weights`: looking into files of weights and turning them into others.

use std::io::{self, Write};
use std::path::Path;

use pentimento::nets::{self, Net};
use pentimento::pipeline::{PipelineError, recognise};
use pentimento::weights::{
    Conversion, Inspection, Limits, NetworkCard, Precision, WeightsError, convert, inspect,
};

use crate::exit::Outcome;
use crate::flags::{self, Dtype};
use crate::pull;

/// Runs one of the commands on weights.
pub(crate) fn run(flags: &flags::Weights) -> anyhow::Result<Outcome> {
    match flags {
        flags::Weights::Inspect(flags) => show(flags)?,
        flags::Weights::Convert(flags) => rewrite(flags)?,
        flags::Weights::Pull(flags) => return pull::run(flags),
    }
    Ok(Outcome::Done)
}

fn show(flags: &flags::Inspect) -> anyhow::Result<()> {
    let inspection = look(&flags.file)?;
    let mut out = io::stdout().lock();
    if flags.json {
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&inspection)?)?);
    }
    if let Some(card) = recognise(&inspection) {
        writeln!(out, "network     {} {}", card.network, card.config)?;
    }
    Ok(write!(out, "{inspection}")?)
}

fn rewrite(flags: &flags::Convert) -> anyhow::Result<()> {
    let precision = match flags.dtype {
        Dtype::F32 => Precision::F32,
        Dtype::F16 => Precision::F16,
    };
    let known = look(&flags.input)?;
    let (card, net) = network(flags.network, &known)?;
    let how = Conversion {
        precision,
        card,
        side: net.as_ref().and_then(|net| net.classifier).map(|classifier| classifier.size),
        network: net.map(|net| net.graph),
        notes: flags.notes.iter().cloned().collect(),
        ..Conversion::default()
    };
    let written = convert(&flags.input, &flags.output, &how).map_err(|e| match e {
        // Of the two files, only writing the output can still be refused by the system.
        WeightsError::Io(source) => {
            PipelineError::Unwritable { path: flags.output.clone(), source }
        }
        source => PipelineError::Weights { path: flags.input.clone(), source },
    })?;
    let (tensors, bytes) = (written.tensors.len(), written.bytes);
    let line = format!("{}: {tensors} tensors, {bytes} bytes", flags.output.display());
    crate::progress::say(&line);
    Ok(())
}

/// The card that a converted file needs and does not have, and the network that its tensors
/// are of, if it is known.
fn network(
    named: Option<flags::Network>,
    known: &Inspection,
) -> anyhow::Result<(Option<NetworkCard>, Option<Net>)> {
    if let Some((name, config)) = named {
        let net = nets::by_name(name, config)?;
        let mut card = NetworkCard::new(name, net.input, net.output.unwrap_or(net.input));
        card.config = serde_json::from_str(config)?;
        return Ok((Some(card), Some(net)));
    }
    let net = |card: &NetworkCard| nets::by_name(&card.network, &card.config.to_string()).ok();
    if let Ok(card) = NetworkCard::from_metadata(&known.metadata) {
        return Ok((None, net(&card)));
    }
    let card = recognise(known);
    let network = card.as_ref().and_then(net);
    Ok((card, network))
}

fn look(path: &Path) -> anyhow::Result<Inspection> {
    let wrong = |source| PipelineError::Weights { path: path.to_owned(), source };
    Ok(inspect(path, &Limits::default()).map_err(wrong)?)
}
