//! From a batch of photographs to what a network sees and what it should say.

use imaging::colour::Lab;
use tensor::{Plane, Tensor};

use super::Seer;
use super::hints::{Hinting, hints};

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
        let lab = Lab::of_rgb(photographs).into_tensor();
        let part = |from: usize, to: usize| {
            lab.data().chunks(3 * area).flat_map(move |image| &image[from * area..to * area])
        };
        Self {
            lightness: Tensor::new([n, 1, h, w], part(0, 1).copied().collect()),
            ab: Tensor::new([n, 2, h, w], part(1, 3).copied().collect()),
        }
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

/// What a network that gives a and b themselves is shown and should say.
#[derive(Debug)]
pub(super) struct Lesson {
    photographs: Tensor,
    /// Lightness, and what is seen, where the network wants to be told.
    pub(super) inputs: Vec<Tensor>,
    /// a and b as the tutorial's networks give them: divided by 128. `[N, 2, H, W]`.
    ab: Tensor,
    /// The same as it lies beside what the network gave.
    wanted: Plane,
}

impl Lesson {
    /// Of photographs `[N, 3, H, W]`, RGB in 0..=1.
    pub(super) fn of(photographs: &Tensor, seer: Option<&mut Seer>) -> Self {
        let Target { lightness, mut ab } = Target::of(photographs);
        let scale = 1.0 / nets::colour_tutorial::AB_SCALE;
        ab.data_mut().iter_mut().for_each(|v| *v *= scale);
        let classes = seer.map(|seer| seer.look(&lightness));
        let inputs = [lightness].into_iter().chain(classes).collect();
        Self { photographs: photographs.clone(), inputs, ab, wanted: Plane::default() }
    }

    /// Whether it is of these: a picture that is not moved is the same step after step.
    pub(super) fn is_of(&self, photographs: &Tensor) -> bool {
        self.photographs == *photographs
    }

    /// What `answer` should be, laid out as it is.
    pub(super) fn wanted(&mut self, answer: &Plane) -> &Plane {
        if self.wanted.stride() != answer.stride() {
            self.wanted.reshape(answer.shape(), answer.stride());
            self.wanted.fill_from(&self.ab);
        }
        &self.wanted
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
