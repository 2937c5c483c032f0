//! Every tap of every network against PyTorch or TensorFlow, at every CPU level.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use cpu::{Level, Network, Outputs, Plan, Session};
use graph::{Encoding, Graph, NodeId};
use testing::{Golden, PICTURE, TAP, encoded, random_weights, smooth_picture};
use weights::Weights;

/// The seed of `golden/nets/record.py`.
const SEED: u64 = 2;

/// Sizes that are stored: odd ones, two pictures at once, one of several tiles and bands.
const SMALL: [usize; 4] = [1, 3, 33, 45];
const SIZES: [[usize; 4]; 3] = [SMALL, [2, 3, 32, 44], [1, 3, 131, 197]];

struct Case {
    golden: Golden,
    graph: Graph,
    weights: Weights,
    input: Encoding,
    output: Option<Encoding>,
}

fn case(golden: &str, name: &str, config: &str) -> Case {
    let net = nets::by_name(name, config).unwrap();
    let weights = Weights::bind(&net.graph, random_weights(&net.graph, SEED)).unwrap();
    let golden = Golden::open(&format!("nets/{golden}.safetensors")).unwrap();
    Case { golden, graph: net.graph, weights, input: net.input, output: net.output }
}

impl Case {
    fn run(&self, network: &Network, size: [usize; 4], taps: &[NodeId]) -> Outputs {
        let picture = encoded(&smooth_picture(size, SEED), &self.input);
        let plan = Plan::new(network, &[size], taps).unwrap();
        Session::new(plan).run(&[&picture])
    }

    /// All nodes but the input.
    fn taps(&self) -> Vec<NodeId> {
        let nodes = self.graph.nodes().iter().skip(1);
        nodes.map(|n| self.graph.find(&n.name).unwrap()).collect()
    }

    /// What is wrong with the taps and the output of a run.
    fn faults(&self, size: [usize; 4], taps: &[NodeId], outputs: &Outputs) -> Vec<String> {
        let name = |node: NodeId| {
            let [n, c, h, w] = size;
            format!("{n}x{c}x{h}x{w}/{}", self.graph.node(node).name)
        };
        let mut faults = vec![];
        for (&node, tensor) in taps.iter().zip(&outputs.taps) {
            faults.extend(self.golden.check(&name(node), tensor, TAP).err());
        }
        let output = name(self.graph.output());
        faults.extend(self.golden.check(&output, &outputs.output, TAP).err());
        if self.output == Some(Encoding::BYTES) {
            faults.extend(self.golden.check(&output, &outputs.output, PICTURE).err());
        }
        faults.iter().map(ToString::to_string).collect()
    }

    fn networks(&self) -> impl Iterator<Item = (Level, Network)> {
        Level::available()
            .into_iter()
            .map(|level| (level, Network::with_level(&self.graph, &self.weights, level).unwrap()))
    }

    /// Every tap at once, which leaves little to fuse; then the output alone,
    /// where all is; then, for small pictures, each tap alone.
    fn holds(&self) {
        let taps = self.taps();
        for (level, network) in self.networks() {
            for size in SIZES {
                let all = self.faults(size, &taps, &self.run(&network, size, &taps));
                assert!(all.is_empty(), "{level:?}, all taps:\n{}", all.join("\n"));
                let alone = self.faults(size, &[], &self.run(&network, size, &[]));
                assert!(alone.is_empty(), "{level:?}, output alone:\n{}", alone.join("\n"));
            }
        }
        let (level, network) = self.networks().last().unwrap();
        for tap in taps {
            let one = self.faults(SMALL, &[tap], &self.run(&network, SMALL, &[tap]));
            assert!(one.is_empty(), "{level:?}, one tap:\n{}", one.join("\n"));
        }
    }
}

#[test]
fn every_tap_is_stored() {
    let cases = [
        ("transformer_net", "transformer_net", "{}"),
        ("imfw_net", "imfw_net", "{}"),
        ("lengstrom", "lengstrom", "{}"),
        ("vgg16", "vgg", r#"{"depth": "16"}"#),
        ("vgg19", "vgg", r#"{"depth": "19"}"#),
        ("vgg19_normalised", "vgg", r#"{"depth": "19", "form": "normalised"}"#),
    ];
    for (golden, name, config) in cases {
        let net = nets::by_name(name, config).unwrap();
        let golden = Golden::open(&format!("nets/{golden}.safetensors")).unwrap();
        let mut stored: Vec<&str> =
            golden.names().filter_map(|n| n.strip_prefix("1x3x33x45/")).collect();
        let mut nodes: Vec<&str> =
            net.graph.nodes().iter().skip(1).map(|n| n.name.as_str()).collect();
        stored.sort_unstable();
        nodes.sort_unstable();
        assert_eq!(stored, nodes, "{name}");
    }
}

#[test]
fn transformer_net_is_pytorchs() {
    case("transformer_net", "transformer_net", "").holds();
}

#[test]
fn imfw_net_is_pytorchs() {
    case("imfw_net", "imfw_net", "").holds();
}

#[test]
fn lengstrom_is_tensorflows() {
    case("lengstrom", "lengstrom", "").holds();
}

#[test]
fn vgg16_is_torchvisions() {
    case("vgg16", "vgg", r#"{"depth": "16"}"#).holds();
}

#[test]
fn vgg19_is_torchvisions() {
    case("vgg19", "vgg", r#"{"depth": "19"}"#).holds();
}

#[test]
fn normalised_vgg19_is_pytorchs() {
    case("vgg19_normalised", "vgg", r#"{"depth": "19", "form": "normalised"}"#).holds();
}

/// Equal bits whatever the number of threads, and for a session that has run before.
#[test]
fn threads_and_reuse_change_nothing() {
    let case = case("transformer_net", "transformer_net", r#"{"residual_blocks": 1}"#);
    let size = SIZES[2];
    let picture = smooth_picture(size, SEED);
    for (level, network) in case.networks() {
        let mut session = Session::new(Plan::new(&network, &[size], &[]).unwrap());
        let one = cpu::Threads::new(Some(1)).unwrap().run(|| session.run(&[&picture]));
        let other = session.run(&[&smooth_picture(size, SEED + 1)]);
        assert_ne!(one, other);
        for threads in [2, 3, 7] {
            let threads = cpu::Threads::new(Some(threads)).unwrap();
            let many = threads.run(|| session.run(&[&picture]));
            assert!(one == many, "{level:?}, {} threads", threads.count());
        }
    }
}
