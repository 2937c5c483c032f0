//! The networks, one file per paper or reference implementation.
//!
//! Each file holds a `Config`, whose `Default` is the published setting, and a
//! function `graph` that writes the network down with the parameter names of
//! its reference checkpoint. [`by_name`] finds a network by the name and
//! settings that a weights file carries.
//!
//! ```
//! let net = nets::by_name("transformer_net", r#"{"width": 16}"#)?;
//! assert!(net.graph.find("res5").is_some());
//! assert!(nets::by_name("transformer_net", r#"{"colour": 16}"#).is_err());
//! # Ok::<(), nets::NetError>(())
//! ```
#![forbid(unsafe_code)]

pub mod cats_and_dogs;
mod classifier;
pub mod colorizer;
pub mod colour_tutorial;
pub mod efficientnet_lite0;
pub mod imfw_net;
pub mod inception_resnet_v2;
pub mod lengstrom;
pub mod lpips;
pub mod mobilenet_v2;
mod registry;
pub mod resnet;
pub mod small_resnet;
pub mod transformer_net;
pub mod vgg;

pub use classifier::{Class, Classes, Classifier, Fit, Scores};
pub use registry::{NAMES, Net, NetError, by_name, classifiers_with, known_as, known_names};
