//! ONNX models that PyTorch exported, against ONNX Runtime, at every CPU level.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use std::path::Path;

use cpu::{Level, Network, Plan, Session};
use testing::{Golden, TAP, check_close, golden_path};
use weights::onnx::{self, Model};
use weights::{Limits, Weights};

const MODELS: [&str; 4] = ["residual", "depthwise", "vgg", "style"];
const WAYS: [&str; 2] = ["script", "dynamo"];

fn model(name: &str, way: &str) -> Model {
    let path = golden_path(&format!("onnx/{name}.{way}.onnx"));
    onnx::read(&path, &Limits::default()).unwrap_or_else(|e| panic!("{name}.{way}: {e}"))
}

#[test]
fn exported_models_compute_what_onnx_runtime_does() {
    let golden = Golden::open("onnx/results.safetensors").unwrap();
    for name in MODELS {
        let input = golden.get(&format!("{name}/input")).unwrap();
        for way in WAYS {
            let Model { graph, weights, inputs, .. } = model(name, way);
            assert_eq!(inputs, [[Some(1), Some(3), Some(16), Some(16)]]);
            let weights = Weights::bind(&graph, weights).unwrap();
            let want = golden.get(&format!("{name}/{way}")).unwrap();
            for level in Level::available() {
                let network = Network::with_level(&graph, &weights, level).unwrap();
                let plan = Plan::new(&network, &[[1, 3, 16, 16]], &[]).unwrap();
                let got = Session::new(plan).run(&[input]).output;
                let close = check_close(got.data(), want.data(), TAP);
                assert!(close.is_ok(), "{name}.{way} {level:?}: {}", close.unwrap_err());
            }
        }
    }
}

const ZOO: [&str; 4] = ["resnet18", "mobilenet_v2", "vgg16", "efficientnet_lite0"];
const ZOOS_WAYS: [&str; 3] = ["script11", "script17", "dynamo"];

/// Holds the models of a folder to what `zoo.safetensors` there has of them.
fn hold_zoo(folder: &Path) {
    let golden = Golden::open(folder.join("zoo.safetensors").to_str().unwrap()).unwrap();
    for name in ZOO {
        let input = golden.get(&format!("{name}/input")).unwrap();
        for way in ZOOS_WAYS {
            let path = folder.join(format!("{name}.{way}.onnx"));
            let model = onnx::read(&path, &Limits::default());
            let Model { graph, weights, .. } =
                model.unwrap_or_else(|e| panic!("{name}.{way}: {e}"));
            let network = Network::new(&graph, &Weights::bind(&graph, weights).unwrap()).unwrap();
            let plan = Plan::new(&network, &[input.shape4()], &[]).unwrap();
            let got = Session::new(plan).run(&[input]).output;
            let want = golden.get(&format!("{name}/{way}")).unwrap();
            let close = check_close(got.data(), want.data(), TAP);
            assert!(close.is_ok(), "{name}.{way}: {}", close.unwrap_err());
        }
    }
}

#[test]
fn small_members_of_known_families_compute_what_onnx_runtime_does() {
    hold_zoo(&golden_path("onnx"));
}

#[test]
#[ignore = "needs PENTIMENTO_LARGE: golden/onnx/make_zoo.py DIR"]
fn the_real_ones_compute_what_onnx_runtime_does() {
    let Some(folder) = std::env::var_os("PENTIMENTO_LARGE") else {
        eprintln!("skipped: PENTIMENTO_LARGE is not set");
        return;
    };
    hold_zoo(Path::new(&folder));
}

#[test]
fn nodes_keep_their_names() {
    let names = |name, way| -> Vec<String> {
        model(name, way).graph.nodes().iter().map(|node| node.name.clone()).collect()
    };
    let want = [
        "picture",
        "/features/features.0/Conv",
        "/features/features.1/Relu",
        "/features/features.2/MaxPool",
    ];
    assert_eq!(names("vgg", "script")[..4], want);
    assert_eq!(names("vgg", "dynamo")[..3], ["picture", "node_conv2d", "node_relu"]);
    assert!(names("resnet18", "dynamo").contains(&"node_relu_4".to_owned()));
}
