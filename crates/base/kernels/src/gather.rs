//! Kernels that only move pixels: padding, cropping, enlarging, joining.

use rayon::prelude::*;
use tensor::Plane;

use crate::Axis;
use crate::Level;
use crate::bands::{Collect, for_bands};

const BAND_ROWS: usize = 8;

/// Output pixel `(y, x)` is input pixel `(rows[y], columns[x])`, or zeros:
/// padding, cropping, nearest-neighbour enlargement, repetition over space.
///
/// # Panics
///
/// If the axes do not have the output's size, or channels differ.
pub fn gather(level: Level, from: &Plane, [rows, columns]: [&Axis; 2], to: &mut Plane) {
    let [_, _, h, w] = to.shape();
    assert_eq!((rows.len(), columns.len()), (h, w), "an axis of another size");
    let stride = from.stride();
    assert_eq!(to.stride(), stride, "channels differ");
    let row_len = from.row_len();
    let runs = runs(columns);
    for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
        for (y, line) in band.data.chunks_exact_mut(w * stride).enumerate() {
            let Some(row) = rows.at(band.top + y) else {
                line.fill(0.0);
                continue;
            };
            let source = &from.image(band.image)[row * row_len..][..row_len];
            let mut rest = &mut line[..];
            for &(column, count) in &runs {
                let (pixels, after) = rest.split_at_mut(count * stride);
                match column {
                    Some(column) => copy(&source[column * stride..][..count * stride], pixels),
                    None => pixels.fill(0.0),
                }
                rest = after;
            }
        }
    });
}

/// An axis as runs of neighbouring pixels: the first, or none, and how many.
fn runs(axis: &Axis) -> Vec<(Option<usize>, usize)> {
    let mut runs = vec![];
    let mut at = 0;
    while at < axis.len() {
        let count = axis.run(at).min(axis.len() - at);
        runs.push((axis.at(at), count));
        at += count;
    }
    runs
}

/// Copies values; of a picture's few channels without a call.
fn copy(from: &[f32], to: &mut [f32]) {
    match (from, to) {
        (&[a], [x]) => *x = a,
        (&[a, b], [x, y]) => (*x, *y) = (a, b),
        (from, to) => to.copy_from_slice(from),
    }
}

/// Enlargement by a whole factor, linear between pixel centres, edges repeated
/// (PyTorch's `bilinear` with `align_corners=False`).
///
/// # Panics
///
/// If the output is not exactly `factor` times as large.
pub fn bilinear(level: Level, from: &Plane, factor: usize, to: &mut Plane) {
    let [_, _, h, w] = from.shape();
    let stride = from.stride();
    assert_eq!(to.shape()[2..], [h * factor, w * factor], "another size");
    let row_len = from.row_len();
    let (down, across) = (blend(h, factor), blend(w, factor));
    for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
        for (y, line) in band.data.chunks_exact_mut(across.len() * stride).enumerate() {
            let (y0, y1, fy) = down[band.top + y];
            let image = from.image(band.image);
            let (top, bottom) =
                (&image[y0 * row_len..][..row_len], &image[y1 * row_len..][..row_len]);
            for (pixel, &(x0, x1, fx)) in line.chunks_exact_mut(stride).zip(&across) {
                for (c, value) in pixel.iter_mut().enumerate() {
                    let mix =
                        |row: &[f32]| (1.0 - fx) * row[x0 * stride + c] + fx * row[x1 * stride + c];
                    *value = (1.0 - fy) * mix(top) + fy * mix(bottom);
                }
            }
        }
    });
}

/// For each output position along an axis: the two pixels it lies between, and
/// the share of the second.
pub(crate) fn blend(size: usize, factor: usize) -> Vec<(usize, usize, f32)> {
    (0..size * factor)
        .map(|i| {
            let at = ((i as f32 + 0.5) / factor as f32 - 0.5).max(0.0);
            let first = at as usize;
            (first, (first + 1).min(size - 1), at - first as f32)
        })
        .collect()
}

/// The channels of all `parts`, one after the other.
///
/// # Panics
///
/// If the parts' sizes differ from the output's.
pub fn concat(parts: &[&Plane], to: &mut Plane) {
    let stride = to.stride();
    let [_, channels, ..] = to.shape();
    assert_eq!(parts.iter().map(|p| p.shape()[1]).sum::<usize>(), channels, "channels differ");
    to.data_mut().par_chunks_mut(stride * 256).enumerate().for_each(|(i, pixels)| {
        for (j, pixel) in pixels.chunks_exact_mut(stride).enumerate() {
            let mut at = 0;
            for part in parts {
                let c = part.shape()[1];
                let from = &part.data()[(i * 256 + j) * part.stride()..][..c];
                pixel[at..at + c].copy_from_slice(from);
                at += c;
            }
            pixel[at..].fill(0.0);
        }
    });
}

/// `[N, C, H, W]` to `[N, C·H·W, 1, 1]`, channel slowest, as PyTorch's `flatten`.
///
/// # Panics
///
/// If the output does not have as many values.
pub fn flatten(from: &Plane, to: &mut Plane) {
    let [_, c, h, w] = from.shape();
    assert_eq!(to.shape()[1], c * h * w, "another number of values");
    let stride = to.stride();
    for (image, out) in to.data_mut().chunks_exact_mut(stride).enumerate() {
        out.fill(0.0);
        for (p, pixel) in from.image(image).chunks_exact(from.stride()).enumerate() {
            for (channel, &value) in pixel[..c].iter().enumerate() {
                out[channel * h * w + p] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Border;
    use crate::reference::{assert_near, noise};
    use tensor::Tensor;

    fn plane(shape: [usize; 4]) -> Plane {
        let mut p = Plane::zeros(shape);
        p.fill_from(&Tensor::new(shape, noise(shape.iter().product())));
        p
    }

    #[test]
    fn gather_pads_and_crops() {
        let from = plane([2, 17, 3, 4]);
        let rows = Axis::new([3, 1], [1, 1], Border::Zero);
        let columns = Axis::from_map(vec![Some(2), Some(1)]);
        let mut to = Plane::zeros([2, 17, 5, 2]);
        gather(Level::best(), &from, [&rows, &columns], &mut to);
        let (from, to) = (from.to_tensor(), to.to_tensor());
        let at = |y: usize, x: usize| from.data()[((17 + 16) * 3 + y) * 4 + x];
        let last = &to.data()[(17 + 16) * 10..];
        assert_eq!(last[..4], [0.0, 0.0, at(0, 2), at(0, 1)]);
        assert_eq!(last[6..], [at(2, 2), at(2, 1), 0.0, 0.0]);
    }

    #[test]
    fn bilinear_matches_its_definition() {
        let from = plane([1, 3, 4, 5]);
        let mut to = Plane::zeros([1, 3, 12, 15]);
        for level in Level::available() {
            bilinear(level, &from, 3, &mut to);
            let values = from.to_tensor();
            let want = |i: usize| {
                let (c, y, x) = (i / 180, i / 15 % 12, i % 15);
                let place =
                    |i: usize, n: usize| ((i as f64 + 0.5) / 3.0 - 0.5).clamp(0.0, (n - 1) as f64);
                let (fy, fx) = (place(y, 4), place(x, 5));
                let mut sum = 0.0;
                for yy in 0..4 {
                    for xx in 0..5 {
                        let weight = (1.0 - (fy - yy as f64).abs()).max(0.0)
                            * (1.0 - (fx - xx as f64).abs()).max(0.0);
                        sum += weight * f64::from(values.data()[(c * 4 + yy) * 5 + xx]);
                    }
                }
                sum
            };
            assert_near(to.to_tensor().data(), want, 8.0 * f64::from(f32::EPSILON), level);
        }
    }

    #[test]
    fn joins_and_flattens_in_pytorchs_order() {
        let (a, b) = (plane([1, 3, 2, 2]), plane([1, 18, 2, 2]));
        let mut to = Plane::zeros([1, 21, 2, 2]);
        concat(&[&a, &b], &mut to);
        let joined = [a.to_tensor().into_data(), b.to_tensor().into_data()].concat();
        assert_eq!(to.to_tensor().data(), joined);
        let mut flat = Plane::zeros([1, 84, 1, 1]);
        flatten(&to, &mut flat);
        assert_eq!(flat.to_tensor().data(), joined);
    }
}
