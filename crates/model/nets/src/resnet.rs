//! Residual networks that classify: `ResNet`-18 and `ResNet`-50.
//!
//! # Source
//!
//! He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition" (CVPR
//! 2016), table 1, as torchvision has them, whose parameter names they bear. As
//! there, the stride of a bottleneck is in its 3×3 convolution, where the paper
//! has it in the first 1×1 ("`ResNet` v1.5").

use graph::{Builder, Conv, Encoding, Graph, NodeId, PadMode, Padding, Pool, PoolKind};

/// How the networks want their picture.
pub const INPUT: Encoding = Encoding::IMAGENET;

/// Height and width of the pictures they are trained on.
pub const SIZE: usize = 224;

/// PyTorch's default for `BatchNorm2d`.
const EPS: f32 = 1e-5;

/// How many layers have weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Depth {
    /// Blocks of two 3×3 convolutions.
    #[serde(rename = "18")]
    Eighteen,
    /// Blocks of 1×1, 3×3 and 1×1: bottlenecks.
    #[serde(rename = "50")]
    Fifty,
}

/// Which of the networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `ResNet`-50.
    pub depth: Depth,
    /// `ImageNet`'s 1000.
    pub classes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { depth: Depth::Fifty, classes: 1000 }
    }
}

/// `[N, 3, H, W]` as [`INPUT`] to `[N, classes, 1, 1]` logits; a 32nd of the size inside.
///
/// Taps: torchvision's modules and, as its `feature_extraction` calls them,
/// `layer1.0.add`, and `layer1.0.relu`, `…relu_1`, `…relu_2` for the calls of a
/// block's one `ReLU`; the last of them is what the block gives.
pub fn graph(Config { depth, classes }: Config) -> Graph {
    let (name, blocks) = match depth {
        Depth::Eighteen => ("resnet18", [2, 2, 2, 2]),
        Depth::Fifty => ("resnet50", [3, 4, 6, 3]),
    };
    let mut g = Builder::new(name);
    let x = g.input("rgb", 3);
    let x = conv_norm(&mut g, x, ["conv1", "bn1"], conv(64, 7).stride(2)); // [64, H/2]
    let x = relu(&mut g, x, "relu");
    let pad = Padding::Around(PadMode::Zero, 1);
    let mut x = g.pool("maxpool", x, Pool { kind: PoolKind::Max, kernel: 3, stride: 2, pad }); // H/4
    for (layer, (blocks, width)) in (1..).zip(blocks.into_iter().zip([64, 128, 256, 512])) {
        for block in 0..blocks {
            let stride = if layer > 1 && block == 0 { 2 } else { 1 };
            let name = format!("layer{layer}.{block}");
            x = residual(&mut g, x, &name, (depth, width, stride)); // [width or 4·width, H/2^(layer+1)]
        }
    }
    let channels = g.channels(x).unwrap_or_default();
    let x = g.adaptive_avg_pool(x, [1, 1]);
    let x = g.tap(x, "avgpool");
    let x = g.flatten(x);
    let x = g.tap(x, "flatten");
    let x = g.linear("fc", x, channels, classes);
    g.finish(x)
}

fn residual(
    g: &mut Builder,
    input: NodeId,
    name: &str,
    (depth, width, stride): (Depth, usize, usize),
) -> NodeId {
    let convs = match depth {
        Depth::Eighteen => vec![conv(width, 3).stride(stride), conv(width, 3)],
        Depth::Fifty => vec![conv(width, 1), conv(width, 3).stride(stride), conv(4 * width, 1)],
    };
    let (mut x, mut relu_name) = (input, format!("{name}.relu"));
    for (i, &conv) in (1..).zip(&convs) {
        x = conv_norm(g, x, [&format!("{name}.conv{i}"), &format!("{name}.bn{i}")], conv);
        if i < convs.len() {
            x = relu(g, x, &relu_name);
            relu_name = format!("{name}.relu_{i}");
        }
    }
    let mut identity = input;
    if g.channels(input) != g.channels(x) || stride != 1 {
        let names = [0, 1].map(|i| format!("{name}.downsample.{i}"));
        let narrow = conv(convs[convs.len() - 1].out, 1).stride(stride);
        identity = conv_norm(g, input, [&names[0], &names[1]], narrow);
    }
    x = g.add(x, identity);
    g.tap(x, &format!("{name}.add"));
    relu(g, x, &relu_name)
}

fn conv_norm(g: &mut Builder, x: NodeId, [conv, norm]: [&str; 2], settings: Conv) -> NodeId {
    let x = g.conv(conv, x, settings);
    g.batch_norm(norm, x, EPS)
}

fn relu(g: &mut Builder, x: NodeId, name: &str) -> NodeId {
    let x = g.relu(x);
    g.tap(x, name)
}

const fn conv(out: usize, kernel: usize) -> Conv {
    Conv::same(out, kernel, PadMode::Zero).without_bias()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_torchvisions() {
        let learnt = |depth| {
            let g = graph(Config { depth, ..Config::default() });
            let learnt = g.params().iter().filter(|p| p.trainable);
            learnt.map(graph::Param::len).sum::<usize>()
        };
        assert_eq!(learnt(Depth::Eighteen), 11_689_512);
        assert_eq!(learnt(Depth::Fifty), 25_557_032);
    }

    #[test]
    fn a_block_is_narrowed_where_it_must_be() {
        let g = graph(Config { depth: Depth::Eighteen, classes: 10 });
        assert!(g.find("layer1.0.downsample.0").is_none());
        assert!(g.find("layer2.0.downsample.1").is_some());
        let g = graph(Config { depth: Depth::Fifty, classes: 10 });
        assert!(g.find("layer1.0.downsample.0").is_some());
        let shapes = g.shapes(&[[1, 3, SIZE, SIZE]]).unwrap();
        assert_eq!(shapes[g.find("layer4.2.relu_2").unwrap().index()], [1, 2048, 7, 7]);
        assert_eq!(shapes[g.output().index()], [1, 10, 1, 1]);
    }
}
