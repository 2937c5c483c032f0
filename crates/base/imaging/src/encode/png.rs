use std::borrow::Cow;

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Info, SrgbRenderingIntent};

use super::{Effort, EncodeOptions, refused, sides};
use crate::{Channels, Depth, Format, ImagingError, Picture, Pixels, decode::XMP_KEYWORD};

pub(super) fn write(picture: &Picture, options: EncodeOptions) -> Result<Vec<u8>, ImagingError> {
    let size = sides(picture, Format::Png, i32::MAX as u32)?;
    let mut out = Vec::new();
    encode(picture, size, options.effort, &mut out).map_err(|e| refused(Format::Png, &e))?;
    Ok(out)
}

fn encode(
    picture: &Picture,
    [width, height]: [u32; 2],
    effort: Effort,
    out: &mut Vec<u8>,
) -> Result<(), EncodingError> {
    let metadata = picture.metadata();
    let mut info = Info::with_size(width, height);
    info.exif_metadata = metadata.exif.as_deref().map(Cow::Borrowed);
    let mut encoder = Encoder::with_info(out, info)?;
    encoder.set_color(match picture.channels() {
        Channels::Grey => ColorType::Grayscale,
        Channels::GreyAlpha => ColorType::GrayscaleAlpha,
        Channels::Rgb => ColorType::Rgb,
        Channels::Rgba => ColorType::Rgba,
    });
    encoder.set_depth(match picture.depth() {
        Depth::Eight => BitDepth::Eight,
        Depth::Sixteen => BitDepth::Sixteen,
    });
    encoder.set_compression(match effort {
        Effort::Fast => Compression::Fast,
        Effort::Balanced => Compression::Balanced,
    });
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    if let Some(xmp) = metadata.xmp.as_deref().and_then(|xmp| std::str::from_utf8(xmp).ok()) {
        encoder.add_itxt_chunk(XMP_KEYWORD.into(), xmp.into())?;
    }
    let mut writer = encoder.write_header()?;
    match picture.pixels() {
        Pixels::U8(values) => writer.write_image_data(values)?,
        Pixels::U16(values) => {
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
            writer.write_image_data(&bytes)?;
        }
    }
    writer.finish()
}
