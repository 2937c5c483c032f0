//! A network, its weights and what it should compute.

use cpu::{Level, Network, Outputs, Plan, Session};
use graph::{Encoding, Graph, NodeId};
use nets::Net;
use testing::{Golden, TAP, encoded, one_level, smooth_picture};
use weights::Weights;

/// The seed of `golden/nets/record.py`.
pub(crate) const SEED: u64 = 2;

pub(crate) struct Case {
    golden: Golden,
    graph: Graph,
    weights: Weights,
    input: Encoding,
    output: Option<Encoding>,
}

impl Case {
    pub(crate) fn new(golden: &str, net: Net, weights: Weights) -> Self {
        let golden = Golden::open(&format!("nets/{golden}.safetensors")).unwrap();
        Self { golden, graph: net.graph, weights, input: net.input, output: net.output }
    }

    pub(crate) fn run(&self, network: &Network, size: [usize; 4], taps: &[NodeId]) -> Outputs {
        let picture = encoded(&smooth_picture(size, SEED), &self.input);
        let plan = Plan::new(network, &[size], taps).unwrap();
        Session::new(plan).run(&[&picture])
    }

    /// All nodes but the input.
    pub(crate) fn taps(&self) -> Vec<NodeId> {
        let nodes = self.graph.nodes().iter().skip(1);
        nodes.map(|n| self.graph.find(&n.name).unwrap()).collect()
    }

    /// What is wrong with the taps and the output of a run.
    pub(crate) fn faults(
        &self,
        size: [usize; 4],
        taps: &[NodeId],
        outputs: &Outputs,
    ) -> Vec<String> {
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
        if let Some(encoding) = self.output {
            let level = one_level(&encoding);
            faults.extend(self.golden.check(&output, &outputs.output, level).err());
        }
        faults.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn networks(&self) -> impl Iterator<Item = (Level, Network)> {
        Level::available()
            .into_iter()
            .map(|level| (level, Network::with_level(&self.graph, &self.weights, level).unwrap()))
    }
}
