//! A small residual network that learns to tell classes apart from few pictures.
//!
//! # Source
//!
//! Ours, after He et al., "Deep Residual Learning for Image Recognition", CVPR 2016,
//! in the shape that Page's "How to train your `ResNet`" (2018) gave it for small
//! pictures: 3×3 convolutions at stride 1 throughout, which Winograd's way suits,
//! with a maximum before the norm to halve the sides, and one residual block a stage.
//! Parameter names are torchvision's where it has a counterpart.

use graph::{Activation, Builder, Conv, Encoding, Graph, NodeId, PadMode, Pool, PoolKind};

/// How the network wants its picture.
pub const INPUT: Encoding = Encoding::IMAGENET;

/// Size of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Channels of the first convolution; the stages have twice, four and eight times
    /// as many. 32.
    pub width: usize,
    /// Height and width of the pictures it is shown; any others fit too. 128.
    pub size: usize,
    /// Classes, 2; with 1 the output is the probability of the second of two.
    pub classes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { width: 32, size: 128, classes: 2 }
    }
}

/// Of `BatchNorm2d`, as it is by default.
const EPS: f32 = 1e-5;

/// `[N, 3, H, W]` as [`INPUT`] to `[N, classes, 1, 1]`, probabilities; `H` and `W` at
/// least 15, any from there on.
///
/// Taps: `stem`, `layer1` to `layer3`, and `fc`, which holds the logits.
pub fn graph(Config { width, classes, .. }: Config) -> Graph {
    let mut g = Builder::new("small_resnet");
    let x = g.input("rgb", 3);
    let x = g.conv("conv1", x, Conv::same(width, 3, PadMode::Zero).stride(2).without_bias());
    let x = normed(&mut g, x, "bn1");
    let mut x = g.tap(x, "stem"); // [width, H/2]
    for (stage, channels) in [(1, 2 * width), (2, 4 * width), (3, 8 * width)] {
        x = halved(&mut g, x, stage, channels); // [channels, H/4], [, H/8], [, H/16]
        x = residual(&mut g, x, stage, channels);
        x = g.tap(x, &format!("layer{stage}"));
    }
    let x = g.adaptive_avg_pool(x, [1, 1]);
    let x = g.dropout(x, 0.2);
    let x = g.linear("fc", x, 8 * width, classes);
    let x = if classes == 1 { g.activation(x, Activation::Sigmoid) } else { g.softmax(x) };
    g.finish(x)
}

fn conv3(g: &mut Builder, x: NodeId, name: &str, channels: usize) -> NodeId {
    g.conv(name, x, Conv::same(channels, 3, PadMode::Zero).without_bias())
}

fn normed(g: &mut Builder, x: NodeId, name: &str) -> NodeId {
    let x = g.batch_norm(name, x, EPS);
    g.relu(x)
}

/// A convolution, the largest of each four, then norm and `ReLU`: in this order the
/// last two work on a quarter of the values.
fn halved(g: &mut Builder, x: NodeId, stage: usize, channels: usize) -> NodeId {
    let x = conv3(g, x, &format!("layer{stage}.down.conv"), channels);
    let x = g.pool(&format!("layer{stage}.down.pool"), x, Pool::new(PoolKind::Max, 2));
    normed(g, x, &format!("layer{stage}.down.bn"))
}

fn residual(g: &mut Builder, x: NodeId, stage: usize, channels: usize) -> NodeId {
    let y = conv3(g, x, &format!("layer{stage}.conv1"), channels);
    let y = normed(g, y, &format!("layer{stage}.bn1"));
    let y = conv3(g, y, &format!("layer{stage}.conv2"), channels);
    let y = g.batch_norm(&format!("layer{stage}.bn2"), y, EPS);
    let y = g.add(y, x);
    g.relu(y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_large_as_it_should_be() {
        let g = graph(Config::default());
        // Per stage three kernels and norms of c channels, the first from c/2.
        let stage = |c: usize| 9 * (c / 2 * c + 2 * c * c) + 3 * 4 * c;
        let want = 27 * 32 + 4 * 32 + stage(64) + stage(128) + stage(256) + 2 * 257;
        assert_eq!(g.param_count(), want);
        assert!(2 * want < 7_000_000, "{want} values are too many to ship in float16");
    }

    #[test]
    fn any_picture_from_15_pixels_on_fits() {
        let g = graph(Config { classes: 1, ..Config::default() });
        let out = |h, w| g.shapes(&[[2, 3, h, w]]).map(|s| s[g.output().index()]);
        for [h, w] in [[15, 15], [128, 128], [150, 201]] {
            assert_eq!(out(h, w), Ok([2, 1, 1, 1]));
        }
        assert!(out(14, 100).is_err());
    }
}
