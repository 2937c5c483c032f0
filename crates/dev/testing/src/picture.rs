use graph::{ChannelOrder, Encoding};
use tensor::Tensor;

use crate::Random;

/// Pixels from one random level to the next.
const CELL: usize = 8;

/// A random smooth picture with a little grain: `shape` is `[N, C, H, W]`,
/// values in 0..=255 and whole multiples of 1/64, so that they are exact.
///
/// Each plane has random levels 8 pixels apart, linear in between.
pub fn smooth_picture(shape: [usize; 4], seed: u64) -> Tensor {
    let [n, c, h, w] = shape;
    let (rows, columns) = (h / CELL + 2, w / CELL + 2);
    let mut random = Random::named(seed, "picture");
    let levels: Vec<u64> = (0..n * c * rows * columns).map(|_| random.bits() >> 56).collect();
    let mut grain = Random::named(seed, "grain");
    let mut data = Vec::with_capacity(n * c * h * w);
    for plane in levels.chunks(rows * columns) {
        for y in 0..h {
            for x in 0..w {
                let level = blend(plane, columns, y, x) + (grain.bits() >> 60) * 64;
                data.push((level as f32 / 64.0).min(255.0));
            }
        }
    }
    Tensor::new(shape, data)
}

/// The four levels around a pixel, each times 64 and its share.
fn blend(levels: &[u64], columns: usize, y: usize, x: usize) -> u64 {
    let (down, across) = ((y % CELL) as u64, (x % CELL) as u64);
    let at = |dy: usize, dx: usize| levels[(y / CELL + dy) * columns + x / CELL + dx];
    let cell = CELL as u64;
    (at(0, 0) * (cell - across) + at(0, 1) * across) * (cell - down)
        + (at(1, 0) * (cell - across) + at(1, 1) * across) * down
}

/// A picture in 0..=255 in the numbers that a network wants.
///
/// # Panics
///
/// If the picture has not three channels, or the encoding is not RGB.
pub fn encoded(picture: &Tensor, encoding: &Encoding) -> Tensor {
    let [_, c, h, w] = picture.shape4();
    assert!(c == 3 && encoding.order == ChannelOrder::Rgb, "only RGB is encoded here");
    let mut tensor = picture.clone();
    for (i, plane) in tensor.data_mut().chunks_mut(h * w).enumerate() {
        let (mean, std) = (encoding.mean[i % 3], encoding.std[i % 3]);
        for v in plane {
            *v = (*v / 255.0 * encoding.scale - mean) / std;
        }
    }
    tensor
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `golden/common.py` makes of the same seed.
    #[test]
    fn the_picture_is_the_scripts() {
        let picture = smooth_picture([1, 3, 9, 10], 2);
        let some = |t: &Tensor| [0, 100, 269].map(|i| t.data()[i].to_bits());
        assert_eq!(some(&picture), [91.0f32, 51.75, 162.75].map(f32::to_bits));
        let sum: f64 = picture.data().iter().map(|&v| f64::from(v)).sum();
        assert!((sum - 34160.8125).abs() < 1e-9);
        let encoded = encoded(&picture, &Encoding::IMAGENET);
        assert_eq!(
            some(&encoded),
            [-0.559_551_36_f32, -1.129_726_9, 1.032_156_8].map(f32::to_bits)
        );
    }

    #[test]
    fn smooth_but_not_flat() {
        let picture = smooth_picture([2, 3, 17, 21], 5);
        let data = picture.data();
        assert!(data.iter().all(|v| (0.0..=255.0).contains(v)));
        let rough = |step: usize| {
            data.windows(step + 1).map(|d| (d[step] - d[0]).abs()).sum::<f32>() / data.len() as f32
        };
        assert!(rough(1) < rough(8) && rough(1) > 1.0);
    }
}
