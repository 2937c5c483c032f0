use std::collections::BTreeSet;
use std::ops::Range;

use graph::{NodeId, Shape4};

use crate::buffers::{Buffer, Layout, lay_out};
use crate::step::Step;
use crate::{EngineError, Network};

mod convolution;
mod front;
mod fuse;
mod kinds;
mod repeated;
mod segments;
mod whole;

pub(crate) use convolution::ordinary;
use fuse::Planner;
pub(crate) use fuse::Purpose;
pub use fuse::Statistics;
pub use segments::Memory;
use segments::Segments;

/// A network for inputs of one size: what to do, in which order, in which memory.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) network: Network,
    pub(crate) steps: Vec<Step>,
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) layout: Layout,
    /// Parts that are computed again before they are gone back through, and which buffers
    /// outlive theirs; nothing, where all do.
    segments: Option<(Vec<Range<usize>>, Vec<bool>)>,
    pub(crate) moments: usize,
    pub(crate) affines: usize,
    pub(crate) inputs: Vec<usize>,
    pub(crate) output: usize,
    pub(crate) taps: Vec<usize>,
    memory: usize,
}

impl Plan {
    /// Plans `network` for inputs of these shapes. Besides the output, the
    /// outputs of the nodes `taps` will be given; what a tap needs is computed
    /// apart, so each costs some speed.
    ///
    /// # Errors
    ///
    /// If the network does not fit inputs of these shapes.
    ///
    /// # Panics
    ///
    /// If a tap is of another graph and out of range.
    pub fn new(network: &Network, inputs: &[Shape4], taps: &[NodeId]) -> Result<Self, EngineError> {
        Self::for_purpose((network, Purpose::Running), inputs, taps)
    }

    pub(crate) fn for_purpose(
        (network, purpose): (&Network, Purpose),
        inputs: &[Shape4],
        taps: &[NodeId],
    ) -> Result<Self, EngineError> {
        let shapes = network.graph().shapes(inputs)?;
        let mut planner = Planner::new((network, purpose), shapes, taps);
        for id in network.graph().ids() {
            planner.node(id);
        }
        let output = planner.plain(network.graph().output());
        let taps: Vec<usize> = taps.iter().map(|&t| planner.plain(t)).collect();
        let Planner { steps, buffers, moments, affines, inputs, working, .. } = planner;

        let kept: Vec<usize> = taps.iter().copied().chain([output]).collect();
        let steps = if purpose == Purpose::Running { needed(steps, &kept) } else { steps };
        let lives = match purpose {
            Purpose::Running => lives(&steps, buffers.len(), &inputs, &kept),
            Purpose::Looking | Purpose::Guided | Purpose::Training(_) => {
                vec![(0, usize::MAX); buffers.len()]
            }
        };
        let layout = lay_out(&buffers, &lives);
        let segments = None;
        let mut memory = working + packed_bytes(&steps);
        memory += layout.pieces.iter().sum::<usize>() * size_of::<f32>();
        let network = network.clone();
        Ok(Self {
            network,
            steps,
            buffers,
            layout,
            segments,
            moments,
            affines,
            inputs,
            output,
            taps,
            memory,
        })
    }

    /// The same, for a tape that computes some of it again.
    pub(crate) fn recomputing(mut self) -> Self {
        let pinned: Vec<usize> =
            self.taps.iter().chain(&self.inputs).copied().chain([self.output]).collect();
        let Segments { ranges, layout, kept } =
            Segments::with_least_memory(&self.steps, &self.buffers, &pinned);
        let bytes = |layout: &Layout| layout.pieces.iter().sum::<usize>() * size_of::<f32>();
        self.memory = self.memory - bytes(&self.layout) + bytes(&layout);
        (self.layout, self.segments) = (layout, Some((ranges, kept)));
        self
    }

    /// The steps in parts, which a tape goes back through one after the other.
    pub(crate) fn parts(&self) -> Vec<Range<usize>> {
        match &self.segments {
            Some((ranges, _)) => ranges.clone(),
            None => std::iter::once(0..self.steps.len()).collect(),
        }
    }

    /// Whether a buffer keeps what was written until it is gone back through.
    pub(crate) fn outlives(&self, buffer: usize) -> bool {
        self.segments.as_ref().is_none_or(|(_, kept)| kept[buffer])
    }

    /// Bytes that a session of this plan takes: feature maps, repacked weights
    /// and working memory. Known before any of it is taken.
    pub fn memory(&self) -> usize {
        self.memory
    }
}

/// The steps without those whose result nobody reads, as when a convolution reads the parts of
/// a concatenation and not the whole.
fn needed(steps: Vec<Step>, kept: &[usize]) -> Vec<Step> {
    let mut read: BTreeSet<usize> = kept.iter().copied().collect();
    let mut needed: Vec<Step> = vec![];
    for step in steps.into_iter().rev() {
        if step.writes().is_none_or(|to| read.contains(&to)) {
            read.extend(step.buffers());
            needed.push(step);
        }
    }
    needed.reverse();
    needed
}

/// The first and last step that touches each buffer. Inputs are written before
/// the first step; what is kept is read after the last.
fn lives(steps: &[Step], buffers: usize, inputs: &[usize], kept: &[usize]) -> Vec<(usize, usize)> {
    let mut lives = vec![(usize::MAX, 0); buffers];
    for &input in inputs {
        lives[input] = (0, 0);
    }
    for (i, step) in steps.iter().enumerate() {
        for buffer in step.buffers() {
            lives[buffer].0 = lives[buffer].0.min(i + 1);
            lives[buffer].1 = i + 1;
        }
    }
    for &buffer in kept {
        lives[buffer].1 = usize::MAX;
    }
    lives
}

fn packed_bytes(steps: &[Step]) -> usize {
    let bytes = |step: &Step| match step {
        Step::Conv(c) => c.conv.bytes() + c.front.as_ref().map_or(0, |f| f.conv.bytes()),
        Step::Linear { linear, .. } => linear.bytes(),
        _ => 0,
    };
    steps.iter().map(bytes).sum()
}
