//! `pentimento weights`: looking into files of weights and turning them into others.

use std::io::{self, Write};
use std::path::Path;

use pentimento::pipeline::{PipelineError, recognise};
use pentimento::weights::{
    Conversion, Inspection, Limits, Precision, WeightsError, convert, inspect,
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
    let has_card = known.metadata.contains_key("pentimento.network");
    let card = if has_card { None } else { recognise(&known) };
    let notes = flags.notes.iter().cloned().collect();
    let how = Conversion { precision, card, notes, ..Conversion::default() };
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

fn look(path: &Path) -> anyhow::Result<Inspection> {
    let wrong = |source| PipelineError::Weights { path: path.to_owned(), source };
    Ok(inspect(path, &Limits::default()).map_err(wrong)?)
}
