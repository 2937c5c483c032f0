use std::borrow::Cow;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::{EncodeOptions, eight_bits, icc, refused, sides};
use crate::{Channels, Format, ImagingError, Picture};

/// Quality from which colour is kept at full resolution.
const FULL_COLOUR: u8 = 90;

/// Bytes in a segment after its own length.
const SEGMENT: usize = 65_533;
const XMP_NAME: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXIF_NAME: &[u8] = b"Exif\0\0";

pub(super) fn write(picture: &Picture, options: EncodeOptions) -> Result<Vec<u8>, ImagingError> {
    let [width, height] = sides(picture, Format::Jpeg, u16::MAX.into())?;
    let values = eight_bits(picture);
    let (kind, values) = match picture.channels() {
        Channels::Grey => (ColorType::Luma, values),
        Channels::GreyAlpha => (ColorType::Luma, Cow::Owned(flattened::<2, 1>(&values))),
        Channels::Rgb => (ColorType::Rgb, values),
        Channels::Rgba => (ColorType::Rgb, Cow::Owned(flattened::<4, 3>(&values))),
    };
    let mut out = Vec::with_capacity(values.len() / 4);
    let quality = options.quality.clamp(1, 100);
    let mut encoder = Encoder::new(&mut out, quality);
    encoder.set_sampling_factor(if quality >= FULL_COLOUR {
        SamplingFactor::R_4_4_4
    } else {
        SamplingFactor::R_4_2_0
    });
    add_metadata(&mut encoder, picture).map_err(|e| refused(Format::Jpeg, &e))?;
    encoder
        .encode(&values, width as u16, height as u16, kind)
        .map_err(|e| refused(Format::Jpeg, &e))?;
    Ok(out)
}

/// EXIF must come first for some readers; what a segment cannot hold is left out.
fn add_metadata<W: jpeg_encoder::JfifWrite>(
    encoder: &mut Encoder<W>,
    picture: &Picture,
) -> Result<(), jpeg_encoder::EncodingError> {
    let metadata = picture.metadata();
    for (name, block) in [(EXIF_NAME, &metadata.exif), (XMP_NAME, &metadata.xmp)] {
        if let Some(block) = block
            && name.len() + block.len() <= SEGMENT
        {
            encoder.add_app_segment(1, [name, block].concat())?;
        }
    }
    icc(picture).map_or(Ok(()), |profile| encoder.add_icc_profile(profile))
}

/// Colours over white, without the alpha that is each pixel's last value.
fn flattened<const WITH: usize, const WITHOUT: usize>(values: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(values.len() / WITH * WITHOUT);
    for pixel in values.as_chunks::<WITH>().0 {
        let alpha = u32::from(pixel[WITHOUT]);
        out.extend(
            pixel[..WITHOUT].iter().map(|&colour| {
                ((u32::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255) as u8
            }),
        );
    }
    out
}
