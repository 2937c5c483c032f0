//! Format and size from a file's first bytes.

pub(crate) mod jpeg;

use std::{
    fs::File,
    io::{BufReader, Cursor, Read, Seek, SeekFrom},
    path::Path,
};

use crate::{
    Format, ImagingError,
    decode::{from_io, from_tiff, unreadable_avif},
};

/// What a file's header declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// By content, not by name.
    pub format: Format,
    /// Pixels across, as stored: before EXIF orientation.
    pub width: u32,
    /// Pixels down, as stored.
    pub height: u32,
}

/// Reads format and size from the header, without decoding.
///
/// # Errors
///
/// As [`decode`](crate::decode), as far as the header shows.
pub fn identify(bytes: &[u8]) -> Result<Probe, ImagingError> {
    probe(&mut Cursor::new(bytes))
}

/// Reads format and size from a file's header; see [`identify`].
///
/// # Errors
///
/// As [`identify`], and [`ImagingError::Io`] if the file cannot be read.
pub fn identify_file(path: &Path) -> Result<Probe, ImagingError> {
    probe(&mut BufReader::new(File::open(path)?))
}

/// Bytes that hold every header of a fixed layout.
const HEAD: usize = 32;

fn probe(source: &mut (impl Read + Seek)) -> Result<Probe, ImagingError> {
    let mut head = Vec::with_capacity(HEAD);
    source.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let format = Format::of(&head).ok_or(ImagingError::NotAPicture)?;
    source.seek(SeekFrom::Start(0))?;
    let [width, height] = match format {
        Format::Jpeg => jpeg::Segments::read(source).and_then(|segments| {
            segments.size.ok_or_else(|| corrupt(Format::Jpeg, "no frame header before the scan"))
        }),
        Format::Png => png(&head),
        Format::WebP => webp(&head),
        Format::Tiff => tiff(source),
        Format::Bmp => bmp(&head),
        Format::Gif => gif(&head),
        Format::Avif => Err(unreadable_avif()),
    }?;
    if width == 0 || height == 0 {
        return Err(corrupt(format, "a side of no pixels"));
    }
    Ok(Probe { format, width, height })
}

fn corrupt(format: Format, what: &str) -> ImagingError {
    ImagingError::Corrupt { format, what: what.into() }
}

/// `N` bytes from `at`, or [`ImagingError::Truncated`].
fn bytes<const N: usize>(head: &[u8], at: usize, format: Format) -> Result<[u8; N], ImagingError> {
    head.get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or(ImagingError::Truncated { format })
}

/// The `IHDR` chunk is always first.
fn png(head: &[u8]) -> Result<[u32; 2], ImagingError> {
    let at = |offset| bytes(head, offset, Format::Png).map(u32::from_be_bytes);
    if bytes(head, 12, Format::Png)? != *b"IHDR" {
        return Err(corrupt(Format::Png, "the first chunk is not IHDR"));
    }
    Ok([at(16)?, at(20)?])
}

/// `VP8X` holds 24-bit sides less one, `VP8L` 14-bit sides less one, `VP8 ` 14-bit sides.
fn webp(head: &[u8]) -> Result<[u32; 2], ImagingError> {
    let short = |offset| bytes(head, offset, Format::WebP).map(u16::from_le_bytes);
    match &bytes(head, 12, Format::WebP)? {
        b"VP8X" => {
            let [a, b, c, d, e, f] = bytes(head, 24, Format::WebP)?;
            Ok([u32::from_le_bytes([a, b, c, 0]) + 1, u32::from_le_bytes([d, e, f, 0]) + 1])
        }
        b"VP8L" => {
            let bits = bytes(head, 21, Format::WebP).map(u32::from_le_bytes)?;
            Ok([(bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1])
        }
        b"VP8 " => Ok([u32::from(short(26)? & 0x3fff), u32::from(short(28)? & 0x3fff)]),
        _ => Err(corrupt(Format::WebP, "the first chunk is not a picture's")),
    }
}

fn tiff(source: &mut (impl Read + Seek)) -> Result<[u32; 2], ImagingError> {
    let mut decoder = tiff::decoder::Decoder::new(source).map_err(from_tiff)?;
    decoder.dimensions().map(|(w, h)| [w, h]).map_err(from_tiff)
}

/// OS/2's first header has 16-bit sides; a negative height means rows from the top.
fn bmp(head: &[u8]) -> Result<[u32; 2], ImagingError> {
    let long = |offset| bytes(head, offset, Format::Bmp).map(u32::from_le_bytes);
    let short = |offset| bytes(head, offset, Format::Bmp).map(u16::from_le_bytes);
    if long(14)? == 12 {
        return Ok([short(18)?.into(), short(20)?.into()]);
    }
    Ok([long(18)?, (long(22)? as i32).unsigned_abs()])
}

fn gif(head: &[u8]) -> Result<[u32; 2], ImagingError> {
    let short = |offset| bytes(head, offset, Format::Gif).map(u16::from_le_bytes);
    Ok([short(6)?.into(), short(8)?.into()])
}

/// Reads exactly `N` bytes.
fn take<const N: usize>(source: &mut impl Read, format: Format) -> Result<[u8; N], ImagingError> {
    let mut out = [0; N];
    source.read_exact(&mut out).map_err(|e| from_io(format, &e))?;
    Ok(out)
}
