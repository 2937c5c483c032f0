//! Numbers that look random and are a function of their keys alone.

/// A stream of random numbers: `SplitMix64`.
///
/// Everything random in training is drawn from a stream named by *what it is
/// for*, such as seed, epoch and position, so that one sample can be made again
/// without those before it.
///
/// ```
/// use train::Random;
/// let mut a = Random::keyed(7, &[3, 14]);
/// assert_eq!(a.bits(), Random::keyed(7, &[3, 14]).bits());
/// assert_ne!(a.bits(), Random::keyed(7, &[14, 3]).bits());
/// ```
///
/// # Source
///
/// Steele, Lea & Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014; constants of Vigna's `splitmix64.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// The stream of that seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream that belongs to a seed and some keys, in their order.
    pub fn keyed(seed: u64, keys: &[u64]) -> Self {
        Self(keys.iter().fold(seed, |state, key| mixed(mixed(state ^ GAMMA) ^ key)))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mixed(self.0)
    }

    /// Uniform in 0..1, one of 2⁵³ values.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform from `low` to `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `n`; the bias is below `n`/2⁶⁴.
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "no number is below 0");
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }
}

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of `SplitMix64`: every bit depends on every bit.
pub(crate) fn mixed(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The 64-bit FNV-1a of some bytes, finished by [`mixed`]: FNV's own high bits
/// hardly depend on the last bytes.
pub(crate) fn hashed(bytes: &[u8]) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    mixed(bytes.iter().fold(OFFSET, |h, b| (h ^ u64::from(*b)).wrapping_mul(PRIME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of Vigna's program for seed 0.
    #[test]
    fn the_stream_is_splitmix64() {
        let mut random = Random::new(0);
        assert_eq!([random.bits(), random.bits()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }

    #[test]
    fn numbers_stay_in_range_and_fill_it() {
        let mut random = Random::keyed(1, &[2, 3]);
        let mut seen = [0; 7];
        for _ in 0..7000 {
            seen[random.below(7)] += 1;
            assert!((0.0..1.0).contains(&random.unit()));
            assert!((-3.0..=5.0).contains(&random.between(-3.0, 5.0)));
        }
        // 1000 each; the standard deviation is 29
        assert!(seen.iter().all(|n| (1000i32 - n).abs() < 150), "{seen:?}");
        assert_eq!(random.below(1), 0);
    }
}
