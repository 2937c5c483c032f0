//! A batch norm by its own batch, against PyTorch and Keras; and what it leaves alone.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use cpu::{Level, Network, Running, Statistics, Tape, Threads, Wanted};
use graph::{Builder, Conv, Graph, PadMode};
use tensor::Tensor;
use testing::{Golden, Random, Tolerance, random_weights};
use weights::Weights;

/// The seed and epsilon of `golden/ops/batch_norm.py`.
const SEED: u64 = 4;
const EPS: f32 = 1e-3;

/// Name, shape, amplitude and offset of its cases.
const CASES: [(&str, [usize; 4], f32, f32); 4] = [
    ("3x5x4x6", [3, 5, 4, 6], 1.0, 0.0),
    ("2x18x7x9", [2, 18, 7, 9], 2.0, 0.0),
    ("1x3x1x7", [1, 3, 1, 7], 1.0, 0.0),
    ("4x17x6x5 far from zero", [4, 17, 6, 5], 0.5, 30.0),
];

fn norm(channels: usize) -> Graph {
    let mut g = Builder::new("norm");
    let x = g.input("x", channels);
    let x = g.batch_norm("bn", x, EPS);
    g.finish(x)
}

fn draw(case: &str, part: &str, shape: &[usize], amplitude: f32) -> Tensor {
    Random::named(SEED, &format!("{case}/{part}")).tensor(shape, amplitude)
}

fn moved(tensor: &Tensor, by: impl Fn(f32) -> f32) -> Tensor {
    Tensor::new(tensor.shape(), tensor.data().iter().map(|&v| by(v)).collect())
}

/// Output, gradients by input, gain and bias, and running statistics, as the golden has them.
fn run(level: Level, case: (&str, [usize; 4], f32, f32), running: Running) -> [Tensor; 6] {
    let (name, shape, amplitude, offset) = case;
    let graph = norm(shape[1]);
    let channels = [shape[1]];
    let dict = [
        ("bn.weight", draw(name, "gain", &channels, 1.0)),
        ("bn.bias", draw(name, "bias", &channels, 1.0)),
        ("bn.running_mean", draw(name, "mean", &channels, 1.0)),
        ("bn.running_var", moved(&draw(name, "var", &channels, 1.0), |v| v.abs() + 0.5)),
    ];
    let dict = dict.map(|(name, tensor)| (name.to_owned(), tensor)).into();
    let mut weights = Weights::bind(&graph, dict).unwrap();
    let network = Network::with_level(&graph, &weights, level).unwrap();
    let how = (Wanted::Both, Statistics::Batch);
    let mut tape = Tape::with_statistics(&network, &[shape], &[graph.output()], how).unwrap();
    for batch in ["x0", "x1"] {
        let x = moved(&draw(name, batch, &shape, amplitude), |v| v + offset);
        tape.forward(&[&x]);
        tape.update_statistics(&mut weights, running);
    }
    tape.backward(|_, _, gradient| gradient.fill_from(&draw(name, "gradient", &shape, 1.0)));
    let gradients = tape.parameter_gradients();
    [
        tape.value(0).to_tensor(),
        tape.input_gradient(0),
        gradients[0].clone(),
        gradients[1].clone(),
        weights.get(2).clone(),
        weights.get(3).clone(),
    ]
}

/// f32 holds a value to half an ulp, sums of up to 126 values are taken in runs of 64 in f32,
/// and an offset costs as many digits as it is deviations away.
fn allowed(offset: f32, amplitude: f32) -> f64 {
    64.0 * f64::from(f32::EPSILON) * (1.0 + f64::from(offset / amplitude))
}

fn hold(framework: &str, running: Running) {
    let golden = Golden::open(&format!("ops/batch_norm_{framework}.safetensors")).unwrap();
    assert_eq!(golden.names().count(), 6 * CASES.len(), "all are stored");
    for level in Level::available() {
        for case in CASES {
            let (name, _, amplitude, offset) = case;
            let parts = ["y", "x", "gain", "bias", "mean", "var"];
            for (part, got) in parts.into_iter().zip(run(level, case, running)) {
                let key = format!("{name}/{part}");
                let want = golden.get(&key).unwrap();
                let scale = testing::largest(want.data()).max(1.0);
                let tolerance = Tolerance::Absolute(allowed(offset, amplitude) * scale);
                let held = testing::check_close(got.data(), want.data(), tolerance);
                held.unwrap_or_else(|fault| panic!("{level:?}, {key}: {fault}"));
            }
        }
    }
}

#[test]
fn training_is_pytorchs() {
    hold("pytorch", Running::PYTORCH);
}

#[test]
fn training_is_keras() {
    hold("keras", Running::KERAS);
}

/// Convolution, norm, `ReLU`, convolution, norm and a sum: what the planner folds.
fn block() -> Graph {
    let mut g = Builder::new("block");
    let x = g.input("x", 3);
    let x = g.conv("c0", x, Conv::same(20, 3, PadMode::Zero));
    let x = g.batch_norm("bn0", x, EPS);
    let x = g.relu(x);
    let y = g.conv("c1", x, Conv::same(20, 3, PadMode::Zero).without_bias());
    let y = g.batch_norm("bn1", y, EPS);
    let y = g.add(y, x);
    let y = g.relu(y);
    g.finish(y)
}

const SHAPE: [usize; 4] = [5, 3, 37, 21];

fn gradients(graph: &Graph, threads: usize, statistics: Statistics) -> Vec<Tensor> {
    let weights = Weights::bind(graph, random_weights(graph, SEED)).unwrap();
    let network = Network::new(graph, &weights).unwrap();
    let how = (Wanted::Both, statistics);
    Threads::new(Some(threads)).unwrap().run(|| {
        let mut tape = Tape::with_statistics(&network, &[SHAPE], &[graph.output()], how).unwrap();
        tape.forward(&[&Random::named(SEED, "x").tensor(&SHAPE, 1.0)]);
        tape.backward(|_, value, gradient| {
            gradient.fill_from(&Random::named(SEED, "gradient").tensor(&value.shape(), 1.0));
        });
        let mut all = vec![tape.input_gradient(0), tape.value(0).to_tensor()];
        all.extend_from_slice(tape.parameter_gradients());
        all
    })
}

#[test]
fn threads_do_not_change_a_bit() {
    let graph = block();
    let one = gradients(&graph, 1, Statistics::Batch);
    for threads in [2, 5] {
        assert!(gradients(&graph, threads, Statistics::Batch) == one, "{threads} threads");
    }
    assert!(gradients(&graph, 1, Statistics::Stored) != one);
}

/// A frozen norm keeps to its stored statistics, and the layers before it take no gradient.
#[test]
fn frozen_norms_use_what_is_stored() {
    let graph = block();
    let frozen = graph.clone().frozen_up_to(graph.output());
    let weights = Weights::bind(&frozen, random_weights(&frozen, SEED)).unwrap();
    let network = Network::new(&frozen, &weights).unwrap();
    let x = Random::named(SEED, "x").tensor(&SHAPE, 1.0);
    let value = |how| {
        let mut tape = Tape::with_statistics(&network, &[SHAPE], &[frozen.output()], how).unwrap();
        tape.forward(&[&x]);
        let mut own = weights.clone();
        tape.update_statistics(&mut own, Running::PYTORCH);
        assert!(own.tensors() == weights.tensors(), "nothing was measured");
        tape.value(0).to_tensor()
    };
    let stored = value((Wanted::Parameters, Statistics::Stored));
    assert!(value((Wanted::Parameters, Statistics::Batch)) == stored);
    let some = graph.clone().frozen_up_to(graph.find("bn0").unwrap());
    let all = gradients(&some, 2, Statistics::Batch);
    let empty: Vec<bool> = all[2..].iter().map(|g| g.data().is_empty()).collect();
    // c0's two, bn0's four; c1's one; bn1's gain and bias, and its statistics.
    let want = [[true; 6].as_slice(), &[false, false, false, true, true]].concat();
    assert_eq!(empty, want);
}
