//! Planes of colour, made coarser.

use rayon::prelude::*;
use tensor::Tensor;

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
    fn cells_are_means() {
        let x = Tensor::new([1, 1, 3, 4], (0..12u8).map(f32::from).collect());
        assert_eq!(shrunk(&x, 2).data(), [2.5, 4.5]);
    }
}
