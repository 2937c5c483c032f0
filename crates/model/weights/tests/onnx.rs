//! ONNX models that `samples/make_onnx.py` wrote.

mod support;

use graph::Op;
use support::{bias, sample, weight};
use weights::{Format, Limits, inspect, onnx, read};

#[test]
fn models_of_every_storage_read() {
    for name in ["raw.onnx", "fields.onnx", "beside.onnx"] {
        let model = onnx::read(&sample(name), &Limits::default()).unwrap();
        let nodes: Vec<&str> = model.graph.nodes().iter().map(|n| n.name.as_str()).collect();
        // The builder would call a node of its own `relu_2`.
        assert_eq!(nodes, ["picture", "a", "relu_2~"], "{name}");
        assert_eq!(model.weights["a.weight"], weight(), "{name}");
        assert_eq!(model.weights["a.bias"], bias(), "{name}");
        assert_eq!(model.inputs, [[None, Some(3), None, None]], "{name}");
    }
}

#[test]
fn a_sum_behind_a_product_is_its_bias() {
    let model = onnx::read(&sample("flatten.onnx"), &Limits::default()).unwrap();
    let ops: Vec<&Op> = model.graph.nodes().iter().map(|n| &n.op).collect();
    assert!(matches!(
        ops[..],
        [Op::Input { .. }, Op::Conv(_), Op::AdaptiveAvgPool { .. }, Op::Linear { out: 2 }]
    ));
    assert_eq!(model.weights["b.bias"].data(), [0.5, -1.5]);
}

#[test]
fn a_models_own_tensors_are_shown() {
    let inspection = inspect(&sample("raw.onnx"), &Limits::default()).unwrap();
    assert_eq!(inspection.format, Format::Onnx);
    assert_eq!(inspection.parameters, 26);
    assert_eq!(inspection.metadata["operators"], "Conv 1, Relu 1");
    assert_eq!(inspection.metadata["producer"], "make_onnx.py");
    let read = read(&sample("raw.onnx"), &Limits::default()).unwrap();
    assert_eq!(read.tensors["a.weight"], weight());
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    for (name, want) in [
        (
            "evil.operator.onnx",
            "operator Einsum (node \"mix\"), which is not supported; these are: Add, ",
        ),
        ("evil.domain.onnx", "operator com.example.Shell (node \"run\")"),
        ("evil.place.onnx", "not beside it, \"../../../../etc/passwd\""),
        ("evil.shape.onnx", "bytes of memory"),
        ("evil.cycle.onnx", "node \"loop\" reads \"result\" before it is there"),
    ] {
        let error = onnx::read(&sample(name), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains(want), "{name}: {error}");
    }
    let beside = std::fs::read(sample("beside.onnx")).unwrap();
    let error = onnx::read_bytes(&beside, &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("weights in another file, \"beside.onnx.data\""), "{error}");
}
