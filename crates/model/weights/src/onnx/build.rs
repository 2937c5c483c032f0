//! From a model's nodes to a graph's.

use std::collections::{BTreeMap, BTreeSet};

use graph::{Builder, Graph, NodeId, Op};
use tensor::Tensor;

use super::constants::Constant;
use super::file::{self, Node};
use super::tensor_proto::TensorProto;
use super::{Beside, Model, corrupt, unsupported};
use crate::{Limits, StateDict, WeightsError};

/// What a name in the model stands for.
#[derive(Clone, Debug)]
pub(super) enum Value<'f> {
    Data(Data),
    Constant(Constant<'f>),
    /// The numbers of a shape, as far as they are known.
    Dims(Vec<Option<i64>>),
    /// Such numbers in rows.
    Table(Vec<Vec<Option<i64>>>),
}

/// What a node of the graph yields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data {
    pub(super) id: NodeId,
    /// 4 for `[N, C, H, W]`, 2 for `[N, F]`.
    pub(super) rank: usize,
    /// Whether there is one value for each channel.
    pub(super) is_pixel: bool,
    /// How much larger than the input its sides may be.
    pub(super) growth: u64,
}

/// No network enlarges by more; beyond, sizes could not be counted.
const MAX_GROWTH: u64 = 1 << 16;

/// Nor has one more channels.
const MAX_CHANNELS: usize = 1 << 24;

/// Finding a free name looks at all nodes before.
const MAX_NODES: usize = 1 << 14;

/// A graph in the making.
pub(super) struct Build<'f, 'b> {
    pub(super) graph: Builder,
    pub(super) weights: StateDict,
    values: BTreeMap<&'f str, Value<'f>>,
    /// How often each name is read.
    uses: BTreeMap<&'f str, usize>,
    names: BTreeSet<String>,
    /// Linear layers that still have no bias of their own: made by `MatMul`.
    pub(super) bare: BTreeMap<NodeId, String>,
    beside: Beside<'b>,
    limits: Limits,
    /// Bytes of all weights so far.
    taken: u64,
}

/// Reads a model's bytes.
pub(super) fn model(
    bytes: &[u8],
    beside: Beside<'_>,
    limits: &Limits,
) -> Result<Model, WeightsError> {
    let file = file::Model::parse(bytes, limits)?;
    if file.nodes.len() > MAX_NODES {
        return Err(unsupported(format!("more than {MAX_NODES} nodes")));
    }
    let name = if file.name.is_empty() { "onnx" } else { file.name };
    let mut build = Build::new(name, beside, limits);
    let inputs = build.start(&file)?;
    for node in &file.nodes {
        build.node(node)?;
    }
    let output = file.outputs.first().ok_or_else(|| corrupt("there is no output"))?;
    let output = match build.values.get(output) {
        Some(Value::Data(data)) => data.id,
        _ => return Err(corrupt(format!("nothing computes the output {output:?}"))),
    };
    let graph = build.graph.finish(output).up_to(output);
    check_features(&graph, &inputs)?;
    let mut weights = build.weights;
    weights.retain(|name, _| graph.params().iter().any(|param| param.name == *name));
    let mut metadata = file.metadata;
    metadata.insert("producer".to_owned(), file.producer);
    metadata.insert("opset".to_owned(), file.opset.to_string());
    Ok(Model { graph, weights, inputs, metadata })
}

impl<'b> Build<'_, 'b> {
    fn new(name: &str, beside: Beside<'b>, limits: &Limits) -> Self {
        Self {
            graph: Builder::new(name),
            weights: StateDict::new(),
            values: BTreeMap::new(),
            uses: BTreeMap::new(),
            names: BTreeSet::new(),
            bare: BTreeMap::new(),
            beside,
            limits: *limits,
            taken: 0,
        }
    }
}

impl<'f> Build<'f, '_> {
    /// Takes up constants and inputs.
    fn start(&mut self, file: &file::Model<'f>) -> Result<Vec<[Option<usize>; 4]>, WeightsError> {
        for tensor in &file.tensors {
            self.values.insert(tensor.name, Value::Constant(Constant::new(tensor.clone())));
        }
        let names = file.nodes.iter().flat_map(|node| node.inputs.iter());
        for &name in names.chain(&file.outputs) {
            *self.uses.entry(name).or_default() += 1;
        }
        let mut inputs = vec![];
        for input in &file.inputs {
            if self.values.contains_key(input.name) {
                continue; // older models list their weights as inputs
            }
            let wrong = || {
                unsupported(format!("an input {:?} that is not [N, channels, H, W]", input.name))
            };
            let shape: [Option<usize>; 4] = input.shape[..].try_into().map_err(|_rank| wrong())?;
            let channels = shape[1].filter(|&c| c <= MAX_CHANNELS).ok_or_else(wrong)?;
            let name = self.free_name(input.name);
            let id = self.graph.input(&name, channels);
            let data = Data { id, rank: 4, is_pixel: false, growth: 1 };
            self.values.insert(input.name, Value::Data(data));
            inputs.push(shape);
        }
        if inputs.is_empty() {
            return Err(corrupt("there is no input"));
        }
        Ok(inputs)
    }

    fn node(&mut self, node: &Node<'f>) -> Result<(), WeightsError> {
        let output = node.outputs.first().copied().filter(|name| !name.is_empty());
        let output = output.ok_or_else(|| corrupt(format!("{} has no output", said(node))))?;
        if !matches!(node.domain, "" | "ai.onnx") {
            let operator = format!("{}.{}", node.domain, node.op);
            return Err(WeightsError::Operator { operator, node: said(node) });
        }
        let known = match self.shape_op(node)? {
            Some(value) => Some(value),
            None => self.layer(node)?.map(Value::Data),
        };
        let Some(value) = known else {
            return Err(WeightsError::Operator { operator: node.op.to_owned(), node: said(node) });
        };
        if let Value::Data(data) = value {
            let channels = self.graph.channels(data.id).unwrap_or(0);
            if data.growth > MAX_GROWTH || channels > MAX_CHANNELS {
                return Err(unsupported(format!("so large an output of {}", said(node))));
            }
        }
        if self.values.insert(output, value).is_some() {
            return Err(corrupt(format!("{output:?} is computed twice")));
        }
        Ok(())
    }

    /// What an input stands for; `None` if it is left out.
    pub(super) fn value(
        &self,
        node: &Node<'f>,
        index: usize,
    ) -> Result<Option<&Value<'f>>, WeightsError> {
        match node.inputs.get(index) {
            None | Some(&"") => Ok(None),
            Some(name) => match self.values.get(name) {
                Some(value) => Ok(Some(value)),
                None => Err(corrupt(format!("{} reads {name:?} before it is there", said(node)))),
            },
        }
    }

    /// An input that must be computed.
    pub(super) fn data(&self, node: &Node<'f>, index: usize) -> Result<Data, WeightsError> {
        match self.value(node, index)? {
            Some(Value::Data(data)) => Ok(*data),
            _ => Err(unsupported(format!("input {index} of {} that is not computed", said(node)))),
        }
    }

    /// An input that is constant, if it is there.
    pub(super) fn constant(
        &self,
        node: &Node<'f>,
        index: usize,
    ) -> Result<Option<&Constant<'f>>, WeightsError> {
        match self.value(node, index)? {
            None => Ok(None),
            Some(Value::Constant(constant)) => Ok(Some(constant)),
            Some(_) => {
                Err(unsupported(format!("input {index} of {} that is computed", said(node))))
            }
        }
    }

    /// A constant's values as a tensor of this rank, counted against the limits.
    pub(super) fn tensor(
        &mut self,
        node: &Node<'f>,
        index: usize,
        rank: usize,
    ) -> Result<Option<Tensor>, WeightsError> {
        let Some(constant) = self.constant(node, index)? else { return Ok(None) };
        let proto = constant.proto.clone();
        if proto.shape.len() != rank || proto.shape.contains(&0) {
            let what = format!("input {index} of {} has shape {:?}", said(node), proto.shape);
            return Err(corrupt(what));
        }
        self.values_of(&proto).map(|values| Some(Tensor::new(proto.shape.clone(), values)))
    }

    /// A tensor's values, from wherever they lie.
    pub(super) fn values_of(&mut self, proto: &TensorProto<'f>) -> Result<Vec<f32>, WeightsError> {
        let count = proto.count().unwrap_or(usize::MAX) as u64;
        self.taken = self.taken.saturating_add(count.saturating_mul(4));
        self.limits.check_bytes(self.taken)?;
        let Some(place) = &proto.external else { return proto.values(None) };
        let number = |key: &str| match place.get(key) {
            None => Ok(None),
            Some(text) => text.parse::<u64>().map(Some).map_err(|_not_a_number| {
                corrupt(format!("{key} of {:?} is no number", proto.name))
            }),
        };
        let location = place.get("location").copied().unwrap_or("");
        let bytes = (self.beside)(location, (number("offset")?.unwrap_or(0), number("length")?))?;
        proto.values(Some(&bytes))
    }

    /// Puts a parameter's value beside the graph.
    pub(super) fn put(&mut self, layer: &str, part: &str, values: Tensor) {
        self.weights.insert(format!("{layer}.{part}"), values);
    }

    /// Whether only one node reads an input.
    pub(super) fn is_read_once(&self, node: &Node<'f>, index: usize) -> bool {
        node.inputs.get(index).is_some_and(|name| self.uses.get(name) == Some(&1))
    }

    /// A layer's name: the node's, or its output's.
    pub(super) fn name(&mut self, node: &Node<'f>) -> String {
        let output = node.outputs.first().copied().unwrap_or("node");
        self.free_name(if node.name.is_empty() { output } else { node.name })
    }

    pub(super) fn free_name(&mut self, wanted: &str) -> String {
        // The builder's own names, `relu_7`, which nodes bear until they are told theirs.
        // No kind begins like PyTorch's names, `node_relu_7`.
        let is_builders = wanted.rsplit_once('_').is_some_and(|(kind, number)| {
            !kind.starts_with("node_")
                && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'6')
                && number.bytes().all(|b| b.is_ascii_digit())
        });
        let mut name = if is_builders { format!("{wanted}~") } else { wanted.to_owned() };
        for number in 2usize.. {
            if self.names.insert(name.clone()) {
                break;
            }
            name = format!("{wanted}~{number}");
        }
        name
    }

    /// Gives a node without parameters its name.
    pub(super) fn named(&mut self, node: &Node<'f>, id: NodeId) -> NodeId {
        let name = self.name(node);
        self.graph.tap(id, &name)
    }
}

/// A node as messages call it.
pub(super) fn said(node: &Node<'_>) -> String {
    let output = node.outputs.first().copied().unwrap_or("");
    format!("node {:?}", if node.name.is_empty() { output } else { node.name })
}

/// Linear layers behind a flattening fit one size of picture: where the model fixes it,
/// they must.
fn check_features(graph: &Graph, inputs: &[[Option<usize>; 4]]) -> Result<(), WeightsError> {
    const MAX_SIDE: usize = 1 << 20;
    let fixed = |shape: &[Option<usize>; 4]| {
        let [_, c, h, w] = *shape;
        let side = |side: Option<usize>| side.filter(|&side| side <= MAX_SIDE);
        Some([1, c?, side(h)?, side(w)?])
    };
    let Some(shapes) = inputs.iter().map(fixed).collect::<Option<Vec<_>>>() else { return Ok(()) };
    let shapes = graph.shapes(&shapes).map_err(|e| corrupt(e.to_string()))?;
    for node in graph.nodes() {
        let Op::Linear { .. } = node.op else { continue };
        let [_, c, h, w] = shapes[node.inputs[0].index()];
        let want = graph.params()[node.params[0]].shape[1];
        let got = c.saturating_mul(h).saturating_mul(w);
        if want != got {
            let what = format!("{:?} takes {want} features, and {got} reach it", node.name);
            return Err(corrupt(what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an operator makes of a colour picture, and of no weights.
    fn built(op: &str) -> Result<(), WeightsError> {
        let mut build = Build::new("test", &crate::onnx::alone, &Limits::default());
        let id = build.graph.input("x", 3);
        let data = Data { id, rank: 4, is_pixel: false, growth: 1 };
        build.values.insert("x", Value::Data(data));
        build.node(&Node { op, inputs: vec!["x"], outputs: vec!["y"], ..Node::default() })
    }

    #[test]
    fn every_operator_that_is_said_to_be_read_is_known() {
        let unknown = |op| matches!(built(op), Err(WeightsError::Operator { .. }));
        for op in crate::onnx::OPERATORS {
            assert!(!unknown(op), "{op}");
        }
        assert!(unknown("Einsum") && unknown("Transpose"));
    }
}
