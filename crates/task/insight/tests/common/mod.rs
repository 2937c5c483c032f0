//! The network of `golden/insight/net.py`.

#![allow(dead_code, clippy::unwrap_used, reason = "each test takes what it needs")]

use graph::{Builder, Conv, Encoding, Graph, PadMode, Padding, Pool, PoolKind};
use insight::Model;
use tensor::Tensor;
use weights::Weights;

pub(crate) const SEED: u64 = 11;

pub(crate) fn graph() -> Graph {
    let same = |out| Conv::same(out, 3, PadMode::Zero);
    let mut g = Builder::new("golden");
    let x = g.input("rgb", 3);
    let x = g.conv("conv1", x, same(8));
    let x = g.relu(x);
    let x = g.conv("conv2", x, Conv::new(12, 3).stride(2).pad(Padding::Around(PadMode::Zero, 1)));
    let x = g.batch_norm("bn2", x, 1e-5);
    let kept = g.relu(x);
    let x = g.conv("conv3", kept, same(12));
    let x = g.relu(x);
    let x = g.tap(x, "relu3");
    let x = g.conv("conv4", x, same(12));
    let x = g.add(kept, x);
    let x = g.relu(x);
    let x = g.pool("pool4", x, Pool::new(PoolKind::Max, 2));
    let x = g.conv("conv5", x, same(16));
    let x = g.relu(x);
    let x = g.tap(x, "relu5");
    let x = g.pool("pool5", x, Pool::new(PoolKind::Max, 2));
    let x = g.flatten(x);
    let x = g.linear("fc1", x, 256, 20);
    let x = g.relu(x);
    let x = g.linear("fc2", x, 20, 5);
    g.finish(x)
}

pub(crate) fn model() -> Model {
    let graph = graph();
    let weights = Weights::bind(&graph, testing::random_weights(&graph, SEED)).unwrap();
    Model::new(&graph, &weights, Encoding::IMAGENET).unwrap()
}

/// In the network's numbers.
pub(crate) fn picture() -> Tensor {
    testing::encoded(&testing::smooth_picture([1, 3, 32, 32], SEED), &Encoding::IMAGENET)
}
