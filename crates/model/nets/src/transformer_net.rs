//! Johnson et al.'s image transformation network, as pytorch/examples has it.
//!
//! # Source
//!
//! `fast_neural_style` of <https://github.com/pytorch/examples>, whose
//! checkpoints bind under their own names. It differs from "Perceptual Losses
//! for Real-Time Style Transfer and Super-Resolution" (ECCV 2016) in three
//! ways: instance norm for batch norm (arXiv:1607.08022), reflection padding at
//! every convolution, and nearest ×2 with a convolution for each transposed one.

use graph::{Builder, Conv, Encoding, Filter, Graph, NodeId, PadMode};

/// How the network wants its picture, and how it gives one back: RGB in 0..=255.
pub const ENCODING: Encoding = Encoding::BYTES;

/// PyTorch's default for `InstanceNorm2d`.
const EPS: f32 = 1e-5;

/// Size of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Channels at full resolution; twice and four times as many below. 32.
    pub width: usize,
    /// Residual blocks at a quarter of the resolution. 5.
    pub residual_blocks: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { width: 32, residual_blocks: 5 }
    }
}

/// `[N, 3, H, W]` to the same, both as [`ENCODING`]; `H` and `W` at least 5.
///
/// Sides that are no multiples of 4 come back as the next one. Taps: the
/// convolutions and norms under their modules' names, `relu1` … `relu5`,
/// `res1.relu`, `res1` …, and the enlarged `deconv1.upsample_layer`.
pub fn graph(Config { width: w, residual_blocks }: Config) -> Graph {
    let mut g = Builder::new("transformer_net");
    g.multiple_of(4);
    let x = g.input("rgb", 3);
    let x = block(&mut g, x, ["conv1", "in1", "relu1"], conv(w, 9)); // [w, H]
    let x = block(&mut g, x, ["conv2", "in2", "relu2"], conv(2 * w, 3).stride(2)); // [2w, H/2]
    let x = block(&mut g, x, ["conv3", "in3", "relu3"], conv(4 * w, 3).stride(2)); // [4w, H/4]
    let x = (1..=residual_blocks).fold(x, |x, i| residual(&mut g, x, &format!("res{i}"), 4 * w));
    let x = upsample(&mut g, x, "deconv1");
    let x = block(&mut g, x, ["deconv1", "in4", "relu4"], conv(2 * w, 3)); // [2w, H/2]
    let x = upsample(&mut g, x, "deconv2");
    let x = block(&mut g, x, ["deconv2", "in5", "relu5"], conv(w, 3)); // [w, H]
    let x = g.conv("deconv3.conv2d", x, conv(3, 9)); // [3, H]
    g.finish(x)
}

const fn conv(out: usize, kernel: usize) -> Conv {
    Conv::same(out, kernel, PadMode::Reflect)
}

fn block(g: &mut Builder, x: NodeId, [layer, norm, relu]: [&str; 3], conv: Conv) -> NodeId {
    let x = g.conv(&format!("{layer}.conv2d"), x, conv);
    let x = g.instance_norm(norm, x, EPS);
    let x = g.relu(x);
    g.tap(x, relu)
}

/// No `ReLU` after the sum.
fn residual(g: &mut Builder, x: NodeId, name: &str, channels: usize) -> NodeId {
    let part = |part: &str| format!("{name}.{part}");
    let y = block(g, x, [&part("conv1"), &part("in1"), &part("relu")], conv(channels, 3));
    let y = g.conv(&part("conv2.conv2d"), y, conv(channels, 3));
    let y = g.instance_norm(&part("in2"), y, EPS);
    let sum = g.add(y, x);
    g.tap(sum, name)
}

fn upsample(g: &mut Builder, x: NodeId, layer: &str) -> NodeId {
    let x = g.resize(x, Filter::Nearest, 2);
    g.tap(x, &format!("{layer}.upsample_layer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_the_references() {
        let g = graph(Config::default());
        assert_eq!(g.param_count(), 1_679_235);
        assert_eq!(g.params().len(), 62);
        let shape = |name| {
            let param = g.params().iter().find(|p| p.name == name);
            param.unwrap_or_else(|| panic!("no {name}")).shape.clone()
        };
        assert_eq!(shape("conv1.conv2d.weight"), [32, 3, 9, 9]);
        assert_eq!(shape("in3.bias"), [128]);
        assert_eq!(shape("res5.conv2.conv2d.weight"), [128, 128, 3, 3]);
        assert_eq!(shape("res1.in2.weight"), [128]);
        assert_eq!(shape("deconv1.conv2d.weight"), [64, 128, 3, 3]);
        assert_eq!(shape("deconv3.conv2d.bias"), [3]);
    }

    #[test]
    fn multiples_of_four_keep_their_size() {
        let g = graph(Config { width: 4, residual_blocks: 1 });
        let out = |h, w| g.shapes(&[[2, 3, h, w]]).unwrap()[g.output().index()];
        assert_eq!(out(32, 44), [2, 3, 32, 44]);
        assert_eq!(out(33, 45), [2, 3, 36, 48]);
        assert_eq!(g.multiple_of(), 4);
        // The smallest picture that the 9×9 border can be mirrored from.
        assert_eq!(out(5, 5), [2, 3, 8, 8]);
        assert!(g.shapes(&[[1, 3, 4, 5]]).is_err());
    }
}
