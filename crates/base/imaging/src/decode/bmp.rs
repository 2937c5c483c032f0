use zune_bmp::{BmpDecoder, BmpDecoderErrors};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

use super::{Ink, Raw};
use crate::{Channels, Format, ImagingError, Limits, Pixels, identify, profile::Tag};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw, ImagingError> {
    let probe = identify(bytes)?;
    limits.check([probe.width, probe.height], 4)?;
    let header = Header::of(bytes).ok_or(ImagingError::Truncated { format: Format::Bmp })?;
    if !header.is_whole(bytes.len() as u64, probe.width, probe.height) {
        return Err(ImagingError::Truncated { format: Format::Bmp });
    }
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
    let (channels, values) = if channels == Channels::Rgba && !header.has_alpha {
        let opaque = values.as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2]]).collect();
        (Channels::Rgb, opaque)
    } else {
        (channels, values)
    };
    let mut raw = Raw::new([height, width], Ink::Light(channels), Pixels::U8(values));
    raw.tag = decoder.icc_profile().cloned().map_or(Tag::None, Tag::Icc);
    Ok(raw)
}

/// What the codec does not tell.
struct Header {
    /// Where the pixels begin.
    pixels: u64,
    bits: u64,
    is_packed: bool,
    /// Whether a mask says where alpha is. Without one, the fourth byte of a pixel
    /// is unused, and zero in most files.
    has_alpha: bool,
}

impl Header {
    fn of(bytes: &[u8]) -> Option<Self> {
        let long = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let short = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let size = long(14)?;
        let pixels = u64::from(long(10)?);
        if size == 12 {
            let bits = u64::from(short(24)?);
            return Some(Self { pixels, bits, is_packed: false, has_alpha: false });
        }
        let compression = long(30)?;
        let is_masked = [3, 6].contains(&compression);
        let has_alpha = is_masked && size >= 56 && long(66)? != 0;
        let bits = u64::from(short(28)?);
        Some(Self { pixels, bits, is_packed: ![0, 3, 6].contains(&compression), has_alpha })
    }

    /// Whether every row is there. The codec would leave missing ones black. Of
    /// run-length packed rows only the decoder can tell.
    fn is_whole(&self, len: u64, width: u32, height: u32) -> bool {
        let row = (u64::from(width) * self.bits).div_ceil(32) * 4;
        self.is_packed || self.pixels + row * u64::from(height) <= len
    }
}

fn translate(error: &BmpDecoderErrors) -> ImagingError {
    match error {
        BmpDecoderErrors::IoErrors(_) => ImagingError::Truncated { format: Format::Bmp },
        other => ImagingError::Corrupt { format: Format::Bmp, what: format!("{other:?}") },
    }
}
