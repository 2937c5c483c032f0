//! Gradients of whole networks against PyTorch, the same bits on any number of
//! threads, and dropout.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use cpu::{Level, Memory, Network, Statistics, Tape, Threads, Wanted};
use graph::{Builder, Conv, Encoding, Graph, PadMode};
use tensor::Tensor;
use testing::{Golden, Random, TAP, Tolerance, encoded, random_weights, smooth_picture};
use weights::Weights;

/// The seed and the size of `golden/nets/make_pytorch_gradients.py`.
const SEED: u64 = 2;
const SIZE: [usize; 4] = [2, 3, 36, 28];

fn network(graph: &Graph, level: Level) -> Network {
    let weights = Weights::bind(graph, random_weights(graph, SEED)).unwrap();
    Network::with_level(graph, &weights, level).unwrap()
}

/// A tape of a network whose loss is the sum of its output times random numbers.
struct Run(Tape);

impl Run {
    fn new(network: &Network, size: [usize; 4]) -> Self {
        let output = network.graph().output();
        Self(Tape::new(network, &[size], &[output], Wanted::Both).unwrap())
    }

    /// Every gradient, that of the input first.
    fn gradients(&mut self, x: &Tensor) -> Vec<Tensor> {
        self.0.forward(&[x]);
        self.0.backward(|_, value, gradient| {
            let factors = Random::named(SEED, "gradient").tensor(&value.shape(), 1.0);
            gradient.fill_from(&factors);
        });
        let mut all = vec![self.0.input_gradient(0)];
        all.extend_from_slice(self.0.parameter_gradients());
        all
    }
}

/// What is wrong with the gradients of a network.
fn faults(golden: &Golden, network: &Network, input: &Encoding) -> Vec<String> {
    let picture = encoded(&smooth_picture(SIZE, SEED), input);
    let gradients = Run::new(network, SIZE).gradients(&picture);
    let names: Vec<&str> = network.graph().params().iter().map(|p| p.name.as_str()).collect();
    let key = |name: &str| format!("2x3x36x28/{name}");
    let scale = |name: &str| golden.get(&key(name)).map_or(0.0, |t| f64::from(t.data()[1]));
    let all = ["rgb"].into_iter().chain(names).zip(&gradients);
    all.filter_map(|(name, gradient)| {
        // A bias before a norm has the gradient zero, a sum of large ones: the kernel's scale
        // is that of what is summed.
        let beside = name.strip_suffix(".bias").map_or(0.0, |n| scale(&format!("{n}.weight")));
        let allowed = TAP.allowed(scale(name).max(beside));
        golden.check(&key(name), gradient, Tolerance::Absolute(allowed)).err()
    })
    .map(|fault| fault.to_string())
    .collect()
}

fn hold(golden: &str, name: &str, config: &str) {
    let net = nets::by_name(name, config).unwrap();
    let golden = Golden::open(&format!("nets/{golden}_gradients.safetensors")).unwrap();
    assert_eq!(golden.names().count(), net.graph.params().len() + 1, "all are stored");
    for level in Level::available() {
        let faults = faults(&golden, &network(&net.graph, level), &net.input);
        assert!(faults.is_empty(), "{level:?}:\n{}", faults.join("\n"));
    }
}

#[test]
fn transformer_nets_gradients_are_pytorchs() {
    hold("transformer_net", "transformer_net", "");
}

#[test]
fn imfw_nets_gradients_are_pytorchs() {
    hold("imfw_net", "imfw_net", "");
}

#[test]
fn lengstroms_gradients_are_pytorchs() {
    hold("lengstrom", "lengstrom", "");
}

#[test]
fn vgg16s_gradients_are_pytorchs() {
    hold("vgg16", "vgg", r#"{"depth": "16", "up_to": "relu3_3"}"#);
}

#[test]
fn normalised_vgg19s_gradients_are_pytorchs() {
    let config = r#"{"depth": "19", "form": "normalised", "up_to": "conv4_1"}"#;
    hold("vgg19_normalised", "vgg", config);
}

/// Of several bands, parts and tiles.
const LARGE: [usize; 4] = [2, 3, 68, 52];

#[test]
fn threads_and_reuse_do_not_change_a_bit() {
    let net = nets::by_name("transformer_net", r#"{"width": 16, "residual_blocks": 1}"#).unwrap();
    let picture = smooth_picture(LARGE, SEED);
    for level in Level::available() {
        let network = network(&net.graph, level);
        let mut reused = Run::new(&network, LARGE);
        let want = Threads::new(Some(1)).unwrap().run(|| reused.gradients(&picture));
        // Whatever is left in memory is another picture's.
        let other = reused.gradients(&smooth_picture(LARGE, SEED + 1));
        assert_ne!(want, other);
        for count in [1, 2, 5] {
            let threads = Threads::new(Some(count)).unwrap();
            let [again, fresh] = threads.run(|| {
                [reused.gradients(&picture), Run::new(&network, LARGE).gradients(&picture)]
            });
            assert!(again == want, "{level:?}, {count} threads, a tape that has run");
            assert!(fresh == want, "{level:?}, {count} threads, a new tape");
        }
    }
}

/// Frozen parameters, and inputs that nobody wants, leave the other gradients as they are.
#[test]
fn what_is_not_wanted_changes_nothing() {
    let net = nets::by_name("transformer_net", r#"{"width": 16, "residual_blocks": 1}"#).unwrap();
    let network = network(&net.graph, Level::best());
    let picture = smooth_picture(SIZE, SEED);
    let both = Run::new(&network, SIZE).gradients(&picture);
    let run = |wanted: Wanted| {
        let output = network.graph().output();
        let mut tape = Tape::new(&network, &[SIZE], &[output], wanted).unwrap();
        tape.forward(&[&picture]);
        tape.backward(|_, value, gradient| {
            gradient.fill_from(&Random::named(SEED, "gradient").tensor(&value.shape(), 1.0));
        });
        tape
    };
    assert!(run(Wanted::Parameters).parameter_gradients() == &both[1..]);
    let inputs = run(Wanted::Inputs);
    assert!(inputs.parameter_gradients().iter().all(|g| g.data().is_empty()));
    let scale = testing::largest(both[0].data());
    // A frozen batch norm would be folded into its convolution: other roundings, so no equal bits.
    let tolerance = Tolerance::Absolute(TAP.allowed(scale));
    testing::check_close(inputs.input_gradient(0).data(), both[0].data(), tolerance).unwrap();
}

/// A batch norm without gain is one whose gain is 1, forwards and backwards.
#[test]
fn a_batch_norm_without_gain_has_a_gain_of_one() {
    let build = |norm: fn(&mut Builder, &str, graph::NodeId, f32) -> graph::NodeId| {
        let mut g = Builder::new("norm");
        let x = g.input("rgb", 3);
        let x = g.conv("conv", x, Conv::same(20, 3, PadMode::Zero));
        let x = norm(&mut g, "norm", x, 1e-3);
        let x = g.relu(x);
        let x = g.conv("last", x, Conv::new(4, 1));
        g.finish(x)
    };
    let (with, without) = (build(Builder::batch_norm), build(Builder::batch_norm_without_gain));
    let mut weights = random_weights(&with, SEED);
    weights.insert("norm.weight".to_owned(), Tensor::new([20], vec![1.0; 20]));
    let picture = smooth_picture(SIZE, SEED);
    let gradients = |graph: &Graph, weights| {
        let weights = Weights::bind(graph, weights).unwrap();
        let network = Network::with_level(graph, &weights, Level::best()).unwrap();
        Run::new(&network, SIZE).gradients(&picture)
    };
    let mut want = gradients(&with, weights.clone());
    let gain = with.params().iter().position(|p| p.name == "norm.weight").unwrap();
    want.remove(1 + gain);
    weights.remove("norm.weight");
    assert!(gradients(&without, weights) == want);
}

/// Weights that an optimiser has changed: packed again, both ways.
#[test]
fn new_weights_are_those_of_a_new_tape() {
    let net = nets::by_name("imfw_net", "").unwrap();
    let picture = encoded(&smooth_picture(SIZE, SEED), &net.input);
    let changed = Weights::bind(&net.graph, random_weights(&net.graph, SEED + 1)).unwrap();
    let level = Level::best();
    let fresh = Network::with_level(&net.graph, &changed, level).unwrap();
    let mut tape = Run::new(&network(&net.graph, level), SIZE);
    let before = tape.gradients(&picture);
    tape.0.set_weights(&changed).unwrap();
    let after = tape.gradients(&picture);
    assert!(before != after);
    assert!(after == Run::new(&fresh, SIZE).gradients(&picture));
}

/// A dropout after a convolution that leaves values as they are.
fn dropout(share: f32) -> Network {
    let mut g = Builder::new("dropout");
    let x = g.input("x", 20);
    let x = g.conv("before", x, Conv::same(20, 1, PadMode::Zero).groups(20).without_bias());
    let x = g.dropout(x, share);
    let g = g.finish(x);
    let ones = Tensor::new([20, 1, 1, 1], vec![1.0; 20]);
    let weights = Weights::bind(&g, [("before.weight".to_owned(), ones)].into()).unwrap();
    Network::with_level(&g, &weights, Level::best()).unwrap()
}

/// What a dropout leaves of ones, and the gradient of the sum.
fn dropped(tape: &mut Tape, seed: u64) -> [Tensor; 2] {
    let shape = [2, 20, 31, 37];
    let ones = Tensor::new(shape, vec![1.0; shape.iter().product()]);
    tape.set_seed(seed);
    tape.forward(&[&ones]);
    tape.backward(|_, _, gradient| gradient.fill_from(&ones));
    [tape.value(0).to_tensor(), tape.input_gradient(0)]
}

#[test]
fn dropout_drops_its_share_by_the_seed_and_its_gradient_the_same() {
    for share in [0.2f32, 0.5] {
        let network = dropout(share);
        let output = network.graph().output();
        let mut tape = Tape::new(&network, &[[2, 20, 31, 37]], &[output], Wanted::Both).unwrap();
        let [values, gradient] = dropped(&mut tape, 7);
        assert_eq!(values, gradient, "a gradient of ones goes through the same mask");
        let [other, _] = dropped(&mut tape, 8);
        assert_ne!(values, other, "another seed");
        assert_eq!(dropped(&mut tape, 7), [values.clone(), gradient], "the same seed");

        let kept = 1.0 / (1.0 - share);
        assert!(values.data().iter().all(|v| [0.0, kept].map(f32::to_bits).contains(&v.to_bits())));
        let count = values.data().len() as f64;
        let zeros = values.data().iter().filter(|&&v| v == 0.0).count() as f64;
        let p = f64::from(share);
        let deviation = (count * p * (1.0 - p)).sqrt();
        let off = (zeros - count * p).abs() / deviation;
        assert!(off < 4.0, "{zeros} of {count} zeros, {off} standard deviations from {p}");
        // The masks of two seeds have no more in common than chance gives.
        let both = values.data().iter().zip(other.data()).filter(|(a, b)| **a + **b == 0.0);
        let off = (both.count() as f64 - count * p * p).abs() / (count * p * p).sqrt();
        assert!(off < 4.0, "masks of two seeds overlap, {off} standard deviations from chance");
    }
}

/// Networks with skips, norms, dropout, and branches of several kinds: what is computed again
/// is the same, in less memory.
#[test]
fn what_is_computed_again_gives_the_same_bits() {
    let size = [2, 3, 64, 64];
    for (name, config) in [
        ("transformer_net", ""),
        ("lengstrom", ""),
        ("resnet", r#"{"depth": "18"}"#),
        ("mobilenet_v2", ""),
        ("vgg", r#"{"depth": "16", "up_to": "relu4_3"}"#),
    ] {
        let net = nets::by_name(name, config).unwrap();
        let network = network(&net.graph, Level::best());
        let picture = encoded(&smooth_picture(size, SEED), &net.input);
        let output = net.graph.output();
        let middle = net.graph.ids().nth(net.graph.nodes().len() / 2).unwrap();
        let how = (Wanted::Both, Statistics::Batch);
        let tape = || Tape::with_statistics(&network, &[size], &[output, middle], how).unwrap();
        let mut kept = Run(tape());
        let mut again = Run(tape().with_memory(Memory::Recomputed));
        let [much, less] = [kept.0.memory(), again.0.memory()];
        assert!(less < much, "{name}: {less}, {much}");
        for seed in [3, 4] {
            kept.0.set_seed(seed);
            again.0.set_seed(seed);
            assert!(kept.gradients(&picture) == again.gradients(&picture), "{name}");
            assert_eq!(kept.0.value(1).data(), again.0.value(1).data(), "{name}");
        }
    }
}
