//! A graph as a model of Keras: what `config.json` of a `.keras` archive says.
//!
//! Keras's functional models have the channels last, one layer for each node, and an
//! activation within the layer before it, where Keras knows it by name.

mod layers;
mod order;
mod size;

use std::collections::BTreeSet;

use graph::{Graph, NodeId, Op, Shape4};
use serde_json::{Map, Value, json};

use super::Table;
use crate::WeightsError;

/// A layer of the model.
#[derive(Debug)]
struct Layer {
    name: String,
    class: &'static str,
    settings: Map<String, Value>,
    /// Places of the layers that it reads.
    from: Vec<usize>,
}

/// What has become of a node.
#[derive(Clone, Copy, Debug)]
struct Made {
    layer: usize,
    /// Whether it is `[N, C]`, and not `[N, H, W, C]`.
    is_flat: bool,
}

/// A model in the making.
struct Model<'g> {
    graph: &'g Graph,
    table: &'g Table,
    /// What each node yields for one picture, where the model goes with one size.
    shapes: Option<Vec<Shape4>>,
    layers: Vec<Layer>,
    /// For each node of the graph.
    made: Vec<Option<Made>>,
    names: BTreeSet<String>,
}

/// A model's `config.json`, and its layers' names in the order in which Keras has them, which is
/// by how far they are from the output.
pub(super) struct Configuration {
    pub(super) json: Value,
    pub(super) order: Vec<String>,
}

/// The configuration of a graph for pictures of `size`, or of any size where the graph goes
/// with any.
///
/// # Errors
///
/// [`WeightsError::Keras`] for a node that Keras has no layer for.
pub(super) fn configuration(
    graph: &Graph,
    table: &Table,
    size: [usize; 2],
) -> Result<Configuration, WeightsError> {
    let mut model = Model {
        graph,
        table,
        shapes: None,
        layers: vec![],
        made: vec![None; graph.nodes().len()],
        names: table.rows().iter().map(|row| row.layer.clone()).collect(),
    };
    if size::is_fixed(graph) {
        model.shapes = Some(model.shapes_at(size)?);
    }
    for id in size::needed(graph) {
        if model.made[id.index()].is_none() {
            let made = model.node(id)?;
            model.made[id.index()] = Some(made);
        }
    }
    Ok(model.finish())
}

impl Model<'_> {
    fn refuse(&self, id: NodeId, what: &str) -> WeightsError {
        let node = self.graph.node(id);
        let what = format!("Keras has no layer for {:?} ({}): {what}", node.name, node.op.kind());
        WeightsError::Keras { network: self.graph.name().to_owned(), what }
    }

    fn shapes_at(&self, [height, width]: [usize; 2]) -> Result<Vec<Shape4>, WeightsError> {
        let inputs: Vec<Shape4> = self
            .graph
            .inputs()
            .iter()
            .map(|&id| match self.graph.node(id).op {
                Op::Input { channels } if size::is_flat_input(self.graph, id) => {
                    [1, channels, 1, 1]
                }
                Op::Input { channels } => [1, channels, height, width],
                _ => unreachable!("an input"),
            })
            .collect();
        self.graph.shapes(&inputs).map_err(|e| WeightsError::Keras {
            network: self.graph.name().to_owned(),
            what: format!("pictures of {height}×{width} do not fit: {e}"),
        })
    }

    /// Adds a layer after others.
    fn add(&mut self, name: String, class: &'static str, settings: Value, from: &[usize]) -> usize {
        let Value::Object(settings) = settings else { unreachable!("settings have names") };
        self.layers.push(Layer { name, class, settings, from: from.to_vec() });
        self.layers.len() - 1
    }

    /// A name that no other layer has: weights' layers have theirs already.
    fn free_name(&mut self, wanted: &str) -> String {
        let wanted = wanted.replace('/', "_");
        let mut name = wanted.clone();
        let mut number = 1;
        while !self.names.insert(name.clone()) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        name
    }

    /// What Keras calls a layer with weights.
    fn named(&self, id: NodeId) -> String {
        let param = &self.graph.params()[self.graph.node(id).params[0]].name;
        let row = self.table.rows().iter().find(|row| row.param == *param);
        row.map_or_else(|| self.graph.node(id).name.clone(), |row| row.layer.clone())
    }

    fn made(&self, id: NodeId) -> Made {
        self.made[id.index()].unwrap_or_else(|| unreachable!("nodes come after those they read"))
    }

    fn finish(self) -> Configuration {
        let last = self.made(self.graph.output()).layer;
        let order = order::of_layers(&self.layers, last);
        let inputs: Vec<Value> = self
            .graph
            .inputs()
            .iter()
            .filter_map(|id| self.made[id.index()])
            .map(|made| history(&self.layers[made.layer]))
            .collect();
        let layers: Vec<Value> =
            order.iter().map(|&i| layer(&self.layers[i], &self.layers)).collect();
        let config = json!({
            "name": self.graph.name(),
            "trainable": true,
            "layers": layers,
            // One input alone is no list to Keras, and neither is one output.
            "input_layers": if let [one] = inputs.as_slice() { one.clone() } else { json!(inputs) },
            "output_layers": history(&self.layers[last]),
        });
        let json = json!({
            "module": "keras.src.models.functional",
            "class_name": "Functional",
            "config": config,
            "registered_name": "Functional",
            "build_config": {},
        });
        let order = order.into_iter().map(|i| self.layers[i].name.clone()).collect();
        Configuration { json, order }
    }
}

fn history(layer: &Layer) -> Value {
    json!([layer.name, 0, 0])
}

/// A layer as Keras serialises it.
fn layer(layer: &Layer, all: &[Layer]) -> Value {
    let tensor = |&from: &usize| {
        json!({
            "class_name": "__keras_tensor__",
            // Keras asks for a shape and then works out its own.
            "config": {
                "shape": [null],
                "dtype": "float32",
                "keras_history": history(&all[from]),
            },
        })
    };
    let tensors: Vec<Value> = layer.from.iter().map(tensor).collect();
    let args = if tensors.len() > 1 { json!([tensors]) } else { json!(tensors) };
    let nodes =
        if tensors.is_empty() { json!([]) } else { json!([{ "args": args, "kwargs": {} }]) };
    let mut settings = layer.settings.clone();
    settings.insert("name".to_owned(), json!(layer.name));
    json!({
        "module": "keras.layers",
        "class_name": layer.class,
        "config": settings,
        "registered_name": null,
        "name": layer.name,
        "inbound_nodes": nodes,
    })
}
