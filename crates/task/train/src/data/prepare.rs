//! From a file to a small picture in memory.

use std::fmt;
use std::path::Path;

use imaging::{
    Channels, Depth, Filter, Fit, ImagingError, Limits, Picture, Pixels, decode_file, resize_tensor,
};

/// An 8-bit RGB picture, ready to be cut from.
///
/// Eight bits whether it comes from a file of 16 or from the cache, so that a
/// batch is the same with a cache and without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prepared {
    /// Height and width.
    pub(super) size: [usize; 2],
    /// Rows of interleaved values.
    pub(super) pixels: Vec<u8>,
}

/// How photographs are brought to one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaling {
    pub(super) to: ScaleTo,
    pub(super) filter: Filter,
    pub(super) limits: Limits,
}

/// The size that a photograph is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScaleTo {
    /// Pixels of the shorter side; it keeps its shape.
    Short(usize),
    /// Height and width.
    Exactly([usize; 2]),
}

impl fmt::Display for ScaleTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(short) => write!(f, "{short}"),
            Self::Exactly([height, width]) => write!(f, "{height}x{width}"),
        }
    }
}

impl Scaling {
    /// Decodes a photograph and scales it; its alpha is left out.
    ///
    /// # Errors
    ///
    /// As [`decode_file`], and [`ImagingError::TooLarge`] for a picture so narrow
    /// that it would be too large once its shorter side is long enough.
    pub(super) fn prepare(&self, path: &Path) -> Result<Prepared, ImagingError> {
        let picture = decode_file(path, &self.limits)?;
        let size = match self.to {
            ScaleTo::Short(short) => Fit::Short(short).size(picture.size()),
            ScaleTo::Exactly(size) => size,
        };
        let [height, width] = size.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        if u64::from(height) * u64::from(width) > self.limits.pixels {
            return Err(ImagingError::TooLarge { width, height, limit: self.limits.pixels });
        }
        if size == picture.size()
            && picture.channels() == Channels::Rgb
            && let Pixels::U8(pixels) = picture.pixels()
        {
            return Ok(Prepared { size, pixels: pixels.clone() });
        }
        let rgb = picture.to_rgb_tensor();
        drop(picture);
        let small = Picture::from_rgb_tensor(&resize_tensor(&rgb, size, self.filter), Depth::Eight);
        let Pixels::U8(pixels) = small.pixels() else { unreachable!("eight bits were asked for") };
        Ok(Prepared { size, pixels: pixels.clone() })
    }
}
