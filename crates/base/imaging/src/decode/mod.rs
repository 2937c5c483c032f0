//! From bytes to a [`Picture`].

mod bmp;
mod gif;
mod jpeg;
mod orient;
mod png;
mod raw;
mod tiff;
mod webp;

use std::{fs::File, io::Read, path::Path};

pub(crate) use orient::Orientation;
pub(crate) use png::XMP_KEYWORD;
pub(crate) use raw::{Ink, Raw};
pub(crate) use tiff::translate as from_tiff;

use crate::{Format, ImagingError, Limits, Picture, identify};

/// Decodes a picture, known by its content.
///
/// EXIF orientation is applied. Colours are converted to sRGB from the ICC
/// profile (or PNG gamma and primaries, or EXIF's mark for Adobe RGB) where there
/// is one; CMYK without a profile by the usual formula `R = (1 − C)(1 − K)`. Of
/// an animation or a file of many pages, the first is read. Palettes become RGB,
/// fewer than 8 bits become 8, and alpha is there only if the file has it.
///
/// # Errors
///
/// - [`ImagingError::NotAPicture`], [`ImagingError::Truncated`],
///   [`ImagingError::Corrupt`] or [`ImagingError::Unsupported`] for what is
///   wrong with the bytes.
/// - [`ImagingError::TooLarge`] or [`ImagingError::TooManyBytes`], before
///   anything is decoded, if the header asks for more than `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, ImagingError> {
    limits.check_bytes(bytes.len() as u64)?;
    let probe = identify(bytes)?;
    limits.check([probe.width, probe.height], 1)?;
    let raw = match probe.format {
        Format::Jpeg => jpeg::read(bytes, limits),
        Format::Png => png::read(bytes, limits),
        Format::WebP => webp::read(bytes, limits),
        Format::Tiff => tiff::read(bytes, limits),
        Format::Bmp => bmp::read(bytes, limits),
        Format::Gif => gif::read(bytes, limits),
        Format::Avif => Err(unreadable_avif()),
    }?;
    Ok(raw.finish(probe.format))
}

/// Decodes the picture in a file; see [`decode`].
///
/// # Errors
///
/// As [`decode`], and [`ImagingError::Io`] if the file cannot be read.
pub fn decode_file(path: &Path, limits: &Limits) -> Result<Picture, ImagingError> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    limits.check_bytes(len)?;
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    // `take`, for what is no plain file and has no length.
    file.by_ref().take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    decode(&bytes, limits)
}

pub(crate) fn unreadable_avif() -> ImagingError {
    ImagingError::Unsupported {
        format: Format::Avif,
        what: "not read here; save it as PNG or JPEG first".into(),
    }
}

/// What a codec's I/O error means when it reads from memory.
pub(crate) fn from_io(format: Format, error: &std::io::Error) -> ImagingError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        ImagingError::Truncated { format }
    } else {
        ImagingError::Corrupt { format, what: error.to_string() }
    }
}

/// Big-endian or native bytes as 16-bit values.
pub(crate) fn wide(bytes: &[u8], from: fn([u8; 2]) -> u16) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|&pair| from(pair)).collect()
}
