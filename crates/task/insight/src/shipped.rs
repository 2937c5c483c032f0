//! The classifiers inside the binary.

use weights::{Limits, NetworkCard, StateDict, WeightsError};

/// A classifier that ships.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// The name to ask for.
    pub name: &'static str,
    /// Its weights, in the house format.
    pub bytes: &'static [u8],
}

const SHIPPED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// Every classifier that ships, by name.
pub fn shipped() -> impl ExactSizeIterator<Item = Shipped> {
    SHIPPED.iter().map(|&(name, bytes)| Shipped { name, bytes })
}

impl Shipped {
    /// What it says about itself (network, settings, encoding, classes, size), and its weights.
    ///
    /// ```
    /// for shipped in insight::shipped() {
    ///     let (card, tensors) = shipped.read()?;
    ///     let net = nets::by_name(&card.network, &card.config.to_string())?;
    ///     let weights = weights::Weights::bind(&net.graph, tensors)?;
    ///     assert!(card.classes.len() > 1, "{}", shipped.name);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the weights inside the binary are damaged.
    pub fn read(self) -> Result<(NetworkCard, StateDict), WeightsError> {
        let read = weights::read_bytes(self.bytes, &Limits::default())?;
        Ok((NetworkCard::from_metadata(&read.metadata)?, read.tensors))
    }
}
