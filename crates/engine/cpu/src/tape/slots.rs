//! Which gradients there are, and which memory they share.
//!
//! A slot is a buffer of the plan, or an affine map of it: the gradient of what
//! the map gives, before the normalisation is gone back through.

use kernels::Gate;

use super::Wanted;
use crate::buffers::{Buffer, Layout, lay_out};
use crate::plan::Plan;
use crate::step::{Pairs, Step, View};

#[derive(Clone, Debug)]
pub(super) struct Slots {
    buffers: usize,
    /// For each affine map, the buffer that it reads.
    read_by: Vec<usize>,
    /// Whether the slot's gradient is wanted and depends on the loss.
    live: Vec<bool>,
    /// How many steps add to each.
    pub(super) parts: Vec<usize>,
    /// The gate that the step which wrote a buffer ended in.
    pub(super) gates: Vec<Gate>,
    pub(super) layout: Layout,
}

impl Slots {
    pub(super) fn new(plan: &Plan, wanted: Wanted) -> Self {
        let buffers = plan.buffers.len();
        let mut slots = Self {
            buffers,
            read_by: vec![0; plan.affines],
            live: vec![],
            parts: vec![0; buffers + plan.affines],
            gates: vec![Gate::Linear; buffers],
            layout: Layout::default(),
        };
        for step in &plan.steps {
            match step {
                Step::Norm { from, affine, .. } => slots.read_by[*affine] = *from,
                Step::Constant { like, affine, .. } => slots.read_by[*affine] = *like,
                Step::Conv(c) => slots.gates[c.to] = c.gate,
                Step::Linear { gate, to, .. } => slots.gates[*to] = *gate,
                _ => {}
            }
        }
        let needed = slots.needed(plan, wanted);
        let lives = slots.walk(plan, &needed);
        let shapes: Vec<Buffer> =
            (0..slots.count()).map(|slot| plan.buffers[slots.buffer(slot)]).collect();
        // A slot without a gradient takes no memory.
        let taken: Vec<usize> = (0..slots.count()).filter(|&s| slots.live[s]).collect();
        let pick = |slot: &usize| (shapes[*slot], lives[*slot]);
        let (some_shapes, some_lives): (Vec<_>, Vec<_>) = taken.iter().map(pick).unzip();
        let layout = lay_out(&some_shapes, &some_lives);
        slots.layout = Layout { place: vec![usize::MAX; slots.count()], pieces: layout.pieces };
        for (slot, place) in taken.into_iter().zip(layout.place) {
            slots.layout.place[slot] = place;
        }
        slots
    }

    pub(super) fn count(&self) -> usize {
        self.buffers + self.read_by.len()
    }

    /// The slot of what is seen through a view, before its gate.
    pub(super) fn of_view(&self, view: View) -> usize {
        view.affine.map_or(view.buffer, |affine| self.of_affine(affine))
    }

    pub(super) fn of_affine(&self, affine: usize) -> usize {
        self.buffers + affine
    }

    /// The buffer whose shape a slot has.
    pub(super) fn buffer(&self, slot: usize) -> usize {
        if slot < self.buffers { slot } else { self.read_by[slot - self.buffers] }
    }

    pub(super) fn is_live(&self, slot: usize) -> bool {
        self.live[slot]
    }

    /// Whether what is wanted lies at or before each slot.
    fn needed(&self, plan: &Plan, wanted: Wanted) -> Vec<bool> {
        let mut needed = vec![false; self.count()];
        for &input in &plan.inputs {
            needed[input] = wanted.inputs();
        }
        for step in &plan.steps {
            let reads = self.reads(step);
            let holds = wanted.parameters() && learns(plan, step);
            if let Some(to) = self.writes(step) {
                needed[to] |= holds || reads.iter().any(|&slot| needed[slot]);
            }
        }
        needed
    }

    /// Goes backwards once: who adds to what, and from when to when each gradient lives.
    fn walk(&mut self, plan: &Plan, needed: &[bool]) -> Vec<(usize, usize)> {
        let mut lives = vec![(usize::MAX, 0); self.count()];
        self.live = vec![false; self.count()];
        for &tap in &plan.taps {
            (self.live[tap], lives[tap].0) = (true, 0);
        }
        for (time, step) in (1..).zip(plan.steps.iter().rev()) {
            let Some(to) = self.writes(step) else { continue };
            if !self.live[to] {
                continue;
            }
            lives[to].1 = time;
            for slot in self.reads(step) {
                if needed[slot] {
                    self.live[slot] = true;
                    self.parts[slot] += 1;
                    lives[slot].0 = lives[slot].0.min(time);
                }
            }
        }
        for &input in &plan.inputs {
            lives[input].1 = usize::MAX;
        }
        lives
    }

    /// The slots whose gradient a step adds to, in the order in which it does.
    fn reads(&self, step: &Step) -> Vec<usize> {
        match step {
            Step::Conv(c) => c.residual.into_iter().chain([self.of_view(c.from)]).collect(),
            Step::Pointwise(p) => {
                let views = [Some(p.from), p.plus].into_iter().flatten();
                views.map(|v| self.of_view(v)).chain(p.times).collect()
            }
            Step::Constant { like, .. } => vec![*like],
            Step::Concat { parts, .. } => parts.clone(),
            Step::Norm { from, .. }
            | Step::Gather { from, .. }
            | Step::Bilinear { from, .. }
            | Step::Flatten { from, .. }
            | Step::Pool { from, .. }
            | Step::AdaptiveAverage { from, .. }
            | Step::Dropout { from, .. }
            | Step::Linear { from, .. } => vec![*from],
            Step::Moments { .. } | Step::Softmax { .. } => vec![],
        }
    }

    /// The slot that a step writes; none for one that only measures, or changes in place.
    pub(super) fn writes(&self, step: &Step) -> Option<usize> {
        match step {
            Step::Norm { affine, .. } | Step::Constant { affine, .. } => {
                Some(self.of_affine(*affine))
            }
            Step::Softmax { .. } => None,
            step => step.writes(),
        }
    }
}

/// Whether a step has parameters that are not frozen.
fn learns(plan: &Plan, step: &Step) -> bool {
    let node = match step {
        Step::Conv(conv) => conv.key.node,
        Step::Linear { key, .. } => key.node,
        Step::Norm { node, .. } | Step::Constant { pairs: Pairs::BatchNorm(node), .. } => *node,
        _ => return false,
    };
    let graph = plan.network.graph();
    graph.node(node).params.iter().any(|&index| graph.params()[index].trainable)
}
