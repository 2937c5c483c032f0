use crate::Moments;

/// `x · scale + shift` with one pair per image and channel, channels padded as
/// in the plane it applies to. A normalisation whose statistics are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Affine {
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    pub(crate) stride: usize,
}

impl Affine {
    /// The same pair for all `images` and for `stride` channels.
    pub fn constant(images: usize, stride: usize, [scale, shift]: [f32; 2]) -> Self {
        let len = images * stride;
        Self { scale: vec![scale; len], shift: vec![shift; len], stride }
    }

    /// A pair for each channel, the same for all `images`.
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
        let stride = moments.first().map_or(0, |m| m.mean.len());
        let mut affine = Self::constant(moments.len(), stride, [0.0, 0.0]);
        for (image, m) in moments.iter().enumerate() {
            for c in 0..gain.len() {
                let scale = f64::from(gain[c]) / (m.variance(c) + f64::from(eps)).sqrt();
                affine.scale[image * stride + c] = scale as f32;
                affine.shift[image * stride + c] = (f64::from(bias[c]) - m.mean[c] * scale) as f32;
            }
        }
        affine
    }

    /// The pairs of one image.
    pub(crate) fn image(&self, image: usize) -> [&[f32]; 2] {
        let range = image * self.stride..(image + 1) * self.stride;
        [&self.scale[range.clone()], &self.shift[range]]
    }
}
