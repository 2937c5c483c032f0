//! What is written for Keras has the structure that Keras looks for; and Keras finds it.

use std::path::Path;
use std::process::Command;

use graph::{Builder, Conv, ConvTranspose, Graph, Pool, PoolKind, TransposePadding};
use tensor::Tensor;
use weights::keras::{self, Kind, Table};
use weights::{Limits, Precision, StateDict, read};

/// Every kind of layer with variables: `keras_reads.py` builds the same with Keras.
fn net() -> Graph {
    let mut g = Builder::new("every_layer");
    let x = g.input("rgb", 3);
    let x = g.conv("first", x, Conv::new(4, 3));
    let x = g.relu(x);
    let x = g.conv("depthwise", x, Conv::new(8, 3).groups(4));
    let x = g.batch_norm("norm", x, 1e-3);
    let x = g.conv("second", x, Conv::new(6, 1).without_bias());
    let pad = TransposePadding::Same;
    let up = ConvTranspose { out: 5, kernel: 3, stride: 2, pad, bias: true };
    let x = g.conv_transpose("up", x, up);
    let x = g.pool("pool", x, Pool::new(PoolKind::Max, 2));
    let x = g.flatten(x);
    let x = g.dropout(x, 0.5);
    let x = g.linear("dense", x, 5 * 4 * 4, 7);
    let x = g.relu(x);
    let x = g.linear("top", x, 7, 2);
    g.finish(x)
}

/// Small fractions, exact as `f16` too; variances are positive.
fn tensors(graph: &Graph) -> StateDict {
    let mut n = 0u16;
    let mut next = || {
        n = (n * 37 + 11) % 256;
        f32::from(n) / 256.0
    };
    let value = |name: &str, v: f32| if name.ends_with("running_var") { v + 0.5 } else { v - 0.5 };
    let params = graph.params().iter().map(|p| {
        let values = (0..p.len()).map(|_| value(&p.name, next())).collect();
        (p.name.clone(), Tensor::new(p.shape.clone(), values))
    });
    params.collect()
}

#[test]
fn our_reader_finds_everything_again() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (graph, table) = (net(), Table::of(&net()));
    for (name, kind) in [("a.weights.h5", Kind::Keras3), ("a.h5", Kind::Legacy)] {
        for precision in [Precision::F32, Precision::F16] {
            let path = folder.path().join(name);
            assert_eq!(Kind::of(&path), Some(kind));
            keras::write(&path, &table, tensors(&graph), (kind, precision))?;
            let read = read(&path, &Limits::default())?;
            let names: Vec<_> = read.tensors.keys().map(String::as_str).collect();
            let want = table.to_keras(tensors(&graph))?;
            assert_eq!(names, want.keys().map(String::as_str).collect::<Vec<_>>(), "{name}");
            assert_eq!(table.to_graph(read.tensors)?, tensors(&graph), "{name}");
        }
    }
    assert_eq!(Kind::of(Path::new("a.safetensors")), None);
    Ok(())
}

#[test]
fn many_layers_have_their_names_in_parts() -> Result<(), Box<dyn std::error::Error>> {
    let mut g = Builder::new("deep");
    let mut x = g.input("x", 1);
    // More names than one attribute holds.
    for i in 0..1500 {
        x = g.conv(
            &format!("a_layer_with_a_rather_long_name_that_says_little_{i}"),
            x,
            Conv::new(1, 1),
        );
    }
    let graph = g.finish(x);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("deep.h5");
    let table = Table::of(&graph);
    keras::write(&path, &table, tensors(&graph), (Kind::Legacy, Precision::F32))?;
    let dict = read(&path, &Limits::default())?.tensors;
    assert_eq!(table.to_graph(dict)?, tensors(&graph));
    Ok(())
}

#[test]
#[ignore = "needs the Python of PENTIMENTO_KERAS, with Keras 3"]
fn keras_loads_what_is_written() -> Result<(), Box<dyn std::error::Error>> {
    let python = std::env::var_os("PENTIMENTO_KERAS").ok_or("PENTIMENTO_KERAS is not set")?;
    let folder = tempfile::tempdir()?;
    let (graph, table) = (net(), Table::of(&net()));
    for (name, kind) in [("a.weights.h5", Kind::Keras3), ("a.h5", Kind::Legacy)] {
        keras::write(&folder.path().join(name), &table, tensors(&graph), (kind, Precision::F32))?;
    }
    // The truth in a format that Python reads by itself.
    let truth = table.to_keras(tensors(&graph))?;
    weights::write(&folder.path().join("truth.safetensors"), &truth, &[].into(), Precision::F32)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keras_reads.py");
    let status = Command::new(python).arg(script).arg(folder.path()).status()?;
    assert!(status.success());
    Ok(())
}
