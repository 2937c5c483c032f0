//! One picture, optimised through a loss network of random weights.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use cpu::Threads;
use tensor::Tensor;
use train::losses::{LossNetwork, Objective, Variation, Weighted};
use train::style::{
    Canvas, Go, Iteration, Method, OptimizeOptions, Optimized, WeightedPainting, optimize,
};
use weights::Weights;

fn loss_network() -> LossNetwork {
    let net = nets::by_name("vgg", r#"{"up_to": "relu2_2"}"#).unwrap();
    let weights = Weights::bind(&net.graph, testing::random_weights(&net.graph, 3)).unwrap();
    LossNetwork { graph: net.graph, input: net.input, weights, heads: None }
}

fn picture(size: [usize; 2], seed: u64) -> Tensor {
    let bytes = testing::smooth_picture([1, 3, size[0], size[1]], seed);
    Tensor::new(bytes.shape(), bytes.data().iter().map(|v| v / 255.0).collect())
}

fn options(method: Method) -> OptimizeOptions {
    let tap = |tap: &str, weight| Weighted { tap: tap.to_owned(), weight };
    OptimizeOptions {
        objective: Objective {
            content: vec![tap("relu2_2", 1.0)],
            style: vec![tap("relu1_2", 1e4), tap("relu2_2", 1e4)],
            variation: Variation::Absolute(1e-6),
            ..Objective::default()
        },
        iterations: 15,
        method,
        from: Canvas::Content,
        scales: vec![20, 40],
        style_size: None,
        style_degrain: 0.0,
    }
}

fn run(options: &OptimizeOptions, threads: usize) -> Optimized {
    let painting = |seed, weight| WeightedPainting { rgb: picture([30, 36], seed), weight };
    let paintings = [painting(1, 1.0), painting(2, 3.0)];
    let content = picture([50, 80], 5);
    let threads = Threads::new(Some(threads)).unwrap();
    let all = |_: &Iteration| Go::On;
    threads.run(|| optimize(&loss_network(), (&content, &paintings), options, all)).unwrap()
}

#[test]
fn losses_fall_at_every_scale_by_either_method() {
    for method in [Method::Lbfgs, Method::Adam { rate: 2.0 }] {
        let done = run(&options(method), 2);
        assert_eq!(done.rgb.shape(), [1, 3, 25, 40]);
        assert!(done.rgb.data().iter().all(|v| (0.0..=1.0).contains(v)));
        assert_eq!(done.iterations.len(), 30);
        for scale in 0..2 {
            let of: Vec<f64> = done
                .iterations
                .iter()
                .filter(|i| i.scale == scale)
                .map(|i| i.losses.total())
                .collect();
            assert!(of[14] < 0.75 * of[0], "{method:?}, scale {scale}: {} of {}", of[14], of[0]);
        }
        assert!(done.losses.total() < done.iterations[15].losses.total(), "{method:?}");
    }
}

#[test]
fn noise_becomes_a_picture_and_threads_change_no_bit() {
    let options = OptimizeOptions { from: Canvas::Noise(4), ..options(Method::Lbfgs) };
    let (one, other) = (run(&options, 1), run(&options, 3));
    assert!(one.rgb == other.rgb);
    assert!(one.losses.total() < 0.75 * one.iterations[0].losses.total());
}

#[test]
fn a_picture_may_be_gone_on_from_or_only_judged() {
    let first = run(&options(Method::Lbfgs), 2);
    let from = |iterations| OptimizeOptions {
        from: Canvas::Picture(first.rgb.clone()),
        scales: vec![40],
        iterations,
        ..options(Method::Lbfgs)
    };
    let total = first.losses.total();
    let judged = run(&from(0), 2);
    assert!(judged.iterations.is_empty());
    // only 255 · x / 255 differs
    assert!((judged.losses.total() / total - 1.0).abs() < 1e-5, "{:?}", judged.losses);
    let further = run(&from(10), 2);
    assert!((further.iterations[0].losses.total() / total - 1.0).abs() < 1e-5);
    assert!(further.losses.total() < first.losses.total());
}

#[test]
fn grain_is_taken_from_the_painting_in_the_size_in_which_it_is_looked_at() {
    let content = picture([50, 80], 5);
    let grainy = testing::Random::new(3).tensor(&[1, 3, 60, 72], 0.05);
    let painting = picture([60, 72], 1);
    let values = painting.data().iter().zip(grainy.data()).map(|(v, n)| v + n).collect();
    let painting = Tensor::new([1, 3, 60, 72], values);
    let judged = |rgb: &Tensor, style_degrain| {
        let options = OptimizeOptions {
            scales: vec![40],
            iterations: 0,
            style_size: Some(30),
            style_degrain,
            ..options(Method::Lbfgs)
        };
        let paintings = [WeightedPainting { rgb: rgb.clone(), weight: 1.0 }];
        let all = |_: &Iteration| Go::On;
        optimize(&loss_network(), (&content, &paintings), &options, all).unwrap().losses
    };
    let small = imaging::resize_tensor(&painting, [30, 36], imaging::Filter::Triangle);
    let without = judged(&painting, 8.0);
    assert_eq!(without, judged(&imaging::degrain(&small, 8.0), 0.0));
    assert_ne!(without, judged(&painting, 0.0));
}

#[test]
fn it_stops_when_told_and_refuses_what_makes_no_sense() {
    let content = picture([50, 80], 5);
    let painting = WeightedPainting { rgb: picture([30, 36], 1), weight: 1.0 };
    let go = |i: &Iteration| if i.iteration == 3 { Go::Stop } else { Go::On };
    let of = |paintings: &[WeightedPainting], options: &OptimizeOptions| {
        optimize(&loss_network(), (&content, paintings), options, go)
    };
    let stopped = of(std::slice::from_ref(&painting), &options(Method::Lbfgs)).unwrap();
    assert_eq!((stopped.iterations.len(), stopped.rgb.shape()), (3, &[1, 3, 25, 40][..]));
    assert!(of(&[], &options(Method::Lbfgs)).is_err());
    let none = OptimizeOptions { scales: vec![], ..options(Method::Lbfgs) };
    assert!(of(std::slice::from_ref(&painting), &none).is_err());
    let grain = OptimizeOptions { style_degrain: -1.0, ..options(Method::Lbfgs) };
    assert!(of(&[painting], &grain).is_err());
}
