//! Datasets in chunks, and what is done to the bytes of each: sections III.A.1, IV.A.2.l.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::dataset::Dataset;
use super::{File, corrupt, unsupported};
use crate::dtype::decode;
use crate::parse::Parser;
use crate::source::{io_error, volume};
use crate::{Format, WeightsError};

/// One chunk, as its index has it.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) at: u64,
    /// Bytes in the file.
    pub(super) packed: u64,
    /// The filters that were left out, a bit each.
    pub(super) mask: u32,
    /// The place of its first value.
    pub(super) origin: Vec<usize>,
}

/// What a writer did to a chunk's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Deflate,
    /// First bytes of all values, then second bytes, ….
    Shuffle,
    /// A checksum at the end.
    Fletcher32,
}

/// The filters of a message, in the order of writing.
pub(super) fn filters(message: &[u8]) -> Result<Vec<Filter>, WeightsError> {
    let damaged = || corrupt(0, "a list of filters is damaged");
    let mut p = Parser::new(message);
    let [version, count] = p.array().ok_or_else(damaged)?;
    let mut found = vec![];
    p.take(if version == 1 { 6 } else { 0 }).ok_or_else(damaged)?;
    for _ in 0..count {
        let id = filter(&mut p, version).ok_or_else(damaged)?;
        found.push(match id {
            1 => Filter::Deflate,
            2 => Filter::Shuffle,
            3 => Filter::Fletcher32,
            other => return Err(unsupported(format!("filter {other}"))),
        });
    }
    Ok(found)
}

/// One filter's number; `None` if the message is damaged.
fn filter(p: &mut Parser<'_>, version: u8) -> Option<u16> {
    let id = p.u16()?;
    let has_name = version == 1 || id >= 256;
    let name = if has_name { usize::from(p.u16()?) } else { 0 };
    let _flags = p.u16()?;
    let values = usize::from(p.u16()?);
    let padded = version == 1;
    p.take(if padded { name.next_multiple_of(8) } else { name })?;
    p.take(4 * (values + usize::from(padded && values % 2 == 1)))?;
    Some(id)
}

const MAX_LEVEL: u8 = 16;

impl File<'_> {
    /// All chunks under a B-tree's root.
    pub(super) fn chunks(&mut self, at: u64, side: &[usize]) -> Result<Vec<Chunk>, WeightsError> {
        let mut found = vec![];
        self.chunks_under((at, None), side, &mut found)?;
        // Each place once: as many as there must be are then all there are.
        let mut places = BTreeSet::new();
        let is_placed = |c: &Chunk| c.origin.iter().zip(side).all(|(at, side)| at % side == 0);
        if found.iter().all(|chunk| is_placed(chunk) && places.insert(&chunk.origin)) {
            return Ok(found);
        }
        Err(corrupt(at, "chunks lie over each other"))
    }

    fn chunks_under(
        &mut self,
        (at, level): (u64, Option<u8>),
        side: &[usize],
        found: &mut Vec<Chunk>,
    ) -> Result<(), WeightsError> {
        let damaged = || corrupt(at, "an index of chunks is damaged");
        let node = self.node(at, 1)?;
        if level.is_some_and(|level| node.level != level) || node.level > MAX_LEVEL {
            return Err(damaged());
        }
        // Each key: size, mask, a place on each axis and one more; then the child.
        let entry = 8 + 8 * (side.len() as u64 + 1) + 8;
        let bytes = self.bytes(at.saturating_add(24), entry * u64::from(node.used))?;
        let mut p = Parser::new(&bytes);
        for _ in 0..node.used {
            let chunk = chunk(&mut p, side.len()).ok_or_else(damaged)?;
            match node.level.checked_sub(1) {
                Some(level) => self.chunks_under((chunk.at, Some(level)), side, found)?,
                None => found.push(chunk),
            }
        }
        Ok(())
    }

    /// The values of a dataset from its chunks.
    pub(super) fn gather(
        &mut self,
        dataset: &Dataset,
        side: &[usize],
        chunks: &[Chunk],
        filters: &[Filter],
    ) -> Result<Vec<f32>, WeightsError> {
        let mut values = vec![0.0; volume(&dataset.shape).unwrap_or(0)];
        let count = volume(side).unwrap_or(0);
        for chunk in chunks {
            let bytes = self.unfiltered(dataset, chunk, filters, count * dataset.dtype.size())?;
            let kind = (dataset.dtype, dataset.endian);
            let part = decode(&*bytes, kind, count, bytes.len() as u64)
                .map_err(|e| io_error(Format::Hdf5, chunk.at, e))?;
            if !place(&part, side, chunk, (&mut values, &dataset.shape)) {
                return Err(corrupt(chunk.at, "a chunk lies outside its dataset"));
            }
        }
        Ok(values)
    }

    /// A chunk's bytes as they were before any filter, `size` of them.
    fn unfiltered(
        &mut self,
        dataset: &Dataset,
        chunk: &Chunk,
        filters: &[Filter],
        size: usize,
    ) -> Result<Vec<u8>, WeightsError> {
        // What the filters add is little, but what a chunk claims need not be.
        let limit = (size as u64).saturating_mul(2).saturating_add(1024);
        let mut bytes = self.source.read_at(chunk.at, chunk.packed, (Format::Hdf5, limit))?;
        let used = (0u32..)
            .zip(filters)
            .filter(|(i, _)| chunk.mask.checked_shr(*i).is_none_or(|m| m & 1 == 0));
        for (_, filter) in used.collect::<Vec<_>>().into_iter().rev() {
            bytes = match filter {
                Filter::Deflate => inflate(&bytes, size, chunk.at)?,
                Filter::Shuffle => unshuffled(&bytes, dataset.dtype.size()),
                Filter::Fletcher32 => without_checksum(bytes, chunk.at)?,
            };
        }
        Ok(bytes)
    }
}

/// A key and its child; `None` if the node ends early.
fn chunk(p: &mut Parser<'_>, rank: usize) -> Option<Chunk> {
    let (packed, mask) = (u64::from(p.u32()?), p.u32()?);
    let origin = (0..rank).map(|_| usize::try_from(p.u64()?).ok()).collect::<Option<_>>()?;
    let _value = p.u64()?;
    Some(Chunk { at: p.u64()?, packed, mask, origin })
}

/// Inflates no more than what a chunk holds and a checksum.
fn inflate(bytes: &[u8], size: usize, at: u64) -> Result<Vec<u8>, WeightsError> {
    let mut inflated = vec![];
    ZlibDecoder::new(bytes)
        .take(size as u64 + 4)
        .read_to_end(&mut inflated)
        .map_err(|e| io_error(Format::Hdf5, at, e))?;
    Ok(inflated)
}

fn unshuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    let count = bytes.len() / size;
    let mut plain = vec![0; bytes.len()];
    for (i, &byte) in bytes[..count * size].iter().enumerate() {
        plain[i % count * size + i / count] = byte;
    }
    plain[count * size..].copy_from_slice(&bytes[count * size..]);
    plain
}

/// Compares and takes off the checksum at the end of a chunk.
fn without_checksum(mut bytes: Vec<u8>, at: u64) -> Result<Vec<u8>, WeightsError> {
    let end = bytes.len().checked_sub(4).ok_or_else(|| corrupt(at, "the file ends early"))?;
    let stored = to_array(&bytes[end..]).map(u32::from_le_bytes);
    bytes.truncate(end);
    if stored != Some(fletcher32(&bytes)) {
        return Err(corrupt(at, "a checksum is wrong"));
    }
    Ok(bytes)
}

fn to_array(bytes: &[u8]) -> Option<[u8; 4]> {
    bytes.try_into().ok()
}

/// Fletcher's checksum over big-endian pairs, as `H5_checksum_fletcher32` has it.
fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (0u32, 0u32);
    for pair in bytes.chunks(2) {
        let word = u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low));
        a = (a + word) % 65535;
        b = (b + a) % 65535;
    }
    b << 16 | a
}

/// Copies a chunk's values to their places, as far as they lie inside; `false` if it
/// begins outside.
fn place(
    part: &[f32],
    side: &[usize],
    chunk: &Chunk,
    (values, shape): (&mut [f32], &[usize]),
) -> bool {
    if chunk.origin.iter().zip(shape).any(|(&origin, &size)| origin >= size) {
        return false;
    }
    let Some((&width, outer)) = side.split_last() else {
        values.copy_from_slice(part);
        return true;
    };
    let last = outer.len();
    let run = width.min(shape[last] - chunk.origin[last]);
    for (row, line) in part.chunks_exact(width).enumerate() {
        let mut rest = row;
        let (mut at, mut step) = (chunk.origin[last], shape[last]);
        let mut is_inside = true;
        for axis in (0..last).rev() {
            let index = chunk.origin[axis] + rest % side[axis];
            if index >= shape[axis] {
                is_inside = false;
                break;
            }
            at += index * step;
            rest /= side[axis];
            step *= shape[axis];
        }
        if is_inside {
            values[at..at + run].copy_from_slice(&line[..run]);
        }
    }
    true
}
