use std::mem::take;
use std::ops::Range;

use graph::NodeId;
use kernels::{Affine, Dropout, Epilogue, Front, Moments, Output, Pointwise, Source};
use rayon::prelude::*;
use tensor::{Plane, Tensor};

use crate::Network;
use crate::buffers::Buffer;
use crate::plan::Plan;
use crate::step::{ConvStep, Over, Pairs, PointwiseStep, Step, View};
use crate::threads::Threads;

/// A plan with its memory, ready to run.
#[derive(Debug)]
pub struct Session {
    plan: Plan,
    planes: Vec<Plane>,
    moments: Vec<Vec<Moments>>,
    affines: Vec<Affine>,
    /// What chance draws from, while training.
    pub(crate) seed: u64,
}

/// What a run yields.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    /// The network's output.
    pub output: Tensor,
    /// The outputs of the plan's taps, in their order.
    pub taps: Vec<Tensor>,
}

/// Told how much of a run's work is done, from 0 to 1; `false` ends the run.
pub type Watch<'a> = dyn FnMut(f64) -> bool + Send + 'a;

impl Session {
    /// Takes the plan's memory.
    pub fn new(plan: Plan) -> Self {
        let take_memory = |&len: &usize| {
            let mut plane = Plane::default();
            plane.reshape([1, len, 1, 1], len);
            plane
        };
        let planes = plan.layout.pieces.iter().map(take_memory).collect();
        let (moments, affines) =
            (vec![vec![]; plan.moments], vec![Affine::default(); plan.affines]);
        Self { plan, planes, moments, affines, seed: 0 }
    }

    pub(crate) fn into_plan(self) -> Plan {
        self.plan
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs the network: on the [`Threads`] that this is called on, or else on
    /// a pool shared by the whole process. Equal inputs give equal bits,
    /// whatever the number of threads.
    ///
    /// # Panics
    ///
    /// If the inputs do not have the shapes the plan was made for.
    pub fn run(&mut self, inputs: &[&Tensor]) -> Outputs {
        Threads::on_ours(|| {
            self.compute(inputs);
            self.outputs()
        })
    }

    /// [`Session::run`] that tells after each step how much of the work is done, from 0 to 1
    /// (estimated), and ends without outputs as soon as `watch` gives `false`.
    ///
    /// # Panics
    ///
    /// As [`Session::run`].
    pub fn run_watched(&mut self, inputs: &[&Tensor], watch: &mut Watch<'_>) -> Option<Outputs> {
        Threads::on_ours(|| {
            self.enter(inputs);
            let costs: Vec<f64> = self.plan.steps.iter().map(|step| self.cost(step)).collect();
            let total: f64 = costs.iter().sum();
            let mut done = 0.0;
            for (i, cost) in costs.iter().enumerate() {
                let step = self.plan.steps[i].clone();
                self.step(&step);
                done += cost;
                if !watch((done / total).min(1.0)) {
                    return None;
                }
            }
            Some(self.outputs())
        })
    }

    /// [`Session::run`], leaving the results where they are: see [`Session::tap`].
    ///
    /// # Panics
    ///
    /// As [`Session::run`].
    pub fn run_in_place(&mut self, inputs: &[&Tensor]) {
        Threads::on_ours(|| self.compute(inputs));
    }

    /// What the last run gave at one of the plan's taps.
    ///
    /// # Panics
    ///
    /// If there are fewer taps.
    pub fn tap(&self, tap: usize) -> &Plane {
        self.plane(self.plan.taps[tap])
    }

    pub(crate) fn compute(&mut self, inputs: &[&Tensor]) {
        self.enter(inputs);
        for i in 0..self.plan.steps.len() {
            let step = self.plan.steps[i].clone();
            self.step(&step);
        }
    }

    fn enter(&mut self, inputs: &[&Tensor]) {
        assert_eq!(inputs.len(), self.plan.inputs.len(), "another number of inputs");
        for (i, tensor) in inputs.iter().enumerate() {
            let buffer = self.plan.inputs[i];
            self.write(buffer, |_, plane| plane.fill_from(tensor));
        }
    }

    fn outputs(&self) -> Outputs {
        let output = self.plane(self.plan.output).to_tensor();
        let taps = self.plan.taps.iter().map(|&t| self.plane(t).to_tensor()).collect();
        Outputs { output, taps }
    }

    /// What a step costs, in something like multiply-adds: each weight once a pixel, and for
    /// moving values what a dozen multiply-adds take.
    fn cost(&self, step: &Step) -> f64 {
        const MOVING: f64 = 12.0;
        let weights = match step {
            Step::Conv(c) => c.conv.bytes() / size_of::<f32>(),
            Step::Linear { linear, .. } => linear.bytes() / size_of::<f32>(),
            _ => 0,
        };
        let largest =
            step.buffers().into_iter().map(|b| self.plan.buffers[b]).max_by_key(Buffer::len);
        let Some(Buffer { shape: [n, _, h, w], stride }) = largest else { return 0.0 };
        (n * h * w) as f64 * (weights as f64 + MOVING * stride as f64)
    }

    /// Computes again what a part of the steps has written and what did not outlive it.
    pub(crate) fn compute_again(&mut self, part: Range<usize>) {
        for i in part {
            let is_gone = |to: usize| !self.plan.outlives(to);
            if self.plan.steps[i].writes().is_some_and(is_gone) {
                let step = self.plan.steps[i].clone();
                self.step(&step);
            }
        }
    }

    pub(crate) fn plane(&self, buffer: usize) -> &Plane {
        &self.planes[self.plan.layout.place[buffer]]
    }

    /// Lends a buffer's plane, in its shape, to be written while others are read.
    fn write(&mut self, buffer: usize, work: impl FnOnce(&Self, &mut Plane)) {
        let place = self.plan.layout.place[buffer];
        let mut written = take(&mut self.planes[place]);
        let wanted = self.plan.buffers[buffer];
        written.reshape(wanted.shape, wanted.stride);
        work(self, &mut written);
        self.planes[place] = written;
    }

    pub(crate) fn source(&self, view: View) -> Source<'_> {
        Source {
            plane: self.plane(view.buffer),
            affine: view.affine.map(|slot| &self.affines[slot]),
            gate: view.gate,
            enlarge: view.enlarge,
            front: None,
        }
    }

    fn step(&mut self, step: &Step) {
        let level = self.plan.network.level();
        match step {
            Step::Conv(c) => self.conv(c),
            Step::Moments { from, slot } => {
                let plane = self.plane(*from);
                let of = |n| Moments::of(level, plane.image(n), plane.stride());
                self.moments[*slot] = (0..plane.shape()[0]).into_par_iter().map(of).collect();
            }
            Step::Norm { node, over, moments, eps, affine, .. } => {
                self.norm(*node, (*over, *moments), (*eps, *affine));
            }
            Step::Constant { pairs, affine, like } => self.constant(pairs, *affine, *like),
            Step::Pointwise(p) => self.pointwise(p),
            Step::Gather { from, axes, to } => self.write(*to, |s, to| {
                kernels::gather(level, s.plane(*from), [&axes[0], &axes[1]], to);
            }),
            Step::Bilinear { from, factor, to } => {
                self.write(*to, |s, to| kernels::bilinear(level, s.plane(*from), *factor, to));
            }
            Step::Concat { parts, to } => self.write(*to, |s, to| {
                kernels::concat(&parts.iter().map(|&p| s.plane(p)).collect::<Vec<_>>(), to);
            }),
            Step::Flatten { from, to } => {
                self.write(*to, |s, to| kernels::flatten(s.plane(*from), to));
            }
            Step::Pool { from, spec, to } => self.write(*to, |s, to| {
                kernels::pool(level, s.plane(*from), *spec, to, kernels::Gate::Linear);
            }),
            Step::AdaptiveAverage { from, to } => {
                self.write(*to, |s, to| kernels::adaptive_average(level, s.plane(*from), to));
            }
            Step::Softmax { buffer } => {
                self.write(*buffer, |_, plane| kernels::softmax(level, plane));
            }
            Step::Dropout { node, from, share, to } => self.write(*to, |s, to| {
                s.dropout(*node, *share).run(level, s.plane(*from), &Epilogue::default(), to);
            }),
            Step::Linear { linear, from, gate, to, .. } => {
                self.write(*to, |s, to| linear.run(level, s.plane(*from), to, *gate));
            }
        }
    }

    fn conv(&mut self, step: &ConvStep) {
        let mut measured = None;
        self.write(step.to, |s, plane| {
            let residual = step.residual.map(|r| s.plane(r));
            let epilogue = Epilogue { residual, gate: step.gate, ..Epilogue::default() };
            let mut output = Output { plane, epilogue, moments: step.moments.is_some() };
            let front =
                step.front.as_ref().map(|front| Front { conv: &front.conv, gate: front.gate });
            let source = Source { front, ..s.source(step.from) };
            measured = step.conv.run(s.plan.network.level(), &source, &step.padding, &mut output);
        });
        if let (Some(slot), Some(moments)) = (step.moments, measured) {
            self.moments[slot] = moments;
        }
    }

    fn norm(&mut self, node: NodeId, from: (Over, usize), (eps, affine): (f32, usize)) {
        let network = &self.plan.network;
        let moments = match from {
            (Over::Image, slot) => self.moments[slot].clone(),
            (Over::Batch, slot) => {
                vec![Moments::over(&self.moments[slot]); self.moments[slot].len()]
            }
        };
        let [gain, bias] = [0, 1].map(|part| network.param(node, part));
        let channels = match bias.len() {
            0 => moments.first().map_or(0, Moments::channels),
            some => some,
        };
        let (ones, zeros) = (vec![1.0; channels], vec![0.0; channels]);
        let gain = if gain.is_empty() { &ones[..] } else { gain };
        let bias = if bias.is_empty() { &zeros[..] } else { bias };
        let made = Affine::instance_norm(&moments, gain, bias, eps);
        self.affines[affine] = made;
    }

    fn constant(&mut self, pairs: &Pairs, affine: usize, like: usize) {
        let plane = self.plane(like);
        let (images, stride) = (plane.shape()[0], plane.stride());
        self.affines[affine] = match pairs {
            Pairs::All(pair) => Affine::constant(images, stride, *pair),
            Pairs::BatchNorm(node) => {
                let (scale, shift) = self.plan.network.batch_norm(*node);
                Affine::per_channel(images, stride, [&scale, &shift])
            }
        };
    }

    fn pointwise(&mut self, step: &PointwiseStep) {
        let level = self.plan.network.level();
        self.write(step.to, |s, to| {
            s.pointwise_of(step).run(level, &s.source(step.from), to);
        });
    }

    pub(crate) fn pointwise_of(&self, step: &PointwiseStep) -> Pointwise<'_> {
        Pointwise {
            plus: step.plus.map(|p| self.source(p)),
            times: step.times.map(|t| self.plane(t)),
            gate: step.gate,
            function: step.function,
            scale: step.scale,
        }
    }

    /// The dropout of a node, for this run.
    pub(crate) fn dropout(&self, node: NodeId, share: f32) -> Dropout {
        Dropout { seed: self.seed.wrapping_add((node.index() as u64) << 40), share }
    }

    pub(crate) fn affine(&self, slot: usize) -> &Affine {
        &self.affines[slot]
    }

    pub(crate) fn moments(&self, slot: usize) -> &[Moments] {
        &self.moments[slot]
    }

    /// Takes other weights of the same network: layers are packed again.
    pub(crate) fn set_network(&mut self, network: Network) {
        for step in &mut self.plan.steps {
            match step {
                Step::Conv(c) => {
                    c.conv = network.conv(c.key);
                    if let Some(front) = &mut c.front {
                        front.conv = network.few(front.key);
                    }
                }
                Step::Linear { key, linear, .. } => *linear = network.linear(*key),
                _ => {}
            }
        }
        self.plan.network = network;
    }
}
