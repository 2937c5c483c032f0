//! What a classifier sees in a grey picture.

use std::path::Path;

use cpu::{Network, Plan, Session};
use imaging::colour::srgb_of_lab;
use imaging::{Filter, resize_tensor};
use nets::Net;
use tensor::Tensor;
use weights::{Limits, Weights};

use crate::TrainError;
use crate::hash::sha256;
use crate::losses::Recode;

/// A classifier that looks at grey pictures.
#[derive(Debug)]
pub struct Seer {
    net: Net,
    session: Session,
    side: usize,
}

impl Seer {
    /// Of an `EfficientNet-Lite0` in a file of weights, of any kind that can be read.
    ///
    /// # Errors
    ///
    /// [`TrainError::Weights`] if it cannot be read or is another network's.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let wrong = |source| TrainError::weights(path)(source);
        let net = nets::by_name("efficientnet_lite0", "")?;
        let read = weights::read(path, &Limits::default()).map_err(wrong)?;
        let weights = weights::fit_part(&net.graph, read.tensors).map_err(wrong)?;
        Self::new(net, &weights, nets::efficientnet_lite0::SIZE)
    }

    /// As [`open`](Self::open), with the file's SHA-256.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn of_file(path: &Path) -> Result<(Self, String), TrainError> {
        let digest = sha256(path).map_err(TrainError::io(path))?;
        Ok((Self::open(path)?, digest))
    }

    /// Of a network that gives logits for pictures of `side` × `side`.
    ///
    /// # Errors
    ///
    /// If the network does not fit them.
    pub fn new(net: Net, weights: &Weights, side: usize) -> Result<Self, TrainError> {
        let network = Network::new(&net.graph, weights)?;
        let session = Session::new(Plan::new(&network, &[[1, 3, side, side]], &[])?);
        Ok(Self { net, session, side })
    }

    /// How many classes it tells apart.
    pub fn classes(&self) -> usize {
        let size = [1, 3, self.side, self.side];
        let shapes = self.net.graph.shapes(&[size]).unwrap_or_default();
        shapes.get(self.net.graph.output().index()).map_or(0, |shape| shape[1])
    }

    /// The probabilities `[N, classes, 1, 1]` for pictures of lightness `[N, 1, H, W]`, 0..=100.
    pub(super) fn look(&mut self, lightness: &Tensor) -> Tensor {
        let [n, _, h, w] = lightness.shape4();
        let mut seen = Vec::new();
        for picture in lightness.data().chunks(h * w) {
            let grey: Vec<f32> = picture.iter().map(|&l| srgb_of_lab([l, 0.0, 0.0])[1]).collect();
            let grey = Tensor::new([1, 3, h, w], grey.repeat(3));
            let small = resize_tensor(&grey, [self.side; 2], Filter::Triangle);
            let input = Recode::from_unit(&self.net.input).apply(&small);
            let logits = self.session.run(&[&input]).output;
            seen.extend(softmax(logits.data()));
        }
        let classes = seen.len() / n;
        Tensor::new([n, classes, 1, 1], seen)
    }
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|x| (x - most).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|p| p / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Initial;

    #[test]
    fn it_gives_probabilities_for_each_picture() {
        let net = nets::by_name("efficientnet_lite0", r#"{"classes": 7}"#).unwrap();
        let weights = Weights::bind(&net.graph, Initial::He.draw(&net.graph, 1)).unwrap();
        let mut seer = Seer::new(net, &weights, 32).unwrap();
        assert_eq!(seer.classes(), 7);
        let classes = seer.look(&Tensor::new([2, 1, 8, 8], (0..128u8).map(f32::from).collect()));
        assert_eq!(classes.shape(), [2, 7, 1, 1]);
        for picture in classes.data().chunks(7) {
            assert!((picture.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}
