use std::sync::Arc;

use graph::NodeId;
use kernels::{Axis, Conv, Few, Function, Gate, Linear, Padding, PoolSpec};

use crate::network::Key;

/// Where a step reads: a buffer, seen through what was folded into the reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) buffer: usize,
    /// An affine map, by its slot.
    pub(crate) affine: Option<usize>,
    pub(crate) gate: Gate,
    pub(crate) enlarge: usize,
}

impl View {
    pub(crate) fn plain(buffer: usize) -> Self {
        Self { buffer, affine: None, gate: Gate::Linear, enlarge: 1 }
    }

    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::plain(self.buffer)
    }
}

/// One thing that a session does. Buffers, moments and affine maps are named by
/// their slots.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Conv(ConvStep),
    /// Measures a buffer, for an instance norm whose input no convolution wrote.
    Moments {
        from: usize,
        slot: usize,
    },
    /// Makes a normalisation's affine map from moments.
    Norm {
        node: NodeId,
        over: Over,
        /// The buffer it normalises.
        from: usize,
        moments: usize,
        eps: f32,
        affine: usize,
    },
    /// An affine map that does not depend on the data.
    Constant {
        pairs: Pairs,
        affine: usize,
        like: usize,
    },
    Pointwise(PointwiseStep),
    Gather {
        from: usize,
        axes: Arc<[Axis; 2]>,
        to: usize,
    },
    Bilinear {
        from: usize,
        factor: usize,
        to: usize,
    },
    /// Also changes how channels are padded, with one part.
    Concat {
        parts: Vec<usize>,
        to: usize,
    },
    Flatten {
        from: usize,
        to: usize,
    },
    Pool {
        from: usize,
        spec: PoolSpec,
        to: usize,
    },
    AdaptiveAverage {
        from: usize,
        to: usize,
    },
    Softmax {
        buffer: usize,
    },
    /// Only while training.
    Dropout {
        node: NodeId,
        from: usize,
        share: f32,
        to: usize,
    },
    Linear {
        key: Key,
        linear: Arc<Linear>,
        from: usize,
        gate: Gate,
        to: usize,
    },
}

/// Over what a normalisation takes its statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Each image by itself.
    Image,
    /// All images at once.
    Batch,
}

#[derive(Clone, Debug)]
pub(crate) struct ConvStep {
    pub(crate) key: Key,
    pub(crate) conv: Arc<Conv>,
    pub(crate) padding: Padding,
    pub(crate) from: View,
    /// What `from` is seen through.
    pub(crate) front: Option<Box<FrontStep>>,
    pub(crate) residual: Option<usize>,
    pub(crate) gate: Gate,
    pub(crate) moments: Option<usize>,
    pub(crate) to: usize,
}

/// A convolution that is computed where its result is read.
#[derive(Clone, Debug)]
pub(crate) struct FrontStep {
    pub(crate) key: Key,
    pub(crate) conv: Arc<Few>,
    pub(crate) gate: Gate,
}

#[derive(Clone, Debug)]
pub(crate) struct PointwiseStep {
    pub(crate) from: View,
    pub(crate) plus: Option<View>,
    pub(crate) times: Option<usize>,
    pub(crate) gate: Gate,
    pub(crate) function: Function,
    pub(crate) scale: [f32; 2],
    pub(crate) to: usize,
}

/// The pairs of a constant affine map.
#[derive(Clone, Debug)]
pub(crate) enum Pairs {
    /// One for all channels: scale, shift.
    All([f32; 2]),
    /// A batch norm's, one for each channel.
    BatchNorm(NodeId),
}

impl Step {
    /// Every buffer the step reads or writes.
    pub(crate) fn buffers(&self) -> Vec<usize> {
        match self {
            Self::Conv(c) => [c.from.buffer, c.to].into_iter().chain(c.residual).collect(),
            Self::Moments { from, .. } | Self::Norm { from, .. } => vec![*from],
            Self::Constant { like, .. } => vec![*like],
            Self::Pointwise(p) => {
                let plus = p.plus.map(|p| p.buffer);
                [p.from.buffer, p.to].into_iter().chain(plus).chain(p.times).collect()
            }
            Self::Gather { from, to, .. }
            | Self::Bilinear { from, to, .. }
            | Self::Flatten { from, to }
            | Self::Pool { from, to, .. }
            | Self::AdaptiveAverage { from, to }
            | Self::Dropout { from, to, .. }
            | Self::Linear { from, to, .. } => vec![*from, *to],
            Self::Concat { parts, to } => parts.iter().copied().chain([*to]).collect(),
            Self::Softmax { buffer } => vec![*buffer],
        }
    }

    /// The buffer that the step writes, or changes in place.
    pub(crate) fn writes(&self) -> Option<usize> {
        match self {
            Self::Conv(c) => Some(c.to),
            Self::Pointwise(p) => Some(p.to),
            Self::Gather { to, .. }
            | Self::Bilinear { to, .. }
            | Self::Concat { to, .. }
            | Self::Flatten { to, .. }
            | Self::Pool { to, .. }
            | Self::AdaptiveAverage { to, .. }
            | Self::Dropout { to, .. }
            | Self::Linear { to, .. } => Some(*to),
            Self::Softmax { buffer } => Some(*buffer),
            Self::Moments { .. } | Self::Norm { .. } | Self::Constant { .. } => None,
        }
    }
}
