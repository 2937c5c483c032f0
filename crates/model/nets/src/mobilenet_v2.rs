//! `MobileNetV2`, a classifier for small devices.
//!
//! # Source
//!
//! Sandler, Howard, Zhu, Zhmoginov and Chen, "`MobileNetV2`: Inverted Residuals
//! and Linear Bottlenecks" (CVPR 2018), table 2, as torchvision has it, whose
//! parameter names it bears.

use graph::{Activation, Builder, Conv, Encoding, Graph, NodeId, PadMode};

/// How the network wants its picture.
pub const INPUT: Encoding = Encoding::IMAGENET;

/// Height and width of the pictures it is trained on.
pub const SIZE: usize = 224;

/// PyTorch's default for `BatchNorm2d`.
const EPS: f32 = 1e-5;

/// Channels before the classes.
const LAST: usize = 1280;

/// Table 2: how many times wider a block is inside, channels out, blocks, stride of the first.
const STAGES: [[usize; 4]; 7] = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
];

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

/// `[N, 3, H, W]` as [`INPUT`] to `[N, classes, 1, 1]` logits; a 32nd of the size inside.
///
/// Taps: torchvision's modules and, as its `feature_extraction` calls them,
/// `features.3.add`, … and `adaptive_avg_pool2d`.
pub fn graph(Config { classes }: Config) -> Graph {
    let mut g = Builder::new("mobilenet_v2");
    let x = g.input("rgb", 3);
    let mut x = conv_norm_relu(&mut g, x, "features.0", conv(32, 3).stride(2)); // [32, H/2]
    let mut index = 1;
    for [expand, out, blocks, first_stride] in STAGES {
        for block in 0..blocks {
            let stride = if block == 0 { first_stride } else { 1 };
            x = inverted_residual(&mut g, x, &format!("features.{index}"), [expand, out, stride]);
            index += 1;
        }
    }
    let x = conv_norm_relu(&mut g, x, &format!("features.{index}"), conv(LAST, 1)); // [1280, H/32]
    let x = g.adaptive_avg_pool(x, [1, 1]);
    let x = g.tap(x, "adaptive_avg_pool2d");
    let x = g.flatten(x);
    let x = g.tap(x, "flatten");
    let x = g.dropout(x, 0.2);
    let x = g.tap(x, "classifier.0");
    let x = g.linear("classifier.1", x, LAST, classes);
    g.finish(x)
}

/// Wider, then by channel, then narrower again without a `ReLU6`.
fn inverted_residual(
    g: &mut Builder,
    input: NodeId,
    name: &str,
    [expand, out, stride]: [usize; 3],
) -> NodeId {
    let channels = g.channels(input).unwrap_or_default();
    let inside = expand * channels;
    let (mut x, mut index) = (input, 0);
    if expand != 1 {
        x = conv_norm_relu(g, x, &format!("{name}.conv.0"), conv(inside, 1));
        index += 1;
    }
    let by_channel = conv(inside, 3).stride(stride).groups(inside);
    x = conv_norm_relu(g, x, &format!("{name}.conv.{index}"), by_channel);
    x = g.conv(&format!("{name}.conv.{}", index + 1), x, conv(out, 1));
    x = g.batch_norm(&format!("{name}.conv.{}", index + 2), x, EPS);
    if stride == 1 && channels == out {
        x = g.add(input, x);
        x = g.tap(x, &format!("{name}.add"));
    }
    x
}

fn conv_norm_relu(g: &mut Builder, x: NodeId, name: &str, conv: Conv) -> NodeId {
    let x = g.conv(&format!("{name}.0"), x, conv);
    let x = g.batch_norm(&format!("{name}.1"), x, EPS);
    let x = g.activation(x, Activation::Relu6);
    g.tap(x, &format!("{name}.2"))
}

const fn conv(out: usize, kernel: usize) -> Conv {
    Conv::same(out, kernel, PadMode::Zero).without_bias()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_torchvisions() {
        let g = graph(Config::default());
        let learnt = g.params().iter().filter(|p| p.trainable).map(graph::Param::len);
        assert_eq!(learnt.sum::<usize>(), 3_504_872);
        assert_eq!(g.params()[0].name, "features.0.0.weight");
        assert!(g.params().iter().any(|p| p.name == "features.18.1.running_var"));
    }

    #[test]
    fn the_last_features_are_a_thirtysecond() {
        let g = graph(Config { classes: 7 });
        let shapes = g.shapes(&[[2, 3, SIZE, SIZE]]).unwrap();
        assert_eq!(shapes[g.find("features.18.2").unwrap().index()], [2, LAST, 7, 7]);
        assert_eq!(shapes[g.output().index()], [2, 7, 1, 1]);
    }
}
