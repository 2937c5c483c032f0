//! A network drawn: one box a layer from top to bottom, lines for what is read.

mod draw;

use std::fmt::Write;

use graph::{Graph, NodeId, Op, Shape4, ShapeError};

pub use draw::Scene;

/// The boxes of a network. What follows a layer alone and only changes its values one
/// by one (a norm, an activation) stands in the same box.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagram {
    /// The network's name.
    pub network: String,
    /// From first to last.
    pub boxes: Vec<LayerBox>,
}

/// One or more layers that are drawn as one.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerBox {
    /// The first layer's name.
    pub name: String,
    /// What it does: `conv 3×3 + batch_norm + relu`.
    pub what: String,
    /// The first layer's kind, which decides the colour.
    pub kind: &'static str,
    /// `[N, C, H, W]` of what comes out.
    pub shape: Shape4,
    /// Values in its parameters.
    pub params: usize,
    /// Places in [`Diagram::boxes`] of those it reads.
    pub reads: Vec<usize>,
}

/// The diagram of a network at inputs of these shapes.
///
/// # Errors
///
/// If they do not go with the network.
pub fn diagram(graph: &Graph, inputs: &[Shape4]) -> Result<Diagram, ShapeError> {
    let shapes = graph.shapes(inputs)?;
    let mut readers = vec![0; graph.nodes().len()];
    graph.nodes().iter().flat_map(|n| &n.inputs).for_each(|i| readers[i.index()] += 1);
    let mut boxes: Vec<LayerBox> = vec![];
    let mut place = vec![0; graph.nodes().len()];
    for id in graph.ids() {
        let node = graph.node(id);
        let params: usize = node.params.iter().map(|&p| graph.params()[p].len()).sum();
        let joined = match node.inputs[..] {
            [one] if readers[one.index()] == 1 && joins(&node.op) => Some(place[one.index()]),
            _ => None,
        };
        if let Some(at) = joined {
            let into = &mut boxes[at];
            let _ = write!(into.what, " + {}", node.op.kind()); // to a string: cannot fail
            into.params += params;
            place[id.index()] = at;
            continue;
        }
        place[id.index()] = boxes.len();
        boxes.push(LayerBox {
            name: node.name.clone(),
            what: words(&node.op),
            kind: node.op.kind(),
            shape: shapes[id.index()],
            params,
            reads: node.inputs.iter().map(|i: &NodeId| place[i.index()]).collect(),
        });
    }
    Ok(Diagram { network: graph.name().to_owned(), boxes })
}

/// Whether an operation changes values one by one and keeps the shape.
fn joins(op: &Op) -> bool {
    matches!(
        op,
        Op::Activation(_)
            | Op::BatchNorm { .. }
            | Op::InstanceNorm { .. }
            | Op::Scale { .. }
            | Op::Dropout { .. }
            | Op::Softmax
    )
}

fn words(op: &Op) -> String {
    let kind = op.kind();
    let stride = |n: usize| if n > 1 { format!(" /{n}") } else { String::new() };
    match op {
        Op::Conv(c) => {
            let groups =
                if c.groups > 1 { format!(", {} groups", c.groups) } else { String::new() };
            format!("{kind} {}×{}{}{groups}", c.kernel[0], c.kernel[1], stride(c.stride))
        }
        Op::ConvTranspose(t) => format!("{kind} {0}×{0} ×{1}", t.kernel, t.stride),
        Op::Pool(p) => format!("{kind} {0}×{0}{1}", p.kernel, stride(p.stride)),
        Op::Resize { factor, .. } => format!("{kind} ×{factor}"),
        _ => kind.to_owned(),
    }
}

impl LayerBox {
    /// Channels, height and width, or the number of features.
    fn size(&self) -> String {
        match self.shape {
            [_, c, 1, 1] => format!("{c}"),
            [_, c, h, w] => format!("{c} × {h} × {w}"),
        }
    }
}

impl Diagram {
    /// In the language of Graphviz.
    pub fn dot(&self) -> String {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut out = format!("digraph \"{}\" {{\n", quoted(&self.network));
        out.push_str("  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n");
        for (index, layer) in self.boxes.iter().enumerate() {
            let [r, g, b] = draw::colour(layer.kind);
            let label = [&layer.name, &layer.what, &layer.size()].map(|t| quoted(t)).join("\\n");
            let _ = writeln!(
                out,
                "  n{index} [label=\"{label}\", fillcolor=\"#{r:02x}{g:02x}{b:02x}\"];"
            );
        }
        for (index, layer) in self.boxes.iter().enumerate() {
            for from in &layer.reads {
                let _ = writeln!(out, "  n{from} -> n{index};");
            }
        }
        out.push_str("}\n");
        out
    }

    /// Laid out, to be written as SVG or drawn as a picture.
    pub fn scene(&self) -> Scene {
        Scene::of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residual() -> Diagram {
        let net = nets::by_name("transformer_net", "").unwrap().graph;
        diagram(&net, &[[1, 3, 64, 64]]).unwrap()
    }

    #[test]
    fn norms_and_activations_stand_with_their_layer() {
        let diagram = residual();
        let first = diagram.boxes.iter().find(|b| b.name == "conv1.conv2d").unwrap();
        assert_eq!(first.what, "conv 9×9 + instance_norm + relu");
        assert_eq!((first.params, first.shape), (9 * 9 * 3 * 32 + 32 + 64, [1, 32, 64, 64]));
        let sums = diagram.boxes.iter().filter(|b| b.kind == "add");
        assert!(sums.clone().count() == 5 && sums.clone().all(|b| b.reads.len() == 2));
    }

    #[test]
    fn every_line_is_drawn_in_both_languages() {
        let diagram = residual();
        let lines: usize = diagram.boxes.iter().map(|b| b.reads.len()).sum();
        assert_eq!(diagram.dot().matches(" -> ").count(), lines);
        let svg = diagram.scene().svg();
        assert_eq!(svg.matches("<polyline").count(), lines);
        assert_eq!(svg.matches("<rect").count(), diagram.boxes.len() + 1);
        assert!(svg.contains("conv1.conv2d") && svg.ends_with("</svg>\n"));
        let picture = diagram.scene().picture();
        assert!(picture.height() > diagram.boxes.len() * 40);
    }
}
