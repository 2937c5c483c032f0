use crate::StateDict;

/// From a graph's layer (`features.0`) to Keras's (`block1_conv1`).
type LayerNames = fn(&str) -> String;

/// Graphs, by name, whose layers Keras calls otherwise: one line for each.
const NETWORKS: &[(&str, LayerNames)] = &[];

/// What Keras calls the layers of the graph of this name.
///
/// Graphs that are not listed bear Keras's names themselves.
pub fn layer_names(network: &str) -> fn(&str) -> String {
    let listed = NETWORKS.iter().find(|(name, _)| *name == network);
    listed.map_or(str::to_owned, |(_, names)| *names)
}

/// Whether tensors bear the names that the readers of Keras files give.
pub fn is_keras(dict: &StateDict) -> bool {
    const VARIABLES: [&str; 4] = ["/kernel", "/depthwise_kernel", "/gamma", "/moving_mean"];
    dict.keys().any(|name| VARIABLES.iter().any(|end| name.ends_with(end)))
}
