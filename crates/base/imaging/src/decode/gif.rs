use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use super::{Ink, Raw, from_io};
use crate::{Channels, Format, ImagingError, Limits, Pixels, profile::Tag};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw, ImagingError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    if let Some(most) = NonZeroU64::new(limits.bytes) {
        options.set_memory_limit(MemoryLimit::Bytes(most));
    }
    let mut decoder = options.read_info(bytes).map_err(|e| translate(&e))?;
    let (width, height) = (decoder.width(), decoder.height());
    limits.check([width.into(), height.into()], 8)?; // a frame and the canvas
    let size = [usize::from(height), usize::from(width)];
    let xmp = decoder.xmp_metadata().map(<[u8]>::to_vec);
    let icc = decoder.icc_profile().map(<[u8]>::to_vec);
    let frame = decoder
        .read_next_frame()
        .map_err(|e| translate(&e))?
        .ok_or(ImagingError::Truncated { format: Format::Gif })?;
    let corner = [usize::from(frame.top), usize::from(frame.left)];
    let covered = [usize::from(frame.height), usize::from(frame.width)];
    if size.contains(&0) || covered.contains(&0) {
        return Err(ImagingError::Corrupt { format: Format::Gif, what: "empty frame".into() });
    }
    let canvas = placed(&frame.buffer, covered, corner, size);
    let mut raw = if canvas.as_chunks::<4>().0.iter().all(|p| p[3] == 255) {
        let rgb = canvas.as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2]]).collect();
        Raw::new(size, Ink::Light(Channels::Rgb), Pixels::U8(rgb))
    } else {
        Raw::new(size, Ink::Light(Channels::Rgba), Pixels::U8(canvas))
    };
    raw.tag = icc.map_or(Tag::None, Tag::Icc);
    raw.xmp = xmp;
    Ok(raw)
}

/// A frame on a transparent canvas; what sticks out is cut off.
fn placed(
    frame: &[u8],
    covered: [usize; 2],
    corner: [usize; 2],
    [height, width]: [usize; 2],
) -> Vec<u8> {
    let mut canvas = vec![0; height * width * 4];
    let (top, left) = (corner[0].min(height), corner[1].min(width));
    let len = covered[1].min(width - left) * 4;
    let targets = canvas.chunks_exact_mut(width * 4).skip(top);
    for (row, target) in frame.chunks_exact(covered[1] * 4).zip(targets) {
        target[left * 4..][..len].copy_from_slice(&row[..len]);
    }
    canvas
}

fn translate(error: &DecodingError) -> ImagingError {
    let format = Format::Gif;
    match error {
        DecodingError::Io(error) => from_io(format, error),
        DecodingError::UnexpectedEof => ImagingError::Truncated { format },
        other => ImagingError::Corrupt { format, what: other.to_string() },
    }
}
