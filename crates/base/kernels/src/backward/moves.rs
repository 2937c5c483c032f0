//! Gradients of kernels that only move values, and of softmax.

use fearless_simd::prelude::*;
use rayon::prelude::*;
use tensor::Plane;

use crate::bands::{Band, Collect, for_bands};
use crate::simd::at_level;
use crate::{Epilogue, Level, Mask};

const BAND_ROWS: usize = 8;

/// The gradient of the part of a joined plane that begins at channel `first`.
///
/// # Panics
///
/// If the planes differ in size, or the part reaches over the whole.
pub fn join_gradient(
    level: Level,
    (grad, first): (&Plane, usize),
    epilogue: &Epilogue,
    to: &mut Plane,
) {
    let [_, channels, ..] = to.shape();
    assert!(first + channels <= grad.shape()[1], "the part reaches over the whole");
    let (stride, row_len, width) = (to.stride(), grad.row_len(), to.shape()[3]);
    for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
        let finish = epilogue.rows(band.image, band.top);
        let from = &grad.image(band.image)[band.top * row_len..];
        for i in 0..band.data.len() / stride {
            let pixel = &from[i / width * row_len + i % width * grad.stride()..];
            for c in 0..stride {
                let g = if c < channels { pixel[first + c] } else { 0.0 };
                finish.store_scalar(g, (&mut *band.data, i * stride + c));
            }
        }
    });
}

/// The gradient of [`flatten`](crate::flatten): `[N, C·H·W, 1, 1]` to `[N, C, H, W]`.
///
/// # Panics
///
/// If the planes do not hold equally many values.
pub fn unflatten(level: Level, grad: &Plane, epilogue: &Epilogue, to: &mut Plane) {
    let [_, channels, h, w] = to.shape();
    assert_eq!(grad.shape()[1], channels * h * w, "another number of values");
    let stride = to.stride();
    for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
        let finish = epilogue.rows(band.image, band.top);
        let from = grad.image(band.image);
        for i in 0..band.data.len() / stride {
            for c in 0..stride {
                let pixel = band.top * w + i;
                let g = if c < channels { from[c * h * w + pixel] } else { 0.0 };
                finish.store_scalar(g, (&mut *band.data, i * stride + c));
            }
        }
    });
}

/// Turns the gradient of a softmax's result, in place, into that of its
/// argument: `y · (g − Σ g·y)` over the channels of each pixel.
///
/// # Panics
///
/// If the planes differ.
pub fn softmax_gradient(result: &Plane, grad: &mut Plane) {
    assert_eq!((result.shape(), result.stride()), (grad.shape(), grad.stride()), "other shapes");
    let (stride, [_, channels, ..]) = (result.stride(), result.shape());
    let pixels = result.data().par_chunks_exact(stride);
    grad.data_mut().par_chunks_exact_mut(stride).zip(pixels).for_each(|(g, y)| {
        let dot: f64 =
            g[..channels].iter().zip(y).map(|(&g, &y)| f64::from(g) * f64::from(y)).sum();
        for (g, &y) in g[..channels].iter_mut().zip(y) {
            *g = y * (*g - dot as f32);
        }
    });
}

/// Multiplies a gradient by the derivative of the gate it goes back through.
///
/// # Panics
///
/// If the planes differ.
pub fn mask_gradient(mask: Mask, grad: &mut Plane) {
    let values = mask.values;
    assert_eq!((values.shape(), values.stride()), (grad.shape(), grad.stride()), "other shapes");
    let parts = values.data().par_chunks(4096);
    grad.data_mut().par_chunks_mut(4096).zip(parts).for_each(|(grad, values)| {
        for (g, &value) in grad.iter_mut().zip(values) {
            *g *= mask.gate.slope_scalar(value);
        }
    });
}

/// Sets negative gradients to zero, as guided backpropagation does at a rectifier.
/// NaN stays NaN.
pub fn hold_back_negative(grad: &mut Plane) {
    grad.data_mut().par_chunks_mut(4096).for_each(|grad| {
        for g in grad {
            *g = if *g < 0.0 { 0.0 } else { *g };
        }
    });
}

/// Values set to zero by chance, the others enlarged so that the mean stays.
///
/// Going forwards it is run on values, going backwards on gradients.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Decides, with a value's place, whether it is dropped.
    pub seed: u64,
    /// The share that is dropped, in `0.0..1.0`.
    pub share: f32,
}

impl Dropout {
    /// Writes what is left of `from`.
    ///
    /// # Panics
    ///
    /// If the planes differ.
    pub fn run(&self, level: Level, from: &Plane, epilogue: &Epilogue, to: &mut Plane) {
        assert_eq!((from.shape(), from.stride()), (to.shape(), to.stride()), "other shapes");
        let (row_len, image_len) = (to.row_len(), to.image_len());
        for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
            let start = band.image * image_len + band.top * row_len;
            at_level!(level, simd => self.band(simd, (from.data(), start), epilogue, band));
        });
    }

    #[inline(always)]
    fn band<S: Simd>(
        self,
        simd: S,
        (from, start): (&[f32], usize),
        epilogue: &Epilogue,
        band: &mut Band,
    ) {
        const RUN: usize = 64; // places decided about at a time, so that they can be vectors
        let lanes = S::f32s::LEN;
        let finish = epilogue.rows(band.image, band.top);
        let [zero, scale] = [0.0, 1.0 / (1.0 - self.share)].map(|v| S::f32s::splat(simd, v));
        let whole = band.data.len() / RUN * RUN;
        for first in (0..whole).step_by(RUN) {
            let mut kept = [0.0f32; RUN];
            for (i, kept) in kept.iter_mut().enumerate() {
                *kept = f32::from(u8::from(self.keeps((start + first + i) as u64)));
            }
            let values = &from[start + first..][..RUN];
            for i in (0..RUN).step_by(lanes) {
                let value = S::f32s::from_slice(simd, &values[i..i + lanes]) * scale;
                let kept = S::f32s::from_slice(simd, &kept[i..i + lanes]).simd_gt(zero);
                finish.store(simd, kept.select(value, zero), (&mut *band.data, first + i));
            }
        }
        for i in whole..band.data.len() {
            let kept = self.keeps((start + i) as u64);
            let value = if kept { from[start + i] * (1.0 / (1.0 - self.share)) } else { 0.0 };
            finish.store_scalar(value, (&mut *band.data, i));
        }
    }

    /// splitmix64's mixing function on the seed and the place; 24 bits of it are held
    /// against the share.
    #[inline(always)]
    fn keeps(self, place: u64) -> bool {
        let mut z = self.seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32 >= self.share
    }
}
