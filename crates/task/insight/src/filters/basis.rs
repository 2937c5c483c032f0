//! A picture as waves in decorrelated colours.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// How the colours of natural pictures vary together: its columns are what changes
/// most, from light and dark down.
///
/// # Source
///
/// `color_correlation_svd_sqrt` of tensorflow/lucid, `optvis/param/color.py`.
const COLOURS: [[f32; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

/// Squares of side `size` as a sum of waves: `values = colours · waves(scale · x) / 4`.
///
/// The waves are those of the discrete Hartley transform, which is Fourier's basis in
/// real numbers, its own inverse and its own adjoint. Slow waves get more weight, by
/// one over their frequency.
///
/// # Source
///
/// Olah, Mordvintsev and Schubert, "Feature Visualization" (2017), and `fft_image` of
/// tensorflow/lucid, whose complex coefficients are pairs of ours.
pub(super) struct Basis {
    size: usize,
    fft: Arc<dyn Fft<f32>>,
    /// One for each wave.
    scale: Vec<f32>,
    colours: [[f32; 3]; 3],
}

impl Basis {
    pub(super) fn new(size: usize) -> Self {
        let frequency = |i: usize| i.min(size - i) as f32 / size as f32;
        let slowest = 1.0 / size as f32;
        let of = |(y, x): (usize, usize)| 1.0 / frequency(y).hypot(frequency(x)).max(slowest);
        let scale = (0..size * size).map(|i| of((i / size, i % size)) / 4.0).collect();
        let norm = |c: usize| COLOURS.iter().map(|row| row[c] * row[c]).sum::<f32>().sqrt();
        let most = (0..3).map(norm).fold(0.0, f32::max);
        let colours = COLOURS.map(|row| row.map(|v| v / most));
        Self { size, fft: FftPlanner::new().plan_fft_forward(size), scale, colours }
    }

    /// The three planes before they are brought between 0 and 1.
    pub(super) fn forward(&self, x: &[f32]) -> Vec<f32> {
        let plane = self.size * self.size;
        let waves: Vec<Vec<f32>> = x
            .chunks_exact(plane)
            .map(|x| self.waves(&x.iter().zip(&self.scale).map(|(x, s)| x * s).collect::<Vec<_>>()))
            .collect();
        let mut out = vec![0.0; 3 * plane];
        for (to, row) in out.chunks_exact_mut(plane).zip(self.colours) {
            for (wave, share) in waves.iter().zip(row) {
                to.iter_mut().zip(wave).for_each(|(to, w)| *to += w * share);
            }
        }
        out
    }

    /// The adjoint.
    pub(super) fn backward(&self, gradient: &[f32]) -> Vec<f32> {
        let plane = self.size * self.size;
        let mut out = Vec::with_capacity(3 * plane);
        for column in 0..3 {
            let mut mixed = vec![0.0; plane];
            for (g, row) in gradient.chunks_exact(plane).zip(self.colours) {
                mixed.iter_mut().zip(g).for_each(|(m, g)| *m += g * row[column]);
            }
            let waves = self.waves(&mixed);
            out.extend(waves.iter().zip(&self.scale).map(|(w, s)| w * s));
        }
        out
    }

    /// The orthonormal Hartley transform of a square.
    fn waves(&self, x: &[f32]) -> Vec<f32> {
        let n = self.size;
        let mut values: Vec<Complex<f32>> = x.iter().map(|&v| Complex::new(v, 0.0)).collect();
        self.fft.process(&mut values);
        let mut turned = transposed(&values, n);
        self.fft.process(&mut turned);
        let share = 1.0 / n as f32;
        transposed(&turned, n).iter().map(|v| (v.re - v.im) * share).collect()
    }
}

fn transposed(values: &[Complex<f32>], n: usize) -> Vec<Complex<f32>> {
    (0..n * n).map(|i| values[i % n * n + i / n]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By its definition: Σ x(y, x) · cas(2π(uy + vx)/n) / n.
    #[test]
    fn waves_are_hartleys_and_their_own_inverse() {
        let basis = Basis::new(9);
        let x = testing::Random::new(4).tensor(&[81], 1.0).into_data();
        let got = basis.waves(&x);
        for (i, got) in got.iter().enumerate() {
            let sum: f64 = (0..81)
                .map(|j| {
                    let turn = std::f64::consts::TAU * ((i / 9 * (j / 9) + i % 9 * (j % 9)) as f64);
                    f64::from(x[j]) * ((turn / 9.0).cos() + (turn / 9.0).sin()) / 9.0
                })
                .sum();
            assert!((f64::from(*got) - sum).abs() < 1e-5, "{i}: {got}, {sum}");
        }
        testing::check_close(&basis.waves(&got), &x, testing::TAP).unwrap();
    }

    #[test]
    fn backward_is_the_adjoint() {
        let basis = Basis::new(8);
        let mut random = testing::Random::new(5);
        let [x, y] = [0, 1].map(|_| random.tensor(&[192], 1.0).into_data());
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let (there, back) = (dot(&basis.forward(&x), &y), dot(&x, &basis.backward(&y)));
        assert!((there - back).abs() < 1e-4 * there.abs().max(1.0), "{there} {back}");
    }
}
