//! Networks and pictures of made-up numbers, the same as in `bench/peers`.

use anyhow::Result;
use nets::Net;
use tensor::Tensor;
use testing::{Random, random_weights};
use weights::Weights;

/// As in `bench/peers`.
pub(crate) const SEED: u64 = 2;

/// The network of that name and settings.
pub(crate) fn network(name: &str, config: &str) -> Result<(Net, Weights)> {
    let net = nets::by_name(name, config)?;
    let weights = Weights::bind(&net.graph, random_weights(&net.graph, SEED))?;
    Ok((net, weights))
}

/// A picture in 0..=1.
pub(crate) fn unit(name: &str, shape: [usize; 4]) -> Tensor {
    let mut picture = Random::named(SEED, name).tensor(&shape, 1.0);
    picture.data_mut().iter_mut().for_each(|v| *v = v.midpoint(1.0));
    picture
}
