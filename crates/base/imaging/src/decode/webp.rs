use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::{Ink, Raw, from_io};
use crate::{Channels, Format, ImagingError, Limits, Pixels, profile::Tag};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw, ImagingError> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|e| translate(&e))?;
    decoder.set_memory_limit(usize::try_from(limits.bytes).unwrap_or(usize::MAX));
    let (width, height) = decoder.dimensions();
    let channels = if decoder.has_alpha() { Channels::Rgba } else { Channels::Rgb };
    let ink = Ink::Light(channels);
    // Four bytes a pixel are taken inside even where there is no alpha.
    limits.check([width, height], 4)?;
    let size = [height as usize, width as usize];
    let mut values = vec![0; size[0] * size[1] * ink.count()];
    decoder.read_image(&mut values).map_err(|e| translate(&e))?;
    let mut raw = Raw::new(size, ink, Pixels::U8(values));
    // Metadata that cannot be read must not cost the picture.
    raw.tag = decoder.icc_profile().ok().flatten().map_or(Tag::None, Tag::Icc);
    raw.exif = decoder.exif_metadata().ok().flatten().map(without_prefix);
    raw.xmp = decoder.xmp_metadata().ok().flatten();
    Ok(raw)
}

/// Some writers keep JPEG's `Exif\0\0` in front of the block.
fn without_prefix(mut exif: Vec<u8>) -> Vec<u8> {
    if exif.starts_with(b"Exif\0\0") {
        exif.drain(..6);
    }
    exif
}

fn translate(error: &DecodingError) -> ImagingError {
    match error {
        DecodingError::IoError(error) => from_io(Format::WebP, error),
        other => ImagingError::Corrupt { format: Format::WebP, what: other.to_string() },
    }
}
