//! The cases that `golden/ops/record.py` writes: small graphs at odd shapes.

use cpu::{Level, Network};
use graph::{
    Activation, Builder, Conv, ConvTranspose, Filter, Graph, NodeId, PadMode, Padding, Pool,
    PoolKind, TransposePadding,
};
use serde::Deserialize;
use tensor::Tensor;
use testing::{Random, golden_path, random_weights};
use weights::Weights;

/// The seed of `golden/ops/record.py`.
const SEED: u64 = 3;

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) inputs: Vec<[usize; 4]>,
    pub(crate) amplitude: f32,
    /// Whether one value of the first image is not a number.
    pub(crate) nan: bool,
    /// How much the operation enlarges a rounding of its input.
    pub(crate) condition: f64,
    pub(crate) layers: Vec<Layer>,
}

#[derive(Deserialize)]
pub(crate) struct Layer {
    reads: Vec<usize>,
    #[serde(flatten)]
    pub(crate) spec: Spec,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Spec {
    Conv(ConvSpec),
    ConvTranspose {
        out: usize,
        kernel: usize,
        stride: usize,
        pad: Pad,
        by: usize,
        output: usize,
        bias: bool,
    },
    Linear {
        features: usize,
        out: usize,
    },
    InstanceNorm {
        eps: f32,
    },
    BatchNorm {
        eps: f32,
    },
    Activation {
        name: Function,
        slope: f32,
    },
    Softmax,
    Pool {
        what: What,
        kernel: usize,
        stride: usize,
        pad: Pad,
        by: usize,
    },
    AdaptiveAvgPool {
        height: usize,
        width: usize,
    },
    Resize {
        filter: Interpolation,
        factor: usize,
    },
    Pad {
        pad: Pad,
        sides: [usize; 4],
    },
    Crop {
        sides: [usize; 4],
    },
    Add,
    Mul,
    Scale {
        scale: f32,
        shift: f32,
    },
    Concat,
    BroadcastSpace,
    Flatten,
    Dropout {
        share: f32,
    },
}

#[derive(Deserialize)]
pub(crate) struct ConvSpec {
    out: usize,
    kernel: [usize; 2],
    stride: usize,
    dilation: usize,
    groups: usize,
    pad: Pad,
    by: usize,
    bias: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pad {
    Zero,
    Reflect,
    Replicate,
    Same,
    Torch,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Function {
    Relu,
    Relu6,
    LeakyRelu,
    Tanh,
    Sigmoid,
    Silu,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    Max,
    Average,
    AverageInside,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interpolation {
    Nearest,
    Bilinear,
}

impl Pad {
    fn mode(self) -> PadMode {
        match self {
            Self::Zero => PadMode::Zero,
            Self::Reflect => PadMode::Reflect,
            Self::Replicate => PadMode::Replicate,
            Self::Same | Self::Torch => unreachable!("no mode of its own"),
        }
    }

    fn padding(self, by: usize) -> Padding {
        match self {
            Self::Same => Padding::Same,
            _ => Padding::Around(self.mode(), by),
        }
    }

    fn transposed(self, padding: usize, output: usize) -> TransposePadding {
        match self {
            Self::Same => TransposePadding::Same,
            _ => TransposePadding::Torch { padding, output },
        }
    }
}

fn pool(what: What, kernel: usize, stride: usize, pad: Padding) -> Pool {
    let kind = match what {
        What::Max => PoolKind::Max,
        What::Average => PoolKind::Average,
        What::AverageInside => PoolKind::AverageInside,
    };
    Pool { kind, kernel, stride, pad }
}

fn function(name: Function, slope: f32) -> Activation {
    match name {
        Function::Relu => Activation::Relu,
        Function::Relu6 => Activation::Relu6,
        Function::LeakyRelu => Activation::LeakyRelu(slope),
        Function::Tanh => Activation::Tanh,
        Function::Sigmoid => Activation::Sigmoid,
        Function::Silu => Activation::Silu,
    }
}

impl Spec {
    fn add_to(&self, g: &mut Builder, name: &str, xs: &[NodeId]) -> NodeId {
        let x = xs[0];
        match *self {
            Self::Conv(ref c) => g.conv(name, x, c.conv()),
            Self::ConvTranspose { out, kernel, stride, pad, by, output, bias } => {
                let pad = pad.transposed(by, output);
                g.conv_transpose(name, x, ConvTranspose { out, kernel, stride, pad, bias })
            }
            Self::Linear { features, out } => g.linear(name, x, features, out),
            Self::InstanceNorm { eps } => g.instance_norm(name, x, eps),
            Self::BatchNorm { eps } => g.batch_norm(name, x, eps),
            Self::Activation { name, slope } => g.activation(x, function(name, slope)),
            Self::Softmax => g.softmax(x),
            Self::Pool { what, kernel, stride, pad, by } => {
                g.pool(name, x, pool(what, kernel, stride, pad.padding(by)))
            }
            Self::AdaptiveAvgPool { height, width } => g.adaptive_avg_pool(x, [height, width]),
            Self::Resize { filter: Interpolation::Nearest, factor } => {
                g.resize(x, Filter::Nearest, factor)
            }
            Self::Resize { filter: Interpolation::Bilinear, factor } => {
                g.resize(x, Filter::Bilinear, factor)
            }
            Self::Pad { pad, sides } => g.pad(x, pad.mode(), sides),
            Self::Crop { sides } => g.crop(x, sides),
            Self::Add => g.add(x, xs[1]),
            Self::Mul => g.mul(x, xs[1]),
            Self::Scale { scale, shift } => g.scale(x, scale, shift),
            Self::Concat => g.concat(xs),
            Self::BroadcastSpace => g.broadcast_space(x, xs[1]),
            Self::Flatten => g.flatten(x),
            Self::Dropout { share } => g.dropout(x, share),
        }
    }

    /// Whether a value that is not a number may spread to its neighbours in the
    /// image: Winograd's transforms mix the pixels of a tile.
    pub(crate) fn mixes(&self) -> bool {
        matches!(self, Self::Conv(_) | Self::ConvTranspose { .. })
    }
}

impl ConvSpec {
    fn conv(&self) -> Conv {
        let Self { out, kernel, stride, dilation, groups, pad, by, bias } = *self;
        Conv { out, kernel, stride, dilation, groups, pad: pad.padding(by), bias }
    }
}

impl Case {
    pub(crate) fn graph(&self) -> Graph {
        let mut g = Builder::new(self.name.as_str());
        let mut nodes: Vec<NodeId> =
            (0..).zip(&self.inputs).map(|(i, shape)| g.input(&format!("x{i}"), shape[1])).collect();
        for (i, layer) in self.layers.iter().enumerate() {
            let xs: Vec<NodeId> = layer.reads.iter().map(|&r| nodes[r]).collect();
            nodes.push(layer.spec.add_to(&mut g, &format!("l{i}"), &xs));
        }
        g.finish(*nodes.last().unwrap())
    }

    pub(crate) fn input(&self, i: usize) -> Tensor {
        let shape = self.inputs[i];
        let mut x =
            Random::named(SEED, &format!("{}/{i}", self.name)).tensor(&shape, self.amplitude);
        if self.nan && i == 0 {
            let [_, c, h, w] = shape;
            x.data_mut()[((c / 2) * h + h / 2) * w + w / 2] = f32::NAN;
        }
        x
    }

    pub(crate) fn network(&self, level: Level) -> Network {
        let graph = self.graph();
        let seed = Random::seed(SEED, &self.name);
        let weights = Weights::bind(&graph, random_weights(&graph, seed)).unwrap();
        Network::with_level(&graph, &weights, level).unwrap()
    }

    /// The gradient of the loss by a result of this shape.
    pub(crate) fn seed_gradient(&self, shape: &[usize]) -> Tensor {
        Random::named(SEED, &format!("{}/gradient", self.name)).tensor(shape, 1.0)
    }

    /// All cases of a framework.
    pub(crate) fn all(framework: &str) -> Vec<Self> {
        let json = std::fs::read(golden_path(&format!("ops/cases_{framework}.json"))).unwrap();
        serde_json::from_slice(&json).unwrap()
    }
}
