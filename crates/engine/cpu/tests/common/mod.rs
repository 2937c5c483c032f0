//! A network, its weights and what it should compute.

use cpu::{Level, Network, Outputs, Plan, Session};
use graph::{Encoding, Graph, NodeId};
use nets::Net;
use tensor::Tensor;
use testing::{Golden, Random, TAP, encoded, one_level, smooth_picture};
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
        let shapes = self.graph.input_shapes(size[0], [size[2], size[3]]);
        let plan = Plan::new(network, &shapes, taps).unwrap();
        let inputs: Vec<Tensor> = shapes.iter().map(|&shape| self.input(shape)).collect();
        Session::new(plan).run(&inputs.iter().collect::<Vec<_>>())
    }

    /// A picture in the network's numbers; lightness in 0..=1; or, without a
    /// plane, made-up probabilities of classes.
    fn input(&self, shape: [usize; 4]) -> Tensor {
        let picture = || smooth_picture(shape, SEED);
        let mapped = |mut tensor: Tensor, f: &dyn Fn(f32) -> f32| {
            tensor.data_mut().iter_mut().for_each(|v| *v = f(*v));
            tensor
        };
        match shape {
            [_, 3, _, _] => encoded(&picture(), &self.input),
            [_, 1, _, _] => mapped(picture(), &|v| v / 255.0),
            [_, count, 1, 1] => {
                let drawn = Random::named(SEED, "classes").tensor(&shape, 1.0);
                mapped(drawn, &|v| (v + 1.0) / count as f32)
            }
            _ => panic!("no input of {shape:?} is stored"),
        }
    }

    /// All nodes but the inputs.
    pub(crate) fn taps(&self) -> Vec<NodeId> {
        self.graph.ids().filter(|id| !self.graph.inputs().contains(id)).collect()
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
