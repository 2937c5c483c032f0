//! Every operation against PyTorch or TensorFlow, at odd shapes and every CPU level.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use cpu::{Level, Network, Plan, Session};
use graph::{
    Activation, Builder, Conv, ConvTranspose, Filter, Graph, NodeId, PadMode, Padding, Pool,
    PoolKind, TransposePadding,
};
use serde::Deserialize;
use tensor::Tensor;
use testing::{Golden, REORDERED, Random, Tolerance, check_close, golden_path, random_weights};
use weights::Weights;

/// The seed of `golden/ops/record.py`.
const SEED: u64 = 3;

/// How often a value is rounded before its mean is taken off: when it is read,
/// and when it is scaled. What comes after works on the difference.
const ROUNDINGS: f64 = 2.0;

#[derive(Deserialize)]
struct Case {
    name: String,
    inputs: Vec<[usize; 4]>,
    amplitude: f32,
    /// Whether one value of the first image is not a number.
    nan: bool,
    /// How much the operation enlarges a rounding of its input.
    condition: f64,
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    reads: Vec<usize>,
    #[serde(flatten)]
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Spec {
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
struct ConvSpec {
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
enum Pad {
    Zero,
    Reflect,
    Replicate,
    Same,
    Torch,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Function {
    Relu,
    Relu6,
    LeakyRelu,
    Tanh,
    Sigmoid,
    Silu,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Max,
    Average,
    AverageInside,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Interpolation {
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
    fn mixes(&self) -> bool {
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
    fn graph(&self) -> Graph {
        let mut g = Builder::new(self.name.as_str());
        let mut nodes: Vec<NodeId> =
            (0..).zip(&self.inputs).map(|(i, shape)| g.input(&format!("x{i}"), shape[1])).collect();
        for (i, layer) in self.layers.iter().enumerate() {
            let xs: Vec<NodeId> = layer.reads.iter().map(|&r| nodes[r]).collect();
            nodes.push(layer.spec.add_to(&mut g, &format!("l{i}"), &xs));
        }
        g.finish(*nodes.last().unwrap())
    }

    fn input(&self, i: usize) -> Tensor {
        let shape = self.inputs[i];
        let mut x =
            Random::named(SEED, &format!("{}/{i}", self.name)).tensor(&shape, self.amplitude);
        if self.nan && i == 0 {
            let [_, c, h, w] = shape;
            x.data_mut()[((c / 2) * h + h / 2) * w + w / 2] = f32::NAN;
        }
        x
    }

    fn run(&self, level: Level) -> Tensor {
        let graph = self.graph();
        let seed = Random::seed(SEED, &self.name);
        let weights = Weights::bind(&graph, random_weights(&graph, seed)).unwrap();
        let network = Network::with_level(&graph, &weights, level).unwrap();
        let inputs: Vec<Tensor> = (0..self.inputs.len()).map(|i| self.input(i)).collect();
        let plan = Plan::new(&network, &self.inputs, &[]).unwrap();
        Session::new(plan).run(&inputs.iter().collect::<Vec<_>>()).output
    }

    fn fault(&self, level: Level, want: &Tensor) -> Option<String> {
        let mut got = self.run(level);
        if got.shape() != want.shape() {
            return Some(format!(
                "{}: shape {:?}, want {:?}",
                self.name,
                got.shape(),
                want.shape()
            ));
        }
        if self.nan && self.layers.iter().any(|l| l.spec.mixes()) {
            let first = want.data().len() / want.shape()[0];
            for (g, w) in got.data_mut()[..first].iter_mut().zip(want.data()) {
                if g.is_nan() {
                    *g = *w; // equal if it should be NaN, forgiven if not
                }
            }
        }
        let rounding =
            Tolerance::OfScale(ROUNDINGS * f64::from(f32::EPSILON / 2.0) * self.condition);
        let tolerance = if self.condition > 0.0 { rounding } else { REORDERED };
        let fault = check_close(got.data(), want.data(), tolerance).err()?;
        let shape = want.shape();
        Some(format!("{} {shape:?} {level:?} {fault}", self.name))
    }
}

fn hold(framework: &str) {
    let json = std::fs::read(golden_path(&format!("ops/cases_{framework}.json"))).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&json).unwrap();
    let golden = Golden::open(&format!("ops/{framework}.safetensors")).unwrap();
    assert_eq!(golden.names().count(), cases.len());
    let mut faults = vec![];
    for case in &cases {
        let want = golden.get(&case.name).unwrap();
        faults.extend(Level::available().into_iter().filter_map(|level| case.fault(level, want)));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn operations_are_pytorchs() {
    hold("pytorch");
}

#[test]
fn same_padding_is_tensorflows() {
    hold("tensorflow");
}
