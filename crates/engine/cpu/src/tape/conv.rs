//! Back through a convolution: its parameters, what was added, and its input.

use std::mem::take;

use graph::{Conv, ConvTranspose, NodeId, Op};
use kernels::{
    Axis, Border, ConvSpec, DepthwiseGradient, Epilogue, Onto, Output, Padding, Share, Side,
    Source, WeightGradient,
};
use tensor::{LANES, Plane, Shape4};

use super::Tape;
use super::backward::Reached;
use crate::network::{Algorithm, Key, Role};
use crate::step::{ConvStep, View};

const NO_PADDING: Padding = Padding { down: [0, 0], across: [0, 0], border: Border::Zero };

/// A convolution that gives the gradient of another's input.
struct Adjoint {
    algorithm: Algorithm,
    /// Zeros around the output's gradient.
    padding: Padding,
    /// Pixels of the full result cut off at the top and left, where it is transposed.
    cut: usize,
    /// Size of what it gives, and the border that belongs to the input's padding.
    size: [usize; 2],
    border: Padding,
}

impl Tape {
    pub(super) fn conv(&mut self, step: &ConvStep) {
        if self.learns(step.key.node) {
            let (weights, bias) = self.weight_gradient(step);
            self.set_parameter(step.key.node, 0, &weights);
            if self.network().graph().node(step.key.node).params.len() > 1 {
                let bias = bias.unwrap_or_else(|| self.bias_gradient(step.to));
                self.set_parameter(step.key.node, 1, &bias);
            }
        }
        if let Some(residual) = step.residual {
            let [_, _, h, w] = self.session.plan().buffers[step.to].shape;
            let shares = [Share::identity(h), Share::identity(w)];
            let view = View::plain(residual);
            self.add_through(view, [&shares[0], &shares[1]], Reached::Slot(step.to));
        }
        if self.slots.is_live(self.slots.of_view(step.from)) {
            self.input_gradient_of(step);
        }
    }

    fn op(&self, node: NodeId) -> &Op {
        &self.network().graph().node(node).op
    }

    /// The gradient of the weights, and that of the bias where it comes with it.
    fn weight_gradient(&self, step: &ConvStep) -> (Vec<f32>, Option<Vec<f32>>) {
        let shape = self.network().weight_shape(step.key.node);
        let (seen, grad) = (self.seen(step.from), self.gradient(step.to));
        match self.op(step.key.node) {
            Op::Conv(c) if step.key.algorithm == Algorithm::Depthwise => {
                let windows = Side { source: &seen, padding: &step.padding };
                (self.depthwise(step.key, c).weights(self.level(), windows, grad), None)
            }
            Op::Conv(c) => {
                let dense = [shape[0], shape[1] * c.groups, shape[2], shape[3]];
                let (values, bias) =
                    self.dense_weight_gradient(c, dense, (&seen, &step.padding), grad);
                (if c.groups == 1 { values } else { grouped(&values, dense, c.groups) }, bias)
            }
            Op::ConvTranspose(t) => {
                let source = Source::plain(grad);
                let padding = transposed_padding(t, &seen, grad.shape());
                let gradient = WeightGradient { shape, stride: t.stride, dilation: 1 };
                let windows = Side { source: &source, padding: &padding };
                let pixels = Side { source: &seen, padding: &NO_PADDING };
                (gradient.run(self.level(), windows, pixels), None)
            }
            other => unreachable!("{} is no convolution", other.kind()),
        }
    }

    fn dense_weight_gradient(
        &self,
        conv: &Conv,
        [o, c, kh, kw]: [usize; 4],
        (seen, padding): (&Source, &Padding),
        grad: &Plane,
    ) -> (Vec<f32>, Option<Vec<f32>>) {
        let source = Source::plain(grad);
        let input = Side { source: seen, padding };
        if grad.stride() >= LANES || conv.stride > 1 || conv.dilation > 1 {
            let (shape, stride, dilation) = ([o, c, kh, kw], conv.stride, conv.dilation);
            let pixels = Side { source: &source, padding: &NO_PADDING };
            let gradient = WeightGradient { shape, stride, dilation };
            let [weights, bias] = gradient.with_bias(self.level(), input, pixels);
            return (weights, Some(bias));
        }
        // Few channels out: they take the side of the windows, with the taps reversed.
        let (down, across) = ([kh - 1; 2], [kw - 1; 2]);
        let around = Padding { down, across, border: Border::Zero };
        let windows = Side { source: &source, padding: &around };
        let gradient = WeightGradient { shape: [c, o, kh, kw], stride: 1, dilation: 1 };
        let swapped = gradient.run(self.level(), windows, input);
        let taps = kh * kw;
        let at = |i: usize| {
            let (out, channel, tap) = (i / (c * taps), i / taps % c, i % taps);
            swapped[(channel * o + out) * taps + taps - 1 - tap]
        };
        ((0..swapped.len()).map(at).collect(), None)
    }

    fn depthwise(&self, key: Key, conv: &Conv) -> DepthwiseGradient {
        let shape = self.network().weight_shape(key.node);
        let (weight, _) = self.network().folded(key);
        DepthwiseGradient::new(&ConvSpec {
            weight: &weight,
            bias: &[],
            shape,
            in_stride: tensor::padded_channels(shape[0]),
            stride: conv.stride,
            dilation: conv.dilation,
        })
    }

    fn input_gradient_of(&mut self, step: &ConvStep) {
        let node = step.key.node;
        let adjoint = match *self.op(node) {
            Op::Conv(_) if step.key.algorithm == Algorithm::Depthwise => {
                self.padded(step, Algorithm::Depthwise)
            }
            Op::Conv(c) => self.adjoint(step, &c),
            Op::ConvTranspose(t) => self.adjoint_of_transposed(step, &t),
            ref other => unreachable!("{} is no convolution", other.kind()),
        };
        let slot = self.slots.of_view(step.from);
        let channels = self.session.plan().buffers[step.from.buffer].shape[1];
        let stride = match adjoint.algorithm {
            Algorithm::Narrow => channels,
            _ => tensor::padded_channels(channels),
        };
        let Padding { down, across, .. } = adjoint.border;
        let direct = step.from.is_plain()
            && stride == self.session.plan().buffers[step.from.buffer].stride
            && [down, across] == [[0; 2]; 2]
            // These write more than once to a place, and can only replace.
            && adjoint.algorithm != Algorithm::Depthwise
            && (adjoint.algorithm != Algorithm::Narrow || !self.states[slot].written);
        if direct {
            self.add(slot, |tape, epilogue, plane| {
                tape.run_adjoint(step, &adjoint, *epilogue, plane);
            });
            return;
        }
        let mut temporary = take(&mut self.temporary);
        let images = self.session.plan().buffers[step.to].shape[0];
        temporary.reshape([images, channels, adjoint.size[0], adjoint.size[1]], stride);
        self.run_adjoint(step, &adjoint, Epilogue::default(), &mut temporary);
        let [_, _, h, w] = self.session.plan().buffers[step.from.buffer].shape;
        let k = step.from.enlarge;
        let share = |size: usize, sides: [usize; 2]| {
            Share::of_axis(&Axis::new([size * k, k], sides, adjoint.border.border), size)
        };
        let shares = [share(h, down), share(w, across)];
        self.add_through(step.from, [&shares[0], &shares[1]], Reached::Plane(&temporary));
        self.temporary = temporary;
    }

    fn run_adjoint(&self, step: &ConvStep, adjoint: &Adjoint, epilogue: Epilogue, to: &mut Plane) {
        let grad = self.gradient(step.to);
        if adjoint.algorithm == Algorithm::Depthwise {
            let Op::Conv(c) = self.op(step.key.node) else { unreachable!() };
            debug_assert_eq!(epilogue.onto, Onto::Nothing);
            return self.depthwise(step.key, c).input(self.level(), grad, to);
        }
        let key = Key {
            role: Role::Backward { cut: adjoint.cut },
            algorithm: adjoint.algorithm,
            in_stride: grad.stride(),
            ..step.key
        };
        let conv = self.network().conv(key);
        let mut output = Output { plane: to, epilogue, moments: false };
        conv.run(self.level(), &Source::plain(grad), &adjoint.padding, &mut output);
    }

    /// The gradient on the whole padded input.
    fn padded(&self, step: &ConvStep, algorithm: Algorithm) -> Adjoint {
        let [h, w] = self.seen(step.from).size();
        let border = step.padding;
        let size = [h + border.down.iter().sum::<usize>(), w + border.across.iter().sum::<usize>()];
        Adjoint { algorithm, padding: NO_PADDING, cut: 0, size, border }
    }

    fn adjoint(&self, step: &ConvStep, conv: &Conv) -> Adjoint {
        let mut made = self.padded(step, Algorithm::Transposed);
        let Padding { down, across, border } = step.padding;
        if conv.stride > 1 {
            if border == Border::Zero && down[0] == across[0] {
                (made.cut, made.size) = (down[0], self.seen(step.from).size());
                made.border = NO_PADDING;
            }
            return made;
        }
        let reach = conv.kernel.map(|k| conv.dilation * (k - 1));
        let fits = |sides: [usize; 2], reach: usize| sides.iter().all(|&s| s <= reach);
        let around = |sides: [usize; 2], reach: usize| sides.map(|s| reach - s);
        if border == Border::Zero && fits(down, reach[0]) && fits(across, reach[1]) {
            made.padding.down = around(down, reach[0]);
            made.padding.across = around(across, reach[1]);
            (made.size, made.border) = (self.seen(step.from).size(), NO_PADDING);
        } else {
            made.padding = Padding { down: [reach[0]; 2], across: [reach[1]; 2], ..NO_PADDING };
        }
        let kernel = if conv.dilation == 1 { conv.kernel } else { [0, 0] };
        made.algorithm = self.ordinary(step, kernel, made.size);
        made
    }

    fn adjoint_of_transposed(&self, step: &ConvStep, t: &ConvTranspose) -> Adjoint {
        let seen = self.seen(step.from);
        let padding = transposed_padding(t, &seen, self.gradient(step.to).shape());
        let size = seen.size();
        let kernel = if t.stride == 1 { [t.kernel; 2] } else { [0, 0] };
        let algorithm = self.ordinary(step, kernel, size);
        Adjoint { algorithm, padding, cut: 0, size, border: NO_PADDING }
    }

    /// The algorithm for an ordinary convolution at stride 1 without dilation;
    /// `[0, 0]` stands for any other.
    fn ordinary(&self, step: &ConvStep, kernel: [usize; 2], size: [usize; 2]) -> Algorithm {
        let channels = self.session.plan().buffers[step.from.buffer].shape[1];
        let in_stride = self.gradient(step.to).stride();
        if channels <= kernels::Narrow::MOST_OUT && kernel[1] > 1 {
            Algorithm::Narrow
        } else {
            crate::plan::ordinary(kernel, in_stride, size)
        }
    }
}

/// Of a gradient without groups, the part that a grouped convolution has.
fn grouped(values: &[f32], [o, c, kh, kw]: [usize; 4], groups: usize) -> Vec<f32> {
    let filter = c / groups * kh * kw;
    let of = |out: usize| {
        let group = out / (o / groups);
        &values[(out * groups + group) * filter..][..filter]
    };
    (0..o).flat_map(of).copied().collect()
}

/// Zeros around a transposed convolution's output, so that each input pixel
/// finds all its taps.
fn transposed_padding(t: &ConvTranspose, seen: &Source, out: Shape4) -> Padding {
    let side = |size: usize, out: usize| {
        let before = t.extent(size).1;
        [before, ((size - 1) * t.stride + t.kernel).saturating_sub(before + out)]
    };
    let [h, w] = seen.size();
    Padding { down: side(h, out[2]), across: side(w, out[3]), border: Border::Zero }
}
