use std::collections::BTreeMap;

use graph::Graph;
use tensor::Tensor;

/// A stream of numbers that is the same here and in `golden/common.py`.
///
/// This is `SplitMix64`: the n-th number depends only on the seed and n, so that
/// NumPy makes a whole array of them at once.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of that seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream that belongs to a name.
    pub fn named(seed: u64, name: &str) -> Self {
        Self(Self::seed(seed, name))
    }

    /// The seed of [`Random::named`]: `seed` xor the name's 64-bit FNV-1a.
    pub fn seed(seed: u64, name: &str) -> u64 {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        let hash = name.bytes().fold(OFFSET, |h, b| (h ^ u64::from(b)).wrapping_mul(PRIME));
        seed ^ hash
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in −1..1, one of 2²⁴ values.
    pub fn signed(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 8_388_608.0 - 1.0
    }

    /// A whole number below `n`.
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// A tensor of `signed() · amplitude`.
    pub fn tensor(&mut self, shape: &[usize], amplitude: f32) -> Tensor {
        let len = shape.iter().product();
        Tensor::new(shape, (0..len).map(|_| self.signed() * amplitude).collect())
    }
}

/// A tensor for each parameter of `graph`, each from the stream of its name.
///
/// Kernels have He's variance for their rows (`[out, in, kh, kw]`: uniform in
/// ±√(6 / (in·kh·kw))), so that activations neither vanish nor explode. Gains
/// and variances lie in 0.5..1.5, means and a norm's or layer's shifts in ±0.5.
pub fn random_weights(graph: &Graph, seed: u64) -> BTreeMap<String, Tensor> {
    let one = |name: &str, shape: &[usize]| {
        let mut random = Random::named(seed, name);
        if shape.len() > 1 {
            let fan_in: usize = shape[1..].iter().product();
            return random.tensor(shape, (6.0 / fan_in as f32).sqrt());
        }
        let around =
            if name.ends_with(".weight") || name.ends_with(".running_var") { 1.0 } else { 0.0 };
        let mut tensor = random.tensor(shape, 0.5);
        tensor.data_mut().iter_mut().for_each(|v| *v += around);
        tensor
    };
    graph.params().iter().map(|p| (p.name.clone(), one(&p.name, &p.shape))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `golden/common.py` asserts the same numbers.
    #[test]
    fn the_stream_is_the_scripts() {
        let mut random = Random::new(0);
        assert_eq!(random.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.bits(), 0x6e78_9e6a_a1b9_65f4);
        let mut random = Random::named(7, "conv1.weight");
        let drawn = [random.signed(), random.signed(), random.signed()];
        assert_eq!(
            drawn.map(f32::to_bits),
            [0.531_264_9f32, -0.937_496_9, 0.074_737_55].map(f32::to_bits)
        );
    }

    #[test]
    fn kernels_and_gains_are_the_scripts() {
        let mut g = graph::Builder::new("test");
        let x = g.input("x", 3);
        let x = g.conv("a", x, graph::Conv::new(2, 3));
        let x = g.instance_norm("b", x, 1e-5);
        let weights = random_weights(&g.finish(x), 3);
        let bits = |name: &str, i: usize| weights[name].data()[i].to_bits();
        assert_eq!(
            [bits("a.weight", 0), bits("a.weight", 53)],
            [0.414_366_75_f32, 0.202_964_89].map(f32::to_bits)
        );
        assert_eq!(
            [bits("b.weight", 0), bits("b.weight", 1)],
            [1.038_873_f32, 0.884_011_8].map(f32::to_bits)
        );
    }
}
