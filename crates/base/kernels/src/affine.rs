use fearless_simd::prelude::*;

use crate::Moments;

/// `(x − centre) · scale + shift` with one triple per image and channel,
/// channels padded as in the plane it applies to. A normalisation whose
/// statistics are known.
///
/// The centre is taken off first, not folded into the shift: where the mean is
/// large against the deviation, the folded form would lose the digits that count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Affine {
    pub(crate) centre: Vec<f32>,
    pub(crate) scale: Vec<f32>,
    shift: Vec<f32>,
    pub(crate) stride: usize,
}

impl Affine {
    /// `x · scale + shift`, the same for all `images` and for `stride` channels.
    pub fn constant(images: usize, stride: usize, [scale, shift]: [f32; 2]) -> Self {
        let len = images * stride;
        let (centre, scale, shift) = (vec![0.0; len], vec![scale; len], vec![shift; len]);
        Self { centre, scale, shift, stride }
    }

    /// `x · scale + shift` for each channel, the same for all `images`.
    pub fn per_channel(images: usize, stride: usize, pairs: [&[f64]; 2]) -> Self {
        let mut affine = Self::constant(images, stride, [0.0, 0.0]);
        for image in 0..images {
            for (c, (&scale, &shift)) in pairs[0].iter().zip(pairs[1]).enumerate() {
                affine.scale[image * stride + c] = scale as f32;
                affine.shift[image * stride + c] = shift as f32;
            }
        }
        affine
    }

    /// An instance norm: `gain · (x − mean) / √(variance + eps) + shift`.
    ///
    /// `gain` and `bias` hold a value per channel; `moments` an entry per image.
    pub fn instance_norm(moments: &[Moments], gain: &[f32], bias: &[f32], eps: f32) -> Self {
        let stride = moments.first().map_or(0, Moments::channels);
        let mut affine = Self::constant(moments.len(), stride, [0.0, 0.0]);
        for (image, m) in moments.iter().enumerate() {
            for c in 0..gain.len() {
                let scale = f64::from(gain[c]) / (m.variance(c) + f64::from(eps)).sqrt();
                let centre = m.mean(c) as f32;
                let rest = m.mean(c) - f64::from(centre); // what rounding left out
                let at = image * stride + c;
                affine.centre[at] = centre;
                affine.scale[at] = scale as f32;
                affine.shift[at] = (f64::from(bias[c]) - rest * scale) as f32;
            }
        }
        affine
    }

    /// What is taken off first, for each image and channel.
    pub fn centres(&self) -> &[f32] {
        &self.centre
    }

    /// The map of one image.
    pub(crate) fn image(&self, image: usize) -> Map<'_> {
        let of = |values| <[f32]>::split_at(values, image * self.stride).1;
        Map { centre: of(&self.centre), scale: of(&self.scale), shift: of(&self.shift) }
    }
}

/// The affine map of one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map<'a> {
    centre: &'a [f32],
    scale: &'a [f32],
    shift: &'a [f32],
}

/// The map of one vector of channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MapLanes<V> {
    centre: V,
    scale: V,
    shift: V,
}

impl<V> MapLanes<V> {
    #[inline(always)]
    pub(crate) fn apply<S: Simd<f32s = V>>(self, x: V) -> V
    where
        V: SimdFloat<S, Element = f32>,
    {
        (x - self.centre).mul_add(self.scale, self.shift)
    }
}

impl Map<'_> {
    /// The map of the channels from `c` on.
    #[inline(always)]
    pub(crate) fn lanes<S: Simd>(&self, simd: S, c: usize) -> MapLanes<S::f32s> {
        let range = c..c + S::f32s::LEN;
        MapLanes {
            centre: S::f32s::from_slice(simd, &self.centre[range.clone()]),
            scale: S::f32s::from_slice(simd, &self.scale[range.clone()]),
            shift: S::f32s::from_slice(simd, &self.shift[range]),
        }
    }

    /// Applied to channel `c`.
    pub(crate) fn value(&self, x: f32, c: usize) -> f32 {
        (x - self.centre[c]) * self.scale[c] + self.shift[c]
    }
}
