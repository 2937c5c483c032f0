use std::collections::{BTreeMap, BTreeSet};

use crate::StateDict;

/// From a graph's layer (`features.0`) to Keras's (`block1_conv1`).
type LayerNames = fn(&str) -> String;

/// Graphs, by name, whose layers Keras calls otherwise: one line for each.
const NETWORKS: &[(&str, LayerNames)] = &[("vgg16", vgg16), ("vgg19", vgg19)];

/// What Keras calls the layers of the graph of this name.
///
/// Graphs that are not listed bear Keras's names themselves.
pub fn layer_names(network: &str) -> fn(&str) -> String {
    let listed = NETWORKS.iter().find(|(name, _)| *name == network);
    listed.map_or(str::to_owned, |(_, names)| *names)
}

fn vgg16(layer: &str) -> String {
    vgg(layer, [2, 2, 3, 3, 3])
}

fn vgg19(layer: &str) -> String {
    vgg(layer, [2, 2, 4, 4, 4])
}

/// torchvision numbers the members of a list, in which a `ReLU` follows each
/// convolution and a pooling each block; Keras numbers blocks and convolutions.
fn vgg(layer: &str, blocks: [usize; 5]) -> String {
    match layer {
        "classifier.0" => return "fc1".to_owned(),
        "classifier.3" => return "fc2".to_owned(),
        "classifier.6" => return "predictions".to_owned(),
        _ => {}
    }
    let wanted = layer.strip_prefix("features.").and_then(|index| index.parse::<usize>().ok());
    let mut index = 0;
    for (block, convs) in (1..).zip(blocks) {
        for conv in 1..=convs {
            if wanted == Some(index) {
                return format!("block{block}_conv{conv}");
            }
            index += 2;
        }
        index += 1;
    }
    layer.to_owned()
}

/// What Keras calls layers that were given no name: these, and then these with `_1`, `_2`, ….
const UNNAMED: [&str; 5] =
    ["conv2d", "conv2d_transpose", "depthwise_conv2d", "batch_normalization", "dense"];

/// The kind and number of a layer that was given no name.
fn unnamed(layer: &str) -> Option<(&'static str, u64)> {
    let number = |rest: &str| match rest.strip_prefix('_') {
        Some(digits) => digits.parse().ok(),
        None => rest.is_empty().then_some(0),
    };
    UNNAMED.into_iter().find_map(|kind| Some((kind, number(layer.strip_prefix(kind)?)?)))
}

/// Gives layers without a name the numbers that `wanted` have, in their order, where a
/// file has as many of a kind.
///
/// Keras counts layers over a whole session, older ones from 1: the first convolution
/// of a network may be `conv2d`, `conv2d_1` or `conv2d_203`.
pub(super) fn renumbered(dict: StateDict, wanted: &BTreeSet<&str>) -> StateDict {
    let of_kinds = |layers: &mut dyn Iterator<Item = &str>| {
        let mut kinds = BTreeMap::<&str, BTreeSet<u64>>::new();
        for (kind, number) in layers.filter_map(unnamed) {
            kinds.entry(kind).or_default().insert(number);
        }
        kinds
    };
    let given = of_kinds(&mut dict.keys().filter_map(|name| Some(name.split_once('/')?.0)));
    let wanted = of_kinds(&mut wanted.iter().copied());
    let renamed = |name: &str| -> Option<String> {
        let (layer, variable) = name.split_once('/')?;
        let (kind, number) = unnamed(layer)?;
        let (given, wanted) = (given.get(kind)?, wanted.get(kind)?);
        let place = given.iter().position(|&n| n == number)?;
        let number = wanted.iter().nth(place).filter(|_| given.len() == wanted.len())?;
        let suffix = if *number == 0 { String::new() } else { format!("_{number}") };
        Some(format!("{kind}{suffix}/{variable}"))
    };
    dict.into_iter().map(|(name, tensor)| (renamed(&name).unwrap_or(name), tensor)).collect()
}

/// Whether tensors bear the names that the readers of Keras files give.
pub fn is_keras(dict: &StateDict) -> bool {
    const VARIABLES: [&str; 4] = ["/kernel", "/depthwise_kernel", "/gamma", "/moving_mean"];
    dict.keys().any(|name| VARIABLES.iter().any(|end| name.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_without_a_name_are_counted_from_the_networks_first() {
        let dict = |names: &[&str]| -> StateDict {
            names.iter().map(|name| ((*name).to_owned(), tensor::Tensor::zeros([1]))).collect()
        };
        let wanted = BTreeSet::from(["conv2d", "conv2d_1", "dense", "top"]);
        let keys = |dict: StateDict| dict.into_keys().collect::<Vec<_>>().join(" ");
        let given = dict(&["conv2d_9/kernel", "conv2d_10/kernel", "dense_4/bias", "top/kernel"]);
        let renamed = renumbered(given, &wanted);
        assert_eq!(keys(renamed), "conv2d/kernel conv2d_1/kernel dense/bias top/kernel");
        let more = dict(&["conv2d_1/kernel", "conv2d_2/kernel", "conv2d_3/kernel"]);
        assert_eq!(renumbered(more.clone(), &wanted), more);
        assert_eq!(unnamed("conv2d_transpose_2"), Some(("conv2d_transpose", 2)));
        assert_eq!(unnamed("conv2d_final"), None);
    }

    #[test]
    fn vggs_layers_are_kerass() {
        let names = |network: &str, indices: &[usize]| {
            let name = layer_names(network);
            let named = indices.iter().map(|i| name(&format!("features.{i}")));
            named.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            names("vgg16", &[0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]),
            "block1_conv1 block1_conv2 block2_conv1 block2_conv2 \
             block3_conv1 block3_conv2 block3_conv3 block4_conv1 block4_conv2 block4_conv3 \
             block5_conv1 block5_conv2 block5_conv3"
        );
        assert_eq!(
            names("vgg19", &[0, 7, 16, 19, 25, 28, 34]),
            "block1_conv1 block2_conv2 block3_conv4 block4_conv1 block4_conv4 block5_conv1 \
             block5_conv4"
        );
        let name = layer_names("vgg16");
        assert_eq!(
            [0, 3, 6].map(|i| name(&format!("classifier.{i}"))),
            ["fc1", "fc2", "predictions"]
        );
        assert_eq!(layer_names("cats_and_dogs")("conv2d_1"), "conv2d_1");
    }
}
