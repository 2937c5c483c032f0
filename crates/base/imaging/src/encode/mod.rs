//! From a [`Picture`] to bytes.

mod bmp;
mod jpeg;
mod png;
mod tiff;
mod webp;

use std::{borrow::Cow, path::Path};

use crate::{Format, ImagingError, Picture, Pixels, profile};

/// How to write a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// JPEG quality; out of 1..=100 it is clamped. Default: 92. From 90 up, colour
    /// is kept at full resolution (4:4:4), below it is halved both ways (4:2:0).
    /// The other formats are without loss.
    pub quality: u8,
    /// How hard PNG and TIFF try to be small. Default: fast.
    pub effort: Effort,
}

/// Time spent to make a lossless file smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// The default: a photograph-like PNG takes a tenth of the time and a third more bytes.
    #[default]
    Fast,
    /// zlib's usual trade.
    Balanced,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self { quality: 92, effort: Effort::default() }
    }
}

/// Encodes a picture, tagged as sRGB, with its EXIF and XMP.
///
/// | format | depth | grey | alpha | profile | EXIF, XMP |
/// |---|---|---|---|---|---|
/// | JPEG | 8 | kept | flattened on white | ICC | kept up to 64 KiB each |
/// | PNG | 8, 16 | kept | kept | `sRGB` chunk | kept |
/// | WebP (lossless) | 8 | becomes RGB | kept | ICC | kept |
/// | TIFF | 8, 16 | kept | kept | ICC | kept |
/// | BMP | 8 | becomes RGB | kept | none | lost |
///
/// 16 bits become the nearest of 8 where the format has no more.
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
    match format {
        Format::Jpeg => jpeg::write(picture, *options),
        Format::Png => png::write(picture, *options),
        Format::WebP => webp::write(picture),
        Format::Tiff => tiff::write(picture, *options),
        Format::Bmp => bmp::write(picture),
        Format::Gif | Format::Avif => Err(ImagingError::Unsupported {
            format,
            what: format!("not written here; use {}", Format::writable()),
        }),
    }
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
    let bytes = encode(picture, Format::for_path(path)?, options)?;
    crate::atomic_write(path, &bytes)?;
    Ok(())
}

/// The values in 8 bits, 16 being rounded to the nearest.
fn eight_bits(picture: &Picture) -> Cow<'_, [u8]> {
    match picture.pixels() {
        Pixels::U8(values) => Cow::Borrowed(values),
        Pixels::U16(values) => Cow::Owned(values.iter().map(|&v| profile::narrow(v)).collect()),
    }
}

/// Both sides, if neither is over `most`.
fn sides(picture: &Picture, format: Format, most: u32) -> Result<[u32; 2], ImagingError> {
    let [width, height] = [picture.width(), picture.height()].map(|side| side as u64);
    if width.max(height) <= u64::from(most) {
        return Ok([width as u32, height as u32]);
    }
    let what = format!("{width}×{height} pixels, but a side is at most {most}");
    Err(ImagingError::DoesNotFit { format, what })
}

/// The ICC profile that says what the picture's values are.
fn icc(picture: &Picture) -> Option<&'static [u8]> {
    let profile =
        if picture.channels().is_grey() { &profile::GREY_ICC } else { &profile::SRGB_ICC };
    profile.as_deref()
}

/// What an encoder says of a picture that was checked beforehand.
fn refused(format: Format, error: &impl ToString) -> ImagingError {
    ImagingError::DoesNotFit { format, what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channels;

    #[test]
    fn sixteen_bits_become_the_nearest_of_eight() {
        let values = vec![0, 128, 129, 32767, 32768, 65535];
        let picture = Picture::new([1, 6], Channels::Grey, Pixels::U16(values));
        assert_eq!(*eight_bits(&picture), [0, 0, 1, 127, 128, 255]);
    }
}
