use graph::{Graph, Node, NodeId, Op};
use tensor::Tensor;

use super::Axes;
use crate::{StateDict, WeightsError};

/// Which variables of Keras are which parameters of a graph.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Row>,
    network: String,
}

/// One variable and its parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The graph's parameter: `features.0.weight`.
    pub param: String,
    /// Keras's layer: `block1_conv1`.
    pub layer: String,
    /// Keras's variable in it: `kernel`.
    pub variable: &'static str,
    /// The class of Keras's layer: `Conv2D`.
    pub class: &'static str,
    /// How the axes lie.
    pub axes: Axes,
    /// Channels that reach the layer.
    pub inputs: usize,
}

impl Row {
    /// `block1_conv1/kernel`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.layer, self.variable)
    }

    /// The names under which files have it, the first one first.
    fn names(&self) -> impl Iterator<Item = String> + '_ {
        let keras2 =
            (self.axes == Axes::Depthwise).then(|| format!("{}/depthwise_kernel", self.layer));
        std::iter::once(self.name()).chain(keras2)
    }

    /// What Keras computes with where a layer was made without this variable
    /// (`scale=False`, `center=False`).
    fn absent(&self) -> Option<f32> {
        match self.variable {
            "gamma" => Some(1.0),
            "beta" => Some(0.0),
            _ => None,
        }
    }
}

impl Table {
    /// The table of a graph whose layers Keras calls as `layer` says.
    ///
    /// Axes follow from what each layer computes, a dense layer's behind a flattening
    /// from the channels that are flattened.
    pub fn new(graph: &Graph, layer: impl Fn(&str) -> String) -> Self {
        let mut rows = vec![];
        for id in graph.ids() {
            let node = graph.node(id);
            let (class, variables) = variables(graph, node);
            for (&param, (variable, axes)) in node.params.iter().zip(variables) {
                let param = graph.params()[param].name.clone();
                let own = param.rsplit_once('.').map_or(param.as_str(), |(layer, _)| layer);
                let inputs = channels(graph, node.inputs[0]).unwrap_or(0);
                rows.push(Row { layer: layer(own), param, variable, class, axes, inputs });
            }
        }
        Self { rows, network: graph.name().to_owned() }
    }

    /// The table of a graph with the names in [`layer_names`](super::layer_names).
    pub fn of(graph: &Graph) -> Self {
        Self::new(graph, super::layer_names(graph.name()))
    }

    /// All rows, in the graph's order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Gives Keras's tensors the graph's names and axes.
    ///
    /// Layers without a name of their own may bear any numbers, in their order.
    /// A batch norm that was made without gain or shift gets ones or zeros for them, if
    /// the file has its statistics.
    ///
    /// # Errors
    ///
    /// If a variable is missing, has a rank or size that its parameter cannot have, or
    /// is left over.
    pub fn to_graph(&self, dict: StateDict) -> Result<StateDict, WeightsError> {
        let layers = self.rows.iter().map(|row| row.layer.as_str()).collect();
        let mut dict = super::names::renumbered(dict, &layers);
        let renamed = self.part_to_graph(&mut dict)?;
        match dict.into_keys().next() {
            None => Ok(renamed),
            Some(name) => Err(self.wrong(format!("{name} is left over"))),
        }
    }

    /// [`Table::to_graph`], leaving behind what the graph has no parameter for.
    ///
    /// # Errors
    ///
    /// If a variable is missing or has a rank or size that its parameter cannot have.
    pub fn part_to_graph(&self, dict: &mut StateDict) -> Result<StateDict, WeightsError> {
        let mut renamed = StateDict::new();
        let mut absent = vec![];
        for row in &self.rows {
            let Some((name, tensor)) = row.names().find_map(|name| dict.remove_entry(&name)) else {
                absent.push(row);
                continue;
            };
            let turned = row
                .axes
                .to_graph(&tensor)
                .ok_or_else(|| self.wrong(format!("{name} has shape {:?}", tensor.shape())))?;
            renamed.insert(row.param.clone(), turned);
        }
        for row in absent {
            renamed.insert(row.param.clone(), self.default_for(row, &renamed)?);
        }
        Ok(renamed)
    }

    /// Gives a graph's tensors Keras's names and axes.
    ///
    /// # Errors
    ///
    /// If a parameter is missing, has a rank or size that its variable cannot have, or
    /// is left over.
    pub fn to_keras(&self, mut dict: StateDict) -> Result<StateDict, WeightsError> {
        let mut renamed = StateDict::new();
        for row in &self.rows {
            let Some(tensor) = dict.remove(&row.param) else {
                return Err(self.wrong(format!("{} is missing", row.param)));
            };
            let turned = row.axes.to_keras(&tensor, row.inputs).ok_or_else(|| {
                self.wrong(format!("{} has shape {:?}", row.param, tensor.shape()))
            })?;
            renamed.insert(row.name(), turned);
        }
        match dict.into_keys().next() {
            None => Ok(renamed),
            Some(name) => Err(self.wrong(format!("{name} is left over"))),
        }
    }

    /// The value of a gain or shift that the file does not have.
    fn default_for(&self, row: &Row, renamed: &StateDict) -> Result<Tensor, WeightsError> {
        let sibling = |r: &&Row| r.layer == row.layer && r.variable == "moving_mean";
        let statistics = self.rows.iter().find(sibling).and_then(|r| renamed.get(&r.param));
        match (row.absent(), statistics) {
            (Some(value), Some(mean)) => {
                let shape = mean.shape().to_vec();
                Ok(Tensor::new(shape, vec![value; mean.data().len()]))
            }
            _ => Err(self.wrong(format!("{} is missing", row.name()))),
        }
    }

    fn wrong(&self, what: String) -> WeightsError {
        WeightsError::Keras { network: self.network.clone(), what }
    }
}

type Variables = Vec<(&'static str, Axes)>;

/// The class of Keras's layer for a node, and its variables in the order of the node's parameters.
fn variables(graph: &Graph, node: &Node) -> (&'static str, Variables) {
    let with_bias = |class, axes| (class, vec![("kernel", axes), ("bias", Axes::Same)]);
    match &node.op {
        Op::Conv(conv)
            if conv.groups > 1 && channels(graph, node.inputs[0]) == Some(conv.groups) =>
        {
            with_bias("DepthwiseConv2D", Axes::Depthwise)
        }
        Op::Conv(_) => with_bias("Conv2D", Axes::Kernel),
        Op::ConvTranspose(_) => with_bias("Conv2DTranspose", Axes::Kernel),
        Op::Linear { .. } => with_bias("Dense", dense(graph, node.inputs[0])),
        Op::BatchNorm { .. } => {
            let names = ["gamma", "beta", "moving_mean", "moving_variance"];
            let absent = names.len() - node.params.len(); // without a gain
            let names = &names[absent..];
            ("BatchNormalization", names.iter().map(|&name| (name, Axes::Same)).collect())
        }
        // Keras's instance norm is a group norm with a group for each channel.
        _ => ("GroupNormalization", ["gamma", "beta"].map(|name| (name, Axes::Same)).to_vec()),
    }
}

/// How a dense layer's kernel lies, by what comes before it.
fn dense(graph: &Graph, from: NodeId) -> Axes {
    let node = graph.node(from);
    match node.op {
        Op::Flatten => match channels(graph, node.inputs[0]) {
            Some(channels) => Axes::DenseAfterFlatten { channels },
            None => Axes::Dense,
        },
        Op::Dropout { .. } | Op::Activation(_) => dense(graph, node.inputs[0]),
        _ => Axes::Dense,
    }
}

/// The channels of a node's output, where they do not depend on the picture's size.
fn channels(graph: &Graph, id: NodeId) -> Option<usize> {
    let node = graph.node(id);
    match &node.op {
        Op::Input { channels } => Some(*channels),
        Op::Conv(conv) => Some(conv.out),
        Op::ConvTranspose(conv) => Some(conv.out),
        Op::Linear { out } => Some(*out),
        Op::Concat => node.inputs.iter().map(|&input| channels(graph, input)).sum(),
        Op::Flatten => None,
        _ => channels(graph, node.inputs[0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Builder, Conv, Pool, PoolKind};

    fn net() -> Graph {
        let mut g = Builder::new("net");
        let x = g.input("rgb", 3);
        let x = g.conv("features.0", x, Conv::new(4, 3));
        let x = g.conv("features.1", x, Conv::new(8, 3).groups(4).without_bias());
        let x = g.batch_norm("features.2", x, 1e-3);
        let x = g.pool("pool", x, Pool::new(PoolKind::Max, 2));
        let x = g.flatten(x);
        let x = g.dropout(x, 0.5);
        let x = g.linear("top", x, 8 * 4, 2);
        g.finish(x)
    }

    fn keras_name(layer: &str) -> String {
        layer.replace("features.", "block")
    }

    fn zeros(graph: &Graph) -> StateDict {
        graph
            .params()
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let values = (0..p.len()).map(|v| (100 * i + v) as f32).collect();
                (p.name.clone(), Tensor::new(p.shape.clone(), values))
            })
            .collect()
    }

    #[test]
    fn a_table_follows_from_the_graph() {
        let table = Table::new(&net(), keras_name);
        let rows: Vec<(String, &str, Axes)> =
            table.rows().iter().map(|r| (r.name(), r.class, r.axes)).collect();
        let bn = |variable| (format!("block2/{variable}"), "BatchNormalization", Axes::Same);
        let want = [
            ("block0/kernel".to_owned(), "Conv2D", Axes::Kernel),
            ("block0/bias".to_owned(), "Conv2D", Axes::Same),
            ("block1/kernel".to_owned(), "DepthwiseConv2D", Axes::Depthwise),
            bn("gamma"),
            bn("beta"),
            bn("moving_mean"),
            bn("moving_variance"),
            ("top/kernel".to_owned(), "Dense", Axes::DenseAfterFlatten { channels: 8 }),
            ("top/bias".to_owned(), "Dense", Axes::Same),
        ];
        assert_eq!(rows, want);
    }

    #[test]
    fn tensors_go_there_and_back() {
        let (graph, table) = (net(), Table::new(&net(), keras_name));
        let ours = zeros(&graph);
        let keras = table.to_keras(ours.clone()).unwrap();
        assert_eq!(keras["block0/kernel"].shape(), [3, 3, 3, 4]);
        assert_eq!(keras["block1/kernel"].shape(), [3, 3, 4, 2]);
        assert_eq!(keras["top/kernel"].shape(), [32, 2]);
        assert_eq!(table.to_graph(keras.clone()).unwrap(), ours);
        // Keras 2 calls a depthwise kernel otherwise.
        let mut older = keras;
        let kernel = older.remove("block1/kernel").unwrap();
        older.insert("block1/depthwise_kernel".to_owned(), kernel);
        assert_eq!(table.to_graph(older).unwrap(), ours);
    }

    #[test]
    fn a_batch_norm_may_have_no_gain() {
        let table = Table::new(&net(), keras_name);
        let mut keras = table.to_keras(zeros(&net())).unwrap();
        keras.remove("block2/gamma");
        let ours = table.to_graph(keras.clone()).unwrap();
        assert_eq!(ours["features.2.weight"].data(), [1.0; 8]);
        keras.remove("block2/moving_mean");
        let message = table.to_graph(keras).unwrap_err().to_string();
        assert_eq!(message, "not Keras's net: block2/gamma is missing");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let table = Table::new(&net(), keras_name);
        let mut keras = table.to_keras(zeros(&net())).unwrap();
        keras.insert("other/kernel".to_owned(), Tensor::zeros([1]));
        let message = table.to_graph(keras.clone()).unwrap_err().to_string();
        assert_eq!(message, "not Keras's net: other/kernel is left over");
        keras.insert("block0/kernel".to_owned(), Tensor::zeros([3]));
        let message = table.to_graph(keras).unwrap_err().to_string();
        assert_eq!(message, "not Keras's net: block0/kernel has shape [3]");
    }
}
