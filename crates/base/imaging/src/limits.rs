use crate::ImagingError;

/// How large a picture may be, checked on its header before anything is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels, width × height. Default: 200,000,000 (a 14,142 px square).
    pub pixels: u64,
    /// Most bytes, both of the file and of its decoded pixels. Default: 2 GiB,
    /// enough for 200 megapixels of RGB with alpha at 16 bits.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pixels: 200_000_000, bytes: 2 << 30 }
    }
}

impl Limits {
    /// Holds a picture of this size, decoded to `bytes_per_pixel`, to the limits.
    ///
    /// # Errors
    ///
    /// [`ImagingError::TooLarge`] or [`ImagingError::TooManyBytes`].
    pub(crate) fn check(
        &self,
        [width, height]: [u32; 2],
        bytes_per_pixel: u64,
    ) -> Result<(), ImagingError> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.pixels {
            return Err(ImagingError::TooLarge { width, height, limit: self.pixels });
        }
        self.check_bytes(pixels.saturating_mul(bytes_per_pixel))
    }

    /// Holds a number of bytes to the limit.
    ///
    /// # Errors
    ///
    /// [`ImagingError::TooManyBytes`].
    pub(crate) fn check_bytes(&self, need: u64) -> Result<(), ImagingError> {
        if need > self.bytes {
            return Err(ImagingError::TooManyBytes { need, limit: self.bytes });
        }
        Ok(())
    }
}
