//! What the targets share.

use weights::{Checkpoint, Limits, WeightsError};

/// Small enough that a run under `-rss_limit_mb=512` notices any reader that takes more.
pub const LIMITS: Limits = Limits { bytes: 16 << 20, entries: 1024, header: 1 << 20 };

/// What every reader promises: an error, or a checkpoint within the limits.
pub fn check(result: Result<Checkpoint, WeightsError>) {
    let Ok(checkpoint) = result else { return };
    let values: usize = checkpoint.tensors.values().map(|t| t.data().len()).sum();
    assert!(values * 4 <= 16 << 20 && checkpoint.tensors.len() <= 1024);
}

/// A little-endian zip file with these members stored, so that a fuzzer need not
/// guess checksums and offsets.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut table) = (vec![], vec![]);
    for (name, content) in members {
        let offset = len(&file);
        let sizes = [crc32(content), len(content), len(content)].map(u32::to_le_bytes).concat();
        let name_len = (name.len() as u16).to_le_bytes();
        file.extend(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0");
        file.extend(&sizes);
        file.extend(name_len);
        file.extend([0; 2]);
        file.extend(name.as_bytes());
        file.extend(*content);
        table.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0");
        table.extend(&sizes);
        table.extend(name_len);
        table.extend([0; 12]);
        table.extend(offset.to_le_bytes());
        table.extend(name.as_bytes());
    }
    let (count, offset) = ((members.len() as u16).to_le_bytes(), len(&file));
    file.extend(&table);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].concat());
    file.extend([len(&table), offset].map(u32::to_le_bytes).concat());
    file.extend([0; 2]);
    file
}

fn len(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |c, _| (c >> 1) ^ (0xedb8_8320 * (c & 1)))
    })
}

/// A `LevelDB` table with this one data block, so that a fuzzer need not guess checksums.
pub fn table(block: &[u8], compression: u8) -> Vec<u8> {
    let mut file = sealed(block, compression);
    let index_offset = len(&file);
    // One entry: no shared bytes of the key, one byte of key, and the block's place.
    let place = [varint(0), varint(len(block))].concat();
    let mut index = vec![0, 1, place.len() as u8, 0xff];
    index.extend(&place);
    index.extend([0, 0, 0, 0, 1, 0, 0, 0]);
    file.extend(sealed(&index, 0));
    let mut footer = [varint(0), varint(0), varint(index_offset), varint(len(&index))].concat();
    footer.resize(40, 0);
    file.extend(footer);
    file.extend(0xdb47_7524_8b80_fb57u64.to_le_bytes());
    file
}

fn sealed(block: &[u8], compression: u8) -> Vec<u8> {
    let mut sealed = block.to_vec();
    sealed.push(compression);
    let crc = crc32c::crc32c(&sealed).rotate_right(15).wrapping_add(0xa282_ead8);
    sealed.extend(crc.to_le_bytes());
    sealed
}

fn varint(mut n: u32) -> Vec<u8> {
    let mut bytes = vec![];
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}
