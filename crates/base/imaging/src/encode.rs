//! From a [`Picture`] to bytes.

use std::path::Path;

use crate::{Format, ImagingError, Picture};

/// How to write a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// JPEG quality, 1..=100. Default: 92. From 90 up, colour is
    /// kept at full resolution (4:4:4), below it is halved both ways (4:2:0).
    pub quality: u8,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self { quality: 92 }
    }
}

/// Encodes a picture, tagged as sRGB, with its EXIF and XMP.
///
/// | format | depth | alpha | ICC, EXIF, XMP |
/// |---|---|---|---|
/// | JPEG | 8 | flattened on white | kept |
/// | PNG | 8, 16 | kept | kept |
/// | WebP (lossless) | 8 | kept | kept |
/// | TIFF | 8, 16 | kept | kept |
/// | BMP | 8 | kept | none |
///
/// 16 bits become 8 where the format has no more.
///
/// # Errors
///
/// - [`ImagingError::DoesNotFit`] if the format has no room for the picture's size.
/// - [`ImagingError::Unsupported`] if the format cannot be written.
pub fn encode(
    picture: &Picture,
    format: Format,
    options: &EncodeOptions,
) -> Result<Vec<u8>, ImagingError> {
    let _ = (picture, format, options);
    unimplemented!()
}

/// Encodes a picture to a file, in the format of its name's ending.
///
/// The file appears whole or not at all; see [`atomic_write`](crate::atomic_write).
///
/// # Errors
///
/// As [`encode`]; [`ImagingError::UnknownExtension`], before any work;
/// [`ImagingError::Io`] if the file cannot be written.
pub fn encode_file(
    picture: &Picture,
    path: &Path,
    options: &EncodeOptions,
) -> Result<(), ImagingError> {
    crate::atomic_write(path, &encode(picture, Format::for_path(path)?, options)?)?;
    Ok(())
}
