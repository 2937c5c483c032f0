use super::{eight_bits, sides};
use crate::{Channels, Format, ImagingError, Picture};

const FILE_HEADER: usize = 14;
/// BITMAPV4HEADER: the first to say where alpha lies and that values are sRGB.
const V4_HEADER: usize = 108;
const BITFIELDS: u32 = 3;

pub(super) fn write(picture: &Picture) -> Result<Vec<u8>, ImagingError> {
    let [width, height] = sides(picture, Format::Bmp, i32::MAX as u32)?;
    let channels = picture.channels();
    let pixel_bytes = if channels.has_alpha() { 4 } else { 3 };
    let row_bytes = (picture.width() * pixel_bytes).next_multiple_of(4);
    let total = FILE_HEADER + V4_HEADER + row_bytes * picture.height();
    let Ok(file_size) = u32::try_from(total) else {
        let what = format!("{total} bytes are more than its 32-bit size can say");
        return Err(ImagingError::DoesNotFit { format: Format::Bmp, what });
    };
    let mut out = Vec::with_capacity(total);
    out.extend(b"BM");
    let data = (FILE_HEADER + V4_HEADER) as u32;
    put(&mut out, &[file_size, 0, data]);
    put(&mut out, &[V4_HEADER as u32, width, height]);
    let (bits, compression, masks) = if channels.has_alpha() {
        (32, BITFIELDS, [0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0xff00_0000])
    } else {
        (24, 0, [0; 4])
    };
    put(&mut out, &[1 | bits << 16, compression, file_size - data, 2835, 2835, 0, 0]); // 72 dpi
    put(&mut out, &masks);
    out.extend(b"BGRs"); // LCS_sRGB, little-endian
    out.resize(data as usize, 0);
    let values = eight_bits(picture);
    for row in values.chunks_exact(picture.width() * channels.count()).rev() {
        let end = out.len() + row_bytes;
        for pixel in row.chunks_exact(channels.count()) {
            match (channels, pixel) {
                (Channels::Grey, &[v]) => out.extend([v, v, v]),
                (Channels::GreyAlpha, &[v, a]) => out.extend([v, v, v, a]),
                (Channels::Rgb, &[r, g, b]) => out.extend([b, g, r]),
                (Channels::Rgba, &[r, g, b, a]) => out.extend([b, g, r, a]),
                _ => {}
            }
        }
        out.resize(end, 0);
    }
    Ok(out)
}

fn put(out: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        out.extend(word.to_le_bytes());
    }
}
