//! A convolution of few values before one that filters in tiles: the latter computes it where it
//! reads it, which takes less time than writing it to memory and reading it again.

use std::sync::Arc;

use graph::{NodeId, Op};
use kernels::{Axis, Few};

use super::convolution::Tail;
use super::fuse::{Planner, Purpose};
use super::kinds::border_of;
use crate::network::{Algorithm, Key};
use crate::step::{FrontStep, Step, View};

impl Planner<'_> {
    /// Leaves convolution `id` to the one after it, if it can be: what that will read is the
    /// input with its border.
    pub(super) fn becomes_front(
        &mut self,
        id: NodeId,
        (x, from): (NodeId, View),
        tail: &Tail,
    ) -> bool {
        let Op::Conv(conv) = self.graph().node(id).op else { return false };
        let [n, c, h, w] = self.shapes[x.index()];
        let stride = self.buffers[from.buffer].stride;
        let few = conv.kernel[0] * conv.kernel[1] * stride <= Few::MOST_TAPS;
        let ordinary = [conv.stride, conv.dilation, conv.groups] == [1, 1, 1];
        let plain = from.is_plain() && tail.residual.is_none() && self.purpose == Purpose::Running;
        if !few || !ordinary || !plain || !self.is_read_in_tiles(tail.end) {
            return false;
        }
        let [down, across] = conv.margins(h, w);
        let bordered =
            |size, m: graph::Margins| Axis::new([size, 1], [m.before, m.after], border_of(m.mode));
        let sides = |m: graph::Margins| m.before + m.after;
        let padded = self.buffer([n, c, h + sides(down), w + sides(across)], stride);
        let axes = Arc::new([bordered(h, down), bordered(w, across)]);
        self.steps.push(Step::Gather { from: from.buffer, axes, to: padded });

        let key = Key { norm: tail.norm, ..Key::forward(id, Algorithm::Few, stride) };
        let conv = self.network.few(key);
        self.fronts.insert(tail.end, Box::new(FrontStep { key, conv, gate: tail.gate }));
        self.set(tail.end, View::plain(padded));
        true
    }

    /// Whether `id` is read by one convolution alone, and that filters in tiles.
    fn is_read_in_tiles(&self, id: NodeId) -> bool {
        let Some((next, node)) = self.only_consumer(id) else { return false };
        let stride = tensor::padded_channels(self.shapes[id.index()][1]);
        matches!(node.op, Op::Conv(_))
            && matches!(self.algorithm(next, stride), Algorithm::Winograd(_))
    }
}
