//! `pentimento summary`.

use std::io::{self, Write};

use pentimento::graph::Graph;
use pentimento::nets;
use pentimento::pipeline::{PipelineError, Style};

use crate::flags;

/// The side of a picture for a network that goes with any.
const USUAL: usize = 256;

/// Prints a network's layers.
pub(crate) fn run(flags: &flags::Summary) -> anyhow::Result<()> {
    let (graph, own) = graph(flags)?;
    let size = flags.size.unwrap_or([own.unwrap_or(USUAL); 2]);
    let inputs = graph.input_shapes(1, size);
    let summary = graph.summary(&inputs).map_err(PipelineError::from)?;
    let text =
        if flags.json { serde_json::to_string_pretty(&summary)? } else { summary.to_string() };
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// The network, and the side of its pictures if it has one of its own.
fn graph(flags: &flags::Summary) -> anyhow::Result<(Graph, Option<usize>)> {
    match flags.network.to_str().and_then(nets::known_as) {
        Some((name, config)) => {
            let net = nets::by_name(name, config)?;
            Ok((net.graph, net.classifier.map(|c| c.size)))
        }
        None => Ok((Style::open(&flags.network)?.graph().clone(), None)),
    }
}
