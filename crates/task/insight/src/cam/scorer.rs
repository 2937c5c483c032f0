//! The score of a class, for many pictures or many changed layers.

use cpu::{Network, Plan, Session, Watch};
use graph::{Activation, Graph, NodeId, Op};
use tensor::Tensor;

use crate::InsightError;

/// What a network ends in after its scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing, or nothing that is known: the output is the score.
    Score,
    Softmax,
    Sigmoid,
}

/// The node that holds the scores, and what turns them into probabilities.
pub(super) fn score_node(graph: &Graph) -> (NodeId, Ending) {
    let node = graph.node(graph.output());
    match node.op {
        Op::Softmax => (node.inputs[0], Ending::Softmax),
        Op::Activation(Activation::Sigmoid) => (node.inputs[0], Ending::Sigmoid),
        _ => (graph.output(), Ending::Score),
    }
}

/// The mean of each channel of each image: a classifier's scores as they are.
pub(super) fn channel_means(output: &Tensor) -> Vec<Vec<f32>> {
    let [_, c, h, w] = output.shape4();
    let mean = |plane: &[f32]| {
        (plane.iter().map(|&v| f64::from(v)).sum::<f64>() / plane.len() as f64) as f32
    };
    let images = output.data().chunks_exact(c * h * w);
    images.map(|image| image.chunks_exact(h * w).map(mean).collect()).collect()
}

/// The score of a class among a network's scores. A single one speaks for class 1,
/// and its opposite for class 0.
pub(super) fn of_class(scores: &[f32], class: usize) -> f32 {
    match scores {
        [only] if class == 0 => -only,
        [only] => *only,
        all => all[class],
    }
}

/// Images computed at once.
const BATCH: usize = 16;

/// Runs a network on many inputs of one shape, several at once.
#[derive(Debug)]
pub(super) struct Scorer {
    session: Session,
    shapes: Vec<[usize; 4]>,
}

impl Scorer {
    /// For inputs of these shapes, of which each counts one image.
    pub(super) fn new(network: &Network, shapes: &[[usize; 4]]) -> Result<Self, InsightError> {
        let shapes: Vec<_> = shapes.iter().map(|&[_, c, h, w]| [BATCH, c, h, w]).collect();
        Ok(Self { session: Session::new(Plan::new(network, &shapes, &[])?), shapes })
    }

    /// The scores of `count` images: `write(image, input, values)` writes each
    /// input of each image. `watch` is told the share that is done, and may end it.
    pub(super) fn run(
        &mut self,
        count: usize,
        watch: &mut Watch<'_>,
        mut write: impl FnMut(usize, usize, &mut [f32]),
    ) -> Result<Vec<Vec<f32>>, InsightError> {
        let mut inputs: Vec<Tensor> = self.shapes.iter().map(|&s| Tensor::zeros(s)).collect();
        let mut found = Vec::with_capacity(count);
        for first in (0..count).step_by(BATCH) {
            let batch = BATCH.min(count - first);
            for (place, input) in inputs.iter_mut().enumerate() {
                let len = input.data().len() / BATCH;
                for (index, values) in input.data_mut().chunks_exact_mut(len).enumerate() {
                    if index < batch {
                        write(first + index, place, values);
                    }
                }
            }
            let mut told = |share: f64| watch((first as f64 + share * batch as f64) / count as f64);
            let outputs = self.session.run_watched(&inputs.iter().collect::<Vec<_>>(), &mut told);
            let output = outputs.ok_or(InsightError::Stopped)?.output;
            found.extend(channel_means(&output).into_iter().take(batch));
        }
        Ok(found)
    }
}
