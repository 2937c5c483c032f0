use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use graph::{Graph, NodeId, Op};
use kernels::{Conv, Few, Level, Linear};
use rayon::prelude::*;
use weights::Weights;

use crate::EngineError;

mod packing;

/// A graph with its weights, repacked for this CPU as plans ask for it.
///
/// Cheap to clone: clones share everything.
#[derive(Clone, Debug)]
pub struct Network(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    graph: Arc<Graph>,
    weights: Weights,
    level: Level,
    packed: Mutex<BTreeMap<Key, Packed>>,
}

impl Shared {
    fn forms(&self) -> MutexGuard<'_, BTreeMap<Key, Packed>> {
        self.packed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a layer was packed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) node: NodeId,
    pub(crate) role: Role,
    /// The batch norm folded in.
    pub(crate) norm: Option<NodeId>,
    pub(crate) algorithm: Algorithm,
    pub(crate) in_stride: usize,
    /// Which input channels, from and to, if not all.
    pub(crate) channels: Option<[usize; 2]>,
}

/// Which way a layer is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Forward,
    /// From the gradient of its output to that of its input; this many pixels of
    /// the full result are cut off at the top and left, where it is transposed.
    Backward {
        cut: usize,
    },
}

impl Key {
    pub(crate) fn forward(node: NodeId, algorithm: Algorithm, in_stride: usize) -> Self {
        Self { node, role: Role::Forward, norm: None, algorithm, in_stride, channels: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    /// For outputs of this size.
    Winograd([usize; 2]),
    /// Computed by the convolution that reads it.
    Few,
    Shallow,
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
    Few(Arc<Few>),
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
        check(graph, weights)?;
        Ok(Self::of(Arc::new(graph.clone()), weights.clone(), level))
    }

    fn of(graph: Arc<Graph>, weights: Weights, level: Level) -> Self {
        Self(Arc::new(Shared { graph, weights, level, packed: Mutex::default() }))
    }

    /// Its weights, if nobody else has this network.
    pub(crate) fn into_weights(self) -> Option<Weights> {
        Arc::into_inner(self.0).map(|shared| shared.weights)
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
        match self.0.graph.node(node).param(place) {
            Some(index) => self.0.weights.get(index).data(),
            None => &[],
        }
    }

    /// The same network with other weights, which have to fit, packed in the forms
    /// that this one was asked for so far: while training that is every step's work.
    /// `spare` are weights of this graph that nobody needs any more: their memory is used.
    pub(crate) fn with_weights(
        &self,
        weights: &Weights,
        spare: Option<Weights>,
    ) -> Result<Self, EngineError> {
        check(self.graph(), weights)?;
        let own = spare.map_or_else(|| weights.clone(), |spare| copied(weights, spare));
        let network = Self::of(Arc::clone(&self.0.graph), own, self.level());
        let asked = |shared: &Shared| -> Vec<Key> { shared.forms().keys().copied().collect() };
        let packed = asked(&self.0).into_par_iter().map(|key| (key, network.pack(key)));
        let packed: Vec<(Key, Packed)> = packed.collect();
        network.0.forms().extend(packed);
        Ok(network)
    }

    /// A convolution in the form that `key` says, packed on first use.
    pub(crate) fn conv(&self, key: Key) -> Arc<Conv> {
        match self.packed(key) {
            Packed::Conv(conv) => conv,
            _ => unreachable!("a key for a convolution"),
        }
    }

    /// A fully connected layer, packed on first use.
    pub(crate) fn linear(&self, key: Key) -> Arc<Linear> {
        match self.packed(key) {
            Packed::Linear(linear) => linear,
            _ => unreachable!("a key for a fully connected layer"),
        }
    }

    /// A convolution of few values for the one that reads it, packed on first use.
    pub(crate) fn few(&self, key: Key) -> Arc<Few> {
        match self.packed(key) {
            Packed::Few(few) => few,
            _ => unreachable!("a key for a convolution of few values"),
        }
    }

    /// The shape of a convolution's weights.
    pub(crate) fn weight_shape(&self, node: NodeId) -> [usize; 4] {
        let param = self.graph().node(node).params[0];
        match self.graph().params()[param].shape[..] {
            [a, b, c, d] => [a, b, c, d],
            _ => unreachable!("a convolution's weights have four axes"),
        }
    }

    fn packed(&self, key: Key) -> Packed {
        let mut packed = self.0.forms();
        packed.entry(key).or_insert_with(|| self.pack(key)).clone()
    }

    fn pack(&self, key: Key) -> Packed {
        let (weight, bias) = self.folded(key);
        match key.algorithm {
            Algorithm::Linear => {
                Packed::Linear(Arc::new(packing::linear(self, key, (&*weight, &*bias))))
            }
            Algorithm::Few => Packed::Few(Arc::new(packing::few(self, key, (&*weight, &*bias)))),
            _ => Packed::Conv(Arc::new(packing::conv(self, key, (&*weight, &*bias)))),
        }
    }

    /// Weight and bias of a convolution, with the batch norm after it folded in.
    pub(crate) fn folded(&self, key: Key) -> (Cow<'_, [f32]>, Cow<'_, [f32]>) {
        let [weight, bias] = [0, 1].map(|place| self.param(key.node, place));
        let Some(norm) = key.norm else { return (weight.into(), bias.into()) };
        let (mut weight, mut bias) = (weight.to_vec(), bias.to_vec());
        let (scale, shift) = self.batch_norm(norm);
        bias.resize(scale.len(), 0.0);
        let per_out = weight.len() / scale.len();
        for (o, values) in weight.chunks_exact_mut(per_out).enumerate() {
            for w in values {
                *w = (f64::from(*w) * scale[o]) as f32;
            }
            bias[o] = (f64::from(bias[o]) * scale[o] + shift[o]) as f32;
        }
        (weight.into(), bias.into())
    }

    /// Factor and summand per channel of a batch norm.
    pub(crate) fn batch_norm(&self, norm: NodeId) -> (Vec<f64>, Vec<f64>) {
        let Op::BatchNorm { eps } = self.graph().node(norm).op else {
            unreachable!("{} is no batch norm", self.graph().node(norm).name)
        };
        let [gain, bias, mean, var] = [0, 1, 2, 3].map(|place| self.param(norm, place));
        let gain = |c: usize| f64::from(gain.get(c).copied().unwrap_or(1.0));
        let scale = |c: usize| gain(c) / (f64::from(var[c]) + f64::from(eps)).sqrt();
        let shift = |c: usize| f64::from(bias[c]) - f64::from(mean[c]) * scale(c);
        ((0..var.len()).map(scale).collect(), (0..var.len()).map(shift).collect())
    }
}

fn check(graph: &Graph, weights: &Weights) -> Result<(), EngineError> {
    let (want, got) = (graph.params().len(), weights.tensors().len());
    if want == got { Ok(()) } else { Err(EngineError::Weights { want, got }) }
}

/// `weights` in the memory of others of the same graph, on all threads.
fn copied(weights: &Weights, mut memory: Weights) -> Weights {
    const PART: usize = 1 << 14;
    for (to, from) in memory.tensors_mut().iter_mut().zip(weights.tensors()) {
        debug_assert_eq!(to.shape(), from.shape(), "weights of another graph");
        let parts = to.data_mut().par_chunks_mut(PART).zip(from.data().par_chunks(PART));
        parts.for_each(|(to, from)| to.copy_from_slice(from));
    }
    memory
}
