//! Every tap of every network against PyTorch or TensorFlow, at every CPU level.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod common;

use common::{Case, SEED};
use cpu::{Plan, Session};
use testing::{Golden, random_weights, smooth_picture};
use weights::Weights;

/// Sizes that are stored: odd ones, two pictures at once, one of several tiles and bands.
const SMALL: [usize; 4] = [1, 3, 33, 45];
const SIZES: [[usize; 4]; 3] = [SMALL, [2, 3, 32, 44], [1, 3, 131, 197]];

fn case(golden: &str, name: &str, config: &str) -> Case {
    let net = nets::by_name(name, config).unwrap();
    let weights = Weights::bind(&net.graph, random_weights(&net.graph, SEED)).unwrap();
    Case::new(golden, net, weights)
}

/// Every tap at once, which leaves little to fuse; then the output alone,
/// where all is; then, for small pictures, each tap alone.
fn hold(case: &Case, sizes: &[[usize; 4]]) {
    let taps = case.taps();
    for (level, network) in case.networks() {
        for &size in sizes {
            let all = case.faults(size, &taps, &case.run(&network, size, &taps));
            assert!(all.is_empty(), "{level:?}, all taps:\n{}", all.join("\n"));
            let alone = case.faults(size, &[], &case.run(&network, size, &[]));
            assert!(alone.is_empty(), "{level:?}, output alone:\n{}", alone.join("\n"));
        }
    }
    let (level, network) = case.networks().last().unwrap();
    for tap in taps {
        let one = case.faults(SMALL, &[tap], &case.run(&network, SMALL, &[tap]));
        assert!(one.is_empty(), "{level:?}, one tap:\n{}", one.join("\n"));
    }
}

#[test]
fn every_tap_is_stored() {
    let cases = [
        ("transformer_net", "transformer_net", "{}"),
        ("imfw_net", "imfw_net", "{}"),
        ("lengstrom", "lengstrom", "{}"),
        ("vgg16", "vgg", r#"{"depth": "16"}"#),
        ("vgg19", "vgg", r#"{"depth": "19"}"#),
        ("vgg19_normalised", "vgg", r#"{"depth": "19", "form": "normalised"}"#),
    ];
    for (golden, name, config) in cases {
        let net = nets::by_name(name, config).unwrap();
        let golden = Golden::open(&format!("nets/{golden}.safetensors")).unwrap();
        let mut stored: Vec<&str> =
            golden.names().filter_map(|n| n.strip_prefix("1x3x33x45/")).collect();
        let mut nodes: Vec<&str> =
            net.graph.nodes().iter().skip(1).map(|n| n.name.as_str()).collect();
        stored.sort_unstable();
        nodes.sort_unstable();
        assert_eq!(stored, nodes, "{name}");
    }
}

#[test]
fn transformer_net_is_pytorchs() {
    hold(&case("transformer_net", "transformer_net", ""), &SIZES);
}

#[test]
fn imfw_net_is_pytorchs() {
    hold(&case("imfw_net", "imfw_net", ""), &SIZES);
}

#[test]
fn lengstrom_is_tensorflows() {
    hold(&case("lengstrom", "lengstrom", ""), &SIZES);
}

#[test]
fn vgg16_is_torchvisions() {
    hold(&case("vgg16", "vgg", r#"{"depth": "16"}"#), &SIZES);
}

/// One size: it is VGG16 with three layers more, and twenty million weights to pack for each.
#[test]
fn vgg19_is_torchvisions() {
    hold(&case("vgg19", "vgg", r#"{"depth": "19"}"#), &SIZES[..1]);
}

#[test]
fn normalised_vgg19_is_pytorchs() {
    hold(&case("vgg19_normalised", "vgg", r#"{"depth": "19", "form": "normalised"}"#), &SIZES[..2]);
}

/// Equal bits whatever the number of threads, and for a session that has run before.
#[test]
fn threads_and_reuse_change_nothing() {
    let case = case("transformer_net", "transformer_net", r#"{"residual_blocks": 1}"#);
    let size = SIZES[2];
    let picture = smooth_picture(size, SEED);
    for (level, network) in case.networks() {
        let mut session = Session::new(Plan::new(&network, &[size], &[]).unwrap());
        let one = cpu::Threads::new(Some(1)).unwrap().run(|| session.run(&[&picture]));
        let other = session.run(&[&smooth_picture(size, SEED + 1)]);
        assert_ne!(one, other);
        for threads in [2, 3, 7] {
            let threads = cpu::Threads::new(Some(threads)).unwrap();
            let many = threads.run(|| session.run(&[&picture]));
            assert!(one == many, "{level:?}, {} threads", threads.count());
        }
    }
}
