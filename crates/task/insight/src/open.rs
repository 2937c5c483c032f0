//! Networks to look into, from what ships and from files.

use std::path::Path;

use nets::Net;
use weights::{Limits, NetworkCard, StateDict, WeightsError};

use crate::{InsightError, Model, Shipped};

impl Shipped {
    /// The classifier, ready to be looked into.
    ///
    /// # Errors
    ///
    /// If the weights inside the binary are damaged.
    pub fn model(self) -> Result<Model, InsightError> {
        let (card, tensors) = self.read()?;
        Model::of_card(card, tensors)
    }
}

impl Model {
    /// A network as its card says, with these weights.
    ///
    /// # Errors
    ///
    /// If the card's network is not known, the weights are not its own, or it takes anything
    /// but one colour picture.
    pub fn of_card(card: NetworkCard, tensors: StateDict) -> Result<Self, InsightError> {
        let net = nets::by_name(&card.network, &card.config.to_string())?;
        let model = Self::of(&net, &weights::fit(&net.graph, tensors)?)?.with_classes(card.classes);
        Ok(card.size.into_iter().fold(model, Self::with_size))
    }

    /// A network with the weights in a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or does not fit, or the network takes anything
    /// but one colour picture.
    pub fn of_file(net: &Net, path: &Path) -> Result<Self, InsightError> {
        let read = weights::read(path, &Limits::default())?;
        Self::of(net, &weights::fit(&net.graph, read.tensors)?)
    }
}

impl From<WeightsError> for InsightError {
    fn from(source: WeightsError) -> Self {
        Self::Weights(Box::new(source))
    }
}
