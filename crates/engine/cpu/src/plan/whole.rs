//! Steps of operations that nothing is folded into but an activation: they read their
//! input as it is and write a buffer of their own.

use std::sync::Arc;

use graph::{Node, NodeId, Op, PoolKind, Shape4};
use kernels::{Axis, Gate, PoolSpec};

use super::fuse::Planner;
use super::kinds::{border_of, gate_of};
use crate::network::{Algorithm, Key};
use crate::step::{Step, View};

impl Planner<'_> {
    pub(super) fn linear(&mut self, id: NodeId, x: NodeId) {
        let features = self.shapes[x.index()][1];
        let from = self.restrided(x, tensor::padded_channels(features));
        let (mut end, mut gate) = (id, Gate::Linear);
        if let Some((next, Node { op: Op::Activation(a), .. })) = self.only_consumer(id)
            && let Some(g) = gate_of(*a)
        {
            (end, gate) = (next, g);
        }
        let key = Key::forward(id, Algorithm::Linear, 0);
        let linear = self.network.linear(key);
        let shape = self.shapes[id.index()];
        let to = self.buffer(shape, tensor::padded_channels(shape[1]));
        self.steps.push(Step::Linear { key, linear, from, gate, to });
        self.set(end, View::plain(to));
    }

    /// Operations that read their input as it is and write a buffer of their own.
    pub(super) fn whole(&mut self, id: NodeId, x: NodeId) {
        let node = self.graph().node(id);
        let shape = self.shapes[id.index()];
        let from = self.plain(x);
        let [_, _, h, w] = self.shapes[x.index()];
        let padded = tensor::padded_channels(shape[1]);
        let same = self.buffers[from].stride;
        let (stride, step): (usize, Box<dyn FnOnce(usize) -> Step>) = match &node.op {
            Op::Softmax => return self.softmax(id, from),
            Op::Pool(p) => {
                let before = [h, w].map(|s| p.pad.margins(s, p.kernel, p.stride).before);
                let kind = match p.kind {
                    PoolKind::Max => kernels::PoolKind::Max,
                    PoolKind::Average => kernels::PoolKind::Average,
                    PoolKind::AverageInside => kernels::PoolKind::AverageInside,
                };
                let spec = PoolSpec { kind, kernel: p.kernel, stride: p.stride, before };
                (same, Box::new(move |to| Step::Pool { from, spec, to }))
            }
            Op::AdaptiveAvgPool { .. } => {
                (same, Box::new(move |to| Step::AdaptiveAverage { from, to }))
            }
            Op::Resize { factor, .. } => {
                let factor = *factor;
                (same, Box::new(move |to| Step::Bilinear { from, factor, to }))
            }
            Op::Concat => {
                let parts = node.inputs.iter().map(|&i| self.plain(i)).collect();
                (padded, Box::new(move |to| Step::Concat { parts, to }))
            }
            Op::Flatten => (padded, Box::new(move |to| Step::Flatten { from, to })),
            op => {
                let axes = Arc::new(axes(op, [h, w], shape));
                (same, Box::new(move |to| Step::Gather { from, axes, to }))
            }
        };
        let to = self.buffer(shape, stride);
        self.steps.push(step(to));
        self.set(id, View::plain(to));
    }

    fn softmax(&mut self, id: NodeId, from: usize) {
        let buffer = self.buffer_like(id, from);
        self.pointwise(View::plain(from), buffer, |_| {});
        self.steps.push(Step::Softmax { buffer });
        self.set(id, View::plain(buffer));
    }
}

/// Where each output row and column of a padding, cropping or repetition comes from.
fn axes(op: &Op, [h, w]: [usize; 2], out: Shape4) -> [Axis; 2] {
    match op {
        Op::Pad { mode, sides: [t, b, l, r] } => {
            let border = border_of(*mode);
            [Axis::new([h, 1], [*t, *b], border), Axis::new([w, 1], [*l, *r], border)]
        }
        Op::Crop { sides: [t, b, l, r] } => [
            Axis::from_map((*t..h - b).map(Some).collect()),
            Axis::from_map((*l..w - r).map(Some).collect()),
        ],
        Op::BroadcastSpace => [out[2], out[3]].map(|n| Axis::from_map(vec![Some(0); n])),
        other => unreachable!("{} moves no pixels", other.kind()),
    }
}
