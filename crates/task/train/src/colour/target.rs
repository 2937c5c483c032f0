//! From a batch of photographs to what a network sees and what it should say.

use tensor::Tensor;

use super::hints::{Hinting, hints};
use super::lab::lab;

/// A batch as lightness and colour.
pub(super) struct Target {
    /// `[N, 1, H, W]`, 0..=100.
    pub(super) lightness: Tensor,
    /// `[N, 2, H, W]`.
    pub(super) ab: Tensor,
}

impl Target {
    /// Of photographs `[N, 3, H, W]`, RGB in 0..=1.
    pub(super) fn of(photographs: &Tensor) -> Self {
        let [n, _, h, w] = photographs.shape4();
        let area = h * w;
        let lab = lab(photographs);
        let part = |from: usize, to: usize| {
            lab.data().chunks(3 * area).flat_map(move |image| &image[from * area..to * area])
        };
        Self {
            lightness: Tensor::new([n, 1, h, w], part(0, 1).copied().collect()),
            ab: Tensor::new([n, 2, h, w], part(1, 3).copied().collect()),
        }
    }

    /// a and b as the tutorial's networks give them: divided by 128.
    pub(super) fn scaled_ab(&self) -> Tensor {
        let scale = 1.0 / nets::colour_tutorial::AB_SCALE;
        let data = self.ab.data().iter().map(|v| v * scale).collect();
        Tensor::new(self.ab.shape().to_vec(), data)
    }

    /// `[N, 4, H, W]`: lightness as `(L − 50) / 50`, then hints.
    pub(super) fn with_hints(&self, hinting: Hinting, seed: [u64; 2]) -> Tensor {
        joined(&self.lightness, &hints(hinting, &self.ab, seed))
    }

    /// The same without a hint.
    pub(super) fn without_hints(&self) -> Tensor {
        let [n, _, h, w] = self.lightness.shape4();
        joined(&self.lightness, &Tensor::zeros([n, 3, h, w]))
    }
}

fn joined(lightness: &Tensor, hints: &Tensor) -> Tensor {
    let [n, _, h, w] = lightness.shape4();
    let mut data = Vec::with_capacity(n * 4 * h * w);
    for (l, hints) in lightness.data().chunks(h * w).zip(hints.data().chunks(3 * h * w)) {
        data.extend(l.iter().map(|l| (l - 50.0) / 50.0));
        data.extend_from_slice(hints);
    }
    Tensor::new([n, 4, h, w], data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_keep_their_own_planes() {
        // A black and a white image of two pixels.
        let photographs = Tensor::new([2, 3, 1, 2], [vec![0.0; 6], vec![1.0; 6]].concat());
        let target = Target::of(&photographs);
        let input = target.without_hints();
        assert_eq!(input.shape(), [2, 4, 1, 2]);
        assert_eq!(input.data()[..8], [-1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(input.data()[8..10].iter().all(|l| (l - 1.0).abs() < 1e-5));
        assert!(target.ab.data().iter().all(|v| v.abs() < 0.01));
    }
}
