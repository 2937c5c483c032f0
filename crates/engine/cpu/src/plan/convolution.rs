//! Convolutions: which algorithm, and what is folded into them.

use graph::{Conv, ConvTranspose, Node, NodeId, Op, TransposePadding};
use kernels::{Border, Gate, Padding};

use super::fuse::Planner;
use super::kinds::{border_of, gate_of};
use crate::network::{Algorithm, Key};
use crate::step::{ConvStep, Step, View};

/// What a convolution takes in from the nodes after it.
pub(super) struct Tail {
    /// The last node taken in; its value is what the convolution writes.
    pub(super) end: NodeId,
    pub(super) norm: Option<NodeId>,
    pub(super) residual: Option<NodeId>,
    pub(super) gate: Gate,
}

impl Planner<'_> {
    pub(super) fn convolution(&mut self, id: NodeId, x: NodeId) {
        let tail = self.tail(id);
        let split = self.split(id, &tail);
        let x = split.map_or(x, |split| split.varying.node);
        let channels = split.map(|split| split.varying.channels);
        let from = self.readable(id, x);
        let front = self.fronts.remove(&x);
        let in_stride = match &front {
            Some(_) => tensor::padded_channels(self.shapes[x.index()][1]),
            None => self.buffers[from.buffer].stride,
        };
        let algorithm = self.algorithm(id, in_stride);
        if split.is_none() && front.is_none() && self.becomes_front(id, (x, from), &tail) {
            return;
        }
        let key = Key { norm: tail.norm, channels, ..Key::forward(id, algorithm, in_stride) };
        let conv = self.network.conv(key);

        let shape = self.shapes[id.index()];
        let stride = match algorithm {
            Algorithm::Narrow => shape[1],
            _ => tensor::padded_channels(shape[1]),
        };
        let residual = match split {
            Some(split) => Some(self.multiplied_once(id, split.repeated, tail.norm)),
            None => tail.residual.map(|r| self.restrided(r, stride)),
        };
        let to = self.buffer(shape, stride);
        let moments = self.is_measured(tail.end).then(|| {
            self.moments += 1;
            self.measured.insert(to, self.moments - 1);
            self.moments - 1
        });
        self.working = self.working.max(conv.working_bytes(shape));
        let padding = self.padding(id, x);
        let gate = tail.gate;
        let step = ConvStep { key, conv, padding, from, front, residual, gate, moments, to };
        self.steps.push(Step::Conv(step));
        self.set(tail.end, View::plain(to));
    }

    /// A batch norm, then a sum with something already computed, then an
    /// activation, as far as each follows.
    fn tail(&self, id: NodeId) -> Tail {
        let mut tail = Tail { end: id, norm: None, residual: None, gate: Gate::Linear };
        let ordinary = matches!(self.graph().node(id).op, Op::Conv(_));
        if let Some((next, Node { op: Op::BatchNorm { .. }, .. })) = self.only_consumer(tail.end)
            && ordinary
            && !self.purpose.trains()
        {
            (tail.end, tail.norm) = (next, Some(next));
        }
        if let Some((next, Node { op: Op::Add, inputs, .. })) = self.only_consumer(tail.end) {
            let other = if inputs[0] == tail.end { inputs[1] } else { inputs[0] };
            if other != tail.end && self.known(other).is_some() {
                (tail.end, tail.residual) = (next, Some(other));
            }
        }
        if let Some((next, Node { op: Op::Activation(a), .. })) = self.only_consumer(tail.end)
            && let Some(gate) = gate_of(*a)
        {
            (tail.end, tail.gate) = (next, gate);
        }
        tail
    }

    /// The input as a view that the convolution can read.
    fn readable(&mut self, id: NodeId, x: NodeId) -> View {
        let view = self.known(x).unwrap_or_else(|| View::plain(self.plain(x)));
        match self.graph().node(id).op {
            // A depthwise filter works on whole vectors of channels.
            Op::Conv(c) if c.groups > 1 && self.is_depthwise(&c, x) => {
                let stride = tensor::padded_channels(self.shapes[x.index()][1]);
                if self.buffers[view.buffer].stride == stride {
                    view
                } else {
                    View::plain(self.restrided(x, stride))
                }
            }
            _ => view,
        }
    }

    fn is_depthwise(&self, conv: &Conv, x: NodeId) -> bool {
        conv.groups == conv.out && conv.groups == self.shapes[x.index()][1]
    }

    pub(super) fn algorithm(&self, id: NodeId, in_stride: usize) -> Algorithm {
        let node = self.graph().node(id);
        let [_, out, h, w] = self.shapes[id.index()];
        let few = |kernel: usize| out <= kernels::Narrow::MOST_OUT && kernel > 1;
        match &node.op {
            Op::Conv(c) if c.groups > 1 && self.is_depthwise(c, node.inputs[0]) => {
                Algorithm::Depthwise
            }
            Op::Conv(c) if c.stride == 1 && c.dilation == 1 => {
                if few(c.kernel[1]) {
                    Algorithm::Narrow
                } else if c.groups == 1 {
                    ordinary(c.kernel, in_stride, [h, w])
                } else {
                    Algorithm::Direct
                }
            }
            Op::Conv(c) if c.stride == 2 && c.dilation == 1 && c.groups == 1 => {
                halving(c.kernel, [in_stride, out], [h, w])
            }
            Op::ConvTranspose(t) if turns(t) => {
                if few(t.kernel) {
                    Algorithm::Narrow
                } else {
                    ordinary([t.kernel; 2], in_stride, [h, w])
                }
            }
            Op::ConvTranspose(_) => Algorithm::Transposed,
            _ => Algorithm::Direct,
        }
    }

    fn padding(&self, id: NodeId, x: NodeId) -> Padding {
        let [_, _, h, w] = self.shapes[x.index()];
        match &self.graph().node(id).op {
            Op::Conv(c) => {
                let [down, across] = c.margins(h, w);
                let border = border_of(down.mode);
                let sides = |m: graph::Margins| [m.before, m.after];
                Padding { down: sides(down), across: sides(across), border }
            }
            Op::ConvTranspose(t) if turns(t) => {
                // Output y of the full result sees inputs y − k + 1 ..= y.
                let before = t.kernel - 1 - t.extent(h).1;
                let after = |size: usize| t.extent(size).0 + t.kernel - 1 - size - before;
                let (down, across) = ([before, after(h)], [before, after(w)]);
                Padding { down, across, border: Border::Zero }
            }
            _ => Padding { down: [0, 0], across: [0, 0], border: Border::Zero },
        }
    }
}

/// For a convolution to many channels, at stride 1 without groups or dilation: minimal
/// filtering along both axes where a kernel of 3×3 sees whole vectors of channels, along
/// one where it sees a picture's few.
pub(crate) fn ordinary(kernel: [usize; 2], in_stride: usize, size: [usize; 2]) -> Algorithm {
    let few = in_stride < tensor::LANES;
    match kernel {
        [3, 3] if !few => Algorithm::Winograd(size),
        [3 | 9, across] if few && across > 1 => Algorithm::Shallow,
        _ => Algorithm::Direct,
    }
}

/// For a convolution at stride 2: minimal filtering where it saves a quarter of the
/// multiplications at least, the tiles' edges counted in, and there are enough of them to pay
/// for moving tiles.
fn halving(kernel: [usize; 2], [in_stride, out]: [usize; 2], [h, w]: [usize; 2]) -> Algorithm {
    const CHANNELS: usize = 32 * 32;
    let tiles = h.div_ceil(4) * w.div_ceil(4);
    let saves = 4 * (81 * tiles) <= 3 * (9 * h * w);
    let whole = in_stride.is_multiple_of(tensor::LANES) && in_stride * out >= CHANNELS;
    if kernel == [3, 3] && whole && saves { Algorithm::Winograd([h, w]) } else { Algorithm::Direct }
}

/// Whether a transposed convolution is an ordinary one with its kernel turned around.
fn turns(t: &ConvTranspose) -> bool {
    let cut = match t.pad {
        TransposePadding::Torch { padding, .. } => padding,
        TransposePadding::Same => 0,
    };
    t.stride == 1 && cut < t.kernel
}
