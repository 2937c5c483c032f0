//! From a layer's activations and their gradients to a map.

use tensor::Tensor;

/// A layer's output for one picture and the gradient of the score by it, both
/// `[1, C, H, W]`.
pub(super) struct Evidence<'a> {
    pub(super) activations: &'a Tensor,
    pub(super) gradients: &'a Tensor,
}

impl Evidence<'_> {
    /// Each channel's activations and gradients.
    fn channels(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let [_, _, h, w] = self.activations.shape4();
        let gradients = self.gradients.data().chunks_exact(h * w);
        self.activations.data().chunks_exact(h * w).zip(gradients)
    }

    fn pixels(&self) -> usize {
        let [_, _, h, w] = self.activations.shape4();
        h * w
    }

    /// The mean gradient of each channel.
    pub(super) fn mean_gradients(&self) -> Vec<f64> {
        self.channels().map(|(_, g)| mean(g)).collect()
    }

    /// # Source
    ///
    /// Chattopadhyay et al., "Grad-CAM++" (2018), equation 19, with pytorch-grad-cam's
    /// guard of 1e-6 in the denominator.
    pub(super) fn plus_plus(&self) -> Vec<f64> {
        let weight = |(a, g): (&[f32], &[f32])| {
            let total: f64 = a.iter().map(|&v| f64::from(v)).sum();
            let part = |&g: &f32| {
                let g = f64::from(g);
                let alpha = g * g / (2.0 * g * g + total * g * g * g + 1e-6);
                if g == 0.0 { 0.0 } else { g.max(0.0) * alpha }
            };
            g.iter().map(part).sum()
        };
        self.channels().map(weight).collect()
    }

    /// # Source
    ///
    /// Fu et al., "Axiom-based Grad-CAM" (2020), equation 8, with pytorch-grad-cam's
    /// guard of 1e-7.
    pub(super) fn x_gradients(&self) -> Vec<f64> {
        let weight = |(a, g): (&[f32], &[f32])| {
            let total: f64 = a.iter().map(|&v| f64::from(v)).sum();
            let products = a.iter().zip(g).map(|(&a, &g)| f64::from(a) * f64::from(g));
            products.sum::<f64>() / (total + 1e-7)
        };
        self.channels().map(weight).collect()
    }

    /// The sum over channels of activation times gradient, each first passed
    /// through `gate`.
    pub(super) fn products(&self, gate: impl Fn(f64) -> f64) -> Vec<f32> {
        let mut sums = vec![0.0; self.pixels()];
        for (a, g) in self.channels() {
            for (sum, (&a, &g)) in sums.iter_mut().zip(a.iter().zip(g)) {
                *sum += f64::from(a) * gate(f64::from(g));
            }
        }
        rectified(&sums)
    }
}

/// The sum over channels of activation times weight, negative values set to 0.
pub(super) fn weighted(activations: &Tensor, weights: &[f64]) -> Vec<f32> {
    let [_, _, h, w] = activations.shape4();
    let mut sums = vec![0.0; h * w];
    for (plane, weight) in activations.data().chunks_exact(h * w).zip(weights) {
        for (sum, &a) in sums.iter_mut().zip(plane) {
            *sum += f64::from(a) * weight;
        }
    }
    rectified(&sums)
}

/// The projection of each pixel's channels onto their first principal component, of
/// which the larger end is taken to be the positive one, and negative values set to 0.
///
/// # Source
///
/// Muhammad and Yeasin, "Eigen-CAM" (2020), centred as in pytorch-grad-cam. There the
/// sign is what the singular value decomposition leaves; here it is that of equation
/// 13 of Chung and Ying, "Seg-Eigen-CAM" (2025).
pub(super) fn principal(activations: &Tensor) -> Vec<f32> {
    let projection = first_component(activations);
    let (least, most) = projection.iter().fold((0.0f64, 0.0f64), |(l, m), &v| (l.min(v), m.max(v)));
    let sign = if -least > most { -1.0 } else { 1.0 };
    rectified(&projection.iter().map(|v| v * sign).collect::<Vec<_>>())
}

/// By power iteration on the inner products of the channels, centred, or of the
/// pixels, whichever are fewer.
pub(super) fn first_component(activations: &Tensor) -> Vec<f64> {
    const MOST_TURNS: usize = 5000;
    const STILL: f64 = 1e-13;
    let [_, channels, h, w] = activations.shape4();
    let pixels = h * w;
    let rows: Vec<Vec<f64>> = activations
        .data()
        .chunks_exact(pixels)
        .map(|plane| {
            let centre = mean(plane);
            plane.iter().map(|&v| f64::from(v) - centre).collect()
        })
        .collect();
    let by_pixel = pixels <= channels;
    let gram = if by_pixel { inner(&transposed(&rows, pixels)) } else { inner(&rows) };
    let side = gram.len();
    let start = (0..side).max_by(|&a, &b| gram[a][a].total_cmp(&gram[b][b])).unwrap_or(0);
    let mut vector = gram[start].clone();
    let mut length = normalise(&mut vector);
    for _ in 0..MOST_TURNS {
        let mut next: Vec<f64> = gram.iter().map(|row| dot(row, &vector)).collect();
        length = normalise(&mut next);
        let moved = next.iter().zip(&vector).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        vector = next;
        if moved < STILL {
            break;
        }
    }
    if by_pixel {
        return vector.iter().map(|v| v * length.sqrt()).collect();
    }
    (0..pixels).map(|p| rows.iter().zip(&vector).map(|(row, v)| row[p] * v).sum()).collect()
}

fn transposed(rows: &[Vec<f64>], columns: usize) -> Vec<Vec<f64>> {
    (0..columns).map(|c| rows.iter().map(|row| row[c]).collect()).collect()
}

fn inner(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    rows.iter().map(|a| rows.iter().map(|b| dot(a, b)).collect()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// To length 1; gives the length it had.
fn normalise(vector: &mut [f64]) -> f64 {
    let length = dot(vector, vector).sqrt();
    if length > 0.0 {
        for v in vector.iter_mut() {
            *v /= length;
        }
    }
    length
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64
}

/// NaN stays NaN.
pub(super) fn rectified(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| if v < 0.0 { 0.0 } else { v as f32 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two channels that are one pattern: the pattern is the component, by either way.
    #[test]
    fn the_first_component_is_the_common_pattern() {
        let pattern = [1.0f32, -2.0, 0.5, 3.0, -2.5, 0.0];
        for (channels, pixels) in [(2, 6), (9, 6)] {
            let values =
                (0..channels).flat_map(|c| pattern.map(|p| p * (c as f32 + 1.0) + 7.0)).collect();
            let activations = Tensor::new([1, channels, 2, pixels / 2], values);
            let found = first_component(&activations);
            let scale = found[3] / f64::from(pattern[3]);
            for (f, p) in found.iter().zip(pattern) {
                assert!((f - scale * f64::from(p)).abs() < 1e-9, "{found:?}");
            }
            let strength: f64 = (1..=channels).map(|c| (c * c) as f64).sum();
            assert!((scale.abs() - strength.sqrt()).abs() < 1e-6);
            assert!(principal(&activations)[3] > 0.0);
        }
    }
}
