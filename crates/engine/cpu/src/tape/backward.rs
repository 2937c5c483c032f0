//! Each step's adjoint.

use std::mem::{replace, take};

use graph::NodeId;
use kernels::{
    Affine, AffineGradient, Epilogue, GradientSums, LinearGradient, Mask, Moments, Onto, Operand,
    PoolKind, PoolSpec, Share, Source, Spread,
};
use tensor::{Plane, Tensor};

use super::Tape;
use crate::step::{Over, Pairs, PointwiseStep, Step, View};

/// Where the gradient of the pixels lies that a step has read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reached<'a> {
    Slot(usize),
    Plane(&'a Plane),
}

impl Tape {
    pub(super) fn gradient(&self, slot: usize) -> &Plane {
        &self.planes[self.slots.layout.place[slot]]
    }

    pub(super) fn level(&self) -> kernels::Level {
        self.network().level()
    }

    /// Lends the plane of a gradient, in its shape, while everything else is read.
    pub(super) fn lend(&mut self, slot: usize, work: impl FnOnce(&Self, &mut Plane)) {
        let place = self.slots.layout.place[slot];
        let mut written = take(&mut self.planes[place]);
        let wanted = self.session.plan().buffers[self.slots.buffer(slot)];
        written.reshape(wanted.shape, wanted.stride);
        work(self, &mut written);
        self.planes[place] = written;
    }

    /// Adds a step's part to a gradient, if that is wanted: `work` is given how
    /// to write it. The last part is also multiplied by the derivative of the
    /// gate that the buffer's own step ended in.
    pub(super) fn add(&mut self, slot: usize, work: impl FnOnce(&Self, &Epilogue, &mut Plane)) {
        if !self.slots.is_live(slot) {
            return;
        }
        let state = self.states[slot];
        let onto = if state.written { Onto::Itself } else { Onto::Nothing };
        let last = state.parts + 1 == self.slots.parts[slot];
        let gate = self.gate(slot).filter(|_| last);
        self.lend(slot, |tape, plane| {
            let mask = gate.map(|gate| Mask { values: tape.session.plane(slot), gate });
            work(tape, &Epilogue { onto, mask, ..Epilogue::default() }, plane);
        });
        let state = &mut self.states[slot];
        state.written = true;
        state.parts += 1;
        state.masked = gate.is_some();
    }

    /// The gate to go back through, where a buffer's step ended in one.
    fn gate(&self, slot: usize) -> Option<kernels::Gate> {
        self.slots.gates.get(slot).copied().filter(|&g| g != kernels::Gate::Linear)
    }

    /// Goes back through one step, if its result has a gradient.
    pub(super) fn step(&mut self, index: usize) {
        let step = self.session.plan().steps[index].clone();
        if let Step::Softmax { buffer } = step {
            if self.states[buffer].written {
                self.lend(buffer, |tape, plane| {
                    kernels::softmax_gradient(tape.session.plane(buffer), plane);
                });
            }
            return;
        }
        let Some(to) = self.slots.writes(&step).filter(|&to| self.states[to].written) else {
            return;
        };
        if let Some(gate) = self.gate(to).filter(|_| !self.states[to].masked) {
            self.lend(to, |tape, plane| {
                kernels::mask_gradient(Mask { values: tape.session.plane(to), gate }, plane);
            });
        }
        if self.guided && ends_in_rectifier(&step) {
            self.lend(to, |_, plane| kernels::hold_back_negative(plane));
        }
        match &step {
            Step::Conv(c) => self.conv(c),
            Step::Pointwise(p) => self.pointwise(p),
            Step::Norm { .. } => self.norm(&step),
            Step::Constant { pairs, affine, like } => self.constant(pairs, *affine, *like),
            Step::Linear { .. } => self.linear(&step),
            Step::Concat { parts, to } => self.concat(parts, *to),
            _ => self.moved(&step, to),
        }
    }

    /// Steps that only move or average pixels.
    fn moved(&mut self, step: &Step, to: usize) {
        let level = self.level();
        let size = |buffer: usize| {
            let [_, _, h, w] = self.session.plan().buffers[buffer].shape;
            [h, w]
        };
        match step {
            Step::Gather { from, axes, .. } => {
                let [h, w] = size(*from);
                self.spread(&[Share::of_axis(&axes[0], h), Share::of_axis(&axes[1], w)], *from, to);
            }
            Step::Bilinear { from, factor, .. } => {
                self.spread(&size(*from).map(|s| Share::bilinear(s, *factor)), *from, to);
            }
            Step::AdaptiveAverage { from, .. } => {
                let shares = [0, 1].map(|a| Share::adaptive_average([size(*from)[a], size(to)[a]]));
                self.spread(&shares, *from, to);
            }
            Step::Pool { from, spec, .. } if spec.kind != PoolKind::Max => {
                let of = |a: usize| {
                    Share::average_pool([size(*from)[a], size(to)[a]], *spec, spec.before[a])
                };
                self.spread(&[0, 1].map(of), *from, to);
            }
            Step::Pool { from, spec, .. } => self.max_pool(*from, *spec, to),
            Step::Flatten { from, .. } => self.add(*from, |tape, epilogue, plane| {
                kernels::unflatten(level, tape.gradient(to), epilogue, plane);
            }),
            Step::Dropout { node, from, share, .. } => {
                let dropout = self.session.dropout(*node, *share);
                self.add(*from, |tape, epilogue, plane| {
                    dropout.run(level, tape.gradient(to), epilogue, plane);
                });
            }
            other => unreachable!("{other:?} moves no pixels"),
        }
    }

    fn spread(&mut self, shares: &[Share; 2], from: usize, to: usize) {
        let level = self.level();
        self.add(from, |tape, epilogue, plane| {
            let shares = [&shares[0], &shares[1]];
            Spread { shares, view: None, epilogue: *epilogue }.run(level, tape.gradient(to), plane);
        });
    }

    fn max_pool(&mut self, from: usize, spec: PoolSpec, to: usize) {
        let level = self.level();
        self.add(from, |tape, epilogue, plane| {
            let planes = [tape.session.plane(from), tape.session.plane(to), tape.gradient(to)];
            kernels::max_pool_gradient(level, planes, spec, epilogue, plane);
        });
    }

    /// Adds what reached the pixels that were read to the gradient of what a view shows.
    pub(super) fn add_through(&mut self, view: View, shares: [&Share; 2], reached: Reached) {
        let level = self.level();
        self.add(self.slots.of_view(view), |tape, epilogue, plane| {
            let source = tape.session.source(view);
            let view = (source.gate != kernels::Gate::Linear).then_some(&source);
            let grad = match reached {
                Reached::Slot(slot) => tape.gradient(slot),
                Reached::Plane(plane) => plane,
            };
            Spread { shares, view, epilogue: *epilogue }.run(level, grad, plane);
        });
    }

    fn pointwise(&mut self, step: &PointwiseStep) {
        let level = self.level();
        let operands = [(Some(step.from), Operand::First), (step.plus, Operand::Plus)];
        for (view, operand) in operands {
            let Some(view) = view else { continue };
            self.add(self.slots.of_view(view), |tape, epilogue, plane| {
                let from = tape.session.source(step.from);
                let grad = tape.gradient(step.to);
                let pointwise = tape.session.pointwise_of(step);
                pointwise.gradient(level, (&from, grad), operand, epilogue, plane);
            });
        }
        if let Some(times) = step.times {
            self.factor(step, times);
        }
    }

    /// The gradient of a factor: summed over space where it is one value a plane.
    fn factor(&mut self, step: &PointwiseStep, times: usize) {
        let level = self.level();
        let whole = self.session.plan().buffers[step.to].shape;
        let is_single = self.session.plan().buffers[times].shape != whole;
        self.add(times, |tape, epilogue, plane| {
            let from = tape.session.source(step.from);
            let pointwise = tape.session.pointwise_of(step);
            let grad = tape.gradient(step.to);
            if !is_single {
                return pointwise.gradient(level, (&from, grad), Operand::Times, epilogue, plane);
            }
            let mut products = Plane::default();
            products.reshape(whole, grad.stride());
            let plain = Epilogue::default();
            pointwise.gradient(level, (&from, grad), Operand::Times, &plain, &mut products);
            let mut sums = Plane::default();
            sums.reshape(plane.shape(), plane.stride());
            let images = GradientSums::of(level, &products, None);
            for (to, from) in sums.data_mut().chunks_exact_mut(plane.stride()).zip(images) {
                to.iter_mut().zip(from.plain).for_each(|(to, from)| *to = from as f32);
            }
            let one = Share::identity(1);
            Spread { shares: [&one, &one], view: None, epilogue: *epilogue }
                .run(level, &sums, plane);
        });
    }

    fn concat(&mut self, parts: &[usize], to: usize) {
        let level = self.level();
        let mut first = 0;
        for &part in parts {
            let channels = self.session.plan().buffers[part].shape[1];
            self.add(part, |tape, epilogue, plane| {
                kernels::join_gradient(level, (tape.gradient(to), first), epilogue, plane);
            });
            first += channels;
        }
    }

    fn norm(&mut self, step: &Step) {
        let &Step::Norm { node, over, from, moments, eps, affine } = step else { unreachable!() };
        let level = self.level();
        let slot = self.slots.of_affine(affine);
        let map = self.session.affine(affine);
        let x = self.session.plane(from);
        let sums = GradientSums::of(level, self.gradient(slot), Some((x, map.centres())));
        let (moments, about) = (self.session.moments(moments), (x.shape()[1], eps));
        let (gradient, parameters) = match over {
            Over::Image => AffineGradient::instance_norm(map, (moments, &sums), about),
            Over::Batch => AffineGradient::batch_norm(map, (&Moments::over(moments), &sums), about),
        };
        for (place, values) in parameters.into_iter().enumerate() {
            self.set_parameter(node, place, &values);
        }
        self.add_affine(&gradient, slot, from);
    }

    fn add_affine(&mut self, gradient: &AffineGradient, slot: usize, from: usize) {
        let level = self.level();
        self.add(from, |tape, epilogue, plane| {
            let planes = [tape.gradient(slot), tape.session.plane(from)];
            gradient.run(level, planes, epilogue, plane);
        });
    }

    fn constant(&mut self, pairs: &Pairs, affine: usize, like: usize) {
        let slot = self.slots.of_affine(affine);
        if let Pairs::BatchNorm(node) = pairs
            && self.learns(*node)
        {
            self.batch_norm(*node, slot, like);
        }
        let map: &Affine = self.session.affine(affine);
        self.add_affine(&AffineGradient::constant(map), slot, like);
    }

    /// Gain and bias of a normalisation by stored statistics.
    fn batch_norm(&mut self, node: NodeId, slot: usize, like: usize) {
        let x = self.session.plane(like);
        let graph::Op::BatchNorm { eps } = self.network().graph().node(node).op else {
            unreachable!("a batch norm's pairs")
        };
        let [mean, variance] = [2, 3].map(|place| self.network().param(node, place));
        let mut centre = mean.to_vec();
        centre.resize(x.stride(), 0.0);
        let centres = centre.repeat(x.shape()[0]);
        let sums = GradientSums::of(self.level(), self.gradient(slot), Some((x, &centres)));
        let total = |part: fn(&GradientSums) -> &[f64], c: usize| -> f64 {
            sums.iter().map(|s| part(s)[c]).sum()
        };
        let gain: Vec<f32> = (0..variance.len())
            .map(|c| total(|s| &s.centred, c) / (f64::from(variance[c]) + f64::from(eps)).sqrt())
            .map(|v| v as f32)
            .collect();
        let bias: Vec<f32> = (0..gain.len()).map(|c| total(|s| &s.plain, c) as f32).collect();
        self.set_parameter(node, 0, &gain);
        self.set_parameter(node, 1, &bias);
    }

    fn linear(&mut self, step: &Step) {
        let Step::Linear { key, from, to, .. } = step else { unreachable!() };
        if self.learns(key.node) {
            self.write_parameter(key.node, 0, |tape, out| {
                let weight = tape.network().param(key.node, 0);
                let gradient = LinearGradient { weight, grad: tape.gradient(*to) };
                gradient.weights(tape.level(), tape.session.plane(*from), out);
            });
            let bias = self.bias_gradient(*to);
            self.set_parameter(key.node, 1, &bias);
        }
        let level = self.level();
        self.add(*from, |tape, epilogue, plane| {
            let weight = tape.network().param(key.node, 0);
            LinearGradient { weight, grad: tape.gradient(*to) }.input(level, epilogue, plane);
        });
    }

    /// Per channel, the sum of a gradient over images and pixels.
    pub(super) fn bias_gradient(&self, slot: usize) -> Vec<f32> {
        let grad = self.gradient(slot);
        let images = GradientSums::of(self.level(), grad, None);
        let total = |c: usize| images.iter().map(|s| s.plain[c]).sum::<f64>() as f32;
        (0..grad.shape()[1]).map(total).collect()
    }

    /// Whether the gradient of any of a node's parameters is wanted.
    pub(super) fn learns(&self, node: NodeId) -> bool {
        let params = &self.network().graph().node(node).params;
        params.iter().any(|&index| !self.parameters[index].data().is_empty())
    }

    /// Keeps the gradient of a node's parameter, if the node has it.
    pub(super) fn set_parameter(&mut self, node: NodeId, place: usize, values: &[f32]) {
        self.write_parameter(node, place, |_, to| to.copy_from_slice(values));
    }

    /// Lends the gradient of a node's parameter to be written, if the node has it.
    fn write_parameter(
        &mut self,
        node: NodeId,
        place: usize,
        write: impl FnOnce(&Self, &mut [f32]),
    ) {
        if let Some(index) = self.network().graph().node(node).param(place)
            && !self.parameters[index].data().is_empty()
        {
            let mut gradient = replace(&mut self.parameters[index], Tensor::zeros([0]));
            write(self, gradient.data_mut());
            self.parameters[index] = gradient;
        }
    }

    /// What the step that reads `view` sees.
    pub(super) fn seen(&self, view: View) -> Source<'_> {
        self.session.source(view)
    }
}

/// Whether what the step writes has gone through a rectifier with a derivative of 0 or 1.
fn ends_in_rectifier(step: &Step) -> bool {
    let gate = match step {
        Step::Conv(c) => c.gate,
        Step::Pointwise(p) => p.gate,
        Step::Linear { gate, .. } => *gate,
        _ => kernels::Gate::Linear,
    };
    matches!(gate, kernels::Gate::Relu | kernels::Gate::Relu6)
}
