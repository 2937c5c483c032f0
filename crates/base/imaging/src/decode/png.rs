use std::io::Cursor;

use png::{BitDepth, ColorType, DecodingError, Info, Transformations};

use super::{Ink, Raw, from_io, wide};
use crate::{Channels, Format, ImagingError, Limits, Pixels, profile::Tag};

/// The keyword under which XMP is kept.
pub(crate) const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw, ImagingError> {
    let memory = usize::try_from(limits.bytes).unwrap_or(usize::MAX);
    let mut decoder =
        png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: memory });
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|e| translate(&e))?;
    let (kind, depth) = reader.output_color_type();
    let ink = Ink::Light(match kind {
        ColorType::Grayscale => Channels::Grey,
        ColorType::GrayscaleAlpha => Channels::GreyAlpha,
        ColorType::Rgba => Channels::Rgba,
        ColorType::Rgb | ColorType::Indexed => Channels::Rgb,
    });
    let (width, height) = (reader.info().width, reader.info().height);
    let value_bytes = if depth == BitDepth::Sixteen { 2 } else { 1 };
    limits.check([width, height], ink.count() as u64 * value_bytes)?;
    let size = [height as usize, width as usize];
    let mut values = vec![0; size[0] * size[1] * ink.count() * value_bytes as usize];
    reader.next_frame(&mut values).map_err(|e| translate(&e))?;
    // What stands after the pixels (XMP often does) must not cost the picture.
    let _ = reader.finish();
    let pixels = match depth {
        BitDepth::Sixteen => Pixels::U16(wide(&values, u16::from_be_bytes)),
        _ => Pixels::U8(values),
    };
    let mut raw = Raw::new(size, ink, pixels);
    let info = reader.info();
    raw.tag = tag(info);
    raw.exif = info.exif_metadata.as_ref().map(|exif| exif.to_vec());
    raw.xmp = info
        .utf8_text
        .iter()
        .find(|text| text.keyword == XMP_KEYWORD)
        .and_then(|text| text.get_text().ok())
        .map(String::into_bytes);
    Ok(raw)
}

/// PNG, third edition, section 4.3: a profile, else the sRGB chunk, else gamma.
fn tag(info: &Info) -> Tag {
    if let Some(profile) = &info.icc_profile {
        return Tag::Icc(profile.to_vec());
    }
    match info.gama_chunk {
        Some(gamma) if info.srgb.is_none() => Tag::Gamma {
            gamma: gamma.into_value(),
            chromaticities: info.chrm_chunk.map(|c| {
                [c.white, c.red, c.green, c.blue].map(|(x, y)| [x.into_value(), y.into_value()])
            }),
        },
        _ => Tag::None,
    }
}

fn translate(error: &DecodingError) -> ImagingError {
    match error {
        DecodingError::IoError(error) => from_io(Format::Png, error),
        other => ImagingError::Corrupt { format: Format::Png, what: other.to_string() },
    }
}
