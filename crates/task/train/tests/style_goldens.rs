//! A short training held to `PyTorch`'s, step by step: `golden/train/make_pytorch.py`.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use cpu::Threads;
use nets::Net;
use tensor::Tensor;
use testing::Golden;
use train::losses::{LossNetwork, Objective, Variation, Weighted};
use train::optim::Schedule;
use train::style::{StyleRecipe, StyleTrainer};
use weights::Weights;

const SEED: u64 = 9;
/// Of the total, at every step. The reference computes in f64, and Adam divides by the
/// gradient's own size, so that rounding grows from step to step. A wrong gradient would
/// do far more.
const SHARE: f64 = 0.01;

fn with_weights(name: &str, config: &str) -> (Net, Weights) {
    let net = nets::by_name(name, config).unwrap();
    let weights = testing::random_weights(&net.graph, SEED);
    let weights = Weights::bind(&net.graph, weights).unwrap();
    (net, weights)
}

/// As the trainer wants it: 0..=1.
fn picture(shape: [usize; 4], seed: u64) -> Tensor {
    let bytes = testing::smooth_picture(shape, seed);
    Tensor::new(shape, bytes.data().iter().map(|v| v / 255.0).collect())
}

fn recipe() -> StyleRecipe {
    let tap = |tap: &str, weight| Weighted { tap: tap.to_owned(), weight };
    StyleRecipe {
        objective: Objective {
            content: vec![tap("relu2_2", 1e5)],
            style: vec![tap("relu1_2", 1e9), tap("relu2_2", 1e9)],
            variation: Variation::Absolute(1e-2),
            ..Objective::default()
        },
        batch: 2,
        size: 48,
        schedule: Schedule::Constant { rate: 3e-4 },
        ..StyleRecipe::pytorch_examples()
    }
}

#[test]
fn two_hundred_steps_have_pytorchs_losses() {
    let golden = Golden::open("train/pytorch.safetensors").unwrap();
    let want = golden.get("losses").unwrap();
    let (net, weights) = with_weights("transformer_net", r#"{"width": 8, "residual_blocks": 1}"#);
    let (vgg, vgg_weights) = with_weights("vgg", r#"{"up_to": "relu2_2"}"#);
    let loss_network =
        LossNetwork { graph: vgg.graph, input: vgg.input, weights: vgg_weights, heads: None };
    let painting = picture([1, 3, 56, 64], SEED);
    let mut worst = [0.0f64; 3];
    Threads::new(None).unwrap().run(|| {
        let trainer = StyleTrainer::new(&recipe(), (net, weights), &loss_network, &painting);
        let mut trainer = trainer.unwrap();
        for (step, want) in (0..).zip(want.data().chunks_exact(3)) {
            let losses = trainer.step(&picture([2, 3, 48, 48], 1000 + step)).unwrap().losses;
            let total: f64 = want.iter().copied().map(f64::from).sum();
            let got = [losses.content, losses.style, losses.variation];
            for ((worst, got), &want) in worst.iter_mut().zip(got).zip(want) {
                *worst = worst.max((got - f64::from(want)).abs() / total);
            }
            assert!(worst.iter().all(|w| *w <= SHARE), "step {step}: {got:?}, not {want:?}");
        }
        assert_eq!(trainer.steps(), 200);
    });
    eprintln!("content, style and variation are off by {worst:?} at the most");
}
