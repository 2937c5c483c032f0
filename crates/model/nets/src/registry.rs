//! From the name and settings in a weights file to the network.

use graph::{Encoding, Graph};
use serde::de::DeserializeOwned;

use crate::{
    cats_and_dogs, colorizer, efficientnet_lite0, imfw_net, lengstrom, transformer_net, vgg,
};

/// Every name that [`by_name`] knows.
pub const NAMES: [&str; 7] = [
    "cats_and_dogs",
    "colorizer",
    "efficientnet_lite0",
    "imfw_net",
    "lengstrom",
    "transformer_net",
    "vgg",
];

/// A network and how it is fed.
#[derive(Clone, Debug)]
pub struct Net {
    /// What it computes.
    pub graph: Graph,
    /// How it wants its picture.
    pub input: Encoding,
    /// How it gives one back, if what it gives is a picture.
    pub output: Option<Encoding>,
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
    match name {
        "cats_and_dogs" => {
            let config: cats_and_dogs::Config = read("cats_and_dogs", config_json)?;
            bounded(
                "cats_and_dogs",
                [
                    ("size", config.size, 46, 256),
                    ("width", config.width, 1, 128),
                    ("hidden", config.hidden, 1, 2048),
                    ("classes", config.classes, 1, 100_000),
                ],
            )?;
            let graph = cats_and_dogs::graph(config);
            Ok(Net { graph, input: cats_and_dogs::INPUT, output: None })
        }
        "colorizer" => {
            let config: colorizer::Config = read("colorizer", config_json)?;
            bounded("colorizer", [("width", config.width, 2, 256)])?;
            let graph = colorizer::graph(config);
            Ok(Net { graph, input: Encoding::UNIT, output: None })
        }
        "efficientnet_lite0" => {
            let config: efficientnet_lite0::Config = read("efficientnet_lite0", config_json)?;
            bounded("efficientnet_lite0", [("classes", config.classes, 1, 100_000)])?;
            let graph = efficientnet_lite0::graph(config);
            Ok(Net { graph, input: efficientnet_lite0::ENCODING, output: None })
        }
        "imfw_net" => {
            let config: imfw_net::Config = read("imfw_net", config_json)?;
            in_reason("imfw_net", config.width, config.residual_blocks)?;
            Ok(styler(imfw_net::graph(config), imfw_net::ENCODING, imfw_net::ENCODING))
        }
        "lengstrom" => {
            let config: lengstrom::Config = read("lengstrom", config_json)?;
            in_reason("lengstrom", config.width, config.residual_blocks)?;
            Ok(styler(lengstrom::graph(config), lengstrom::INPUT, lengstrom::OUTPUT))
        }
        "transformer_net" => {
            let config: transformer_net::Config = read("transformer_net", config_json)?;
            in_reason("transformer_net", config.width, config.residual_blocks)?;
            let encoding = transformer_net::ENCODING;
            Ok(styler(transformer_net::graph(config), encoding, encoding))
        }
        "vgg" => {
            let config: vgg::Config = read("vgg", config_json)?;
            let taps = vgg::taps(config.depth, config.form);
            if !taps.contains(&config.up_to) {
                let want = format!("one of {}", taps.join(", "));
                return Err(NetError::Setting {
                    name: "vgg",
                    setting: "up_to",
                    got: config.up_to,
                    want,
                });
            }
            Ok(Net { graph: vgg::graph(&config), input: config.form.input(), output: None })
        }
        _ => Err(NetError::Unknown { name: name.to_owned() }),
    }
}

fn styler(graph: Graph, input: Encoding, output: Encoding) -> Net {
    Net { graph, input, output: Some(output) }
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
            assert!(net.graph.param_count() > 1_000_000, "{name}");
            let gives_no_picture =
                ["cats_and_dogs", "colorizer", "efficientnet_lite0", "vgg"].contains(&name);
            assert_eq!(net.output.is_none(), gives_no_picture);
        }
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
