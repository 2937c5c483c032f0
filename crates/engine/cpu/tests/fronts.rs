//! Convolutions that the next one computes: what comes out is what comes out where a tap keeps
//! every layer apart, and the first layer's plane is not taken.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use cpu::{Level, Network, Plan, Session};
use graph::{Builder, Conv, Graph, NodeId, PadMode};
use testing::{REORDERED, Random, check_close, random_weights};
use weights::Weights;

const SEED: u64 = 29;
const WIDE: usize = 20;

/// A grey picture through three layers, each of which only the next one reads.
fn chain(first: Conv, second: Conv) -> (Graph, Vec<NodeId>) {
    let mut g = Builder::new("chain");
    let x = g.input("picture", 1);
    let mut taps = vec![];
    let third = Conv::same(16, 3, PadMode::Zero);
    let mut x = x;
    for (name, conv) in [("first", first), ("second", second), ("third", third)] {
        x = g.conv(name, x, conv);
        x = g.relu(x);
        taps.push(x);
    }
    (g.finish(x), taps)
}

fn check(first: Conv, second: Conv, shape: [usize; 4]) {
    let (graph, taps) = chain(first, second);
    let weights = Weights::bind(&graph, random_weights(&graph, SEED)).unwrap();
    let picture = Random::named(SEED, "picture").tensor(&shape, 1.0);
    for level in Level::available() {
        let network = Network::with_level(&graph, &weights, level).unwrap();
        let [apart, together] = [&taps[..], &[]].map(|taps| {
            let plan = Plan::new(&network, &[shape], taps).unwrap();
            (plan.memory(), Session::new(plan).run(&[&picture]).output)
        });
        check_close(together.1.data(), apart.1.data(), REORDERED).unwrap();
        let plane = shape.iter().product::<usize>() * tensor::padded_channels(WIDE) * 4;
        assert!(together.0 + plane / 2 < apart.0, "{} and {} bytes", together.0, apart.0);
    }
}

#[test]
fn a_layer_that_the_next_computes_changes_nothing() {
    let same = |out| Conv::same(out, 3, PadMode::Zero);
    check(same(WIDE), same(32), [2, 1, 21, 30]);
    check(Conv::same(WIDE, 3, PadMode::Reflect), same(32), [1, 1, 9, 14]);
    check(same(WIDE), same(64).stride(2), [1, 1, 32, 48]);
}

/// Half of what the first layer reads is the same at every pixel, and multiplied once.
#[test]
fn a_layer_that_is_multiplied_in_halves_stays_apart() {
    let mut g = Builder::new("halves");
    let (picture, classes) = (g.input("picture", 3), g.input("classes", 7));
    let repeated = g.broadcast_space(classes, picture);
    let both = g.concat(&[picture, repeated]);
    let first = g.conv("first", both, Conv::new(WIDE, 1));
    let first = g.relu(first);
    let x = g.conv("second", first, Conv::same(16, 3, PadMode::Zero));
    let graph = g.finish(x);
    let weights = Weights::bind(&graph, random_weights(&graph, SEED)).unwrap();
    let network = Network::new(&graph, &weights).unwrap();
    let shapes = [[1, 3, 12, 18], [1, 7, 1, 1]];
    let inputs = shapes.map(|shape| Random::named(SEED, "halves").tensor(&shape, 1.0));
    let [apart, together] = [&[first][..], &[]].map(|taps| {
        let plan = Plan::new(&network, &shapes, taps).unwrap();
        Session::new(plan).run(&[&inputs[0], &inputs[1]]).output
    });
    check_close(together.data(), apart.data(), REORDERED).unwrap();
}
