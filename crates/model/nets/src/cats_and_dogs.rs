//! The tutorial's small network that tells cats from dogs.
//!
//! # Source
//!
//! Chollet, "Deep Learning with Python", section 5.2, in Keras: a `Sequential` of
//! four 3×3 convolutions without border, each with a `ReLU` and a 2×2 maximum,
//! then a dropout and two dense layers. Layer names are Keras's. Differences:
//!
//! - Parameters lie as PyTorch's do (`conv2d.weight` is `[out, in, 3, 3]`), and
//!   [`Builder::flatten`] puts the channel first where Keras puts it last, as in
//!   every network here. `weights` turns Keras's `dense/kernel` around to match.
//! - Keras fuses a layer with its activation. Here the layer is `conv2d.linear`
//!   and what follows it has Keras's name, `conv2d`, and is what Keras gives.

use graph::{Activation, Builder, Conv, Encoding, Graph, NodeId, Pool, PoolKind};

use crate::colour_tutorial::numbered;

/// How the network wants its picture: `rescale=1./255`.
pub const INPUT: Encoding = Encoding::UNIT;

/// Size of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Height and width of its pictures, on which the first dense layer depends. 150.
    pub size: usize,
    /// Channels of the first convolution; twice, four and four times as many after. 32.
    pub width: usize,
    /// Features of the first dense layer. 512.
    pub hidden: usize,
    /// With 1, the published number, the output is the probability of the second
    /// class (dogs); with more it is a probability for each.
    pub classes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { size: 150, width: 32, hidden: 512, classes: 1 }
    }
}

/// `[N, 3, size, size]` as [`INPUT`] to `[N, classes, 1, 1]`, probabilities.
///
/// Taps: Keras's layers, and before each activation `conv2d.linear`, …,
/// `dense_1.linear`; the last holds the logits.
///
/// # Panics
///
/// If `size` is below 46, which the fourth pooling needs.
pub fn graph(Config { size, width, hidden, classes }: Config) -> Graph {
    let mut g = Builder::new("cats_and_dogs");
    let mut x = g.input("conv2d_input", 3);
    for (i, channels) in [width, 2 * width, 4 * width, 4 * width].into_iter().enumerate() {
        let name = numbered("conv2d", i);
        x = g.conv(&name, x, Conv::new(channels, 3));
        x = activated(&mut g, x, &name, Activation::Relu);
        x = g.pool(&numbered("max_pooling2d", i), x, Pool::new(PoolKind::Max, 2));
    }
    let side = (0..4).fold(size, |side: usize, _| side.saturating_sub(2) / 2);
    assert!(side > 0, "pictures of {size} pixels are too small: 46 are needed");
    x = g.flatten(x);
    x = g.tap(x, "flatten");
    x = g.dropout(x, 0.5);
    x = g.tap(x, "dropout");
    x = g.linear("dense", x, 4 * width * side * side, hidden);
    x = activated(&mut g, x, "dense", Activation::Relu);
    x = g.linear("dense_1", x, hidden, classes);
    if classes == 1 {
        x = activated(&mut g, x, "dense_1", Activation::Sigmoid);
    } else {
        g.tap(x, "dense_1.linear");
        x = g.softmax(x);
        g.tap(x, "dense_1");
    }
    g.finish(x)
}

fn activated(g: &mut Builder, x: NodeId, name: &str, activation: Activation) -> NodeId {
    g.tap(x, &format!("{name}.linear"));
    let x = g.activation(x, activation);
    g.tap(x, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_the_tutorials() {
        let g = graph(Config::default());
        assert_eq!(g.param_count(), 3_453_121);
        let counts: Vec<usize> = g.params().chunks(2).map(|p| p[0].len() + p[1].len()).collect();
        assert_eq!(counts, [896, 18_496, 73_856, 147_584, 3_211_776, 513]);
        assert_eq!(g.params()[10].name, "dense_1.weight");
    }

    #[test]
    fn the_dense_layer_goes_with_the_size_and_no_other() {
        let small = graph(Config { size: 46, width: 2, hidden: 3, classes: 1 });
        assert_eq!(small.params()[8].shape, [3, 8]);
        let shape = |size| small.shapes(&[[2, 3, size, size]]).map(|s| s[small.output().index()]);
        assert_eq!(shape(46), Ok([2, 1, 1, 1]));
        assert!(shape(45).is_err());
    }

    #[test]
    fn several_classes_are_probabilities() {
        let g = graph(Config { classes: 7, ..Config::default() });
        assert_eq!(g.node(g.output()).op, graph::Op::Softmax);
        assert_eq!(g.node(g.output()).name, "dense_1");
    }

    #[test]
    #[should_panic(expected = "45 pixels are too small")]
    fn too_small_a_size_is_refused() {
        let _ = graph(Config { size: 45, ..Config::default() });
    }
}
