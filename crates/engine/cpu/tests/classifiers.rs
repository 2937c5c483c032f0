//! Every tap of every classifier, and of what colours, against Keras or PyTorch on random weights.
//!
//! These networks are large: every tap at once at the best CPU level, where little
//! is fused, and the output alone at all levels, where everything is.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod common;

use std::collections::BTreeSet;

use common::{Case, SEED};
use cpu::Level;
use graph::{Graph, Shape4};
use testing::{Golden, TAP, random_weights};
use weights::Weights;

fn hold(golden: &str, (name, config): (&str, &str), sizes: &[Shape4]) {
    let net = nets::by_name(name, config).unwrap();
    every_tap_is_stored(golden, &net.graph, sizes[0]);
    let weights = Weights::bind(&net.graph, random_weights(&net.graph, SEED)).unwrap();
    let case = Case::new(golden, net, weights);
    let taps = case.taps();
    let levels = Level::available().len();
    // One network at a time: VGG's takes more than a gigabyte.
    for (i, (level, network)) in case.networks().enumerate() {
        let best = i + 1 == levels;
        for &size in sizes {
            for taps in [&[], &taps[..]].into_iter().take(if best { 2 } else { 1 }) {
                let faults = case.faults(size, taps, &case.run(&network, size, taps));
                assert!(
                    faults.is_empty(),
                    "{level:?}, {} taps:\n{}",
                    taps.len(),
                    faults.join("\n")
                );
            }
        }
    }
}

fn every_tap_is_stored(golden: &str, graph: &Graph, [n, c, h, w]: Shape4) {
    let stored = Golden::open(&format!("nets/{golden}.safetensors")).unwrap();
    let case = format!("{n}x{c}x{h}x{w}/");
    let stored: BTreeSet<&str> = stored.names().filter_map(|n| n.strip_prefix(&case)).collect();
    let computed = graph.ids().filter(|id| !graph.inputs().contains(id));
    let nodes: BTreeSet<&str> = computed.map(|id| graph.node(id).name.as_str()).collect();
    let off: Vec<_> = stored.symmetric_difference(&nodes).collect();
    assert!(off.is_empty(), "{golden}: either stored or computed alone: {off:?}");
}

#[test]
fn cats_and_dogs_is_kerass() {
    hold("cats_and_dogs", ("cats_and_dogs", ""), &[[2, 3, 150, 150]]);
}

/// An odd size and a batch.
const SIZES: [Shape4; 2] = [[1, 3, 65, 97], [2, 3, 64, 96]];

#[test]
fn efficientnet_lite0_is_the_packages() {
    hold("efficientnet_lite0", ("efficientnet_lite0", ""), &SIZES);
}

#[test]
fn resnet18_is_torchvisions() {
    hold("resnet18", ("resnet", r#"{"depth": "18"}"#), &SIZES);
}

#[test]
fn resnet50_is_torchvisions() {
    hold("resnet50", ("resnet", r#"{"depth": "50"}"#), &SIZES);
}

#[test]
fn mobilenet_v2_is_torchvisions() {
    hold("mobilenet_v2", ("mobilenet_v2", ""), &SIZES);
}

/// With its 138 million parameters.
#[test]
fn vgg16_with_its_classifier_is_torchvisions() {
    let config = r#"{"depth": "16", "up_to": "classifier.6"}"#;
    hold("vgg16_classifier", ("vgg", config), &SIZES);
}

#[test]
fn vgg19_with_its_classifier_is_torchvisions() {
    let config = r#"{"depth": "19", "up_to": "classifier.6"}"#;
    hold("vgg19_classifier", ("vgg", config), &SIZES[..1]);
}

const COLOUR_SIZES: [Shape4; 2] = [[1, 1, 37, 51], [2, 1, 32, 48]];

#[test]
fn the_colouring_tutorials_networks_are_kerass() {
    for name in ["colour_alpha", "colour_beta", "colour_full"] {
        hold(name, (name, ""), &COLOUR_SIZES);
    }
}

#[test]
fn inception_resnet_v2_is_kerass() {
    hold("inception_resnet_v2", ("inception_resnet_v2", ""), &[[1, 3, 107, 107]]);
}

/// VGG16 as Keras writes it: its names and axes to ours, then every layer of Keras's.
#[test]
fn vgg16_from_keras_is_kerass() {
    const SIZE: Shape4 = [1, 3, 224, 224];
    let config = r#"{"depth": "16", "up_to": "classifier.6"}"#;
    let net = nets::by_name("vgg", config).unwrap();
    let kerass = weights::keras::Table::of(&net.graph);
    let file = kerass.to_keras(random_weights(&net.graph, SEED)).unwrap();
    assert_eq!(file["fc1/kernel"].shape(), [25088, 4096]);
    let weights = weights::fit(&net.graph, file).unwrap();
    let mut taps = vec![];
    for (block, layers) in (1..).zip([2, 2, 3, 3, 3]) {
        for layer in 1..=layers {
            taps.push((format!("block{block}_conv{layer}.linear"), format!("conv{block}_{layer}")));
            taps.push((format!("block{block}_conv{layer}"), format!("relu{block}_{layer}")));
        }
        taps.push((format!("block{block}_pool"), format!("pool{block}")));
    }
    let top = [
        ("flatten", "flatten"),
        ("fc1.linear", "classifier.0"),
        ("fc1", "classifier.1"),
        ("fc2.linear", "classifier.3"),
        ("fc2", "classifier.4"),
        ("predictions.linear", "classifier.6"),
    ];
    taps.extend(top.map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned())));
    let golden = Golden::open("nets/vgg16_keras.safetensors").unwrap();
    // All that Keras gives but the softmax, with which our graph does not end.
    assert_eq!(golden.names().count(), taps.len() + 1);
    let ids: Vec<_> = taps.iter().map(|(_, ours)| net.graph.find(ours).unwrap()).collect();
    let scores = nets::Scores::of(&net.graph);
    let case = Case::new("vgg16_keras", net, weights);
    let (level, network) = case.networks().last().unwrap();
    let outputs = case.run(&network, SIZE, &ids);
    for ((theirs, _), got) in taps.iter().zip(&outputs.taps) {
        let fault = golden.check(&format!("1x3x224x224/{theirs}"), got, TAP);
        assert!(fault.is_ok(), "{level:?}: {fault:?}");
    }
    let probabilities = scores.probabilities(outputs.output.data());
    let probabilities = tensor::Tensor::new([1, 1000], probabilities);
    golden.check("1x3x224x224/predictions", &probabilities, TAP).unwrap();
}
