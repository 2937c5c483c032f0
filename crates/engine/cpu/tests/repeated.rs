//! 1×1 convolutions of a picture beside values that are the same at every pixel, against their
//! definition in `f64`.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use cpu::{Level, Network, Plan, Session};
use graph::{Builder, Conv, Graph};
use tensor::Tensor;
use testing::{REORDERED, Random, check_close, random_weights};
use weights::Weights;

const SEED: u64 = 23;
const EPS: f32 = 1e-3;
const SHAPES: [[usize; 4]; 2] = [[2, 20, 5, 7], [2, 37, 1, 1]];
const OUT: usize = 18;

/// `relu(norm(conv(both)))`; the picture first, or last.
fn graph(picture_first: bool) -> Graph {
    let mut g = Builder::new("beside");
    let (picture, classes) = (g.input("picture", SHAPES[0][1]), g.input("classes", SHAPES[1][1]));
    let repeated = g.broadcast_space(classes, picture);
    let both = if picture_first { [picture, repeated] } else { [repeated, picture] };
    let both = g.concat(&both);
    let both = g.tap(both, "both");
    let x = g.conv("conv", both, Conv::new(OUT, 1));
    let x = g.batch_norm("norm", x, EPS);
    let x = g.relu(x);
    g.finish(x)
}

/// The definition, in the weights' own names.
fn definition(graph: &Graph, picture_first: bool, inputs: &[Tensor; 2]) -> Vec<f32> {
    let weights = random_weights(graph, SEED);
    let of = |name: &str| weights[name].data();
    let [n, a, h, w] = SHAPES[0];
    let b = SHAPES[1][1];
    let value = |image: usize, channel: usize, pixel: usize| {
        let first = if picture_first { a } else { b };
        let (is_picture, channel) = if channel < first {
            (picture_first, channel)
        } else {
            (!picture_first, channel - first)
        };
        let at =
            if is_picture { (image * a + channel) * h * w + pixel } else { image * b + channel };
        f64::from(inputs[usize::from(!is_picture)].data()[at])
    };
    let one = |i: usize| {
        let (image, out, pixel) = (i / (OUT * h * w), i / (h * w) % OUT, i % (h * w));
        let term = |c| f64::from(of("conv.weight")[out * (a + b) + c]) * value(image, c, pixel);
        let sum = (0..a + b).map(term).sum::<f64>() + f64::from(of("conv.bias")[out]);
        let norm = |name: &str| f64::from(of(&format!("norm.{name}"))[out]);
        let spread = (norm("running_var") + f64::from(EPS)).sqrt();
        let y = (sum - norm("running_mean")) / spread * norm("weight") + norm("bias");
        y.max(0.0) as f32
    };
    (0..n * OUT * h * w).map(one).collect()
}

#[test]
fn what_repeats_is_multiplied_once_and_the_sums_are_the_definitions() {
    let inputs =
        [0, 1].map(|i| Random::named(SEED, ["picture", "classes"][i]).tensor(&SHAPES[i], 1.0));
    for picture_first in [true, false] {
        let graph = graph(picture_first);
        let weights = Weights::bind(&graph, random_weights(&graph, SEED)).unwrap();
        let want = definition(&graph, picture_first, &inputs);
        for level in Level::available() {
            let network = Network::with_level(&graph, &weights, level).unwrap();
            let both = graph.find("both").unwrap();
            let memory = [vec![], vec![both]].map(|taps| {
                let plan = Plan::new(&network, &SHAPES, &taps).unwrap();
                let memory = plan.memory();
                let got = Session::new(plan).run(&[&inputs[0], &inputs[1]]);
                check_close(got.output.data(), &want, REORDERED).unwrap();
                memory
            });
            let concat = SHAPES[0][0] * 64 * SHAPES[0][2] * SHAPES[0][3] * size_of::<f32>();
            assert!(memory[0] + concat <= memory[1], "the concatenation was written: {memory:?}");
        }
    }
}
