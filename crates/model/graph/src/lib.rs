//! A network as data: what it computes, under which names, and nothing else.
//!
//! A network is written once, as a function from its settings to a [`Graph`],
//! with the parameter names of its reference checkpoint. The engine runs it,
//! the weight binder fills it, the summary prints it; none of them knows any
//! network by name.
//!
//! ```
//! use graph::{Builder, Conv, Padding};
//!
//! let mut g = Builder::new("edges");
//! let x = g.input("rgb", 3);
//! let x = g.conv("conv1", x, Conv::new(8, 3).pad(Padding::Same));
//! let x = g.relu(x);
//! let net = g.finish(x);
//!
//! assert_eq!(net.params()[0].name, "conv1.weight");
//! assert_eq!(net.shapes(&[[1, 3, 20, 30]])?[net.output().index()], [1, 8, 20, 30]);
//! # Ok::<(), graph::ShapeError>(())
//! ```
#![forbid(unsafe_code)]

mod builder;
mod cut;
mod encoding;
mod op;
mod shape;
mod summary;

pub use builder::Builder;
pub use encoding::{ChannelOrder, Encoding};
pub use op::{
    Activation, Conv, ConvTranspose, Filter, Op, PadMode, Padding, Pool, PoolKind, TransposePadding,
};
pub use shape::{Margins, Shape4, ShapeError};
pub use summary::{Row, Summary};

/// Names one node of one [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// The node's place in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// One operation and where its data comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The tap's name: unique, and the reference implementation's own where it has one.
    pub name: String,
    /// What is computed.
    pub op: Op,
    /// Whose outputs it reads; always earlier nodes.
    pub inputs: Vec<NodeId>,
    /// Indices into [`Graph::params`], in the order that [`Op`] documents.
    pub params: Vec<usize>,
}

impl Node {
    /// The index into [`Graph::params`] of the parameter that is in this place of
    /// those that [`Op`] documents; `None` if the node does without it.
    pub fn param(&self, place: usize) -> Option<usize> {
        let has_no_gain = matches!(self.op, Op::BatchNorm { .. }) && self.params.len() == 3;
        let place = if has_no_gain { place.checked_sub(1)? } else { place };
        self.params.get(place).copied()
    }
}

/// One tensor that is learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The reference checkpoint's name for it.
    pub name: String,
    /// Its shape, in PyTorch's order (`[out, in/groups, kh, kw]` for a convolution).
    pub shape: Vec<usize>,
    /// Whether an optimiser changes it (a batch norm's running statistics are not).
    pub trainable: bool,
}

impl Param {
    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A network: nodes in an order in which they can be computed. Made by [`Builder`].
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub(crate) name: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) params: Vec<Param>,
    pub(crate) inputs: Vec<NodeId>,
    pub(crate) output: NodeId,
    pub(crate) multiple_of: usize,
}

impl Graph {
    /// The network's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same network under another name.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// All nodes; each comes after those it reads.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The ids of all nodes, in order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// One node.
    ///
    /// # Panics
    ///
    /// If `id` is from another graph and out of range.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// All parameters, in the order of the layers that use them.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// How many values the parameters hold, running statistics included.
    pub fn param_count(&self) -> usize {
        self.params.iter().map(Param::len).sum()
    }

    /// The inputs, in the order they were declared.
    pub fn inputs(&self) -> &[NodeId] {
        &self.inputs
    }

    /// The result.
    pub fn output(&self) -> NodeId {
        self.output
    }

    /// Height and width that the network maps to their own size are multiples
    /// of this; others come back slightly larger and have to be cropped.
    pub fn multiple_of(&self) -> usize {
        self.multiple_of
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|n| n.name == name).map(NodeId)
    }

    /// The same network in which the parameters of every node up to `last` are frozen:
    /// a tape computes no gradient for them. Transfer learning is made this way.
    #[must_use]
    pub fn frozen_up_to(mut self, last: NodeId) -> Self {
        for node in &self.nodes[..=last.0] {
            for &index in &node.params {
                self.params[index].trainable = false;
            }
        }
        self
    }

    /// The same network cut off after `output`: later nodes and their
    /// parameters are dropped. A loss network is made this way.
    #[must_use]
    pub fn up_to(&self, output: NodeId) -> Self {
        let nodes: Vec<Node> = self.nodes[..=output.0].to_vec();
        let mut used: Vec<usize> = nodes.iter().flat_map(|n| n.params.iter().copied()).collect();
        used.sort_unstable();
        used.dedup();
        let place = |old: &usize| used.binary_search(old).unwrap_or_else(|_| unreachable!());
        let nodes = nodes
            .into_iter()
            .map(|n| Node { params: n.params.iter().map(place).collect(), ..n })
            .collect();
        let params = used.iter().map(|&i| self.params[i].clone()).collect();
        let inputs = self.inputs.iter().copied().filter(|i| *i <= output).collect();
        Self { name: self.name.clone(), nodes, params, inputs, output, ..*self }
    }
}
