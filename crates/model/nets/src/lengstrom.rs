//! The TensorFlow image transformation network of lengstrom/fast-style-transfer.
//!
//! # Source
//!
//! `src/transform.py` of <https://github.com/lengstrom/fast-style-transfer>.
//! It differs from "Perceptual Losses for Real-Time Style Transfer and
//! Super-Resolution" (ECCV 2016): instance norm for batch norm, after the last
//! layer too; TensorFlow's `SAME` padding; `tanh · 150 + 127.5` at the end.
//!
//! Its checkpoints name the variables `Variable`, `Variable_1`, …, three a
//! layer: kernel, shift, scale. The names here are the Python variables'.
//!
//! Training feeds the network `picture / 255`, its `evaluate.py` the bytes
//! themselves. The first norm takes the factor out again, up to its epsilon of
//! 1e-3; the training's form is the one here.

use graph::{Activation, Builder, Conv, ConvTranspose, Encoding, Graph, NodeId};
use graph::{Padding, TransposePadding};

/// How the network wants its picture: RGB in 0..=1.
pub const INPUT: Encoding = Encoding::UNIT;
/// How it gives one back: RGB in −22.5..=277.5, to be clamped to 0..=255.
pub const OUTPUT: Encoding = Encoding::BYTES;

const EPS: f32 = 1e-3;

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

/// `[N, 3, H, W]` as [`INPUT`] to the same as [`OUTPUT`], of any size.
///
/// Sides that are no multiples of 4 come back as the next one. Taps: `conv1`
/// (before its norm), `conv1.norm`, `conv1.relu`, …, `resid1` …, `tanh`, `preds`.
pub fn graph(Config { width: w, residual_blocks }: Config) -> Graph {
    let mut g = Builder::new("lengstrom");
    g.multiple_of(4);
    let x = g.input("rgb", 3);
    let x = conv_relu(&mut g, x, "conv1", conv(w, 9)); // [w, H]
    let x = conv_relu(&mut g, x, "conv2", conv(2 * w, 3).stride(2)); // [2w, H/2]
    let x = conv_relu(&mut g, x, "conv3", conv(4 * w, 3).stride(2)); // [4w, H/4]
    let x = (1..=residual_blocks).fold(x, |x, i| residual(&mut g, x, &format!("resid{i}"), 4 * w));
    let x = up(&mut g, x, "conv_t1", 2 * w); // [2w, H/2]
    let x = up(&mut g, x, "conv_t2", w); // [w, H]
    let x = g.conv("conv_t3", x, conv(3, 9)); // [3, H]
    let x = g.instance_norm("conv_t3.norm", x, EPS);
    let x = g.activation(x, Activation::Tanh);
    let x = g.tap(x, "tanh");
    let x = g.scale(x, 150.0, 127.5);
    let x = g.tap(x, "preds");
    g.finish(x)
}

const fn conv(out: usize, kernel: usize) -> Conv {
    Conv::new(out, kernel).pad(Padding::Same).without_bias()
}

fn conv_relu(g: &mut Builder, x: NodeId, name: &str, conv: Conv) -> NodeId {
    let x = g.conv(name, x, conv);
    norm_relu(g, x, name)
}

fn up(g: &mut Builder, x: NodeId, name: &str, out: usize) -> NodeId {
    let pad = TransposePadding::Same;
    let x =
        g.conv_transpose(name, x, ConvTranspose { out, kernel: 3, stride: 2, pad, bias: false });
    norm_relu(g, x, name)
}

fn norm_relu(g: &mut Builder, x: NodeId, name: &str) -> NodeId {
    let x = g.instance_norm(&format!("{name}.norm"), x, EPS);
    let x = g.relu(x);
    g.tap(x, &format!("{name}.relu"))
}

/// No `ReLU` after the sum.
fn residual(g: &mut Builder, x: NodeId, name: &str, channels: usize) -> NodeId {
    let y = conv_relu(g, x, &format!("{name}.conv1"), conv(channels, 3));
    let second = format!("{name}.conv2");
    let y = g.conv(&second, y, conv(channels, 3));
    let y = g.instance_norm(&format!("{second}.norm"), y, EPS);
    let sum = g.add(x, y);
    g.tap(sum, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parameters_a_layer_in_the_checkpoints_order() {
        let g = graph(Config::default());
        let names: Vec<&str> = g.params().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names.len(), 48); // Variable … Variable_47
        assert_eq!(names[..3], ["conv1.weight", "conv1.norm.weight", "conv1.norm.bias"]);
        assert_eq!(names[9], "resid1.conv1.weight");
        assert_eq!(names[36], "resid5.conv2.weight");
        assert_eq!(names[39], "conv_t1.weight");
        assert_eq!(names[45..], ["conv_t3.weight", "conv_t3.norm.weight", "conv_t3.norm.bias"]);
        assert_eq!(g.params()[39].shape, [128, 64, 3, 3]);
        assert_eq!(g.param_count(), 1_677_638);
    }

    #[test]
    fn multiples_of_four_keep_their_size() {
        let g = graph(Config { width: 4, residual_blocks: 1 });
        let out = |h, w| g.shapes(&[[2, 3, h, w]]).unwrap()[g.output().index()];
        assert_eq!(out(32, 44), [2, 3, 32, 44]);
        assert_eq!(out(33, 45), [2, 3, 36, 48]);
        assert_eq!(out(1, 1), [2, 3, 4, 4]);
    }
}
