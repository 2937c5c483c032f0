//! From bytes to a [`Picture`].

use std::path::Path;

use crate::{ImagingError, Limits, Picture};

/// Decodes a picture, known by its content.
///
/// EXIF orientation is applied. Colours are converted to sRGB from the ICC
/// profile (or PNG gamma and primaries) where there is one; CMYK without a profile by the usual formula
/// `R = (1 − C)(1 − K)`. Of an animation or a multi-page file, the first frame is read.
///
/// # Errors
///
/// - [`ImagingError::NotAPicture`], [`ImagingError::Truncated`],
///   [`ImagingError::Corrupt`] or [`ImagingError::Unsupported`] for what is wrong with the bytes.
/// - [`ImagingError::TooLarge`] or [`ImagingError::TooManyBytes`] before
///   anything is decoded, if the header asks for more than `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, ImagingError> {
    let _ = (bytes, limits);
    unimplemented!()
}

/// Decodes the picture in a file; see [`decode`].
///
/// # Errors
///
/// As [`decode`], and [`ImagingError::Io`] if the file cannot be read.
pub fn decode_file(path: &Path, limits: &Limits) -> Result<Picture, ImagingError> {
    let _ = (path, limits);
    unimplemented!()
}
