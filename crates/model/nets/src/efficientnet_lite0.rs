//! `EfficientNet-Lite0`, a classifier for small devices.
//!
//! # Source
//!
//! Tan and Le, "`EfficientNet`: Rethinking Model Scaling for Convolutional
//! Neural Networks" (ICML 2019), table 1, in the *Lite* form of
//! tensorflow/tpu `models/official/efficientnet/lite`: `ReLU6` for swish, no
//! squeeze and excitation, stem and head of fixed width. Parameter names are
//! those of the PyTorch package `efficientnet_lite_pytorch`, whose checkpoints
//! were converted from TensorFlow's: hence its `SAME` padding, and batch norms
//! with an epsilon of 1e-3.

use graph::{Activation, Builder, ChannelOrder, Conv, Encoding, Graph, NodeId, PadMode, Padding};

/// How the network wants its picture: bytes, `(x − 127) / 128`.
pub const ENCODING: Encoding =
    Encoding { order: ChannelOrder::Rgb, scale: 255.0, mean: [127.0; 3], std: [128.0; 3] };

/// Height and width of the pictures it was trained on.
pub const SIZE: usize = 224;

/// Of the batch norms.
const EPS: f32 = 1e-3;

/// Channels after the stem.
const STEM: usize = 32;

/// How many classes it tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `ImageNet`'s 1000.
    pub classes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { classes: 1000 }
    }
}

/// Blocks in a row that are alike but for the first's stride and channels in.
struct Stage {
    blocks: usize,
    kernel: usize,
    stride: usize,
    /// How many times wider a block is inside.
    expand: usize,
    out: usize,
}

const fn stage(blocks: usize, [kernel, stride, expand, out]: [usize; 4]) -> Stage {
    Stage { blocks, kernel, stride, expand, out }
}

const STAGES: [Stage; 7] = [
    stage(1, [3, 1, 1, 16]),
    stage(2, [3, 2, 6, 24]),
    stage(2, [5, 2, 6, 40]),
    stage(3, [3, 2, 6, 80]),
    stage(3, [5, 1, 6, 112]),
    stage(4, [5, 2, 6, 192]),
    stage(1, [3, 1, 6, 320]),
];

/// How activations are brought to one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// By a batch norm after each convolution, which then has no bias.
    Batch,
    /// By what a batch norm has become once it is multiplied into the
    /// convolution before it: kernel and bias of other values.
    Folded,
}

/// `[N, 3, H, W]` as [`ENCODING`] to `[N, classes, 1, 1]` logits.
///
/// Taps: `stem`, `blocks.0` … `blocks.15`, `head`, `pool`, and the package's
/// modules; the `ReLU6`s of a block are its `_swish` and `_swish_1`, called so
/// whatever they are.
pub fn graph(Config { classes }: Config) -> Graph {
    let mut g = Builder::new("efficientnet_lite0");
    let x = g.input("rgb", 3);
    let [.., x] = encoder(&mut g, x, Norm::Batch); // [320, H/32]
    let head = Layer { conv: "_conv_head", norm: "_bn1" };
    let x = conv_norm(&mut g, x, (head, Norm::Batch), same(1280, 1));
    let x = g.activation(x, Activation::Relu6);
    let x = g.tap(x, "head");
    let x = g.adaptive_avg_pool(x, [1, 1]);
    let x = g.tap(x, "pool");
    let x = g.dropout(x, 0.2);
    let x = g.tap(x, "_dropout");
    let x = g.linear("_fc", x, 1280, classes);
    g.finish(x)
}

/// Everything before the head: from `x`, of any number of channels, to the last
/// features of each scale.
///
/// | | channels | size |
/// |---|---|---|
/// | 0 | 16 | H/2 |
/// | 1 | 24 | H/4 |
/// | 2 | 40 | H/8 |
/// | 3 | 112 | H/16 |
/// | 4 | 320 | H/32 |
pub fn encoder(g: &mut Builder, x: NodeId, norm: Norm) -> [NodeId; 5] {
    let stem = Layer { conv: "_conv_stem", norm: "_bn0" };
    let x = conv_norm(g, x, (stem, norm), same(STEM, 3).stride(2));
    let x = g.activation(x, Activation::Relu6);
    let mut x = g.tap(x, "stem");
    let (mut index, mut scale, mut last_of_scale) = (0, 0, [x; 5]);
    for stage in &STAGES {
        if stage.stride == 2 {
            scale += 1;
        }
        for block in 0..stage.blocks {
            let stride = if block == 0 { stage.stride } else { 1 };
            x = inverted_residual(g, x, (index, norm), &Stage { stride, ..*stage });
            index += 1;
        }
        last_of_scale[scale] = x;
    }
    last_of_scale
}

/// `MobileNetV2`'s block: wider, by channel, narrower again.
fn inverted_residual(
    g: &mut Builder,
    input: NodeId,
    (index, norm): (usize, Norm),
    stage: &Stage,
) -> NodeId {
    let channels = g.channels(input).expect("a convolution's output");
    let (inside, block) = (channels * stage.expand, format!("_blocks.{index}"));
    let layer = |g: &mut Builder, x, names: [&str; 2], conv| {
        let [conv_name, norm_name] = names.map(|n| format!("{block}.{n}"));
        conv_norm(g, x, (Layer { conv: &conv_name, norm: &norm_name }, norm), conv)
    };
    let (mut x, mut relu) = (input, "_swish");
    if stage.expand != 1 {
        x = layer(g, x, ["_expand_conv", "_bn0"], same(inside, 1));
        x = g.activation(x, Activation::Relu6);
        g.tap(x, &format!("{block}.{relu}"));
        relu = "_swish_1";
    }
    let by_channel = same(inside, stage.kernel).stride(stage.stride).groups(inside);
    x = layer(g, x, ["_depthwise_conv", "_bn1"], by_channel);
    x = g.activation(x, Activation::Relu6);
    g.tap(x, &format!("{block}.{relu}"));
    x = layer(g, x, ["_project_conv", "_bn2"], same(stage.out, 1));
    if stage.stride == 1 && channels == stage.out {
        x = g.add(x, input);
    }
    g.tap(x, &format!("blocks.{index}"))
}

/// What a convolution and the norm after it are called.
struct Layer<'a> {
    conv: &'a str,
    norm: &'a str,
}

fn conv_norm(g: &mut Builder, x: NodeId, (layer, norm): (Layer, Norm), conv: Conv) -> NodeId {
    match norm {
        Norm::Batch => {
            let x = g.conv(layer.conv, x, conv.without_bias());
            g.batch_norm(layer.norm, x, EPS)
        }
        Norm::Folded => g.conv(layer.conv, x, conv),
    }
}

/// TensorFlow's `SAME`.
const fn same(out: usize, kernel: usize) -> Conv {
    match kernel {
        1 => Conv::same(out, 1, PadMode::Zero),
        _ => Conv::new(out, kernel).pad(Padding::Same),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_the_checkpoints() {
        let g = graph(Config::default());
        let names: Vec<&str> = g.params().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names[..2], ["_conv_stem.weight", "_bn0.weight"]);
        for name in ["_blocks.0._project_conv.weight", "_blocks.15._bn2.running_var", "_fc.bias"] {
            assert!(names.contains(&name), "no {name}");
        }
        assert!(!names.contains(&"_blocks.0._expand_conv.weight"));
        // The package's 4,652,008 and its running statistics.
        let learnt: usize = g.params().iter().filter(|p| p.trainable).map(graph::Param::len).sum();
        assert_eq!(learnt, 4_652_008);
        let out = g.shapes(&[[2, 3, SIZE, SIZE]]).unwrap()[g.output().index()];
        assert_eq!(out, [2, 1000, 1, 1]);
    }

    #[test]
    fn the_encoder_gives_each_scale() {
        let mut g = Builder::new("test");
        let x = g.input("x", 4);
        let scales = encoder(&mut g, x, Norm::Folded);
        let g = g.finish(scales[4]);
        let shapes = g.shapes(&[[1, 4, 64, 96]]).unwrap();
        let want = [[16, 32, 48], [24, 16, 24], [40, 8, 12], [112, 4, 6], [320, 2, 3]];
        for (node, [c, h, w]) in scales.into_iter().zip(want) {
            assert_eq!(shapes[node.index()], [1, c, h, w]);
        }
        assert!(g.params().iter().any(|p| p.name == "_blocks.3._depthwise_conv.bias"));
    }
}
