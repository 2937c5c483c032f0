use image_webp::{ColorType, WebPEncoder};

use super::{eight_bits, refused, sides};
use crate::{Channels, Format, ImagingError, Picture, profile};

/// WebP's sides have 14 bits.
const MOST: u32 = 16_384;

pub(super) fn write(picture: &Picture) -> Result<Vec<u8>, ImagingError> {
    let [width, height] = sides(picture, Format::WebP, MOST)?;
    let mut out = Vec::new();
    let mut encoder = WebPEncoder::new(&mut out);
    // WebP itself has no grey: even grey pixels are of the RGB profile.
    if let Some(profile) = profile::SRGB_ICC.clone() {
        encoder.set_icc_profile(profile);
    }
    let metadata = picture.metadata();
    if let Some(exif) = metadata.exif.clone() {
        encoder.set_exif_metadata(exif);
    }
    if let Some(xmp) = metadata.xmp.clone() {
        encoder.set_xmp_metadata(xmp);
    }
    let kind = match picture.channels() {
        Channels::Grey => ColorType::L8,
        Channels::GreyAlpha => ColorType::La8,
        Channels::Rgb => ColorType::Rgb8,
        Channels::Rgba => ColorType::Rgba8,
    };
    encoder
        .encode(&eight_bits(picture), width, height, kind)
        .map_err(|e| refused(Format::WebP, &e))?;
    Ok(out)
}
