//! Losses and their gradients against PyTorch's and Keras's.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use graph::Encoding;
use tensor::Tensor;
use testing::{Golden, Random, Tolerance};
use train::losses::{
    Heads, Judged, LossNetwork, Objective, Perceptual, absolute_error, binary_cross_entropy,
    binary_cross_entropy_of_probabilities, cross_entropy, squared_error,
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

/// The package's distance and its gradient by the picture, on `golden/losses/make_lpips.py`'s
/// weights and pictures.
#[test]
fn lpips_is_the_packages() {
    const SEED: u64 = 8;
    let golden = Golden::open("losses/lpips.safetensors").unwrap();
    let net = nets::by_name("vgg", r#"{"up_to": "relu5_3"}"#).unwrap();
    let weights = testing::random_weights(&net.graph, SEED);
    let weights = weights::Weights::bind(&net.graph, weights).unwrap();
    let head = |(layer, channels): (usize, usize)| {
        let name = format!("lin{layer}.weight");
        let mut head = Random::named(SEED, &name).tensor(&[1, channels, 1, 1], 1.0);
        head.data_mut().iter_mut().for_each(|v| *v = v.abs());
        (name, head)
    };
    let heads = nets::lpips::CHANNELS.into_iter().enumerate().map(head).collect();
    let heads = Heads::of(&heads);
    assert!(heads.is_some());
    let network = LossNetwork { graph: net.graph, input: net.input, weights, heads };
    let [truth, other] = [0, 1].map(|i| {
        let mut picture = testing::smooth_picture([1, 3, 48, 64], SEED + i);
        picture.data_mut().iter_mut().for_each(|v| *v /= 255.0);
        picture
    });
    let mut picture = truth.clone();
    let both = picture.data_mut().iter_mut().zip(other.data());
    both.for_each(|(p, o)| *p = f32::midpoint(*p, *o));
    let objective = Objective { lpips: 3.0, ..Objective::default() };
    let size = (truth.shape4(), &Encoding::UNIT);
    let mut loss = Perceptual::new(&network, (&objective, vec![]), size).unwrap();
    loss.set_photographs(&truth);
    let (losses, mut gradient) = loss.evaluate(&picture);
    gradient.data_mut().iter_mut().for_each(|g| *g /= 3.0);
    let want = f64::from(golden.get("distance").unwrap().data()[0]);
    assert!((losses.lpips / 3.0 / want - 1.0).abs() <= 1e-4, "{} {want}", losses.lpips / 3.0);
    let want = golden.get("gradient").unwrap();
    testing::check_close(gradient.data(), want.data(), testing::TAP).unwrap();
    let (same, gradient) = loss.evaluate(&truth);
    // Two plans may sum in another order.
    assert!(same.total() <= 1e-6 * losses.total(), "{same:?}");
    assert!(gradient.data().iter().all(|g| g.is_finite()));

    let without = LossNetwork { heads: None, ..network };
    let refused = Perceptual::new(&without, (&objective, vec![]), size).unwrap_err().to_string();
    assert!(refused.contains("lpips 3.0") && refused.contains("heads"), "{refused}");
}
