//! Between integer pixels and planes of floats.

use tensor::Tensor;

use crate::{Depth, Picture};

impl Picture {
    /// The colours as `[1, 3, H, W]`, sRGB in 0..=1.
    ///
    /// Grey fills all three planes. Alpha is left out, and the colour under
    /// transparent pixels is taken as it is stored.
    pub fn to_rgb_tensor(&self) -> Tensor {
        unimplemented!()
    }

    /// This picture with other colours: same alpha, depth, metadata and source.
    ///
    /// `rgb` is `[1, 3, H, W]`, sRGB in 0..=1, of any size; where its size is not
    /// the picture's, alpha is resampled to it and the EXIF block's pixel
    /// dimensions follow. The result is [`Rgb`](crate::Channels::Rgb) or
    /// [`Rgba`](crate::Channels::Rgba) even where the picture was grey. Values
    /// are clamped, then rounded to the nearest step, halves away from zero; NaN
    /// becomes 0.
    ///
    /// # Panics
    ///
    /// If `rgb` is not `[1, 3, H, W]` with `H` and `W` at least 1.
    #[must_use]
    pub fn with_rgb_tensor(&self, rgb: &Tensor) -> Self {
        let _ = rgb;
        unimplemented!()
    }

    /// A picture without alpha or metadata, from `[1, 3, H, W]` sRGB in 0..=1;
    /// values are rounded as in [`with_rgb_tensor`](Self::with_rgb_tensor).
    ///
    /// # Panics
    ///
    /// As [`with_rgb_tensor`](Self::with_rgb_tensor).
    pub fn from_rgb_tensor(rgb: &Tensor, depth: Depth) -> Self {
        let _ = (rgb, depth);
        unimplemented!()
    }
}
