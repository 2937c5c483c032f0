//! Small turns, shifts and changes of scale, so that no picture works by single pixels.

use crate::random::Random;

/// Where each pixel of a square is taken from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Variation {
    size: usize,
    /// Along and across, per pixel.
    turn: [f32; 2],
    shift: [f32; 2],
}

impl Variation {
    /// Shifts of up to an eighth of the side, up to 10 degrees, 0.9 to 1.1 times as
    /// large, as in Lucid's standard transforms.
    pub(super) fn draw(random: &mut Random, size: usize) -> Self {
        const DEGREES: f32 = 10.0;
        const SCALE: f32 = 0.1;
        let reach = size / 8;
        let mut jitter = || random.below(2 * reach + 1) as f32 - reach as f32;
        let shift = [jitter(), jitter()];
        let angle = (random.unit() * 2.0 - 1.0) * DEGREES.to_radians();
        let scale = 1.0 + (random.unit() * 2.0 - 1.0) * SCALE;
        Self { size, turn: [angle.cos() / scale, angle.sin() / scale], shift }
    }

    /// The four places that a pixel is mixed of, and their shares. Beyond the border
    /// the picture goes on as its mirror image.
    fn from(&self, pixel: usize) -> [(usize, f32); 4] {
        let centre = (self.size - 1) as f32 / 2.0;
        let (y, x) = ((pixel / self.size) as f32 - centre, (pixel % self.size) as f32 - centre);
        let [cos, sin] = self.turn;
        let [down, across] = self.shift;
        let (y, x) = (cos * y - sin * x + centre + down, sin * y + cos * x + centre + across);
        let (top, left) = (y.floor(), x.floor());
        let (dy, dx) = (y - top, x - left);
        let at = |y: f32, x: f32| self.mirrored(y) * self.size + self.mirrored(x);
        [
            (at(top, left), (1.0 - dy) * (1.0 - dx)),
            (at(top, left + 1.0), (1.0 - dy) * dx),
            (at(top + 1.0, left), dy * (1.0 - dx)),
            (at(top + 1.0, left + 1.0), dy * dx),
        ]
    }

    fn mirrored(&self, at: f32) -> usize {
        let (at, period) = (at as isize, 2 * self.size as isize);
        let at = at.rem_euclid(period);
        (if at < self.size as isize { at } else { period - 1 - at }) as usize
    }

    /// The changed planes.
    pub(super) fn forward(&self, planes: &[f32]) -> Vec<f32> {
        let plane = self.size * self.size;
        let mut out = vec![0.0; planes.len()];
        for pixel in 0..plane {
            for (from, share) in self.from(pixel) {
                for at in (0..planes.len()).step_by(plane) {
                    out[at + pixel] += planes[at + from] * share;
                }
            }
        }
        out
    }

    /// The adjoint.
    pub(super) fn backward(&self, gradient: &[f32]) -> Vec<f32> {
        let plane = self.size * self.size;
        let mut out = vec![0.0; gradient.len()];
        for pixel in 0..plane {
            for (from, share) in self.from(pixel) {
                for at in (0..gradient.len()).step_by(plane) {
                    out[at + from] += gradient[at + pixel] * share;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backward_is_the_adjoint_and_flat_stays_flat() {
        let mut random = Random::new(8);
        for _ in 0..20 {
            let vary = Variation::draw(&mut random, 11);
            assert!(vary.forward(&[2.0; 121]).iter().all(|v| (v - 2.0).abs() < 1e-5));
            let mut numbers = testing::Random::new(9);
            let [x, y] = [0, 1].map(|_| numbers.tensor(&[242], 1.0).into_data());
            let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            let (there, back) = (dot(&vary.forward(&x), &y), dot(&x, &vary.backward(&y)));
            assert!((there - back).abs() < 1e-3, "{there} {back}");
        }
    }

    #[test]
    fn nothing_changes_without_a_change() {
        let none = Variation { size: 5, turn: [1.0, 0.0], shift: [0.0; 2] };
        let x: Vec<f32> = (0..25u8).map(f32::from).collect();
        assert_eq!(none.forward(&x), x);
        let down = Variation { shift: [1.0, 0.0], ..none };
        assert_eq!(down.forward(&x)[..5], x[5..10]);
        assert_eq!(down.forward(&x)[20..], x[20..]);
    }
}
