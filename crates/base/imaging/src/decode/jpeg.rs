use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::{JpegDecoder, errors::DecodeErrors};

use super::{Ink, Raw};
use crate::{
    Channels, Format, ImagingError, Limits, Pixels,
    probe::jpeg::{Segments, has_end},
    profile::Tag,
};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw, ImagingError> {
    let options = DecoderOptions::new_fast()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| translate(&e))?;
    let space = decoder.input_colorspace().unwrap_or(ColorSpace::YCbCr);
    let (stored, ink) = match space {
        ColorSpace::Luma => (ColorSpace::Luma, Ink::Light(Channels::Grey)),
        ColorSpace::YCbCr | ColorSpace::RGB => (ColorSpace::RGB, Ink::Light(Channels::Rgb)),
        // Asking for what is stored yields the four planes untouched.
        ColorSpace::CMYK | ColorSpace::YCCK => (space, Ink::Cmyk),
        _ => return Err(unsupported(format!("{space:?} pixels are not read"))),
    };
    let info = decoder.info().ok_or_else(|| corrupt("no frame header"))?;
    let size = [usize::from(info.height), usize::from(info.width)];
    limits.check([info.width.into(), info.height.into()], ink.count() as u64)?;
    // The decoder would fill what is missing with grey and say nothing.
    let segments = Segments::of(bytes);
    if !has_end(bytes, segments.scan) {
        return Err(ImagingError::Truncated { format: Format::Jpeg });
    }
    decoder.set_options(options.jpeg_set_out_colorspace(stored));
    let mut values = decoder.decode().map_err(|e| translate(&e))?;
    if values.len() != size[0] * size[1] * ink.count() {
        return Err(corrupt("fewer pixels than the header declares"));
    }
    if ink == Ink::Cmyk {
        to_inks(&mut values, space, &segments);
    }
    let mut raw = Raw::new(size, ink, Pixels::U8(values));
    raw.tag = decoder.icc_profile().map_or(Tag::None, Tag::Icc);
    raw.exif = decoder.exif().cloned();
    raw.xmp = decoder.xmp().cloned();
    Ok(raw)
}

/// From stored CMYK or YCCK to ink, 255 being full.
///
/// Files with an Adobe segment store CMYK inverted. YCCK is their YCbCr of
/// `255 − CMY`, so that decoding it gives ink once more inverted: ink itself.
fn to_inks(values: &mut [u8], space: ColorSpace, segments: &Segments) {
    for [a, b, c, k] in values.as_chunks_mut::<4>().0 {
        if space == ColorSpace::YCCK {
            [*a, *b, *c] = rgb_of_ycc([*a, *b, *c]);
            *k = 255 - *k;
        } else if segments.adobe {
            for ink in [a, b, c, k] {
                *ink = 255 - *ink;
            }
        }
    }
}

/// JFIF 1.02, section "Conversion to and from RGB".
fn rgb_of_ycc([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [y + 1.402 * cr, y - 0.344_14 * cb - 0.714_14 * cr, y + 1.772 * cb].map(|v| (v + 0.5) as u8)
}

fn corrupt(what: impl Into<String>) -> ImagingError {
    ImagingError::Corrupt { format: Format::Jpeg, what: what.into() }
}

fn unsupported(what: String) -> ImagingError {
    ImagingError::Unsupported { format: Format::Jpeg, what }
}

fn translate(error: &DecodeErrors) -> ImagingError {
    match error {
        DecodeErrors::ExhaustedData | DecodeErrors::IoErrors(_) => {
            ImagingError::Truncated { format: Format::Jpeg }
        }
        DecodeErrors::Unsupported(scheme) => unsupported(format!("{scheme:?} is not read")),
        other => corrupt(format!("{other:?}")),
    }
}
