use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use graph::{Graph, NodeId, Op};
use kernels::{Conv, ConvSpec, Depthwise, Direct, Level, Linear, Narrow, Transposed, Winograd};
use weights::Weights;

use crate::EngineError;

/// A graph with its weights, repacked for this CPU as plans ask for it.
///
/// Cheap to clone: clones share everything.
#[derive(Clone, Debug)]
pub struct Network(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    graph: Graph,
    weights: Weights,
    level: Level,
    packed: Mutex<BTreeMap<Key, Packed>>,
}

/// What a layer was packed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) node: NodeId,
    /// The batch norm folded in.
    pub(crate) norm: Option<NodeId>,
    pub(crate) algorithm: Algorithm,
    pub(crate) in_stride: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    /// For outputs of this size.
    Winograd([usize; 2]),
    Direct,
    Narrow,
    Depthwise,
    Transposed,
    Linear,
}

#[derive(Clone, Debug)]
pub(crate) enum Packed {
    Conv(Arc<Conv>),
    Linear(Arc<Linear>),
}

impl Network {
    /// A network for the best level of this CPU.
    ///
    /// # Errors
    ///
    /// If `weights` were bound to another graph.
    pub fn new(graph: &Graph, weights: &Weights) -> Result<Self, EngineError> {
        Self::with_level(graph, weights, Level::best())
    }

    /// A network for a given level: to compare levels.
    ///
    /// # Errors
    ///
    /// As [`Network::new`].
    pub fn with_level(graph: &Graph, weights: &Weights, level: Level) -> Result<Self, EngineError> {
        let (want, got) = (graph.params().len(), weights.tensors().len());
        if want != got {
            return Err(EngineError::Weights { want, got });
        }
        let (graph, weights, packed) = (graph.clone(), weights.clone(), Mutex::default());
        Ok(Self(Arc::new(Shared { graph, weights, level, packed })))
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.0.graph
    }

    /// The level its kernels are compiled for.
    pub fn level(&self) -> Level {
        self.0.level
    }

    /// The values of parameter `place` of a node.
    pub(crate) fn param(&self, node: NodeId, place: usize) -> &[f32] {
        match self.0.graph.node(node).params.get(place) {
            Some(&index) => self.0.weights.get(index).data(),
            None => &[],
        }
    }

    /// A layer's weights in the form that `key` says, packed on first use.
    pub(crate) fn packed(&self, key: Key) -> Packed {
        let mut packed = self.0.packed.lock().unwrap_or_else(PoisonError::into_inner);
        packed.entry(key).or_insert_with(|| self.pack(key)).clone()
    }

    fn pack(&self, key: Key) -> Packed {
        let node = self.graph().node(key.node);
        let level = self.level();
        let raw = self.param(key.node, 0);
        let (weight, bias) = self.folded(key);
        match &node.op {
            Op::Conv(c) => {
                let inputs = self.0.graph.params()[node.params[0]].shape[1];
                let shape = [c.out, inputs, c.kernel[0], c.kernel[1]];
                let dense;
                let (weight, shape) = if c.groups == 1 || key.algorithm == Algorithm::Depthwise {
                    (weight.as_slice(), shape)
                } else {
                    dense = ungrouped(&weight, shape, c.groups);
                    (dense.as_slice(), [shape[0], inputs * c.groups, shape[2], shape[3]])
                };
                let (stride, dilation) = (c.stride, c.dilation);
                let in_stride = key.in_stride;
                let spec = ConvSpec { weight, bias: &bias, shape, in_stride, stride, dilation };
                Packed::Conv(Arc::new(pack_conv(level, key.algorithm, &spec)))
            }
            Op::ConvTranspose(t) => {
                let channels = raw.len() / (t.out * t.kernel * t.kernel);
                let shape = [channels, t.out, t.kernel, t.kernel];
                let (in_stride, stride, cut) = (key.in_stride, t.stride, t.extent(1).1);
                let spec = ConvSpec {
                    weight: &weight,
                    bias: &bias,
                    shape,
                    in_stride,
                    stride,
                    dilation: 1,
                };
                let conv = if key.algorithm == Algorithm::Transposed {
                    Conv::Transposed(Transposed::new(level, &spec, cut))
                } else {
                    // At stride 1 it is a convolution with the kernel turned around.
                    let turned = turned(&weight, shape);
                    let shape = [t.out, channels, t.kernel, t.kernel];
                    pack_conv(level, key.algorithm, &ConvSpec { weight: &turned, shape, ..spec })
                };
                Packed::Conv(Arc::new(conv))
            }
            Op::Linear { .. } => Packed::Linear(Arc::new(Linear::new(&weight, &bias))),
            other => unreachable!("{} has nothing to pack", other.kind()),
        }
    }

    /// Weight and bias of a convolution, with the batch norm after it folded in.
    fn folded(&self, key: Key) -> (Vec<f32>, Vec<f32>) {
        let mut weight = self.param(key.node, 0).to_vec();
        let mut bias = self.param(key.node, 1).to_vec();
        let Some(norm) = key.norm else { return (weight, bias) };
        let (scale, shift) = self.batch_norm(norm);
        bias.resize(scale.len(), 0.0);
        let per_out = weight.len() / scale.len();
        for (o, values) in weight.chunks_exact_mut(per_out).enumerate() {
            for w in values {
                *w = (f64::from(*w) * scale[o]) as f32;
            }
            bias[o] = (f64::from(bias[o]) * scale[o] + shift[o]) as f32;
        }
        (weight, bias)
    }

    /// Factor and summand per channel of a batch norm.
    pub(crate) fn batch_norm(&self, norm: NodeId) -> (Vec<f64>, Vec<f64>) {
        let Op::BatchNorm { eps } = self.graph().node(norm).op else {
            unreachable!("{} is no batch norm", self.graph().node(norm).name)
        };
        let [gain, bias, mean, var] = [0, 1, 2, 3].map(|place| self.param(norm, place));
        let scale = |c: usize| f64::from(gain[c]) / (f64::from(var[c]) + f64::from(eps)).sqrt();
        let shift = |c: usize| f64::from(bias[c]) - f64::from(mean[c]) * scale(c);
        ((0..gain.len()).map(scale).collect(), (0..gain.len()).map(shift).collect())
    }
}

fn pack_conv(level: Level, algorithm: Algorithm, spec: &ConvSpec) -> Conv {
    match algorithm {
        Algorithm::Winograd(size) => Conv::Winograd(Winograd::new(level, spec, size)),
        Algorithm::Narrow => Conv::Narrow(Narrow::new(level, spec)),
        Algorithm::Depthwise => Conv::Depthwise(Depthwise::new(spec)),
        _ => Conv::Direct(Direct::new(level, spec)),
    }
}

/// The weights of a grouped convolution as those of one without groups: zero
/// between groups. Wasteful, but no network here has groups other than depthwise.
fn ungrouped(weight: &[f32], [o, i, kh, kw]: [usize; 4], groups: usize) -> Vec<f32> {
    let mut dense = vec![0.0; o * i * groups * kh * kw];
    let filter = i * kh * kw;
    for (out, values) in weight.chunks_exact(filter).enumerate() {
        let group = out / (o / groups);
        dense[(out * groups + group) * filter..][..filter].copy_from_slice(values);
    }
    dense
}

/// `[in, out, k, k]` to `[out, in, k, k]` with both kernel axes reversed.
fn turned(weight: &[f32], [i, o, k, _]: [usize; 4]) -> Vec<f32> {
    let mut out = vec![0.0; weight.len()];
    for (index, values) in weight.chunks_exact(k * k).enumerate() {
        let (c, d) = (index / o, index % o);
        for (tap, &value) in values.iter().rev().enumerate() {
            out[(d * i + c) * k * k + tap] = value;
        }
    }
    out
}
