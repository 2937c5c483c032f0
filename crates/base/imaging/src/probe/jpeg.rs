use std::io::{Cursor, Read, Seek, SeekFrom};

use super::take;
use crate::{Format, ImagingError};

/// What stands before a JPEG's first scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Segments {
    /// Width and height of the first frame header.
    pub(crate) size: Option<[u32; 2]>,
    /// Whether an Adobe segment is there: then CMYK is stored inverted.
    pub(crate) adobe: bool,
    /// Where the first scan's segment begins.
    pub(crate) scan: u64,
}

impl Segments {
    /// Of a file that has been found to be whole up to its first scan; empty otherwise.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self::read(&mut Cursor::new(bytes)).unwrap_or_default()
    }

    /// Walks the segments, skipping what they hold.
    pub(crate) fn read(source: &mut (impl Read + Seek)) -> Result<Self, ImagingError> {
        let mut found = Self::default();
        source.seek(SeekFrom::Start(2))?;
        loop {
            let marker = next_marker(source)?;
            match marker {
                0xd8 | 0x01 | 0xd0..=0xd7 => continue, // stand alone
                0xd9 => return Ok(found),
                0xda => {
                    found.scan = source.stream_position()?;
                    return Ok(found);
                }
                _ => {}
            }
            let len = u16::from_be_bytes(take(source, Format::Jpeg)?);
            let next = source.stream_position()? + u64::from(len.max(2)) - 2;
            match marker {
                // Every frame header; c4, c8 and cc are tables.
                0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) && found.size.is_none() => {
                    let [_precision, h0, h1, w0, w1] = take(source, Format::Jpeg)?;
                    found.size = Some(
                        [u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1])].map(u32::from),
                    );
                }
                0xee if len >= 14 => found.adobe |= &take::<5>(source, Format::Jpeg)? == b"Adobe",
                _ => {}
            }
            source.seek(SeekFrom::Start(next))?;
        }
    }
}

/// The next marker's code; what lies before it is skipped.
fn next_marker(source: &mut impl Read) -> Result<u8, ImagingError> {
    loop {
        if take(source, Format::Jpeg)? != [0xff] {
            continue;
        }
        loop {
            match take(source, Format::Jpeg)? {
                [0xff] => {}     // padding
                [0x00] => break, // not a marker
                [code] => return Ok(code),
            }
        }
    }
}

/// Whether an end-of-image marker follows the scan.
pub(crate) fn has_end(bytes: &[u8], scan: u64) -> bool {
    let scan = usize::try_from(scan).unwrap_or(usize::MAX).min(bytes.len());
    bytes[scan..].windows(2).rev().any(|pair| pair == [0xff, 0xd9])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_size_and_adobe_before_the_scan() {
        let mut file = b"\xff\xd8\xff\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x02".to_vec();
        file.extend(b"\xff\xc2\0\x08\x08\0\x03\0\x05\x01\xff\xda\0\x02rest\xff\xd9");
        let got = Segments::of(&file);
        assert_eq!((got.size, got.adobe), (Some([5, 3]), true));
        assert!(has_end(&file, got.scan) && !has_end(&file[..file.len() - 1], got.scan));
    }
}
