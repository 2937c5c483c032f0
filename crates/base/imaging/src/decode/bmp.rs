use zune_bmp::{BmpDecoder, BmpDecoderErrors};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

use super::{Ink, Raw};
use crate::{Channels, Format, ImagingError, Limits, Pixels, identify, profile::Tag};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw, ImagingError> {
    let probe = identify(bytes)?;
    limits.check([probe.width, probe.height], 4)?;
    let options = DecoderOptions::new_fast()
        .set_max_width(probe.width as usize)
        .set_max_height(probe.height as usize);
    let mut decoder = BmpDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| translate(&e))?;
    let channels = match decoder.colorspace() {
        Some(ColorSpace::Luma) => Channels::Grey,
        Some(ColorSpace::RGB) => Channels::Rgb,
        Some(ColorSpace::RGBA) => Channels::Rgba,
        other => {
            let what = format!("{other:?} pixels are not read");
            return Err(ImagingError::Unsupported { format: Format::Bmp, what });
        }
    };
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let values = decoder.decode().map_err(|e| translate(&e))?;
    if width == 0 || values.len() != width * height * channels.count() {
        let what = "fewer pixels than the header declares".into();
        return Err(ImagingError::Corrupt { format: Format::Bmp, what });
    }
    let mut raw = Raw::new([height, width], Ink::Light(channels), Pixels::U8(values));
    raw.tag = decoder.icc_profile().cloned().map_or(Tag::None, Tag::Icc);
    Ok(raw)
}

fn translate(error: &BmpDecoderErrors) -> ImagingError {
    match error {
        BmpDecoderErrors::IoErrors(_) => ImagingError::Truncated { format: Format::Bmp },
        other => ImagingError::Corrupt { format: Format::Bmp, what: format!("{other:?}") },
    }
}
