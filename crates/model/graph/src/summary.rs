use std::fmt;

use crate::{Graph, Node, Op, Shape4, ShapeError};

/// One line of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The node's name.
    pub layer: String,
    /// The kind of operation.
    pub kind: &'static str,
    /// `[N, C, H, W]` of its output.
    pub shape: Shape4,
    /// Values in its parameters.
    pub params: usize,
    /// Multiply-adds for the whole batch, counted directly (no fast algorithm).
    pub multiply_adds: u64,
}

/// A network's layers at one input size. Printed, it is a table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// The network's name.
    pub network: String,
    /// A line per node.
    pub rows: Vec<Row>,
    /// Values in all parameters.
    pub params: usize,
    /// Of those, what an optimiser changes.
    pub trainable: usize,
    /// Multiply-adds of all nodes.
    pub multiply_adds: u64,
}

impl Graph {
    /// The layers with their shapes, parameters and work for these inputs.
    ///
    /// # Errors
    ///
    /// As [`Graph::shapes`].
    pub fn summary(&self, inputs: &[Shape4]) -> Result<Summary, ShapeError> {
        let shapes = self.shapes(inputs)?;
        let rows: Vec<Row> = self
            .nodes
            .iter()
            .zip(&shapes)
            .map(|(node, &shape)| Row {
                layer: node.name.clone(),
                kind: node.op.kind(),
                shape,
                params: node.params.iter().map(|&p| self.params[p].len()).sum(),
                multiply_adds: self.multiply_adds(node, shape, &shapes),
            })
            .collect();
        Ok(Summary {
            network: self.name.clone(),
            params: self.param_count(),
            trainable: self.params.iter().filter(|p| p.trainable).map(crate::Param::len).sum(),
            multiply_adds: rows.iter().map(|r| r.multiply_adds).sum(),
            rows,
        })
    }

    fn multiply_adds(&self, node: &Node, shape: Shape4, shapes: &[Shape4]) -> u64 {
        let pixels = |s: Shape4| (s[0] * s[2] * s[3]) as u64;
        let weight = || self.params[node.params[0]].len() as u64;
        match node.op {
            Op::Conv(_) | Op::Linear { .. } => pixels(shape) * weight(),
            Op::ConvTranspose(_) => pixels(shapes[node.inputs[0].0]) * weight(),
            _ => 0,
        }
    }
}

impl Op {
    /// A short name for the kind of operation.
    pub fn kind(&self) -> &'static str {
        use crate::{Activation as A, PoolKind};
        match self {
            Self::Input { .. } => "input",
            Self::Conv(_) => "conv",
            Self::ConvTranspose(_) => "conv_transpose",
            Self::Linear { .. } => "linear",
            Self::InstanceNorm { .. } => "instance_norm",
            Self::BatchNorm { .. } => "batch_norm",
            Self::Activation(A::Relu) => "relu",
            Self::Activation(A::Relu6) => "relu6",
            Self::Activation(A::LeakyRelu(_)) => "leaky_relu",
            Self::Activation(A::Tanh) => "tanh",
            Self::Activation(A::Sigmoid) => "sigmoid",
            Self::Activation(A::Silu) => "silu",
            Self::Softmax => "softmax",
            Self::Pool(p) if p.kind == PoolKind::Max => "max_pool",
            Self::Pool(_) => "avg_pool",
            Self::AdaptiveAvgPool { .. } => "adaptive_avg_pool",
            Self::Resize { .. } => "resize",
            Self::Pad { .. } => "pad",
            Self::Crop { .. } => "crop",
            Self::Add => "add",
            Self::Mul => "mul",
            Self::Scale { .. } => "scale",
            Self::Concat => "concat",
            Self::BroadcastSpace => "broadcast_space",
            Self::Flatten => "flatten",
            Self::Dropout { .. } => "dropout",
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|r| r.layer.len()).max().unwrap_or(0).max(5);
        let header = ["Layer", "Kind", "Output shape", "Parameters", "Multiply-adds"];
        let [layer, kind, shape, params, macs] = header;
        writeln!(f, "{}", self.network)?;
        writeln!(f, "{layer:width$}  {kind:17}  {shape:20}  {params:>12}  {macs:>15}")?;
        for Row { layer, kind, shape, params, multiply_adds } in &self.rows {
            let shape = format!("{shape:?}");
            let (params, macs) = (grouped(*params as u64), grouped(*multiply_adds));
            writeln!(f, "{layer:width$}  {kind:17}  {shape:20}  {params:>12}  {macs:>15}")?;
        }
        writeln!(f, "Parameters: {}", grouped(self.params as u64))?;
        writeln!(f, "Trainable: {}", grouped(self.trainable as u64))?;
        write!(f, "Multiply-adds: {}", grouped(self.multiply_adds))
    }
}

/// `1676675` as `1,676,675`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Conv, ConvTranspose, TransposePadding};

    #[test]
    fn counts_parameters_and_work() {
        let mut g = Builder::new("tiny");
        let x = g.input("x", 3);
        let x = g.conv("c", x, Conv::new(4, 3));
        let pad = TransposePadding::Torch { padding: 0, output: 0 };
        let t = ConvTranspose { out: 2, kernel: 2, stride: 2, pad, bias: false };
        let x = g.conv_transpose("t", x, t);
        let s = g.finish(x).summary(&[[1, 3, 6, 7]]).unwrap();
        assert_eq!(s.rows[1].multiply_adds, 4 * 3 * 9 * 4 * 5);
        assert_eq!(s.rows[2].multiply_adds, 4 * 2 * 4 * 4 * 5);
        assert_eq!(s.params, 4 * 27 + 4 + 4 * 2 * 4);
        assert!(s.to_string().contains("[1, 2, 8, 10]"));
        assert_eq!(grouped(1_676_675), "1,676,675");
    }
}
