//! From the name and settings in a weights file to the network.

use std::collections::BTreeSet;

use graph::{Encoding, Graph};
use serde::de::DeserializeOwned;

use crate::{
    Classifier, Fit, cats_and_dogs, colorizer, colour_tutorial, efficientnet_lite0, imfw_net,
    inception_resnet_v2, lengstrom, mobilenet_v2, resnet, small_resnet, transformer_net, vgg,
};

/// Every name that [`by_name`] knows.
pub const NAMES: [&str; 14] = [
    "cats_and_dogs",
    "colorizer",
    "colour_alpha",
    "colour_beta",
    "colour_full",
    "efficientnet_lite0",
    "imfw_net",
    "inception_resnet_v2",
    "lengstrom",
    "mobilenet_v2",
    "resnet",
    "small_resnet",
    "transformer_net",
    "vgg",
];

/// What people call networks: a name, and the name and settings for [`by_name`].
const KNOWN_AS: [(&str, &str, &str); 4] = [
    ("resnet18", "resnet", r#"{"depth": "18"}"#),
    ("resnet50", "resnet", r#"{"depth": "50"}"#),
    ("vgg16", "vgg", r#"{"depth": "16", "up_to": "classifier.6"}"#),
    ("vgg19", "vgg", r#"{"depth": "19", "up_to": "classifier.6"}"#),
];

/// A network and how it is fed.
#[derive(Clone, Debug)]
pub struct Net {
    /// What it computes.
    pub graph: Graph,
    /// How it wants its picture, if that is red, green and blue: a network that
    /// colours gets lightness, as its documentation says.
    pub input: Encoding,
    /// How it gives one back, if what it gives is a picture.
    pub output: Option<Encoding>,
    /// What it tells apart, if it is a classifier.
    pub classifier: Option<Classifier>,
}

impl Net {
    /// The same network fed as Keras feeds it, for weights from there: VGG gets Caffe's
    /// numbers, and pictures are stretched. Networks that are Keras's own stay as they are.
    #[must_use]
    pub fn fed_as_in_keras(mut self) -> Self {
        if ["vgg16", "vgg19"].contains(&self.graph.name()) {
            self.input = Encoding::CAFFE;
        }
        if let Some(classifier) = &mut self.classifier {
            classifier.fit = Fit::Stretch;
        }
        self
    }
}

/// The names of known classifiers whose parameters are called as these tensors are.
pub fn classifiers_with<'a>(tensors: impl Iterator<Item = &'a str>) -> Vec<&'static str> {
    let given: BTreeSet<&str> =
        tensors.filter(|name| !name.ends_with(".num_batches_tracked")).collect();
    let fits = |name: &&str| {
        let Some((network, config)) = known_as(name) else { return false };
        let net = by_name(network, config).ok().filter(|net| net.classifier.is_some());
        net.is_some_and(|net| {
            let params = net.graph.params();
            params.len() == given.len() && params.iter().all(|p| given.contains(p.name.as_str()))
        })
    };
    let mut names = known_names();
    names.retain(fits);
    names
}

/// Why a weights file's network cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The name is none of [`NAMES`].
    #[error("there is no network {name:?}; known are {}", NAMES.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// The settings are no JSON, or not this network's.
    #[error("the settings of {name} cannot be read")]
    Config {
        /// The network.
        name: &'static str,
        /// What is wrong with them.
        source: serde_json::Error,
    },
    /// A setting has a value that the network does not go with.
    #[error("the settings of {name} do not go: {setting} is {got}, not {want}")]
    Setting {
        /// The network.
        name: &'static str,
        /// The setting.
        setting: &'static str,
        /// Its value.
        got: String,
        /// What it may be.
        want: String,
    },
}

/// The network of that name with these settings: a JSON object in which a
/// missing one has its published value. Empty text is an empty object.
///
/// # Errors
///
/// If the name is none of [`NAMES`], or the settings are not its own or far
/// beyond any real network: they may come from a stranger's file.
pub fn by_name(name: &str, config_json: &str) -> Result<Net, NetError> {
    let make = match name {
        "cats_and_dogs" => make_cats_and_dogs,
        "colorizer" => make_colorizer,
        "colour_alpha" => make_colour_alpha,
        "colour_beta" => make_colour_beta,
        "colour_full" => make_colour_full,
        "efficientnet_lite0" => make_efficientnet_lite0,
        "imfw_net" => make_imfw_net,
        "inception_resnet_v2" => make_inception_resnet_v2,
        "lengstrom" => make_lengstrom,
        "mobilenet_v2" => make_mobilenet_v2,
        "resnet" => make_resnet,
        "small_resnet" => make_small_resnet,
        "transformer_net" => make_transformer_net,
        "vgg" => make_vgg,
        _ => return Err(NetError::Unknown { name: name.to_owned() }),
    };
    make(config_json)
}

/// The name and settings for [`by_name`] of what people call a network: one of
/// [`NAMES`], or `vgg16`, `resnet50` and the like, in any case and with dashes,
/// underscores or neither. VGG is then the whole classifier.
///
/// ```
/// assert_eq!(nets::known_as("Cats-and-Dogs"), Some(("cats_and_dogs", "{}")));
/// let (name, config) = nets::known_as("vgg16").unwrap();
/// assert!(nets::by_name(name, config)?.graph.find("classifier.6").is_some());
/// # Ok::<(), nets::NetError>(())
/// ```
pub fn known_as(name: &str) -> Option<(&'static str, &'static str)> {
    let bare = |name: &str| name.replace(['-', '_', ' '], "").to_lowercase();
    let wanted = bare(name);
    if let Some(name) = NAMES.iter().find(|known| bare(known) == wanted) {
        return Some((name, "{}"));
    }
    let known = KNOWN_AS.iter().find(|(known, ..)| bare(known) == wanted);
    known.map(|&(_, name, config)| (name, config))
}

/// Every name that [`known_as`] knows, as it is best written, in order.
pub fn known_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = NAMES.to_vec();
    names.extend(KNOWN_AS.iter().map(|(name, ..)| name));
    names.sort_unstable();
    names
}

/// Classes beyond any data set here.
const MOST_CLASSES: usize = 100_000;

fn make_cats_and_dogs(json: &str) -> Result<Net, NetError> {
    let config: cats_and_dogs::Config = read("cats_and_dogs", json)?;
    bounded(
        "cats_and_dogs",
        [
            ("size", config.size, 46, 256),
            ("width", config.width, 1, 128),
            ("hidden", config.hidden, 1, 2048),
            ("classes", config.classes, 1, MOST_CLASSES),
        ],
    )?;
    let classifier = Classifier::cats_and_dogs(config.size, config.classes);
    Ok(other(cats_and_dogs::graph(config), cats_and_dogs::INPUT, Some(classifier)))
}

fn make_colorizer(json: &str) -> Result<Net, NetError> {
    let config: colorizer::Config = read("colorizer", json)?;
    bounded("colorizer", [("width", config.width, 2, 256)])?;
    Ok(other(colorizer::graph(config), Encoding::UNIT, None))
}

fn make_colour_alpha(json: &str) -> Result<Net, NetError> {
    let graph = colour_tutorial::alpha(read("colour_alpha", json)?);
    Ok(other(graph, Encoding::UNIT, None))
}

fn make_colour_beta(json: &str) -> Result<Net, NetError> {
    let graph = colour_tutorial::beta(read("colour_beta", json)?);
    Ok(other(graph, Encoding::UNIT, None))
}

fn make_colour_full(json: &str) -> Result<Net, NetError> {
    let config: colour_tutorial::FullConfig = read("colour_full", json)?;
    bounded("colour_full", [("classes", config.classes, 1, MOST_CLASSES)])?;
    Ok(other(colour_tutorial::full(config), Encoding::UNIT, None))
}

fn make_efficientnet_lite0(json: &str) -> Result<Net, NetError> {
    let config: efficientnet_lite0::Config = read("efficientnet_lite0", json)?;
    bounded("efficientnet_lite0", [("classes", config.classes, 1, MOST_CLASSES)])?;
    // The reference crops `size / (size + 32)` of the shorter side and resizes that.
    let classifier = Classifier::imagenet(efficientnet_lite0::SIZE, 256, config.classes);
    let graph = efficientnet_lite0::graph(config);
    Ok(other(graph, efficientnet_lite0::ENCODING, Some(classifier)))
}

fn make_imfw_net(json: &str) -> Result<Net, NetError> {
    let config: imfw_net::Config = read("imfw_net", json)?;
    in_reason("imfw_net", config.width, config.residual_blocks)?;
    Ok(styler(imfw_net::graph(config), imfw_net::ENCODING, imfw_net::ENCODING))
}

fn make_inception_resnet_v2(json: &str) -> Result<Net, NetError> {
    let config: inception_resnet_v2::Config = read("inception_resnet_v2", json)?;
    bounded("inception_resnet_v2", [("classes", config.classes, 1, MOST_CLASSES)])?;
    let size = inception_resnet_v2::SIZE;
    let imagenet = Classifier::imagenet(size, size, config.classes);
    let classifier = Classifier { fit: Fit::Stretch, ..imagenet };
    let graph = inception_resnet_v2::graph(config);
    Ok(other(graph, inception_resnet_v2::INPUT, Some(classifier)))
}

fn make_lengstrom(json: &str) -> Result<Net, NetError> {
    let config: lengstrom::Config = read("lengstrom", json)?;
    in_reason("lengstrom", config.width, config.residual_blocks)?;
    Ok(styler(lengstrom::graph(config), lengstrom::INPUT, lengstrom::OUTPUT))
}

fn make_mobilenet_v2(json: &str) -> Result<Net, NetError> {
    let config: mobilenet_v2::Config = read("mobilenet_v2", json)?;
    bounded("mobilenet_v2", [("classes", config.classes, 1, MOST_CLASSES)])?;
    let classifier = Classifier::imagenet(mobilenet_v2::SIZE, 256, config.classes);
    Ok(other(mobilenet_v2::graph(config), mobilenet_v2::INPUT, Some(classifier)))
}

fn make_resnet(json: &str) -> Result<Net, NetError> {
    let config: resnet::Config = read("resnet", json)?;
    bounded("resnet", [("classes", config.classes, 1, MOST_CLASSES)])?;
    let classifier = Classifier::imagenet(resnet::SIZE, 256, config.classes);
    Ok(other(resnet::graph(config), resnet::INPUT, Some(classifier)))
}

fn make_small_resnet(json: &str) -> Result<Net, NetError> {
    let config: small_resnet::Config = read("small_resnet", json)?;
    bounded(
        "small_resnet",
        [
            ("width", config.width, 1, 128),
            ("size", config.size, 15, 512),
            ("classes", config.classes, 1, MOST_CLASSES),
        ],
    )?;
    let classifier = Classifier::cats_and_dogs(config.size, config.classes);
    Ok(other(small_resnet::graph(config), small_resnet::INPUT, Some(classifier)))
}

fn make_transformer_net(json: &str) -> Result<Net, NetError> {
    let config: transformer_net::Config = read("transformer_net", json)?;
    in_reason("transformer_net", config.width, config.residual_blocks)?;
    let encoding = transformer_net::ENCODING;
    Ok(styler(transformer_net::graph(config), encoding, encoding))
}

fn make_vgg(json: &str) -> Result<Net, NetError> {
    let config: vgg::Config = read("vgg", json)?;
    bounded("vgg", [("classes", config.classes, 1, MOST_CLASSES)])?;
    let taps = vgg::taps(config.depth, config.form);
    if !taps.contains(&config.up_to) {
        let (got, want) = (config.up_to, format!("one of {}", taps.join(", ")));
        return Err(NetError::Setting { name: "vgg", setting: "up_to", got, want });
    }
    let classifier = Classifier::imagenet(vgg::SIZE, 256, config.classes);
    let classifier = (config.up_to == vgg::LOGITS).then_some(classifier);
    Ok(other(vgg::graph(&config), config.form.input(), classifier))
}

fn styler(graph: Graph, input: Encoding, output: Encoding) -> Net {
    Net { graph, input, output: Some(output), classifier: None }
}

fn other(graph: Graph, input: Encoding, classifier: Option<Classifier>) -> Net {
    Net { graph, input, output: None, classifier }
}

fn read<C: DeserializeOwned>(name: &'static str, json: &str) -> Result<C, NetError> {
    let json = if json.trim().is_empty() { "{}" } else { json };
    serde_json::from_str(json).map_err(|source| NetError::Config { name, source })
}

/// Four times the published width and six times the published depth: room to
/// play, and still less than a gigabyte of weights.
fn in_reason(name: &'static str, width: usize, blocks: usize) -> Result<(), NetError> {
    bounded(name, [("width", width, 1, 128), ("residual_blocks", blocks, 0, 32)])
}

/// Holds each setting between its least and its greatest value.
fn bounded<const N: usize>(
    name: &'static str,
    settings: [(&'static str, usize, usize, usize); N],
) -> Result<(), NetError> {
    for (setting, got, least, most) in settings {
        if !(least..=most).contains(&got) {
            let (got, want) = (got.to_string(), format!("{least} to {most}"));
            return Err(NetError::Setting { name, setting, got, want });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_builds_with_its_published_settings() {
        for name in NAMES {
            let net = by_name(name, "").unwrap();
            assert!(net.graph.param_count() > 30_000, "{name}");
            let styles = ["imfw_net", "lengstrom", "transformer_net"].contains(&name);
            assert_eq!(net.output.is_some(), styles, "{name}");
            assert!(!styles || net.classifier.is_none(), "{name}");
        }
    }

    #[test]
    fn everything_is_known_by_what_people_call_it() {
        for name in known_names() {
            let (network, config) = known_as(&name.to_uppercase().replace('_', "-")).unwrap();
            assert!(by_name(network, config).is_ok(), "{name}");
        }
        assert_eq!(known_as("vgg"), Some(("vgg", "{}")));
        assert_eq!(known_as("vgg17"), None);
    }

    #[test]
    fn a_classifier_says_what_it_is_fed_and_what_it_tells_apart() {
        let of = |name: &str| {
            let (network, config) = known_as(name).unwrap();
            by_name(network, config).unwrap().classifier
        };
        assert_eq!(of("ResNet-50").unwrap().size, 224);
        assert_eq!(of("cats-and-dogs").unwrap().size, 150);
        assert_eq!((of("vgg"), of("imfwnet")), (None, None));
        assert!(of("vgg16").is_some());
    }

    #[test]
    fn tensors_tell_whose_they_are() {
        for name in ["resnet18", "vgg19", "efficientnet_lite0"] {
            let (network, config) = known_as(name).unwrap();
            let graph = by_name(network, config).unwrap().graph;
            let tensors = graph.params().iter().map(|p| p.name.as_str());
            let batches = ["bn1.num_batches_tracked"];
            assert_eq!(classifiers_with(tensors.clone().chain(batches)), [name]);
            assert!(classifiers_with(tensors.skip(1)).is_empty());
        }
    }

    #[test]
    fn weights_from_keras_are_fed_as_there() {
        let (network, config) = known_as("vgg16").unwrap();
        let net = by_name(network, config).unwrap().fed_as_in_keras();
        assert_eq!(net.input, Encoding::CAFFE);
        assert_eq!(net.classifier.unwrap().fit, Fit::Stretch);
    }

    #[test]
    fn settings_reach_the_graph() {
        let net = by_name("lengstrom", r#"{"width": 8, "residual_blocks": 2}"#).unwrap();
        assert_eq!(net.graph.params()[0].shape, [8, 3, 9, 9]);
        assert!(net.graph.find("resid2").is_some() && net.graph.find("resid3").is_none());
        let json = r#"{"depth": "19", "form": "normalised", "up_to": "relu4_1"}"#;
        let net = by_name("vgg", json).unwrap();
        assert_eq!((net.input, net.graph.name()), (Encoding::UNIT, "vgg19_normalised"));
        assert_eq!(net.graph.node(net.graph.output()).name, "relu4_1");
    }

    #[test]
    fn settings_survive_being_written() {
        let config = vgg::Config { depth: vgg::Depth::Nineteen, ..vgg::Config::default() };
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(json, r#"{"depth":"19","form":"plain","up_to":"pool5"}"#);
        assert_eq!(serde_json::from_str::<vgg::Config>(&json).unwrap(), config);
    }

    #[test]
    fn strangers_settings_are_refused_by_name() {
        let message = |name, json| by_name(name, json).unwrap_err().to_string();
        assert!(
            message("esrgan", "").starts_with("there is no network \"esrgan\"; known are cats_and")
        );
        assert_eq!(message("vgg", "{"), "the settings of vgg cannot be read");
        assert_eq!(message("vgg", r#"{"depth": 17}"#), "the settings of vgg cannot be read");
        let huge = message("imfw_net", r#"{"width": 1000000000000}"#);
        assert_eq!(
            huge,
            "the settings of imfw_net do not go: width is 1000000000000, not 1 to 128"
        );
        let endless = message("lengstrom", r#"{"residual_blocks": 1000000000000}"#);
        assert!(endless.ends_with("residual_blocks is 1000000000000, not 0 to 32"));
        assert!(message("vgg", r#"{"up_to": "rgb"}"#).contains("up_to is rgb, not one of conv1_1"));
    }
}
