//! `pentimento summary`.

use std::io::{self, Write};

use pentimento::graph::Graph;
use pentimento::nets;
use pentimento::pipeline::{PipelineError, Style};

use crate::flags;

/// Prints a network's layers.
pub(crate) fn run(flags: &flags::Summary) -> anyhow::Result<()> {
    let graph = graph(flags)?;
    let [height, width] = flags.size;
    let summary = graph.summary(&[[1, 3, height, width]]).map_err(PipelineError::from)?;
    let text =
        if flags.json { serde_json::to_string_pretty(&summary)? } else { summary.to_string() };
    Ok(writeln!(io::stdout(), "{text}")?)
}

fn graph(flags: &flags::Summary) -> anyhow::Result<Graph> {
    match flags.network.to_str() {
        Some(name) if nets::NAMES.contains(&name) => Ok(nets::by_name(name, "")?.graph),
        _ => Ok(Style::open(&flags.network)?.graph().clone()),
    }
}
