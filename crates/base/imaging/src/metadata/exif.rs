//! EXIF blocks are patched in place, not rewritten, so that maker notes, whose
//! inner offsets count from the block's start, stay readable.

use crate::decode::Orientation;

const ORIENTATION: u16 = 0x0112;
const IMAGE_WIDTH: u16 = 0x0100;
const IMAGE_LENGTH: u16 = 0x0101;
const EXIF_IFD: u16 = 0x8769;
const COLOR_SPACE: u16 = 0xa001;
const PIXEL_X: u16 = 0xa002;
const PIXEL_Y: u16 = 0xa003;
const INTEROP_IFD: u16 = 0xa005;
const INTEROP_INDEX: u16 = 0x0001;
const THUMBNAIL_OFFSET: u16 = 0x0201;
const THUMBNAIL_LENGTH: u16 = 0x0202;

/// What an EXIF block says about the pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) orientation: Orientation,
    /// Adobe RGB by the DCF option-file rule, used by cameras instead of a profile.
    pub(crate) adobe_rgb: bool,
}

/// One entry of a directory, by where its value lies.
#[derive(Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    /// Of the four bytes that hold the value or point to it.
    slot: usize,
}

/// A block with the byte order its header declares.
struct Block<B> {
    bytes: B,
    big_endian: bool,
}

impl<B: AsRef<[u8]>> Block<B> {
    fn open(bytes: B) -> Option<Self> {
        let big_endian = match bytes.as_ref().get(..4)? {
            b"II\x2a\0" => false,
            b"MM\0\x2a" => true,
            _ => return None,
        };
        Some(Self { bytes, big_endian })
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.as_ref().get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.as_ref().get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// The entries of the directory at `at` that lie inside the block, and where
    /// the offset of the next directory stands.
    fn directory(&self, at: usize) -> (Vec<Entry>, Option<usize>) {
        let Some(count) = self.u16(at) else { return (Vec::new(), None) };
        let entry = |i: usize| {
            let start = at + 2 + 12 * i;
            let slot = start + 8;
            self.u32(slot)?;
            Some(Entry {
                tag: self.u16(start)?,
                kind: self.u16(start + 2)?,
                count: self.u32(start + 4)?,
                slot,
            })
        };
        let entries: Vec<_> = (0..usize::from(count)).map_while(entry).collect();
        let next = at + 2 + 12 * usize::from(count);
        (entries, self.u32(next).map(|_| next))
    }

    /// The directory that an entry of `entries` points to.
    fn pointed(&self, entries: &[Entry], tag: u16) -> Vec<Entry> {
        let offset = find(entries, tag).and_then(|e| self.u32(e.slot));
        offset.map_or_else(Vec::new, |at| self.directory(at as usize).0)
    }

    fn first(&self) -> (Vec<Entry>, Option<usize>) {
        self.u32(4).map_or((Vec::new(), None), |at| self.directory(at as usize))
    }

    /// The first number of a SHORT or LONG entry.
    fn number(&self, entry: Entry) -> Option<u32> {
        match entry.kind {
            3 => self.u16(entry.slot).map(u32::from),
            4 => self.u32(entry.slot),
            _ => None,
        }
    }
}

impl Block<&mut Vec<u8>> {
    fn put_u32(&mut self, at: usize, value: u32) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&bytes);
        }
    }

    /// Overwrites a single SHORT or LONG; a number too large for a SHORT becomes 0.
    fn put_number(&mut self, entries: &[Entry], tag: u16, value: u32) {
        let Some(entry) = find(entries, tag).filter(|e| e.count == 1) else { return };
        match entry.kind {
            3 => {
                let short = u16::try_from(value).unwrap_or(0);
                let two = if self.big_endian { short.to_be_bytes() } else { short.to_le_bytes() };
                if let Some(place) = self.bytes.get_mut(entry.slot..entry.slot + 2) {
                    place.copy_from_slice(&two);
                }
            }
            4 => self.put_u32(entry.slot, value),
            _ => {}
        }
    }

    /// Unlinks the thumbnail's directory and wipes the thumbnail.
    fn drop_thumbnail(&mut self, next: usize) {
        let at = self.u32(next).unwrap_or(0) as usize;
        self.put_u32(next, 0);
        if at == 0 {
            return;
        }
        let (entries, _) = self.directory(at);
        let value = |tag| find(&entries, tag).and_then(|e| self.number(e)).map(|v| v as usize);
        let (Some(start), Some(len)) = (value(THUMBNAIL_OFFSET), value(THUMBNAIL_LENGTH)) else {
            return;
        };
        let end = start.saturating_add(len).min(self.bytes.len());
        // A damaged offset must not wipe the directories: they stand before thumbnails.
        if start <= next + 4 || start >= end {
            return;
        }
        if end == self.bytes.len() {
            self.bytes.truncate(start);
        } else {
            self.bytes[start..end].fill(0);
        }
    }
}

fn find(entries: &[Entry], tag: u16) -> Option<Entry> {
    entries.iter().copied().find(|e| e.tag == tag)
}

/// Reads a block; `None` if it is not EXIF.
pub(crate) fn read(bytes: &[u8]) -> Option<Summary> {
    let block = Block::open(bytes)?;
    let (first, _) = block.first();
    let orientation = find(&first, ORIENTATION)
        .and_then(|e| block.number(e))
        .map_or(Orientation::Upright, Orientation::from_tag);
    let exif = block.pointed(&first, EXIF_IFD);
    let interop = block.pointed(&exif, INTEROP_IFD);
    let space = find(&exif, COLOR_SPACE).and_then(|e| block.number(e));
    let index = find(&interop, INTEROP_INDEX).and_then(|e| bytes.get(e.slot..e.slot + 3));
    let adobe_rgb = space == Some(2) || (space == Some(0xffff) && index == Some(b"R03"));
    Some(Summary { orientation, adobe_rgb })
}

/// Makes a block true of an upright sRGB picture of `[height, width]`:
/// orientation 1, these pixel dimensions, colour space sRGB, no thumbnail.
pub(crate) fn settle(bytes: &mut Vec<u8>, [height, width]: [usize; 2]) {
    let Some(mut block) = Block::open(bytes) else { return };
    let (first, next) = block.first();
    let exif = block.pointed(&first, EXIF_IFD);
    let interop = block.pointed(&exif, INTEROP_IFD);
    let [height, width] = [height, width].map(|side| u32::try_from(side).unwrap_or(0));
    block.put_number(&first, ORIENTATION, 1);
    block.put_number(&first, IMAGE_WIDTH, width);
    block.put_number(&first, IMAGE_LENGTH, height);
    block.put_number(&exif, PIXEL_X, width);
    block.put_number(&exif, PIXEL_Y, height);
    block.put_number(&exif, COLOR_SPACE, 1);
    if let Some(entry) = find(&interop, INTEROP_INDEX)
        && let Some(place) = block.bytes.get_mut(entry.slot..entry.slot + 3)
        && place == b"R03"
    {
        place.copy_from_slice(b"R98");
    }
    if let Some(next) = next {
        block.drop_thumbnail(next);
    }
}
