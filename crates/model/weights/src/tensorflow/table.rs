//! A sorted table in one file, as `LevelDB` writes it.
//!
//! Blocks of keys and values, each followed by its kind of compression and a
//! checksum; an index block that names the others; a footer that names the index.
//! Inside a block each key is what it shares with the one before it and what it adds.
//!
//! # Source
//!
//! `doc/table_format.md` of `LevelDB`; `tensorflow/core/lib/io/table.cc`.

use crate::parse::Parser;
use crate::source::Source;
use crate::{Format, Limits, WeightsError};

const FOOTER: u64 = 48;
const MAGIC: u64 = 0xdb47_7524_8b80_fb57;
const TRAILER: u64 = 5; // compression and checksum
/// snappy makes at most 64 bytes of three.
const SNAPPY_RATIO: usize = 22;

fn corrupt(format: Format, offset: u64, what: &str) -> WeightsError {
    WeightsError::corrupt(format, offset, what)
}

/// Whether a file ends as a table does.
pub(crate) fn is_table(source: &mut Source<'_>) -> std::io::Result<bool> {
    Ok(source.len() >= FOOTER && source.tail(8)? == MAGIC.to_le_bytes())
}

/// Where a block lies.
#[derive(Clone, Copy, Debug)]
struct Handle {
    offset: u64,
    size: u64,
}

fn handle(p: &mut Parser<'_>) -> Option<Handle> {
    Some(Handle { offset: p.varint()?, size: p.varint()? })
}

/// A table whose index is read.
pub(crate) struct Table<'a> {
    source: Source<'a>,
    blocks: Vec<Handle>,
    /// The largest block, compressed or not.
    limit: u64,
    /// For messages; V2 until the header says otherwise.
    pub(super) format: Format,
}

impl<'a> Table<'a> {
    pub(super) fn open(mut source: Source<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        let at = source.len().saturating_sub(FOOTER);
        let footer = source.tail(FOOTER)?;
        let mut p = Parser::new(&footer);
        let index = handle(&mut p).and_then(|_metaindex| handle(&mut p));
        let format = Format::TensorflowV2;
        let index = index.ok_or_else(|| corrupt(format, at, "the footer is damaged"))?;
        let mut table = Self { source, blocks: vec![], limit: limits.header, format };
        let mut blocks = vec![];
        for_each(format, &table.block(index)?, |_, value| {
            limits.check_entries(blocks.len() + 1)?;
            let handle = handle(&mut Parser::new(value));
            blocks
                .push(handle.ok_or_else(|| corrupt(format, index.offset, "the index is damaged"))?);
            Ok(())
        })?;
        table.blocks = blocks;
        // V1 keeps whole tensors in its blocks.
        table.limit = limits.header.max(limits.bytes);
        Ok(table)
    }

    /// The value under the empty key, which comes first.
    pub(super) fn header(&mut self) -> Result<Vec<u8>, WeightsError> {
        let first =
            *self.blocks.first().ok_or_else(|| corrupt(self.format, 0, "the table is empty"))?;
        let mut header = None;
        for_each(self.format, &self.block(first)?, |key, value| {
            if key.is_empty() {
                header = Some(value.to_vec());
            }
            Ok(())
        })?;
        header.ok_or_else(|| corrupt(self.format, first.offset, "there is no header"))
    }

    /// Calls `each` with every key but the empty one, in order, and its value.
    pub(super) fn for_each(
        &mut self,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), WeightsError>,
    ) -> Result<(), WeightsError> {
        let mut last: Option<Vec<u8>> = None;
        for i in 0..self.blocks.len() {
            let at = self.blocks[i];
            for_each(self.format, &self.block(at)?, |key, value| {
                if last.as_deref().is_some_and(|last| key <= last) {
                    return Err(corrupt(self.format, at.offset, "the keys are not in order"));
                }
                let keep = last.get_or_insert_default();
                keep.clear();
                keep.extend_from_slice(key);
                if key.is_empty() { Ok(()) } else { each(key, value) }
            })?;
        }
        Ok(())
    }

    /// Reads a block, compares its checksum and decompresses it.
    fn block(&mut self, Handle { offset, size }: Handle) -> Result<Vec<u8>, WeightsError> {
        let size = size
            .checked_add(TRAILER)
            .ok_or_else(|| corrupt(self.format, offset, "a block is too long"))?;
        let limit = (self.format, self.limit);
        let mut block = self.source.read_at(offset, size, limit)?;
        let checksum = block.split_off(block.len() - 4);
        if masked_crc(crc32c::crc32c(&block)).to_le_bytes() != checksum[..] {
            return Err(corrupt(self.format, offset, "a block's checksum is wrong"));
        }
        match block.pop() {
            Some(0) => Ok(block),
            Some(1) => decompress(&block, self.limit)
                .ok_or_else(|| corrupt(self.format, offset, "bad snappy data"))?,
            _ => Err(corrupt(self.format, offset, "an unknown compression")),
        }
    }
}

fn decompress(block: &[u8], limit: u64) -> Option<Result<Vec<u8>, WeightsError>> {
    let len = snap::raw::decompress_len(block).ok()?;
    if len > block.len().saturating_mul(SNAPPY_RATIO) {
        return None;
    }
    if len as u64 > limit {
        return Some(Err(WeightsError::TooLarge { need: len as u64, limit }));
    }
    snap::raw::Decoder::new().decompress_vec(block).ok().map(Ok)
}

/// `LevelDB` stores checksums turned, so that checksums of checksums are sound.
pub(super) fn masked_crc(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Calls `each` with every key and value of a block.
fn for_each(
    format: Format,
    block: &[u8],
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), WeightsError>,
) -> Result<(), WeightsError> {
    let damaged = || corrupt(format, 0, "a block is damaged");
    // At the end, places to start reading from, which only a search needs.
    let end = block.len().checked_sub(4).ok_or_else(damaged)?;
    let restarts = Parser::new(&block[end..]).u32().and_then(|n| usize::try_from(n).ok());
    let restarts = restarts.and_then(|n| n.checked_mul(4)).and_then(|n| end.checked_sub(n));
    let mut p = Parser::new(&block[..restarts.ok_or_else(damaged)?]);
    let mut key = vec![];
    while !p.rest().is_empty() {
        let value = entry(&mut p, &mut key).ok_or_else(damaged)?;
        each(&key, value)?;
    }
    Ok(())
}

fn entry<'a>(p: &mut Parser<'a>, key: &mut Vec<u8>) -> Option<&'a [u8]> {
    let [shared, added, value] = [p.varint()?, p.varint()?, p.varint()?];
    let shared = usize::try_from(shared).ok().filter(|&n| n <= key.len())?;
    key.truncate(shared);
    key.extend_from_slice(p.take_u64(added)?);
    p.take_u64(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(content: &[u8], compression: u8) -> Vec<u8> {
        let mut block = content.to_vec();
        block.push(compression);
        let crc = masked_crc(crc32c::crc32c(&block));
        block.extend(crc.to_le_bytes());
        block
    }

    /// Keys "", "ab" and "abc".
    const DATA: [u8; 23] =
        [0, 0, 1, 9, 0, 2, 1, b'a', b'b', 1, 2, 1, 1, b'c', 2, 0, 0, 0, 0, 1, 0, 0, 0];

    fn stored() -> Vec<u8> {
        table(block(&DATA, 0))
    }

    fn compressed() -> Vec<u8> {
        table(block(&snap::raw::Encoder::new().compress_vec(&DATA).unwrap(), 1))
    }

    /// One data block, one index block.
    fn table(mut file: Vec<u8>) -> Vec<u8> {
        let data_size = u8::try_from(file.len() - 5).unwrap();
        let index = block(&[0, 1, 2, b'z', 0, data_size, 0, 0, 0, 0, 1, 0, 0, 0], 0);
        let mut footer = vec![0, 0, data_size + 5, u8::try_from(index.len() - 5).unwrap()];
        footer.resize(40, 0);
        footer.extend(MAGIC.to_le_bytes());
        file.extend(index);
        file.extend(footer);
        file
    }

    type Items = Vec<(Vec<u8>, Vec<u8>)>;

    fn read(file: &[u8]) -> Result<(Vec<u8>, Items), WeightsError> {
        let mut table = Table::open(Source::bytes(file), &Limits::default())?;
        let mut items = vec![];
        table.for_each(|key, value| {
            items.push((key.to_vec(), value.to_vec()));
            Ok(())
        })?;
        Ok((table.header()?, items))
    }

    #[test]
    fn reads_plain_and_compressed_blocks() {
        for file in [stored(), compressed()] {
            let (header, items) = read(&file).unwrap();
            assert_eq!(header, [9]);
            let want = [(b"ab".to_vec(), vec![1]), (b"abc".to_vec(), vec![2])];
            assert_eq!(items, want);
        }
    }

    #[test]
    fn any_changed_byte_of_a_block_is_noticed() {
        let good = compressed();
        for i in 0..good.len() - 48 {
            let mut bad = good.clone();
            bad[i] ^= 0x10;
            assert!(read(&bad).is_err(), "byte {i}");
        }
    }
}
