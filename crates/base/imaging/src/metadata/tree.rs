//! EXIF as a tree of directories. TIFF keeps it among its own tags, so going
//! between a TIFF file and an EXIF block means taking directories apart.

use tiff::tags::ByteOrder;

const EXIF: u16 = 0x8769;
const GPS: u16 = 0x8825;
const INTEROP: u16 = 0xa005;
const POINTERS: [u16; 3] = [EXIF, GPS, INTEROP];

/// Tags of the first directory that describe the picture's own storage, which
/// whoever writes a file decides anew: they are not EXIF.
fn is_storage(tag: u16) -> bool {
    matches!(
        tag,
        0x00fe..=0x0103
            | 0x0106
            | 0x010a
            | 0x0111
            | 0x0115..=0x0119
            | 0x011c
            | 0x0122..=0x0125
            | 0x012d
            | 0x013d
            | 0x0140..=0x0145
            | 0x014a
            | 0x0150..=0x015b
            | 0x0200..=0x0214
            | 0x02bc
            | 0x8649
            | 0x8773
            | 0x83bb
    )
}

/// One value with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    /// TIFF type number, 1 to 12.
    pub(crate) kind: u16,
    /// In the machine's byte order.
    pub(crate) value: Vec<u8>,
}

/// A directory and those below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) entries: Vec<Entry>,
    /// By the tag that points to them.
    pub(crate) below: Vec<(u16, Directory)>,
}

const fn unit(kind: u16) -> usize {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 => 4,
        5 | 10 | 12 => 8,
        _ => 0,
    }
}

/// Bytes that move together when the byte order changes: a rational is two LONGs.
const fn swapped_unit(kind: u16) -> usize {
    match kind {
        5 | 10 => 4,
        _ => unit(kind),
    }
}

struct Source<'a> {
    bytes: &'a [u8],
    order: ByteOrder,
    /// Bytes of values still to be taken: entries may overlap, and their sum
    /// must not exceed the file.
    left: usize,
}

impl Source<'_> {
    fn number(&self, at: usize, size: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        let fold = |n: usize, b: &u8| n << 8 | usize::from(*b);
        Some(match self.order {
            ByteOrder::LittleEndian => bytes.iter().rev().fold(0, fold),
            ByteOrder::BigEndian => bytes.iter().fold(0, fold),
        })
    }

    fn value(&mut self, at: usize, kind: u16) -> Option<Vec<u8>> {
        let len = self.number(at + 4, 4)?.checked_mul(unit(kind))?;
        let start = if len <= 4 { at + 8 } else { self.number(at + 8, 4)? };
        let mut value = self.bytes.get(start..start.checked_add(len)?)?.to_vec();
        self.left = self.left.checked_sub(len)?;
        if self.order != ByteOrder::native() && swapped_unit(kind) > 1 {
            value.chunks_exact_mut(swapped_unit(kind)).for_each(<[u8]>::reverse);
        }
        Some(value)
    }

    /// The directory at `at`; pointers are followed `depth` times.
    fn directory(&mut self, at: usize, depth: u8) -> Directory {
        let mut directory = Directory::default();
        for i in 0..self.number(at, 2).unwrap_or(0) {
            let at = at + 2 + 12 * i;
            let (Some(tag), Some(kind)) = (self.number(at, 2), self.number(at + 2, 2)) else {
                break;
            };
            let (tag, kind) = (tag as u16, kind as u16);
            if POINTERS.contains(&tag) {
                if let Some(target) = self.number(at + 8, 4).filter(|_| depth > 0) {
                    directory.below.push((tag, self.directory(target, depth - 1)));
                }
            } else if unit(kind) > 0
                && let Some(value) = self.value(at, kind)
            {
                directory.entries.push(Entry { tag, kind, value });
            }
        }
        directory
    }
}

/// The metadata of an EXIF block or of a classic TIFF file: everything in the
/// first directory that is not about storage, and the directories it points to.
pub(crate) fn read(bytes: &[u8]) -> Option<Directory> {
    let mut source = Source { bytes, order: order(bytes)?, left: bytes.len() };
    let first = source.number(4, 4)?;
    let mut directory = source.directory(first, 2);
    directory.entries.retain(|entry| !is_storage(entry.tag));
    Some(directory)
}

/// Where the first SHORT under `tag` in a classic TIFF file's first directory
/// stands, and what it is.
pub(crate) fn short_in_first(bytes: &[u8], tag: u16) -> Option<(usize, u32)> {
    let source = Source { bytes, order: order(bytes)?, left: 0 };
    let first = source.number(4, 4)?;
    let at = (0..source.number(first, 2)?)
        .map(|i| first + 2 + 12 * i)
        .find(|&at| source.number(at, 4).is_some() && source.number(at, 2) == Some(tag.into()))?;
    (source.number(at + 2, 2) == Some(3)).then_some(())?;
    Some((at + 8, source.number(at + 8, 2)? as u32))
}

fn order(bytes: &[u8]) -> Option<ByteOrder> {
    match bytes.get(..4)? {
        b"II\x2a\0" => Some(ByteOrder::LittleEndian),
        b"MM\0\x2a" => Some(ByteOrder::BigEndian),
        _ => None,
    }
}

/// An EXIF block holding `root`; `None` if there is nothing in it.
pub(crate) fn write(root: &Directory) -> Option<Vec<u8>> {
    if root.entries.is_empty() && root.below.is_empty() {
        return None;
    }
    let mut out = match ByteOrder::native() {
        ByteOrder::LittleEndian => b"II\x2a\0".to_vec(),
        ByteOrder::BigEndian => b"MM\0\x2a".to_vec(),
    };
    out.extend_from_slice(&8u32.to_ne_bytes());
    append(root, &mut out);
    Some(out)
}

/// Appends a directory, then its long values, then the directories below it.
fn append(directory: &Directory, out: &mut Vec<u8>) {
    let mut slots: Vec<(u16, Option<&Entry>, Option<&Directory>)> = Vec::new();
    slots.extend(directory.entries.iter().map(|entry| (entry.tag, Some(entry), None)));
    slots.extend(directory.below.iter().map(|(tag, below)| (*tag, None, Some(below))));
    slots.sort_by_key(|slot| slot.0);
    slots.truncate(usize::from(u16::MAX));
    let start = out.len();
    out.extend_from_slice(&(slots.len() as u16).to_ne_bytes());
    out.resize(start + 2 + 12 * slots.len() + 4, 0);
    for (i, (tag, entry, below)) in slots.into_iter().enumerate() {
        let at = start + 2 + 12 * i;
        let (kind, count) = entry.map_or((4, 1), |e| (e.kind, e.value.len() / unit(e.kind)));
        out[at..at + 2].copy_from_slice(&tag.to_ne_bytes());
        out[at + 2..at + 4].copy_from_slice(&kind.to_ne_bytes());
        out[at + 4..at + 8].copy_from_slice(&(count as u32).to_ne_bytes());
        if out.len() % 2 == 1 {
            out.push(0); // offsets are even
        }
        let here = (out.len() as u32).to_ne_bytes();
        match (entry, below) {
            (Some(entry), _) if entry.value.len() <= 4 => {
                out[at + 8..at + 8 + entry.value.len()].copy_from_slice(&entry.value);
            }
            (Some(entry), _) => {
                out[at + 8..at + 12].copy_from_slice(&here);
                out.extend_from_slice(&entry.value);
            }
            (None, Some(below)) => {
                out[at + 8..at + 12].copy_from_slice(&here);
                append(below, out);
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Directory {
        let entry = |tag, kind, value: &[u8]| Entry { tag, kind, value: value.to_vec() };
        let interop = Directory { entries: vec![entry(1, 2, b"R98\0")], below: vec![] };
        let exif = Directory {
            entries: vec![entry(0x829a, 5, &[1, 0, 0, 0, 50, 0, 0, 0]), entry(0x9003, 2, b"odd")],
            below: vec![(INTEROP, interop)],
        };
        Directory {
            entries: vec![entry(0x010f, 2, b"Maker of cameras\0"), entry(0x0112, 3, &[6, 0])],
            below: vec![(EXIF, exif)],
        }
    }

    #[test]
    fn a_tree_survives_the_way_through_a_block() {
        let block = write(&sample()).unwrap();
        assert_eq!(read(&block), Some(sample()));
    }

    #[test]
    fn the_other_byte_order_means_the_same() {
        // Big-endian: IFD0 with Orientation SHORT 6 and a rational 1/50 at offset 38.
        let mut mm = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
        mm.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
        mm.extend(b"\x82\x9a\0\x05\0\0\0\x01\0\0\0\x26\0\0\0\0");
        mm.extend(b"\0\0\0\x01\0\0\0\x32");
        let tree = read(&mm).unwrap();
        assert_eq!(tree.entries[0].value, 6u16.to_ne_bytes());
        assert_eq!(tree.entries[1].value, [1u32.to_ne_bytes(), 50u32.to_ne_bytes()].concat());
    }

    #[test]
    fn a_directory_that_points_to_itself_ends() {
        let mut block = b"II\x2a\0\x08\0\0\0\x02\0".to_vec();
        for _ in 0..2 {
            block.extend(b"\x69\x87\x04\0\x01\0\0\0\x08\0\0\0");
        }
        assert!(read(&block).unwrap().entries.is_empty());
    }

    #[test]
    fn overlapping_values_take_no_more_than_the_file() {
        let mut block = b"II\x2a\0\x08\0\0\0".to_vec();
        block.extend(1000u16.to_le_bytes());
        for i in 0..1000u16 {
            block.extend((0x9000 + i).to_le_bytes());
            block.extend(b"\x07\0\x00\x20\0\0\x08\0\0\0"); // 8192 bytes from offset 8
        }
        let held: usize = read(&block).unwrap().entries.iter().map(|e| e.value.len()).sum();
        assert!(held <= block.len() && held > 0, "{held}");
    }
}
