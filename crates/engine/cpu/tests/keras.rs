//! `.keras` archives of whole networks: Keras loads them and predicts what we do.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use cpu::{Network, Plan, Session};
use graph::{
    Activation, Builder, Conv, ConvTranspose, Filter, Graph, Op, PadMode, Padding, Pool, PoolKind,
    TransposePadding,
};
use tensor::Tensor;
use testing::{Random, random_weights};
use weights::{Limits, Precision, StateDict, Weights, keras, read, write};

const SEED: u64 = 5;

/// Every kind of node that Keras has a layer for, with branches, so that the order of layers
/// matters.
fn every_node() -> Graph {
    let mut g = Builder::new("every_node");
    let x = g.input("rgb", 3);
    let stem = g.conv("stem", x, Conv::same(8, 3, PadMode::Zero).stride(2));
    let stem = g.activation(stem, Activation::Relu6);
    let long = g.conv("long_a", stem, Conv::new(8, 3).pad(Padding::Same).groups(8));
    let long = g.batch_norm("long_norm", long, 1e-3);
    let long = g.activation(long, Activation::Silu);
    let long = g.conv("long_b", long, Conv::same(8, 3, PadMode::Zero).groups(2).without_bias());
    let long = g.batch_norm_without_gain("long_norm_2", long, 1e-3);
    let short = g.conv("short", stem, Conv::new(8, 1));
    let sum = g.add(long, short);
    let sum = g.activation(sum, Activation::Relu);
    let pooled = g.pool(
        "pool",
        sum,
        Pool { kind: PoolKind::Max, kernel: 3, stride: 2, pad: Padding::Around(PadMode::Zero, 1) },
    );
    let squeezed = g.adaptive_avg_pool(pooled, [1, 1]);
    let squeezed = g.conv("squeezed", squeezed, Conv::new(8, 1));
    let gate = g.activation(squeezed, Activation::Sigmoid);
    let gated = g.mul(pooled, gate);
    let torch = TransposePadding::Torch { padding: 1, output: 1 };
    let up = ConvTranspose { out: 4, kernel: 3, stride: 2, pad: torch, bias: true };
    let up = g.conv_transpose("up", gated, up);
    let up = g.activation(up, Activation::LeakyRelu(0.2));
    let up = g.instance_norm("norm", up, 1e-5);
    let padded = g.pad(up, PadMode::Zero, [1, 2, 0, 1]);
    let cropped = g.crop(padded, [1, 2, 0, 1]);
    let joined = g.concat(&[cropped, sum]);
    let scaled = g.scale(joined, 0.5, -0.25);
    let mean =
        Pool { kind: PoolKind::AverageInside, pad: Padding::Same, ..Pool::new(PoolKind::Max, 2) };
    let mean = g.pool("mean", scaled, mean);
    let large = g.resize(mean, Filter::Bilinear, 2);
    let large = g.dropout(large, 0.5);
    let x = g.conv("last", large, Conv::same(2, 3, PadMode::Zero).dilation(1));
    let x = g.softmax(x);
    g.finish(x)
}

/// A network with what its pictures' side is to be.
fn networks() -> Vec<(&'static str, Graph, usize)> {
    let known = |name: &str| {
        let (network, config) = nets::known_as(name).unwrap();
        nets::by_name(network, config).unwrap().graph
    };
    vec![
        ("every_node", every_node(), 32),
        ("colour_alpha", known("colour_alpha"), 40),
        ("colour_beta", known("colour_beta"), 32),
        ("colour_full", known("colour_full"), 32),
        ("cats_and_dogs", known("cats-and-dogs"), 150),
        ("resnet18", known("resnet18"), 64),
        ("efficientnet_lite0", known("efficientnet-lite0"), 64),
        ("inception_resnet_v2", known("inception-resnet-v2"), 107),
    ]
}

fn inputs(graph: &Graph, side: usize) -> Vec<Tensor> {
    let of = |id: &graph::NodeId| {
        let node = graph.node(*id);
        let Op::Input { channels } = node.op else { unreachable!() };
        let shape =
            if node.name == "classes" { [2, channels, 1, 1] } else { [2, channels, side, side] };
        Random::named(SEED, &node.name).tensor(&shape, 1.0)
    };
    graph.inputs().iter().map(of).collect()
}

/// Writes each network and, beside it, what goes in and comes out.
fn write_all(folder: &Path) {
    for (name, graph, side) in networks() {
        let tensors = random_weights(&graph, SEED);
        let weights = Weights::bind(&graph, tensors.clone()).unwrap();
        let inputs = inputs(&graph, side);
        let shapes: Vec<[usize; 4]> = inputs.iter().map(Tensor::shape4).collect();
        let network = Network::new(&graph, &weights).unwrap();
        let mut session = Session::new(Plan::new(&network, &shapes, &[]).unwrap());
        let output = session.run(&inputs.iter().collect::<Vec<_>>()).output;
        let path = folder.join(format!("{name}.keras"));
        keras::write_model(&path, &graph, tensors, ([side; 2], Precision::F32)).unwrap();
        let mut truth: StateDict =
            inputs.into_iter().enumerate().map(|(i, x)| (format!("input{i}"), x)).collect();
        truth.insert("output".to_owned(), output);
        let path = folder.join(format!("{name}.safetensors"));
        write(&path, &truth, &BTreeMap::new(), Precision::F32).unwrap();
    }
}

/// Our own reader finds the weights again by their layers' names: so the order of layers, by
/// which Keras finds them, is the configuration's.
#[test]
fn our_reader_finds_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    for (name, graph, side) in networks().into_iter().take(5) {
        let path = folder.path().join(format!("{name}.keras"));
        let tensors = random_weights(&graph, SEED);
        keras::write_model(&path, &graph, tensors.clone(), ([side; 2], Precision::F32)).unwrap();
        let read = read(&path, &Limits::default()).unwrap();
        assert_eq!(read.metadata["keras_class"], "Functional", "{name}");
        assert_eq!(keras::Table::of(&graph).to_graph(read.tensors).unwrap(), tensors, "{name}");
    }
}

#[test]
fn what_keras_has_no_layer_for_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut g = Builder::new("mirrored");
    let x = g.input("rgb", 3);
    let x = g.conv("first", x, Conv::same(8, 3, PadMode::Reflect));
    let graph = g.finish(x);
    let path = folder.path().join("mirrored.keras");
    let tensors = random_weights(&graph, SEED);
    let error = keras::write_model(&path, &graph, tensors, ([32; 2], Precision::F32)).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("mirrored") && message.contains("\"first\""), "{message}");
    assert!(!path.exists());
}

#[test]
#[ignore = "needs the Python of PENTIMENTO_KERAS, with Keras 3"]
fn keras_predicts_the_same() {
    let python = std::env::var_os("PENTIMENTO_KERAS").expect("PENTIMENTO_KERAS is not set");
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keras_predicts.py");
    let status = Command::new(python).arg(script).arg(folder.path()).status().unwrap();
    assert!(status.success());
}
