//! Photographs as lightness and colour.

use imaging::colour::lab_of_srgb;
use rayon::prelude::*;
use tensor::Tensor;

/// `[N, 3, H, W]` of RGB in 0..=1 as CIE Lab: L in 0..=100, then a and b.
pub(super) fn lab(pictures: &Tensor) -> Tensor {
    let [_, _, h, w] = pictures.shape4();
    let mut out = Tensor::zeros(pictures.shape());
    let images =
        out.data_mut().par_chunks_mut(3 * h * w).zip(pictures.data().par_chunks(3 * h * w));
    images.for_each(|(to, from)| {
        let (l, ab) = to.split_at_mut(h * w);
        let (a, b) = ab.split_at_mut(h * w);
        for i in 0..h * w {
            let rgb = [from[i], from[h * w + i], from[2 * h * w + i]];
            [l[i], a[i], b[i]] = lab_of_srgb(rgb);
        }
    });
    out
}

/// The means over cells of `cell` × `cell` pixels; what does not fill a cell is left out.
pub(super) fn shrunk(x: &Tensor, cell: usize) -> Tensor {
    let [n, c, h, w] = x.shape4();
    let (small_h, small_w) = (h / cell, w / cell);
    let mut out = Tensor::zeros([n, c, small_h, small_w]);
    let planes = out.data_mut().par_chunks_mut((small_h * small_w).max(1));
    planes.zip(x.data().par_chunks((h * w).max(1))).for_each(|(to, from)| {
        for (i, to) in to.iter_mut().enumerate() {
            let (top, left) = (i / small_w * cell, i % small_w * cell);
            let rows = (top..top + cell).map(|y| &from[y * w + left..][..cell]);
            *to = rows.map(|row| row.iter().sum::<f32>()).sum::<f32>() / (cell * cell) as f32;
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_lightness_then_colour() {
        // Two images of one pixel: white, and scikit-image's Lab of pure red.
        let lab = lab(&Tensor::new([2, 3, 1, 1], vec![1.0, 1.0, 1.0, 1.0, 0.0, 0.0]));
        let want = [100.0, 0.0, 0.0, 53.240_585, 80.092_3, 67.203_2];
        for (got, want) in lab.data().iter().zip(want) {
            assert!((got - want).abs() < 2e-2, "{got}, not {want}");
        }
    }

    #[test]
    fn cells_are_means() {
        let x = Tensor::new([1, 1, 3, 4], (0..12u8).map(f32::from).collect());
        assert_eq!(shrunk(&x, 2).data(), [2.5, 4.5]);
    }
}
