//! `inspect summary` and `inspect graph`.

use std::ffi::OsStr;
use std::io::{self, Write};

use pentimento::insight::{self, InsightError, Layout, diagram};
use pentimento::nets::Net;

use super::{flags, write, write_bytes};
use crate::open;
use crate::progress::say;

/// What networks without a size of their own are shown at.
const SIZE: [usize; 2] = [256; 2];

/// Prints a network's layers.
pub(crate) fn summary(flags: &flags::Summary) -> anyhow::Result<()> {
    let net = network(&flags.network)?;
    let overview = insight::overview(&net.graph, size(&net, flags.size));
    let overview = overview.map_err(InsightError::from)?;
    let text = if flags.json {
        serde_json::to_string_pretty(&overview)?
    } else {
        overview.table(match flags.layout {
            flags::Layout::Full => Layout::Full,
            flags::Layout::Keras => Layout::Keras,
            flags::Layout::Torchsummary => Layout::Torchsummary,
        })
    };
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// The network, and a word on another that goes by its name.
fn network(wanted: &OsStr) -> anyhow::Result<Net> {
    let net = open::net(wanted)?;
    if let Some(other) = open::namesake(wanted)? {
        let name = wanted.to_string_lossy();
        say(&format!(
            "these are the tutorial's layers of {name}, which ships without weights; the trained \
             {name} that ships has those of {other}: pentimento inspect summary {other}"
        ));
    }
    Ok(net)
}

fn size(net: &Net, wanted: Option<[usize; 2]>) -> [usize; 2] {
    wanted.or_else(|| net.classifier.map(|c| [c.size; 2])).unwrap_or(SIZE)
}

/// Draws a network.
pub(super) fn diagram(flags: &flags::Diagram) -> anyhow::Result<()> {
    let net = network(&flags.network)?;
    let inputs = net.graph.input_shapes(1, size(&net, flags.size));
    let diagram = diagram::diagram(&net.graph, &inputs).map_err(InsightError::from)?;
    let ending = flags.output.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match ending.as_str() {
        "svg" => write_bytes(diagram.scene().svg().as_bytes(), &flags.output),
        "dot" | "gv" => write_bytes(diagram.dot().as_bytes(), &flags.output),
        _ => write(&diagram.scene().picture(), &flags.output),
    }
}
