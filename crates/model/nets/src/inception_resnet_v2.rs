//! Inception-ResNet-v2, the classifier that the colouring tutorial's full version asks.
//!
//! # Source
//!
//! Szegedy, Ioffe, Vanhoucke and Alemi, "Inception-v4, Inception-ResNet and the
//! Impact of Residual Connections on Learning" (AAAI 2017), as Keras has it: its
//! layer names, its paddings (`valid` where a side is halved, else `SAME`), batch
//! norms without gain and with an epsilon of 1e-3. Where a Keras layer bears no
//! name of its own it has its number: `conv2d_17`, `batch_normalization_17`.
//! Keras's scaling layers are here `block35_1_scale` and the sum `block35_1`.

use graph::{Builder, Conv, Encoding, Graph, NodeId, PadMode, Padding, Pool, PoolKind};

use crate::colour_tutorial::numbered;

/// How the network wants its picture: −1..=1.
pub const INPUT: Encoding = Encoding::CENTRED;

/// Height and width of the pictures it is trained on.
pub const SIZE: usize = 299;

/// Keras's default for `BatchNormalization`.
const EPS: f32 = 1e-3;

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

/// Convolutions one after the other: channels, kernel, stride.
type Branch<'a> = &'a [(usize, [usize; 2], usize)];

/// 1×1, 3×3 and so on at stride 1; the last one at stride 2 where a side is halved.
const fn c(out: usize, kernel: usize) -> (usize, [usize; 2], usize) {
    (out, [kernel, kernel], 1)
}
const fn half(out: usize) -> (usize, [usize; 2], usize) {
    (out, [3, 3], 2)
}

const MIXED_5B: [Branch; 3] = [&[c(96, 1)], &[c(48, 1), c(64, 5)], &[c(64, 1), c(96, 3), c(96, 3)]];
const BLOCK35: [Branch; 3] = [&[c(32, 1)], &[c(32, 1), c(32, 3)], &[c(32, 1), c(48, 3), c(64, 3)]];
const MIXED_6A: [Branch; 2] = [&[half(384)], &[c(256, 1), c(256, 3), half(384)]];
const BLOCK17: [Branch; 2] = [&[c(192, 1)], &[c(128, 1), (160, [1, 7], 1), (192, [7, 1], 1)]];
const MIXED_7A: [Branch; 3] =
    [&[c(256, 1), half(384)], &[c(256, 1), half(288)], &[c(256, 1), c(288, 3), half(320)]];
const BLOCK8: [Branch; 2] = [&[c(192, 1)], &[c(192, 1), (224, [1, 3], 1), (256, [3, 1], 1)]];

/// `[N, 3, H, W]` as [`INPUT`] to `[N, classes, 1, 1]` probabilities; `H` and `W` at least 75.
///
/// Taps: Keras's layers; `predictions.linear` holds the logits.
pub fn graph(Config { classes }: Config) -> Graph {
    let mut n = Net { g: Builder::new("inception_resnet_v2"), layers: 0 };
    let x = n.g.input("rgb", 3);
    let x = n.conv(x, (32, [3, 3], 2), Border::Valid);
    let x = n.conv(x, c(32, 3), Border::Valid);
    let x = n.conv(x, c(64, 3), Border::Same);
    let x = n.shrink(x, "max_pooling2d");
    let x = n.conv(x, c(80, 1), Border::Valid);
    let x = n.conv(x, c(192, 3), Border::Valid);
    let x = n.shrink(x, "max_pooling2d_1"); // [192, 35]
    let mut branches = n.branches(x, &MIXED_5B);
    let average = Pool { kernel: 3, stride: 1, pad: Padding::Same, kind: PoolKind::AverageInside };
    let pooled = n.g.pool("average_pooling2d", x, average);
    branches.push(n.conv(pooled, c(64, 1), Border::Same));
    let x = n.joined(&branches, "mixed_5b"); // [320, 35]
    let x = (1..=10).fold(x, |x, i| n.residual(x, &format!("block35_{i}"), &BLOCK35, 0.17));
    let x = n.reduction(x, "6a", &MIXED_6A); // [1088, 17]
    let x = (1..=20).fold(x, |x, i| n.residual(x, &format!("block17_{i}"), &BLOCK17, 0.1));
    let x = n.reduction(x, "7a", &MIXED_7A); // [2080, 8]
    let x = (1..=9).fold(x, |x, i| n.residual(x, &format!("block8_{i}"), &BLOCK8, 0.2));
    let x = n.sum(x, "block8_10", &BLOCK8, 1.0);
    let x = n.g.conv("conv_7b", x, Conv::same(1536, 1, PadMode::Zero).without_bias());
    let x = n.g.batch_norm_without_gain("conv_7b_bn", x, EPS);
    let x = n.relu(x, "conv_7b_ac"); // [1536, 8]
    let mut g = n.g;
    let x = g.adaptive_avg_pool(x, [1, 1]);
    let x = g.tap(x, "avg_pool");
    let x = g.linear("predictions", x, 1536, classes);
    let x = g.tap(x, "predictions.linear");
    let x = g.softmax(x);
    let x = g.tap(x, "predictions");
    g.finish(x)
}

/// What surrounds a picture.
#[derive(Clone, Copy)]
enum Border {
    Valid,
    Same,
}

struct Net {
    g: Builder,
    /// Convolutions that have a number for a name.
    layers: usize,
}

impl Net {
    /// A numbered convolution with its norm and `ReLU`.
    fn conv(
        &mut self,
        x: NodeId,
        (out, kernel, stride): (usize, [usize; 2], usize),
        border: Border,
    ) -> NodeId {
        let pad = match border {
            Border::Valid => Padding::Around(PadMode::Zero, 0),
            Border::Same => Padding::Same,
        };
        let conv = Conv { kernel, stride, pad, ..Conv::new(out, 1) }.without_bias();
        let name = |kind| numbered(kind, self.layers);
        let names = ["conv2d", "batch_normalization", "activation"].map(name);
        self.layers += 1;
        let x = self.g.conv(&names[0], x, conv);
        let x = self.g.batch_norm_without_gain(&names[1], x, EPS);
        self.relu(x, &names[2])
    }

    fn relu(&mut self, x: NodeId, name: &str) -> NodeId {
        let x = self.g.relu(x);
        self.g.tap(x, name)
    }

    /// The largest of 3×3 at stride 2.
    fn shrink(&mut self, x: NodeId, name: &str) -> NodeId {
        self.g.pool(name, x, Pool { stride: 2, ..Pool::new(PoolKind::Max, 3) })
    }

    fn branches(&mut self, x: NodeId, branches: &[Branch]) -> Vec<NodeId> {
        let along = |net: &mut Self, branch: Branch| {
            branch.iter().fold(x, |x, &conv| {
                let border = if conv.2 == 2 { Border::Valid } else { Border::Same };
                net.conv(x, conv, border)
            })
        };
        branches.iter().map(|branch| along(self, branch)).collect()
    }

    fn joined(&mut self, branches: &[NodeId], name: &str) -> NodeId {
        let x = self.g.concat(branches);
        self.g.tap(x, name)
    }

    /// Branches that halve the side, beside a pooling that does.
    fn reduction(&mut self, x: NodeId, index: &str, branches: &[Branch]) -> NodeId {
        let mut branches = self.branches(x, branches);
        let pool = if index == "6a" { "max_pooling2d_2" } else { "max_pooling2d_3" };
        branches.push(self.shrink(x, pool));
        self.joined(&branches, &format!("mixed_{index}"))
    }

    /// `x` and `scale` times what the branches make of it, then `ReLU`.
    fn residual(&mut self, x: NodeId, name: &str, branches: &[Branch], scale: f32) -> NodeId {
        let x = self.sum(x, name, branches, scale);
        self.relu(x, &format!("{name}_ac"))
    }

    fn sum(&mut self, x: NodeId, name: &str, branches: &[Branch], scale: f32) -> NodeId {
        let channels = self.g.channels(x).unwrap_or_default();
        let branches = self.branches(x, branches);
        let mixed = self.joined(&branches, &format!("{name}_mixed"));
        let up = Conv::same(channels, 1, PadMode::Zero);
        let up = self.g.conv(&format!("{name}_conv"), mixed, up);
        let up = self.g.scale(up, scale, 0.0);
        let up = self.g.tap(up, &format!("{name}_scale"));
        let x = self.g.add(x, up);
        self.g.tap(x, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_kerass() {
        let g = graph(Config::default());
        assert_eq!(g.param_count(), 55_873_736);
        for name in ["conv2d_202.weight", "batch_normalization_202.bias", "conv_7b_bn.running_var"]
        {
            assert!(g.params().iter().any(|p| p.name == name), "no {name}");
        }
    }

    #[test]
    fn the_grids_are_the_papers() {
        let g = graph(Config { classes: 7 });
        let shapes = g.shapes(&[[1, 3, SIZE, SIZE]]).unwrap();
        let of = |name: &str| shapes[g.find(name).unwrap().index()];
        assert_eq!(of("mixed_5b"), [1, 320, 35, 35]);
        assert_eq!(of("block17_20_ac"), [1, 1088, 17, 17]);
        assert_eq!(of("conv_7b_ac"), [1, 1536, 8, 8]);
        assert_eq!(shapes[g.output().index()], [1, 7, 1, 1]);
        assert!(g.shapes(&[[1, 3, 75, 75]]).is_ok() && g.shapes(&[[1, 3, 74, 74]]).is_err());
    }
}
