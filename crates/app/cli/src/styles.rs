//! `pentimento styles`.

use std::io::{self, Write};

use pentimento::pipeline::{Shipped, shipped};

use crate::flags;

#[derive(serde::Serialize)]
struct Line {
    name: &'static str,
    title: String,
    painting: String,
    licence: String,
    network: String,
    bytes: usize,
}

/// Lists the styles that ship.
pub(crate) fn run(flags: &flags::Styles) -> anyhow::Result<()> {
    let lines = shipped().map(line).collect::<Result<Vec<Line>, _>>()?;
    let mut out = io::stdout().lock();
    if flags.json {
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&lines)?)?);
    }
    let width = lines.iter().map(|l| l.name.len()).max().unwrap_or(0);
    for Line { name, painting, licence, .. } in &lines {
        writeln!(out, "{name:width$}  {painting}  [{licence}]")?;
    }
    Ok(())
}

fn line(style: Shipped) -> anyhow::Result<Line> {
    let card = style.card()?;
    let note = |key: &str| card.notes.get(key).cloned().unwrap_or_default();
    Ok(Line {
        name: style.name,
        title: note("title"),
        painting: note("painting"),
        licence: note("licence"),
        bytes: style.bytes.len(),
        network: card.network,
    })
}
