//! The networks inside the binary.

use weights::{Limits, NetworkCard};

use crate::{PipelineError, Style};

/// A style that ships.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// The name to ask for.
    pub name: &'static str,
    /// Its weights, in the house format.
    pub bytes: &'static [u8],
}

const SHIPPED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// The network that colours, if one ships with this version.
pub(crate) const COLORIZER: Option<&[u8]> = include!(concat!(env!("OUT_DIR"), "/colorizer.rs"));

/// Every style that ships, by name.
pub fn shipped() -> impl ExactSizeIterator<Item = Shipped> {
    SHIPPED.iter().map(|&(name, bytes)| Shipped { name, bytes })
}

impl Shipped {
    /// Reads the weights and makes the network ready.
    ///
    /// # Errors
    ///
    /// If the weights inside the binary are damaged.
    pub fn open(self) -> Result<Style, PipelineError> {
        Style::from_bytes(self.name, self.bytes)
    }

    /// What the weights say about themselves.
    ///
    /// # Errors
    ///
    /// As [`Shipped::open`].
    pub fn card(self) -> Result<NetworkCard, PipelineError> {
        let read = weights::read_bytes(self.bytes, &Limits::default());
        read.and_then(|checkpoint| NetworkCard::from_metadata(&checkpoint.metadata))
            .map_err(|source| PipelineError::Weights { path: self.name.into(), source })
    }
}

/// How much two names must have in common for one to be taken for the other mistyped.
const CLOSE: f64 = 0.75;

/// The names most like `wanted`, best first, at most three.
pub(crate) fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut close: Vec<(f64, &str)> = names
        .map(|name| (likeness(&wanted, name), name))
        .filter(|(likeness, _)| *likeness >= CLOSE)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    close.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// From 0 to 1; a name that is part of the other is as good as equal.
fn likeness(wanted: &str, name: &str) -> f64 {
    let part = !wanted.is_empty() && (name.contains(wanted) || wanted.contains(name));
    if part { 1.0 } else { strsim::jaro_winkler(wanted, name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_names_find_their_style() {
        let names = ["starry-night", "great-wave", "scream", "udnie"];
        let near = |wanted| near(wanted, names.into_iter());
        assert_eq!(near("stary-nigth"), ["starry-night"]);
        assert_eq!(near("Starry_Night"), ["starry-night"]);
        assert_eq!(near("the-great-wave"), ["great-wave"]);
        assert_eq!(near("mosaic"), Vec::<String>::new());
    }

    #[test]
    fn every_shipped_style_opens() {
        for style in shipped() {
            assert_eq!(style.open().unwrap().name(), style.name);
        }
    }
}
