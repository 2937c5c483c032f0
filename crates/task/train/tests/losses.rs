//! Losses and their gradients against PyTorch's and Keras's.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use tensor::Tensor;
use testing::{Golden, Random, Tolerance};
use train::losses::{
    Judged, absolute_error, binary_cross_entropy, binary_cross_entropy_of_probabilities,
    cross_entropy, squared_error,
};

/// The seed and shape of `golden/losses/record.py`.
const SEED: u64 = 6;
const SHAPE: [usize; 4] = [3, 5, 2, 4];

fn draw(name: &str) -> Tensor {
    Random::named(SEED, name).tensor(&SHAPE, 4.0)
}

fn targets() -> Vec<f32> {
    (0..120).map(|i| (i % 5) as f32 / 4.0).collect()
}

/// f32 holds each number to half an ulp, and goes through an exponential and a quotient.
const ROUNDED: f64 = 4.0 * f32::EPSILON as f64;

fn hold(golden: &Golden, name: &str, judged: &Judged) {
    let loss = Tensor::new([1], vec![judged.loss as f32]);
    for (part, got) in [("loss", &loss), ("gradient", &judged.gradient)] {
        let key = format!("{name}/{part}");
        let want = golden.get(&key).unwrap();
        let tolerance = Tolerance::Absolute(ROUNDED * testing::largest(want.data()));
        let held = testing::check_close(got.data(), want.data(), tolerance);
        held.unwrap_or_else(|fault| panic!("{key}: {fault}"));
    }
}

#[test]
fn losses_are_pytorchs() {
    let golden = Golden::open("losses/pytorch.safetensors").unwrap();
    let labels: Vec<usize> = (0..24).map(|i| i * 7 % 5).collect();
    for smoothing in [0.0, 0.1] {
        let judged = cross_entropy(&draw("logits"), &labels, smoothing);
        hold(&golden, &format!("cross entropy {smoothing:?}"), &judged);
    }
    hold(&golden, "binary 0.0", &binary_cross_entropy(&draw("logits"), &targets(), 0.0));
    hold(&golden, "absolute", &absolute_error(&draw("logits"), &draw("other")));
    hold(&golden, "squared", &squared_error(&draw("logits"), &draw("other")));
}

#[test]
fn losses_are_keras() {
    let golden = Golden::open("losses/keras.safetensors").unwrap();
    for smoothing in [0.0, 0.1] {
        let judged = binary_cross_entropy(&draw("logits"), &targets(), smoothing);
        hold(&golden, &format!("binary {smoothing:?}"), &judged);
    }
    let shares = golden.get("probabilities").unwrap();
    let judged = binary_cross_entropy_of_probabilities(shares, &targets());
    hold(&golden, "binary of probabilities", &judged);
    hold(&golden, "absolute", &absolute_error(&draw("logits"), &draw("other")));
    hold(&golden, "squared", &squared_error(&draw("logits"), &draw("other")));
}
