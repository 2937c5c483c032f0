use graph::{Graph, Op, Param};
use serde::{Deserialize, Serialize};
use tensor::Tensor;
use weights::StateDict;

use crate::Random;
use crate::random::hashed;

/// How random weights are drawn. Biases begin at 0, norms as the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// Uniform within ±√(6 / (`fan_in` + `fan_out`)): Glorot and Bengio's, and Keras's
    /// where nothing else is said.
    Glorot,
    /// Normal with variance 2 / `fan_in`: He et al.'s, for `ReLU`.
    He,
}

/// What a stream of random numbers is for.
const WEIGHTS: u64 = 2;

impl Initial {
    /// Random weights for every parameter of a graph, each from the stream of its own
    /// name: a layer that is added changes none of the others.
    pub fn draw(self, graph: &Graph, seed: u64) -> StateDict {
        let one = |param: &Param| {
            let mut random = Random::keyed(seed, &[WEIGHTS, hashed(param.name.as_bytes())]);
            let data = match fans(param) {
                Some(fans) => (0..param.len()).map(|_| self.value(fans, &mut random)).collect(),
                None => vec![constant(param); param.len()],
            };
            (param.name.clone(), Tensor::new(param.shape.clone(), data))
        };
        let mut dict: StateDict = graph.params().iter().map(one).collect();
        self.still(graph, &mut dict);
        dict
    }

    fn value(self, [fan_in, fan_out]: [f64; 2], random: &mut Random) -> f32 {
        match self {
            Self::Glorot => {
                let bound = (6.0 / (fan_in + fan_out)).sqrt();
                random.between(-bound, bound) as f32
            }
            Self::He => {
                let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
                let normal = radius * (std::f64::consts::TAU * random.unit()).cos();
                (normal * (2.0 / fan_in).sqrt()) as f32
            }
        }
    }

    /// With [`Initial::He`], a norm whose result is added to a shortcut begins with
    /// the gain 0, so that a residual block begins as the identity.
    ///
    /// Source: Goyal et al., "Accurate, Large Minibatch SGD", 2017, section 5.1.
    fn still(self, graph: &Graph, dict: &mut StateDict) {
        if self != Self::He {
            return;
        }
        for sum in graph.nodes().iter().filter(|node| node.op == Op::Add) {
            let last = graph.node(sum.inputs[0]);
            if let Op::BatchNorm { .. } = last.op
                && let Some(gain) = last.param(0)
                && let Some(gain) = dict.get_mut(&graph.params()[gain].name)
            {
                gain.data_mut().fill(0.0);
            }
        }
    }
}

/// Inputs and outputs that a kernel's value joins; none for biases and norms.
fn fans(param: &Param) -> Option<[f64; 2]> {
    let [out, inside, window @ ..] = param.shape.as_slice() else { return None };
    let area: usize = window.iter().product();
    Some([(inside * area) as f64, (out * area) as f64])
}

fn constant(param: &Param) -> f32 {
    let ends = |part| param.name.ends_with(part);
    if ends(".bias") || ends(".running_mean") { 0.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use graph::{Builder, Conv, PadMode};

    use super::*;

    fn residual() -> Graph {
        let mut g = Builder::new("test");
        let x = g.input("x", 16);
        let y = g.conv("c", x, Conv::same(16, 3, PadMode::Zero));
        let y = g.batch_norm("bn", y, 1e-5);
        let y = g.add(y, x);
        g.finish(y)
    }

    fn deviation(tensor: &Tensor) -> f64 {
        let squares = tensor.data().iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        (squares / tensor.data().len() as f64).sqrt()
    }

    #[test]
    fn kernels_are_spread_as_published() {
        let graph = residual();
        let he = Initial::He.draw(&graph, 1);
        // 2304 values: the deviation of their deviation is 1.5 %.
        assert!((deviation(&he["c.weight"]) / (2.0f64 / 144.0).sqrt() - 1.0).abs() < 0.06);
        let glorot = Initial::Glorot.draw(&graph, 1);
        let bound = (6.0f64 / 288.0).sqrt();
        assert!((deviation(&glorot["c.weight"]) / (bound / 3f64.sqrt()) - 1.0).abs() < 0.06);
        assert!(glorot["c.weight"].data().iter().all(|v| f64::from(v.abs()) <= bound));
    }

    #[test]
    fn norms_begin_as_the_identity_and_residual_blocks_with_he_too() {
        let graph = residual();
        for (initial, gain) in [(Initial::He, 0.0f32), (Initial::Glorot, 1.0)] {
            let dict = initial.draw(&graph, 1);
            let of = |name: &str| dict[name].data()[3];
            let bits = |name: &str| of(name).to_bits();
            assert_eq!([bits("bn.weight"), bits("bn.bias")], [gain, 0.0].map(f32::to_bits));
            let others = ["bn.running_mean", "bn.running_var", "c.bias"].map(bits);
            assert_eq!(others, [0.0, 1.0, 0.0].map(f32::to_bits));
        }
    }
}
