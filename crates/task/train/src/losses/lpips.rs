//! LPIPS, and its gradient.

use nets::lpips::{CHANNELS, LEAST, head_names};
use rayon::prelude::*;
use tensor::Plane;
use weights::StateDict;

/// The weights of LPIPS's five heads: one for each channel of each layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Heads(Vec<Vec<f32>>);

impl Heads {
    /// Those among the tensors of a file; `None` if one is missing or of another network.
    pub fn of(tensors: &StateDict) -> Option<Self> {
        let head = |(layer, channels): (usize, usize)| {
            let names = head_names(layer);
            let head = names.iter().find_map(|name| tensors.get(name))?;
            (head.data().len() == channels).then(|| head.data().to_vec())
        };
        CHANNELS.into_iter().enumerate().map(head).collect::<Option<_>>().map(Self)
    }

    /// The part of one layer: `scale` times the weighted squared differences between the
    /// directions of each pixel's features, summed over pixels; and its gradient by the
    /// features `seen`.
    ///
    /// With `u = f / (|f| + ε)` and `g = 2 w (u − v)`, the gradient by `f` is
    /// `(g − f (g·f) / (|f| (|f| + ε))) / (|f| + ε)`; 0 where there are no features at all,
    /// where it has none.
    pub(super) fn compare(
        &self,
        layer: usize,
        [seen, wanted]: [&Plane; 2],
        scale: f64,
        gradient: &mut Plane,
    ) -> f64 {
        let head = &self.0[layer];
        let (stride, row) = (seen.stride(), seen.row_len());
        let rows = gradient.data_mut().par_chunks_exact_mut(row).enumerate();
        let of_row = |(at, gradient): (usize, &mut [f32])| {
            let [seen, wanted] = [seen, wanted].map(|p| &p.data()[at * row..][..row]);
            let pixels = seen.chunks_exact(stride).zip(wanted.chunks_exact(stride));
            let pixels = pixels.zip(gradient.chunks_exact_mut(stride));
            pixels.map(|((f, g), to)| pixel(head, [f, g], scale, to)).sum::<f64>()
        };
        let sums: Vec<f64> = rows.map(of_row).collect();
        scale * sums.into_iter().sum::<f64>()
    }
}

/// The weighted squared difference of one pixel, and `scale` times its gradient.
fn pixel(head: &[f32], [f, other]: [&[f32]; 2], scale: f64, to: &mut [f32]) -> f64 {
    let length = |f: &[f32]| f.iter().map(|v| f64::from(v * v)).sum::<f64>().sqrt();
    let (own, others) = (length(f), length(other) + f64::from(LEAST));
    let divisor = own + f64::from(LEAST);
    let (mut sum, mut along) = (0.0, 0.0);
    to.fill(0.0);
    for (((to, &f), &v), &w) in to.iter_mut().zip(f).zip(other).zip(head) {
        let d = f64::from(f) / divisor - f64::from(v) / others;
        sum += f64::from(w) * d * d;
        let slope = 2.0 * f64::from(w) * d;
        along += slope * f64::from(f);
        *to = slope as f32;
    }
    if own > 0.0 {
        let turned = along / (own * divisor);
        for (to, &f) in to.iter_mut().zip(f) {
            *to = (scale * (f64::from(*to) - f64::from(f) * turned) / divisor) as f32;
        }
    } else {
        to.fill(0.0);
    }
    sum
}
