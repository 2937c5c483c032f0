//! What of a graph is a matter of its pictures' size.

use graph::{Graph, NodeId, Op};

/// Whether a Keras model of the graph goes with pictures of one size: a dense layer behind a
/// flattening does, and values that are repeated over a plane do.
pub(super) fn is_fixed(graph: &Graph) -> bool {
    needed(graph).iter().any(|&id| match graph.node(id).op {
        Op::Flatten => !is_pixel(graph, graph.node(id).inputs[0]),
        Op::BroadcastSpace => true,
        _ => false,
    })
}

/// Whether a node's plane is one pixel, whatever the picture's size.
pub(super) fn is_pixel(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    match node.op {
        Op::AdaptiveAvgPool { height, width } => [height, width] == [1, 1],
        Op::Linear { .. } => true,
        Op::Activation(_) | Op::Dropout { .. } | Op::Softmax | Op::Scale { .. } => {
            is_pixel(graph, node.inputs[0])
        }
        _ => false,
    }
}

/// Whether an input is one value a channel: it is repeated over a plane, or goes into a
/// dense layer.
pub(super) fn is_flat_input(graph: &Graph, id: NodeId) -> bool {
    let mut readers = graph.nodes().iter().filter(|node| node.inputs.contains(&id)).peekable();
    readers.peek().is_some()
        && readers.all(|node| match node.op {
            Op::BroadcastSpace => node.inputs[0] == id && node.inputs[1] != id,
            Op::Linear { .. } => true,
            _ => false,
        })
}

/// The nodes that the output depends on, in order.
pub(super) fn needed(graph: &Graph) -> Vec<NodeId> {
    let mut is_needed = vec![false; graph.nodes().len()];
    is_needed[graph.output().index()] = true;
    let ids: Vec<NodeId> = graph.ids().collect();
    for &id in ids.iter().rev() {
        if is_needed[id.index()] {
            graph.node(id).inputs.iter().for_each(|from| is_needed[from.index()] = true);
        }
    }
    ids.into_iter().filter(|id| is_needed[id.index()]).collect()
}

/// The node that alone reads another's result, if there is one and it is not the output.
pub(super) fn only_reader(graph: &Graph, id: NodeId) -> Option<NodeId> {
    let mut readers = graph.ids().filter(|&reader| graph.node(reader).inputs.contains(&id));
    let reader = readers.next()?;
    (readers.next().is_none() && graph.output() != id).then_some(reader)
}
