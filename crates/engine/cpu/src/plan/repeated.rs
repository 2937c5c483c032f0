//! A 1×1 convolution of a concatenation of which one half shows the same at every pixel, as where
//! a picture's classes are put beside its features: that half is multiplied once, and what comes
//! of it is added to the other's sums as a residual.

use std::sync::Arc;

use graph::{NodeId, Op};
use kernels::{Axis, Gate};

use super::convolution::Tail;
use super::fuse::{Planner, Purpose};
use crate::network::{Algorithm, Key};
use crate::step::Step;

/// Some of a convolution's input channels, from and to, and the node that they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Half {
    pub(super) node: NodeId,
    pub(super) channels: [usize; 2],
}

/// A convolution's input in two halves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    pub(super) varying: Half,
    /// `[N, C, 1, 1]`, before it is repeated.
    pub(super) repeated: Half,
}

impl Planner<'_> {
    /// The halves of convolution `id`'s input, if it has one that is the same at every pixel.
    pub(super) fn split(&self, id: NodeId, tail: &Tail) -> Option<Split> {
        let Op::Conv(conv) = &self.graph().node(id).op else { return None };
        let concat = self.graph().node(id).inputs[0];
        let [_, _, h, w] = self.shapes[concat.index()];
        let borders = conv.margins(h, w).iter().any(|m| m.before + m.after > 0);
        let is_sum = conv.kernel == [1, 1] && conv.groups == 1 && conv.stride == 1 && !borders;
        if !is_sum || tail.residual.is_some() || self.purpose != Purpose::Running {
            return None;
        }
        let (Op::Concat, &[a, b]) =
            (&self.graph().node(concat).op, &self.graph().node(concat).inputs[..])
        else {
            return None;
        };
        let [first, all] = [a, concat].map(|node| self.shapes[node.index()][1]);
        let halves = [(a, [0, first]), (b, [first, all])];
        let [a, b] = halves.map(|(node, channels)| Half { node, channels });
        match (self.source_of_repetition(a), self.source_of_repetition(b)) {
            (None, Some(repeated)) => Some(Split { varying: a, repeated }),
            (Some(repeated), None) => Some(Split { varying: b, repeated }),
            _ => None,
        }
    }

    /// What `half` repeats over all pixels, if it does.
    fn source_of_repetition(&self, half: Half) -> Option<Half> {
        let node = self.graph().node(half.node);
        (node.op == Op::BroadcastSpace).then(|| Half { node: node.inputs[0], ..half })
    }

    /// The product of convolution `id` with its repeated half, and its bias: a buffer of its
    /// output's shape.
    pub(super) fn multiplied_once(
        &mut self,
        id: NodeId,
        half: Half,
        norm: Option<NodeId>,
    ) -> usize {
        let from =
            self.restrided(half.node, tensor::padded_channels(self.shapes[half.node.index()][1]));
        let channels = Some(half.channels);
        let key = Key { norm, channels, ..Key::forward(id, Algorithm::Linear, 0) };
        let linear = self.network.linear(key);
        let [n, out, h, w] = self.shapes[id.index()];
        let stride = tensor::padded_channels(out);
        let product = self.buffer([n, out, 1, 1], stride);
        self.steps.push(Step::Linear { key, linear, from, gate: Gate::Linear, to: product });
        let axes = [h, w].map(|size| Axis::from_map(vec![Some(0); size]));
        let to = self.buffer([n, out, h, w], stride);
        self.steps.push(Step::Gather { from: product, axes: Arc::new(axes), to });
        to
    }
}
