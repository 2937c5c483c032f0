//! Turns nodes into steps, leaving out those that can be folded into others.
//!
//! A node's value is a [`View`]: a buffer, and what has to be done to its values
//! on reading. Normalisations with known statistics, activations and
//! enlargements only change the view; a convolution reads through it at no cost.
//! Whoever cannot, asks for [`Planner::plain`], which writes the values out.

use std::collections::BTreeMap;
use std::sync::Arc;

use graph::{Activation, Filter, Node, NodeId, Op, Shape4};
use kernels::{Axis, Border, Function, Gate};

use super::kinds::{function_of, gate_of};
use crate::Network;
use crate::buffers::Buffer;
use crate::step::{FrontStep, Over, Pairs, PointwiseStep, Step, View};

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Running: memory is used again as soon as it can be.
    Running,
    /// Gradients with respect to inputs only: every value is kept.
    Looking,
    /// The same, with no activation folded into the reading of what follows: whatever
    /// goes back through one goes through all of it at once.
    Guided,
    /// Gradients with respect to parameters too: none may be folded into another.
    Training(Statistics),
}

/// By what batch norms normalise on a [`Tape`](crate::Tape).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statistics {
    /// The running mean and variance among the weights, as when the network is used.
    #[default]
    Stored,
    /// Mean and biased variance over the images and pixels of the batch at hand, as
    /// training is defined; gradients go through them. A norm whose gain is frozen
    /// keeps to what is stored.
    Batch,
}

impl Purpose {
    pub(super) fn trains(self) -> bool {
        matches!(self, Self::Training(_))
    }
}

/// Planes of up to this many channels are not padded: they are pictures.
const PACKED_CHANNELS: usize = 4;

pub(super) struct Planner<'a> {
    pub(super) network: &'a Network,
    pub(super) purpose: Purpose,
    pub(super) shapes: Vec<Shape4>,
    consumers: Vec<Vec<NodeId>>,
    /// Asked for from outside: never folded away.
    pinned: Vec<bool>,
    views: Vec<Option<View>>,
    /// Convolutions that those after them compute, by the node that is left out.
    pub(super) fronts: BTreeMap<NodeId, Box<FrontStep>>,
    /// Buffers whose moments the convolution that wrote them has measured.
    pub(super) measured: BTreeMap<usize, usize>,
    pub(super) steps: Vec<Step>,
    pub(super) buffers: Vec<Buffer>,
    pub(super) moments: usize,
    pub(super) affines: usize,
    pub(super) inputs: Vec<usize>,
    /// Most bytes a step takes while it runs.
    pub(super) working: usize,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        (network, purpose): (&'a Network, Purpose),
        shapes: Vec<Shape4>,
        taps: &[NodeId],
    ) -> Self {
        let nodes = network.graph().nodes();
        let mut consumers = vec![vec![]; nodes.len()];
        for (id, node) in network.graph().ids().zip(nodes) {
            for input in &node.inputs {
                consumers[input.index()].push(id);
            }
        }
        let mut pinned = vec![false; nodes.len()];
        for id in taps.iter().chain([&network.graph().output()]) {
            pinned[id.index()] = true;
        }
        Self {
            network,
            purpose,
            shapes,
            consumers,
            pinned,
            views: vec![None; nodes.len()],
            fronts: BTreeMap::new(),
            measured: BTreeMap::new(),
            steps: vec![],
            buffers: vec![],
            moments: 0,
            affines: 0,
            inputs: vec![],
            working: 0,
        }
    }

    pub(super) fn graph(&self) -> &'a graph::Graph {
        self.network.graph()
    }

    /// The node that alone reads `id`, if `id` can be folded into it.
    pub(super) fn only_consumer(&self, id: NodeId) -> Option<(NodeId, &'a Node)> {
        match self.consumers[id.index()].as_slice() {
            [one] if !self.pinned[id.index()] => Some((*one, self.graph().node(*one))),
            _ => None,
        }
    }

    /// Whether a node that reads `id` normalises by what it reads.
    pub(super) fn is_measured(&self, id: NodeId) -> bool {
        self.consumers[id.index()].iter().any(|&c| self.measures(c))
    }

    pub(super) fn known(&self, id: NodeId) -> Option<View> {
        self.views[id.index()]
    }

    fn view(&self, id: NodeId) -> View {
        self.known(id).unwrap_or_else(|| unreachable!("nodes come after what they read"))
    }

    pub(super) fn set(&mut self, id: NodeId, view: View) {
        self.views[id.index()] = Some(view);
    }

    pub(super) fn buffer(&mut self, shape: Shape4, stride: usize) -> usize {
        self.buffers.push(Buffer { shape, stride });
        self.buffers.len() - 1
    }

    /// A buffer of node `id`'s shape, with channels padded as in `like`.
    pub(super) fn buffer_like(&mut self, id: NodeId, like: usize) -> usize {
        self.buffer(self.shapes[id.index()], self.buffers[like].stride)
    }

    /// A buffer whose values are exactly those of `id`.
    pub(super) fn plain(&mut self, id: NodeId) -> usize {
        let view = self.view(id);
        if view.is_plain() {
            return view.buffer;
        }
        let buffer = self.written_out(view);
        self.set(id, View::plain(buffer));
        buffer
    }

    fn written_out(&mut self, view: View) -> usize {
        let mut from = view.buffer;
        let Buffer { shape: [n, c, h, w], stride } = self.buffers[from];
        if view.affine.is_some() || view.gate != Gate::Linear {
            let to = self.buffer([n, c, h, w], stride);
            self.pointwise(View { enlarge: 1, ..view }, to, |_| {});
            from = to;
        }
        let k = view.enlarge;
        if k > 1 {
            let to = self.buffer([n, c, h * k, w * k], stride);
            let axis = |size| Axis::new([size * k, k], [0, 0], Border::Zero);
            self.steps.push(Step::Gather { from, axes: Arc::new([axis(h), axis(w)]), to });
            from = to;
        }
        from
    }

    /// The view of `id`, without enlargement.
    fn view_at_size(&mut self, id: NodeId) -> View {
        if self.view(id).enlarge > 1 {
            self.plain(id);
        }
        self.view(id)
    }

    pub(super) fn pointwise(
        &mut self,
        from: View,
        to: usize,
        change: impl FnOnce(&mut PointwiseStep),
    ) {
        let (gate, function, scale) = (Gate::Linear, Function::Identity, [1.0, 0.0]);
        let mut step = PointwiseStep { from, plus: None, times: None, gate, function, scale, to };
        change(&mut step);
        self.steps.push(Step::Pointwise(step));
    }

    /// Plans one node, unless it was folded into an earlier one.
    pub(super) fn node(&mut self, id: NodeId) {
        if self.known(id).is_some() || self.folded_away(id) {
            return;
        }
        let node = self.graph().node(id);
        let first = node.inputs.first().copied();
        let Some(x) = first else {
            let shape = self.shapes[id.index()];
            let stride = if shape[1] <= PACKED_CHANNELS {
                shape[1]
            } else {
                tensor::padded_channels(shape[1])
            };
            let input = self.buffer(shape, stride);
            self.inputs.push(input);
            return self.set(id, View::plain(input));
        };
        match &node.op {
            Op::Conv(_) | Op::ConvTranspose(_) => self.convolution(id, x),
            Op::InstanceNorm { eps, .. } => self.norm(id, x, (*eps, Over::Image)),
            Op::BatchNorm { eps } if self.measures(id) => self.norm(id, x, (*eps, Over::Batch)),
            Op::BatchNorm { .. } => self.constant(id, x, Pairs::BatchNorm(id)),
            Op::Scale { scale, shift } => self.constant(id, x, Pairs::All([*scale, *shift])),
            Op::Activation(a) => self.activation(id, x, *a),
            Op::Resize { filter: Filter::Nearest, factor } => {
                let view = self.view_at_size(x);
                self.set(id, View { enlarge: *factor, ..view });
            }
            Op::Dropout { share } if self.purpose.trains() => {
                let from = self.plain(x);
                let to = self.buffer_like(id, from);
                self.steps.push(Step::Dropout { node: id, from, share: *share, to });
                self.set(id, View::plain(to));
            }
            Op::Dropout { .. } => self.set(id, self.view(x)),
            Op::Add | Op::Mul => self.combine(id, [x, node.inputs[1]], &node.op),
            Op::Linear { .. } => self.linear(id, x),
            _ => self.whole(id, x),
        }
    }

    /// Whether an earlier convolution has taken this node in.
    fn folded_away(&self, id: NodeId) -> bool {
        let mut at = id;
        while let Some((next, _)) = self.only_consumer(at) {
            if self.known(next).is_some() {
                return true;
            }
            at = next;
        }
        false
    }

    /// Whether a node normalises by what it is given.
    pub(super) fn measures(&self, id: NodeId) -> bool {
        let node = self.graph().node(id);
        match node.op {
            Op::InstanceNorm { .. } => true,
            Op::BatchNorm { .. } => {
                self.purpose == Purpose::Training(Statistics::Batch)
                    && self.graph().params()[node.params[0]].trainable
            }
            _ => false,
        }
    }

    fn norm(&mut self, id: NodeId, x: NodeId, (eps, over): (f32, Over)) {
        let from = self.plain(x);
        let moments = self.measured.get(&from).copied().unwrap_or_else(|| {
            self.moments += 1;
            self.steps.push(Step::Moments { from, slot: self.moments - 1 });
            self.moments - 1
        });
        let affine = self.affines;
        self.affines += 1;
        self.steps.push(Step::Norm { node: id, over, from, moments, eps, affine });
        self.set(id, View { affine: Some(affine), ..View::plain(from) });
    }

    fn constant(&mut self, id: NodeId, x: NodeId, pairs: Pairs) {
        let like = self.plain(x);
        let affine = self.affines;
        self.affines += 1;
        self.steps.push(Step::Constant { pairs, affine, like });
        self.set(id, View { affine: Some(affine), ..View::plain(like) });
    }

    fn activation(&mut self, id: NodeId, x: NodeId, activation: Activation) {
        let view = self.view_at_size(x);
        if let Some(gate) = gate_of(activation) {
            if self.purpose == Purpose::Guided {
                let to = self.buffer_like(id, view.buffer);
                self.pointwise(view, to, |step| step.gate = gate);
                return self.set(id, View::plain(to));
            }
            let view = match view.gate {
                Gate::Linear => view,
                _ => View::plain(self.plain(x)),
            };
            return self.set(id, View { gate, ..view });
        }
        let mut end = id;
        let mut scale = [1.0, 0.0];
        if let Some((next, &Node { op: Op::Scale { scale: a, shift: b }, .. })) =
            self.only_consumer(id)
        {
            (end, scale) = (next, [a, b]);
        }
        let to = self.buffer_like(id, view.buffer);
        self.pointwise(view, to, |step| {
            (step.function, step.scale) = (function_of(activation), scale);
        });
        self.set(end, View::plain(to));
    }

    fn combine(&mut self, id: NodeId, [a, b]: [NodeId; 2], op: &Op) {
        let (mut end, mut gate) = (id, Gate::Linear);
        if let Some((next, Node { op: Op::Activation(activation), .. })) = self.only_consumer(id)
            && let Some(g) = gate_of(*activation)
        {
            (end, gate) = (next, g);
        }
        let from = self.view_at_size(a);
        let stride = self.buffers[from.buffer].stride;
        let to = self.buffer_like(id, from.buffer);
        if *op == Op::Add {
            let mut plus = self.view_at_size(b);
            if self.buffers[plus.buffer].stride != stride {
                plus = View::plain(self.restrided(b, stride));
            }
            self.pointwise(from, to, |step| (step.plus, step.gate) = (Some(plus), gate));
        } else {
            let times = self.restrided(b, stride);
            self.pointwise(from, to, |step| (step.times, step.gate) = (Some(times), gate));
        }
        self.set(end, View::plain(to));
    }

    /// The values of `id` with `stride` values from pixel to pixel.
    pub(super) fn restrided(&mut self, id: NodeId, stride: usize) -> usize {
        let from = self.plain(id);
        if self.buffers[from].stride == stride {
            return from;
        }
        let to = self.buffer(self.shapes[id.index()], stride);
        self.steps.push(Step::Concat { parts: vec![from], to });
        to
    }
}
