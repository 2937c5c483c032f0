//! Which network a stranger's checkpoint is of, by the names and shapes of its tensors.

use std::collections::BTreeMap;

use graph::Encoding;
use weights::{Inspection, NetworkCard};

type Shapes<'a> = BTreeMap<&'a str, &'a [usize]>;

/// The card that a checkpoint without one would have, if its tensors are those of
/// a known style network.
///
/// Known are pytorch/examples' TransformerNet, the tutorial's ImfwNet, and
/// lengstrom's network under its own names or ours, each at any width.
pub fn recognise(checkpoint: &Inspection) -> Option<NetworkCard> {
    by_shapes(checkpoint.tensors.iter().map(|t| (t.name.as_str(), t.shape.as_slice())))
}

/// As [`recognise`], from names and shapes.
pub(crate) fn by_shapes<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a [usize])>,
) -> Option<NetworkCard> {
    let shapes: Shapes<'_> = tensors
        .map(|(name, shape)| (name.strip_prefix("module.").unwrap_or(name), shape))
        .collect();
    let has = |name: &str| shapes.contains_key(name);
    if has("conv1.conv2d.weight") && has("deconv3.conv2d.weight") {
        let blocks = count(&shapes, |i| format!("res{}.conv1.conv2d.weight", i + 1));
        let width = out_channels(&shapes, "conv1.conv2d.weight")?;
        let encoding = nets::transformer_net::ENCODING;
        return Some(card("transformer_net", (width, blocks), [encoding; 2]));
    }
    if has("downsample.1.weight") && has("unsample.6.weight") {
        let blocks = count(&shapes, |i| format!("res_blocks.{i}.conv.0.weight"));
        let width = out_channels(&shapes, "downsample.1.weight")?;
        return Some(card("imfw_net", (width, blocks), [nets::imfw_net::ENCODING; 2]));
    }
    let encodings = [nets::lengstrom::INPUT, nets::lengstrom::OUTPUT];
    if has("conv1.norm.weight") && has("conv_t3.norm.weight") {
        let blocks = count(&shapes, |i| format!("resid{}.conv1.weight", i + 1));
        let width = out_channels(&shapes, "conv1.weight")?;
        return Some(card("lengstrom", (width, blocks), encodings));
    }
    if has("Variable") && has("Variable_47") {
        let width = *shapes["Variable"].last()?; // kernels are [height, width, in, out]
        return Some(card("lengstrom", (width, 5), encodings));
    }
    None
}

fn out_channels(shapes: &Shapes<'_>, kernel: &str) -> Option<usize> {
    shapes[kernel].first().copied()
}

fn count(shapes: &Shapes<'_>, name: impl Fn(usize) -> String) -> usize {
    (0..shapes.len()).take_while(|&i| shapes.contains_key(name(i).as_str())).count()
}

fn card(network: &str, (width, blocks): (usize, usize), encodings: [Encoding; 2]) -> NetworkCard {
    let [input, output] = encodings;
    let mut card = NetworkCard::new(network, input, output);
    card.config = serde_json::json!({ "width": width, "residual_blocks": blocks });
    card
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_is_known_by_its_own_parameters() {
        for (name, width, blocks) in [
            ("transformer_net", 32, 5),
            ("transformer_net", 6, 2),
            ("imfw_net", 16, 3),
            ("lengstrom", 8, 1),
        ] {
            let config = serde_json::json!({ "width": width, "residual_blocks": blocks });
            let net = nets::by_name(name, &config.to_string()).unwrap();
            let params = net.graph.params();
            let card = by_shapes(params.iter().map(|p| (p.name.as_str(), p.shape.as_slice())));
            let card = card.unwrap_or_else(|| panic!("{name} is not recognised"));
            assert_eq!((card.network.as_str(), &card.config), (name, &config));
            assert_eq!((card.input, card.output), (net.input, net.output), "{name}");
        }
    }

    #[test]
    fn old_and_foreign_names_are_known_and_others_are_not() {
        let kernel: &[usize] = &[9, 9, 3, 24];
        let foreign = by_shapes([("Variable", kernel), ("Variable_47", &[3])].into_iter()).unwrap();
        assert_eq!(foreign.config["width"], 24);
        let kernel: &[usize] = &[32, 3, 9, 9];
        let parallel =
            [("module.conv1.conv2d.weight", kernel), ("module.deconv3.conv2d.weight", kernel)];
        assert_eq!(by_shapes(parallel.into_iter()).unwrap().network, "transformer_net");
        let vgg = nets::by_name("vgg", "").unwrap();
        let params = vgg.graph.params().iter();
        assert!(by_shapes(params.map(|p| (p.name.as_str(), p.shape.as_slice()))).is_none());
    }
}
