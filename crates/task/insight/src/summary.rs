//! A network's layers as a table, in the layouts that people know.

use std::fmt::Write;

use graph::{Graph, Shape4, ShapeError, Summary};

/// Whose table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Every column, of this project's own.
    #[default]
    Full,
    /// `model.summary()` of Keras 3.
    Keras,
    /// `torchsummary.summary()`.
    Torchsummary,
}

/// A [`Summary`] and what it takes in memory.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Overview {
    /// The layers.
    #[serde(flatten)]
    pub summary: Summary,
    /// Bytes of the input, as f32.
    pub input_bytes: u64,
    /// Bytes of all layers' outputs, each held once.
    pub output_bytes: u64,
    /// Bytes of all parameters.
    pub parameter_bytes: u64,
    /// For each layer, the names of those it reads.
    pub reads: Vec<Vec<String>>,
    /// For each layer, how many of its parameters' values an optimiser changes.
    pub trainable: Vec<usize>,
}

/// A network's layers for one picture of `[height, width]`. Inputs after the first
/// are taken to be one value a channel.
///
/// # Errors
///
/// If the size does not go with the network.
pub fn overview(graph: &Graph, [height, width]: [usize; 2]) -> Result<Overview, ShapeError> {
    let inputs = graph.input_shapes(1, [height, width]);
    let summary = graph.summary(&inputs)?;
    let bytes = |shape: &Shape4| shape.iter().map(|&n| n as u64).product::<u64>() * 4;
    let rows = summary.rows.iter().filter(|row| row.kind != "input");
    let names = |node: &graph::Node| {
        node.inputs.iter().map(|i| graph.node(*i).name.clone()).collect::<Vec<_>>()
    };
    let learnt = |node: &graph::Node| {
        let params = node.params.iter().map(|&p| &graph.params()[p]);
        params.filter(|p| p.trainable).map(graph::Param::len).sum()
    };
    Ok(Overview {
        trainable: graph.nodes().iter().map(learnt).collect(),
        input_bytes: inputs.iter().map(bytes).sum(),
        output_bytes: rows.map(|row| bytes(&row.shape)).sum(),
        parameter_bytes: summary.params as u64 * 4,
        reads: graph.nodes().iter().map(names).collect(),
        summary,
    })
}

impl Overview {
    /// The table.
    pub fn table(&self, layout: Layout) -> String {
        match layout {
            Layout::Full => format!("{}\n{}", self.summary, self.memory()),
            Layout::Keras => self.keras(),
            Layout::Torchsummary => self.torchsummary(),
        }
    }

    fn memory(&self) -> String {
        let [input, output, parameters] =
            [self.input_bytes, self.output_bytes, self.parameter_bytes].map(mebibytes);
        format!("Memory: input {input} MB, outputs {output} MB, parameters {parameters} MB")
    }

    /// Columns as in Keras 3: `None` for the batch, channels last, and what a layer
    /// reads where that is not the line above.
    fn keras(&self) -> String {
        let rows: Vec<[String; 4]> = (self.summary.rows.iter().zip(&self.reads).enumerate())
            .map(|(index, (row, reads))| {
                let [_, c, h, w] = row.shape;
                let flat = [h, w] == [1, 1] && !matches!(row.kind, "conv" | "max_pool");
                let shape =
                    if flat { format!("(None, {c})") } else { format!("(None, {h}, {w}, {c})") };
                let above = index.checked_sub(1).map(|i| &self.summary.rows[i].layer);
                let ordinary = matches!(&reads[..], [one] if Some(one) == above);
                let reads = if ordinary { String::new() } else { reads.join(", ") };
                [format!("{} ({})", row.layer, row.kind), shape, grouped(row.params), reads]
            })
            .collect();
        let branches = rows.iter().any(|row| !row[3].is_empty());
        let mut out = format!("Model: \"{}\"\n", self.summary.network);
        let columns = if branches { 4 } else { 3 };
        let heads = ["Layer (type)", "Output Shape", "Param #", "Connected to"];
        boxed(&mut out, &heads[..columns], &rows);
        let frozen = self.summary.params - self.summary.trainable;
        for (what, n) in [
            ("Total", self.summary.params),
            ("Trainable", self.summary.trainable),
            ("Non-trainable", frozen),
        ] {
            let bytes = mebibytes(n as u64 * 4);
            let _ = writeln!(out, " {what} params: {} ({bytes} MB)", grouped(n));
        }
        let _ = write!(out, " Multiply-adds: {}", grouped_u64(self.summary.multiply_adds));
        out
    }

    /// Columns and closing lines as in `torchsummary`, for a batch of one. A batch norm's
    /// running statistics are no parameters there.
    fn torchsummary(&self) -> String {
        let line = "-".repeat(80);
        let double = "=".repeat(80);
        let mut out = format!("{line}\n");
        let (layer, shape, params) = ("Layer (type)", "Output Shape", "Param #");
        let _ = writeln!(out, "{layer:>30}  {shape:>25} {params:>15}\n{double}");
        let rows = self.summary.rows.iter().zip(&self.trainable);
        for (row, &params) in rows.filter(|(row, _)| row.kind != "input") {
            let [_, c, h, w] = row.shape;
            let shape = format!("[-1, {c}, {h}, {w}]");
            let name = format!("{} ({})", row.layer, row.kind);
            let _ = writeln!(out, "{name:>30}  {shape:>25} {:>15}", grouped(params));
        }
        let parameters = self.summary.trainable as u64 * 4;
        let total = self.input_bytes + 2 * self.output_bytes + parameters;
        let [input, both_ways, parameters, total] =
            [self.input_bytes, 2 * self.output_bytes, parameters, total].map(mebibytes);
        let _ = write!(
            out,
            "{double}\nTotal params: {0}\nTrainable params: {0}\nNon-trainable params: 0\n\
             Multiply-adds: {1}\n{line}\nInput size (MB): {input}\n\
             Forward/backward pass size (MB): {both_ways}\nParams size (MB): {parameters}\n\
             Estimated Total Size (MB): {total}\n{line}",
            grouped(self.summary.trainable),
            grouped_u64(self.summary.multiply_adds),
        );
        out
    }
}

/// A table with lines around it, numbers to the right.
fn boxed(out: &mut String, heads: &[&str], rows: &[[String; 4]]) {
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(c, head)| {
            let cells = rows.iter().map(|row| row[c].chars().count());
            cells.chain([head.chars().count()]).max().unwrap_or(0) + 2
        })
        .collect();
    let rule = |[left, middle, right]: [&str; 3], stroke: &str| {
        let parts: Vec<String> = widths.iter().map(|&w| stroke.repeat(w)).collect();
        format!("{left}{}{right}\n", parts.join(middle))
    };
    let line = |cells: &[&str], bar: &str| {
        let mut text = String::new();
        for (c, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
            let width = width - 2;
            let cell = if c == 2 { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            let _ = write!(text, "{bar} {cell} ");
        }
        format!("{text}{bar}\n")
    };
    out.push_str(&rule(["┏", "┳", "┓"], "━"));
    out.push_str(&line(heads, "┃"));
    out.push_str(&rule(["┡", "╇", "┩"], "━"));
    for row in rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        out.push_str(&line(&cells[..heads.len()], "│"));
    }
    out.push_str(&rule(["└", "┴", "┘"], "─"));
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / f64::from(1 << 20))
}

pub(crate) fn grouped(n: usize) -> String {
    grouped_u64(n as u64)
}

/// `1676675` as `1,676,675`.
fn grouped_u64(n: u64) -> String {
    let digits = n.to_string();
    let parts: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8_lossy(&parts.join(&b","[..])).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(layout: Layout) -> String {
        let vgg = nets::by_name("vgg", "").unwrap().graph;
        overview(&vgg, [224, 224]).unwrap().table(layout)
    }

    /// The numbers that `torchsummary.summary(vgg16().features, (3, 224, 224))` prints.
    #[test]
    fn torchsummarys_numbers() {
        let table = table(Layout::Torchsummary);
        for line in [
            "Total params: 14,714,688",
            "Input size (MB): 0.57",
            "Forward/backward pass size (MB): 218.39",
            "Params size (MB): 56.13",
            "Estimated Total Size (MB): 275.10",
        ] {
            assert!(table.contains(line), "{line} is not in\n{table}");
        }
        assert!(table.contains("conv1_1 (conv)         [-1, 64, 224, 224]           1,792"));
    }

    /// As for `resnet18()`.
    #[test]
    fn torchsummary_counts_no_running_statistics() {
        let (name, config) = nets::known_as("resnet18").unwrap();
        let resnet = nets::by_name(name, config).unwrap().graph;
        let table = overview(&resnet, [224, 224]).unwrap().table(Layout::Torchsummary);
        assert!(table.contains("Total params: 11,689,512\n"), "{table}");
        assert!(table.contains("Params size (MB): 44.59\n"), "{table}");
        assert!(table.contains("bn1 (batch_norm)         [-1, 64, 112, 112]             128"));
    }

    /// As `keras.applications.VGG16(include_top=False).summary()`, which has the
    /// rectifiers inside the convolutions.
    #[test]
    fn kerass_numbers() {
        let table = table(Layout::Keras);
        assert!(
            table.contains("│ conv1_1 (conv)   │ (None, 224, 224, 64)  │     1,792 │"),
            "{table}"
        );
        assert!(table.contains(" Total params: 14,714,688 (56.13 MB)"));
        assert!(table.contains(" Non-trainable params: 0 (0.00 MB)"));
    }

    #[test]
    fn branches_say_what_they_read() {
        let net = nets::by_name("transformer_net", "").unwrap().graph;
        let overview = overview(&net, [64, 64]).unwrap();
        assert!(overview.table(Layout::Keras).contains("Connected to"));
        assert!(serde_json::to_string(&overview).unwrap().contains("\"output_bytes\":"));
    }
}
