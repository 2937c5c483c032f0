use fearless_simd::prelude::*;
use tensor::Plane;

use super::sums::GradientSums;
use crate::bands::{Band, Collect, for_bands};
use crate::simd::at_level;
use crate::{Affine, Epilogue, Level, Moments};

const BAND_ROWS: usize = 4;

/// The gradient of a normalisation or a constant map with respect to what it
/// reads: `on_grad · g + on_value · (x − centre) + constant`, with one set of
/// factors for each image and channel.
#[derive(Clone, Debug)]
pub struct AffineGradient {
    centre: Vec<f32>,
    on_grad: Vec<f32>,
    on_value: Vec<f32>,
    constant: Vec<f32>,
    stride: usize,
}

impl AffineGradient {
    /// Of a map that does not depend on the data.
    pub fn constant(map: &Affine) -> Self {
        let zeros = vec![0.0; map.scale.len()];
        Self {
            centre: zeros.clone(),
            on_grad: map.scale.clone(),
            on_value: zeros.clone(),
            constant: zeros,
            stride: map.stride,
        }
    }

    /// Of an instance norm, and the gradients of its gain and bias.
    ///
    /// With `x̂ = (x − mean) / √(var + eps)` and `n` pixels:
    /// `dx = gain / √(var + eps) · (g − Σg / n − x̂ · Σ(g·x̂) / n)`. `sums` were
    /// taken with the centres of `map`.
    pub fn instance_norm(
        map: &Affine,
        (moments, sums): (&[Moments], &[GradientSums]),
        (channels, eps): (usize, f32),
    ) -> (Self, [Vec<f32>; 2]) {
        let mut made = Self::constant(map);
        made.centre.clone_from(&map.centre);
        let (mut gain, mut bias) = (vec![0.0f64; channels], vec![0.0f64; channels]);
        for (image, (m, s)) in moments.iter().zip(sums).enumerate() {
            for c in 0..channels {
                let at = image * map.stride + c;
                let precision = 1.0 / (m.variance(c) + f64::from(eps));
                let off = f64::from(map.centre[at]) - m.mean(c); // what rounding the centre left out
                let centred = s.centred[c] + off * s.plain[c];
                gain[c] += centred * precision.sqrt();
                bias[c] += s.plain[c];
                let scale = f64::from(map.scale[at]);
                let on_value = -scale * precision * centred / m.count;
                made.on_value[at] = on_value as f32;
                made.constant[at] = (-scale * s.plain[c] / m.count + on_value * off) as f32;
            }
        }
        (made, [gain, bias].map(|values| values.into_iter().map(|v| v as f32).collect()))
    }

    /// Of a batch norm by its own batch, and the gradients of its gain and bias: as
    /// [`instance_norm`](Self::instance_norm), over all images at once. `moments` are
    /// those over the batch; `sums` have an entry per image.
    ///
    /// # Source
    ///
    /// Ioffe & Szegedy, "Batch Normalization", ICML 2015, section 3.
    pub fn batch_norm(
        map: &Affine,
        (moments, sums): (&Moments, &[GradientSums]),
        (channels, eps): (usize, f32),
    ) -> (Self, [Vec<f32>; 2]) {
        let mut all = sums.first().cloned().unwrap_or_default();
        for image in sums.iter().skip(1) {
            all.add(image);
        }
        let statistics = (std::slice::from_ref(moments), std::slice::from_ref(&all));
        let (mut made, parameters) = Self::instance_norm(map, statistics, (channels, eps));
        for factors in [&mut made.on_value, &mut made.constant] {
            let (first, rest) = factors.split_at_mut(map.stride);
            rest.chunks_exact_mut(map.stride).for_each(|image| image.copy_from_slice(first));
        }
        (made, parameters)
    }

    /// Writes the gradient with respect to `x`.
    ///
    /// # Panics
    ///
    /// If shapes differ.
    pub fn run(&self, level: Level, [grad, x]: [&Plane; 2], epilogue: &Epilogue, to: &mut Plane) {
        for plane in [grad, x] {
            assert_eq!((plane.shape(), plane.stride()), (to.shape(), self.stride), "other shapes");
        }
        let row_len = to.row_len();
        for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
            let rows = |plane: &'_ Plane| band.top * row_len..plane.image_len();
            let [grad, x] = [grad, x].map(|p| &p.image(band.image)[rows(p)]);
            at_level!(level, simd => self.band(simd, [grad, x], epilogue, band));
        });
    }

    #[inline(always)]
    fn band<S: Simd>(&self, simd: S, [grad, x]: [&[f32]; 2], epilogue: &Epilogue, band: &mut Band) {
        const BLOCK: usize = 16;
        let (stride, lanes) = (self.stride, S::f32s::LEN);
        let finish = epilogue.rows(band.image, band.top);
        let of = |values: &'_ [f32]| -> std::ops::Range<usize> {
            debug_assert!(values.len() >= (band.image + 1) * stride);
            band.image * stride..(band.image + 1) * stride
        };
        let all = [&self.centre, &self.on_grad, &self.on_value, &self.constant];
        let [centre, on_grad, on_value, constant] = all.map(|v| &v[of(v)]);
        let (whole, pixels) = (stride / lanes * lanes, band.data.len() / stride);
        for first in (0..pixels).step_by(BLOCK) {
            let block = first..(first + BLOCK).min(pixels);
            for c in (0..whole).step_by(lanes) {
                let load = |v: &[f32]| S::f32s::from_slice(simd, &v[c..c + lanes]);
                let [m, a, b, k] = [centre, on_grad, on_value, constant].map(load);
                for i in block.clone() {
                    let at = i * stride + c;
                    let [g, x] = [grad, x].map(|v| S::f32s::from_slice(simd, &v[at..at + lanes]));
                    let y = g.mul_add(a, (x - m).mul_add(b, k));
                    finish.store(simd, y, (&mut *band.data, at));
                }
            }
            for i in block {
                for c in whole..stride {
                    let at = i * stride + c;
                    let y = grad[at] * on_grad[c] + (x[at] - centre[c]) * on_value[c] + constant[c];
                    finish.store_scalar(y, (&mut *band.data, at));
                }
            }
        }
    }
}
