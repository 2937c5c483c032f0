use fearless_simd::prelude::*;
use rayon::prelude::*;
use tensor::Plane;

use crate::Level;
use crate::simd::at_level;

/// Per channel of one image, the sums over its pixels that the gradient of a
/// normalisation or a bias needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GradientSums {
    /// `Σ g`.
    pub plain: Vec<f64>,
    /// `Σ g · (x − centre)`, if there are values; zeros otherwise.
    pub centred: Vec<f64>,
}

/// Pixels summed in `f32` before the sum moves to `f64`.
const RUN: usize = 64;
/// Pixels of a task.
const TASK: usize = 32 * RUN;

impl GradientSums {
    /// One entry per image. `values` are the plane `x` and a centre for each
    /// image and channel.
    ///
    /// # Panics
    ///
    /// If the planes differ in shape.
    pub fn of(level: Level, grad: &Plane, values: Option<(&Plane, &[f32])>) -> Vec<Self> {
        let stride = grad.stride();
        if let Some((x, centre)) = values {
            assert_eq!((x.shape(), x.stride()), (grad.shape(), stride), "another shape");
            assert_eq!(centre.len(), grad.shape()[0] * stride, "another number of centres");
        }
        let of_image = |image: usize| {
            let parts = grad.image(image).par_chunks(TASK * stride).enumerate();
            let parts: Vec<Self> = parts
                .map(|(i, g)| {
                    let values = values.map(|(x, centre)| {
                        let centre = &centre[image * stride..][..stride];
                        (&x.image(image)[i * TASK * stride..][..g.len()], centre)
                    });
                    at_level!(level, simd => part(simd, (g, stride), values))
                })
                .collect();
            parts.into_iter().fold(Self::zeros(stride), |mut total, part| {
                total.add(&part);
                total
            })
        };
        (0..grad.shape()[0]).map(of_image).collect()
    }

    fn zeros(stride: usize) -> Self {
        Self { plain: vec![0.0; stride], centred: vec![0.0; stride] }
    }

    /// Adds another's sums.
    pub fn add(&mut self, other: &Self) {
        let add = |to: &mut [f64], from: &[f64]| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        };
        add(&mut self.plain, &other.plain);
        add(&mut self.centred, &other.centred);
    }
}

/// Adds pixels of `stride` values to their sums.
#[inline(always)]
pub(crate) fn add_pixels<S: Simd>(simd: S, pixels: &[f32], stride: usize, sums: &mut [f64]) {
    let part = part(simd, (pixels, stride), None);
    sums.iter_mut().zip(part.plain).for_each(|(sum, part)| *sum += part);
}

#[inline(always)]
fn part<S: Simd>(
    simd: S,
    (grad, stride): (&[f32], usize),
    values: Option<(&[f32], &[f32])>,
) -> GradientSums {
    let lanes = S::f32s::LEN;
    let mut total = GradientSums::zeros(stride);
    let whole = stride / lanes * lanes;
    for (r, run) in grad.chunks(RUN * stride).enumerate() {
        let seen = values.map(|(x, centre)| (&x[r * RUN * stride..][..run.len()], centre));
        for c in (0..whole).step_by(lanes) {
            let mut sums = [S::f32s::splat(simd, 0.0); 2];
            let centre = seen.map(|(x, m)| (x, S::f32s::from_slice(simd, &m[c..c + lanes])));
            for (i, pixel) in run.chunks_exact(stride).enumerate() {
                let g = S::f32s::from_slice(simd, &pixel[c..c + lanes]);
                sums[0] += g;
                if let Some((x, centre)) = centre {
                    let at = i * stride + c;
                    let d = S::f32s::from_slice(simd, &x[at..at + lanes]) - centre;
                    sums[1] = d.mul_add(g, sums[1]);
                }
            }
            for lane in 0..lanes {
                total.plain[c + lane] += f64::from(sums[0].as_slice()[lane]);
                total.centred[c + lane] += f64::from(sums[1].as_slice()[lane]);
            }
        }
        for c in whole..stride {
            let mut sums = [0.0f32; 2];
            for (i, pixel) in run.chunks_exact(stride).enumerate() {
                sums[0] += pixel[c];
                if let Some((x, centre)) = seen {
                    sums[1] += pixel[c] * (x[i * stride + c] - centre[c]);
                }
            }
            total.plain[c] += f64::from(sums[0]);
            total.centred[c] += f64::from(sums[1]);
        }
    }
    total
}
