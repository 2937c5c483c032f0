//! The image transformation network of a widely copied PyTorch tutorial.
//!
//! # Source
//!
//! The class `ImfwNet` of a textbook's ninth chapter, copied into many public
//! repositories; the names are those of its `imfwnet_dict.pkl`, "unsample"
//! included. It differs from "Perceptual Losses for Real-Time Style Transfer
//! and Super-Resolution" (ECCV 2016): instance norm for batch norm, and none in
//! the residual blocks, which pad with zeros and end in a `ReLU`.

use graph::{
    Builder, Conv, ConvTranspose, Encoding, Graph, NodeId, PadMode, Padding, TransposePadding,
};

/// How the network wants its picture, and how it gives one back.
pub const ENCODING: Encoding = Encoding::IMAGENET;

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
/// Sides that are no multiples of 4 come back as the next one. Taps: every
/// module of the three `Sequential`s under its name (`downsample.1`, …), except
/// that the reflection padding is part of the convolution that follows it, and
/// `res_blocks.0.sum` … before the last `ReLU` of a block.
pub fn graph(Config { width: w, residual_blocks }: Config) -> Graph {
    let mut g = Builder::new("imfw_net");
    g.multiple_of(4);
    let x = g.input("rgb", 3);
    let x = down(&mut g, x, 1, conv(w, 9)); // [w, H]
    let x = down(&mut g, x, 5, conv(2 * w, 3).stride(2)); // [2w, H/2]
    let x = down(&mut g, x, 9, conv(4 * w, 3).stride(2)); // [4w, H/4]
    let x = (0..residual_blocks).fold(x, |x, i| residual(&mut g, x, i, 4 * w));
    let x = up(&mut g, x, 0, 2 * w); // [2w, H/2]
    let x = up(&mut g, x, 3, w); // [w, H]
    let last = ConvTranspose { out: 3, kernel: 9, stride: 1, pad: cut(4, 0), bias: true };
    let x = g.conv_transpose("unsample.6", x, last); // [3, H]
    g.finish(x)
}

const fn conv(out: usize, kernel: usize) -> Conv {
    Conv::same(out, kernel, PadMode::Reflect)
}

const fn cut(padding: usize, output: usize) -> TransposePadding {
    TransposePadding::Torch { padding, output }
}

fn down(g: &mut Builder, x: NodeId, index: usize, conv: Conv) -> NodeId {
    let x = g.conv(&format!("downsample.{index}"), x, conv);
    norm_relu(g, x, "downsample", index)
}

fn up(g: &mut Builder, x: NodeId, index: usize, out: usize) -> NodeId {
    let twice = ConvTranspose { out, kernel: 3, stride: 2, pad: cut(1, 1), bias: true };
    let x = g.conv_transpose(&format!("unsample.{index}"), x, twice);
    norm_relu(g, x, "unsample", index)
}

fn norm_relu(g: &mut Builder, x: NodeId, part: &str, index: usize) -> NodeId {
    let x = g.instance_norm(&format!("{part}.{}", index + 1), x, EPS);
    let x = g.relu(x);
    g.tap(x, &format!("{part}.{}", index + 2))
}

fn residual(g: &mut Builder, x: NodeId, index: usize, channels: usize) -> NodeId {
    let zeros = Conv::new(channels, 3).pad(Padding::Around(PadMode::Zero, 1));
    let name = format!("res_blocks.{index}");
    let y = g.conv(&format!("{name}.conv.0"), x, zeros);
    let y = g.relu(y);
    let y = g.tap(y, &format!("{name}.conv.1"));
    let y = g.conv(&format!("{name}.conv.2"), y, zeros);
    let x = g.add(y, x);
    let x = g.tap(x, &format!("{name}.sum"));
    let x = g.relu(x);
    g.tap(x, &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_the_tutorials() {
        let g = graph(Config::default());
        assert_eq!(g.param_count(), 1_676_675);
        let names: Vec<&str> = g.params().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names.len(), 2 * (6 + 10 + 5));
        assert_eq!(
            names[..4],
            [
                "downsample.1.weight",
                "downsample.1.bias",
                "downsample.2.weight",
                "downsample.2.bias"
            ]
        );
        for name in ["res_blocks.4.conv.2.bias", "unsample.1.weight", "unsample.4.bias"] {
            assert!(names.contains(&name), "no {name}");
        }
        let last = &g.params()[names.len() - 2];
        assert_eq!(
            (last.name.as_str(), &last.shape[..]),
            ("unsample.6.weight", &[32, 3, 9, 9][..])
        );
    }

    #[test]
    fn multiples_of_four_keep_their_size() {
        let g = graph(Config { width: 4, residual_blocks: 1 });
        let out = |h, w| g.shapes(&[[2, 3, h, w]]).unwrap()[g.output().index()];
        assert_eq!(out(32, 44), [2, 3, 32, 44]);
        assert_eq!(out(33, 45), [2, 3, 36, 48]);
        assert!(g.shapes(&[[1, 3, 4, 5]]).is_err());
    }
}
