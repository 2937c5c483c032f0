//! Every tap of every classifier against Keras or PyTorch on random weights.
//!
//! These networks are large: every tap at once at the best CPU level, where little
//! is fused, and the output alone at all levels, where everything is.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod common;

use common::{Case, SEED};
use graph::{Graph, Shape4};
use testing::{Golden, random_weights};
use weights::Weights;

fn hold(golden: &str, (name, config): (&str, &str), sizes: &[Shape4]) {
    let net = nets::by_name(name, config).unwrap();
    every_tap_is_stored(golden, &net.graph, sizes[0]);
    let weights = Weights::bind(&net.graph, random_weights(&net.graph, SEED)).unwrap();
    let case = Case::new(golden, net, weights);
    let taps = case.taps();
    let networks: Vec<_> = case.networks().collect();
    for &size in sizes {
        for (level, network) in &networks {
            let alone = case.faults(size, &[], &case.run(network, size, &[]));
            assert!(alone.is_empty(), "{level:?}, output alone:\n{}", alone.join("\n"));
        }
        let (level, best) = networks.last().unwrap();
        let all = case.faults(size, &taps, &case.run(best, size, &taps));
        assert!(all.is_empty(), "{level:?}, all taps:\n{}", all.join("\n"));
    }
}

fn every_tap_is_stored(golden: &str, graph: &Graph, [n, c, h, w]: Shape4) {
    let stored = Golden::open(&format!("nets/{golden}.safetensors")).unwrap();
    let case = format!("{n}x{c}x{h}x{w}/");
    let mut stored: Vec<&str> = stored.names().filter_map(|n| n.strip_prefix(&case)).collect();
    let inputs = graph.inputs();
    let mut nodes: Vec<&str> = graph
        .ids()
        .filter(|id| !inputs.contains(id))
        .map(|id| graph.node(id).name.as_str())
        .collect();
    stored.sort_unstable();
    nodes.sort_unstable();
    assert_eq!(stored, nodes, "{golden}");
}

#[test]
fn cats_and_dogs_is_kerass() {
    hold("cats_and_dogs", ("cats_and_dogs", ""), &[[2, 3, 150, 150]]);
}
