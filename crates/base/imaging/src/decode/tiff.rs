use std::io::Cursor;

use tiff::{
    ColorType, TiffError,
    decoder::{Decoder, DecodingResult},
    tags::Tag as Name,
};

use super::{Ink, Raw, from_io};
use crate::{Channels, Format, ImagingError, Limits, Pixels, metadata::tree, profile::Tag};

const XMP: Name = Name::Unknown(700);
const ASSOCIATED: u16 = 1;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw, ImagingError> {
    let indexed = indices_as_grey(bytes);
    let is_palette = indexed.is_some();
    let pixels = indexed.as_deref().unwrap_or(bytes);
    let mut decoder = Decoder::new(Cursor::new(pixels)).map_err(translate)?;
    let (width, height) = decoder.dimensions().map_err(translate)?;
    let kind = match decoder.colortype().map_err(translate)? {
        ColorType::Gray(bits) if is_palette => ColorType::Palette(bits),
        kind => kind,
    };
    let value_bytes = u64::from(kind.bit_depth()).div_ceil(8);
    limits.check([width, height], u64::from(kind.num_samples()) * value_bytes)?;
    let mut most = tiff::decoder::Limits::default();
    most.decoding_buffer_size = usize::try_from(limits.bytes).unwrap_or(usize::MAX);
    most.intermediate_buffer_size = most.decoding_buffer_size;
    decoder = decoder.with_limits(most);
    let mut stored = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut stored).map_err(translate)?;
    let size = [height as usize, width as usize];
    let values = match stored {
        DecodingResult::U8(values) => Pixels::U8(values),
        DecodingResult::U16(values) => Pixels::U16(values),
        _ => return Err(unsupported("only whole numbers of up to 16 bits are read")),
    };
    let values = if layout.planes > 1 { interleaved(values, size)? } else { values };
    let mut raw = sorted(&mut decoder, kind, values, size)?;
    raw.tag = vector(&mut decoder, Name::IccProfile).map_or(Tag::None, Tag::Icc);
    raw.xmp = vector(&mut decoder, XMP);
    raw.exif = tree::read(bytes).and_then(|tree| tree::write(&tree));
    Ok(raw)
}

/// A copy of a palette picture that claims to be grey, because the codec reads no
/// palettes but knows everything else about such a file.
fn indices_as_grey(bytes: &[u8]) -> Option<Vec<u8>> {
    const PALETTE: u32 = 3;
    const BLACK_IS_ZERO: u32 = 1;
    let (at, value) = tree::short_in_first(bytes, Name::PhotometricInterpretation.to_u16())?;
    if value != PALETTE {
        return None;
    }
    let mut copy = bytes.to_vec();
    // The value is 3 in one of two bytes, whatever the order; the other is 0.
    for byte in copy.get_mut(at..at + 2)? {
        if u32::from(*byte) == PALETTE {
            *byte = BLACK_IS_ZERO as u8;
        }
    }
    Some(copy)
}

fn vector(decoder: &mut Decoder<Cursor<&[u8]>>, name: Name) -> Option<Vec<u8>> {
    decoder.get_tag_u8_vec(name).ok().filter(|bytes| !bytes.is_empty())
}

/// Pixels of a kind this crate knows, from whatever the file stores.
fn sorted(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    kind: ColorType,
    values: Pixels,
    size: [usize; 2],
) -> Result<Raw, ImagingError> {
    let alpha = decoder.find_tag_unsigned_vec::<u16>(Name::ExtraSamples).ok().flatten();
    let premultiplied = alpha.as_ref().and_then(|kinds| kinds.first()) == Some(&ASSOCIATED);
    let plain = |channels: Channels, values: Pixels| exact(size, Ink::Light(channels), values);
    let raw = match kind {
        ColorType::Gray(1 | 2 | 4) => {
            let bits = kind.bit_depth();
            let scale = u8::MAX / ((1 << bits) - 1);
            let levels = unpacked(values, bits, size)?.into_iter().map(|v| v * scale).collect();
            plain(Channels::Grey, Pixels::U8(levels))
        }
        ColorType::Palette(bits @ (1 | 2 | 4 | 8)) => {
            let map = decoder.get_tag_u16_vec(Name::ColorMap).map_err(translate)?;
            let indices = unpacked(values, bits, size)?;
            plain(Channels::Rgb, Pixels::U8(looked_up(&indices, &map)?))
        }
        ColorType::Gray(8 | 16) => plain(Channels::Grey, values),
        ColorType::GrayA(8 | 16) | ColorType::Multiband { bit_depth: 8 | 16, num_samples: 2 } => {
            plain(Channels::GreyAlpha, values)
        }
        ColorType::RGB(8 | 16) => plain(Channels::Rgb, values),
        ColorType::RGBA(8 | 16) => plain(Channels::Rgba, values),
        ColorType::CMYK(8 | 16) => exact(size, Ink::Cmyk, values),
        other => Err(unsupported(&format!("{other:?} pixels are not read"))),
    }?;
    Ok(match (raw.ink, premultiplied) {
        (Ink::Light(channels), true) if channels.has_alpha() => {
            Raw { pixels: straight(raw.pixels, channels.count()), ..raw }
        }
        _ => raw,
    })
}

fn exact(size: [usize; 2], ink: Ink, values: Pixels) -> Result<Raw, ImagingError> {
    if values.len() == size[0] * size[1] * ink.count() {
        return Ok(Raw::new(size, ink, values));
    }
    let format = Format::Tiff;
    Err(ImagingError::Corrupt { format, what: "pixels do not fill the picture".into() })
}

/// One value a byte, from rows of packed bits that each begin on a byte.
fn unpacked(
    values: Pixels,
    bits: u8,
    [height, width]: [usize; 2],
) -> Result<Vec<u8>, ImagingError> {
    let Pixels::U8(packed) = values else {
        return Err(unsupported("packed values of 16 bits are not read"));
    };
    let bits = usize::from(bits);
    let row_bytes = (width * bits).div_ceil(8);
    if packed.len() < row_bytes * height {
        return Err(ImagingError::Truncated { format: Format::Tiff });
    }
    let mask = (u16::from(u8::MAX) >> (8 - bits)) as u8;
    let mut out = Vec::with_capacity(width * height);
    for row in packed.chunks_exact(row_bytes).take(height) {
        out.extend((0..width).map(|x| row[x * bits / 8] >> (8 - bits - x * bits % 8) & mask));
    }
    Ok(out)
}

/// Colours of a map that holds all reds, then all greens, then all blues, in 16 bits.
fn looked_up(indices: &[u8], map: &[u16]) -> Result<Vec<u8>, ImagingError> {
    let colours = map.len() / 3;
    if indices.iter().any(|&i| usize::from(i) >= colours) {
        let what = "a pixel's colour is not in the palette".into();
        return Err(ImagingError::Corrupt { format: Format::Tiff, what });
    }
    let value = |i: u8, c: usize| (map[c * colours + usize::from(i)] >> 8) as u8;
    Ok(indices.iter().flat_map(|&i| [value(i, 0), value(i, 1), value(i, 2)]).collect())
}

/// From one plane after the other to one pixel after the other.
fn interleaved(values: Pixels, [height, width]: [usize; 2]) -> Result<Pixels, ImagingError> {
    fn weave<T: Copy + Default>(values: &[T], area: usize) -> Vec<T> {
        let planes = values.len() / area;
        let mut out = vec![T::default(); area * planes];
        for (c, plane) in values.chunks_exact(area).enumerate() {
            out.iter_mut().skip(c).step_by(planes).zip(plane).for_each(|(to, &from)| *to = from);
        }
        out
    }
    let area = height * width;
    if !values.len().is_multiple_of(area) {
        return Err(unsupported("planes of packed bits are not read"));
    }
    Ok(match values {
        Pixels::U8(values) => Pixels::U8(weave(&values, area)),
        Pixels::U16(values) => Pixels::U16(weave(&values, area)),
    })
}

/// Divides colours by alpha, which is each pixel's last value.
fn straight(pixels: Pixels, channels: usize) -> Pixels {
    fn divide<T: Copy + Into<u64>>(
        values: &mut [T],
        channels: usize,
        full: u64,
        narrow: fn(u64) -> T,
    ) {
        for pixel in values.chunks_exact_mut(channels) {
            let alpha: u64 = pixel[channels - 1].into();
            for value in &mut pixel[..channels - 1] {
                let scaled = (*value).into() * full + alpha / 2;
                *value = narrow(scaled.checked_div(alpha).unwrap_or(0).min(full));
            }
        }
    }
    match pixels {
        Pixels::U8(mut values) => {
            divide(&mut values, channels, u8::MAX.into(), |v| v as u8);
            Pixels::U8(values)
        }
        Pixels::U16(mut values) => {
            divide(&mut values, channels, u16::MAX.into(), |v| v as u16);
            Pixels::U16(values)
        }
    }
}

fn unsupported(what: &str) -> ImagingError {
    ImagingError::Unsupported { format: Format::Tiff, what: what.into() }
}

/// A TIFF codec's error, in this crate's terms.
pub(crate) fn translate(error: TiffError) -> ImagingError {
    let format = Format::Tiff;
    match error {
        TiffError::IoError(error) => from_io(format, &error),
        TiffError::UnsupportedError(what) => {
            ImagingError::Unsupported { format, what: what.to_string() }
        }
        other => ImagingError::Corrupt { format, what: other.to_string() },
    }
}
