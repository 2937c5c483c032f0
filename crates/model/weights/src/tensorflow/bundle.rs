//! The V2 bundle: an index of where each tensor's raw values lie.

use std::io::{self, Read, Seek, SeekFrom};

use tensor::Tensor;

use super::table::{Table, masked_crc};
use super::{Info, weights_type};
use crate::checkpoint::{Entry, Listing, Reader, Shards};
use crate::dtype::{Endian, decode};
use crate::proto::{Field, fields, shape};
use crate::source::{Source, io_error, to_usize, volume};
use crate::{Format, Limits, StateDict, WeightsError};

const FORMAT: Format = Format::TensorflowV2;

fn corrupt(offset: u64, what: impl Into<String>) -> WeightsError {
    WeightsError::corrupt(FORMAT, offset, what)
}

/// `BundleEntryProto`, but for type and shape.
#[derive(Clone, Copy, Default)]
struct Place {
    shard: u64,
    offset: u64,
    size: u64,
    crc: u32,
}

pub(super) struct Bundle<'a> {
    shards: Vec<Source<'a>>,
    endian: Endian,
    listing: Listing,
    places: Vec<Place>,
}

impl<'a> Bundle<'a> {
    pub(super) fn open(
        mut table: Table<'a>,
        shards: Shards<'_, 'a>,
        limits: &Limits,
    ) -> Result<Self, WeightsError> {
        let (count, endian) =
            header(&table.header()?).ok_or_else(|| corrupt(0, "the header is damaged"))?;
        limits.check_entries(to_usize(count)?)?;
        let (mut listing, mut places) = (Listing::default(), vec![]);
        table.for_each(|key, value| {
            let Ok(name) = str::from_utf8(key) else {
                return Ok(()); // a slice of a tensor: the whole one refuses or is text
            };
            let read = entry(value).ok_or_else(|| corrupt(0, format!("{name} is damaged")))?;
            let (info, place) = read;
            let Some(dtype) = weights_type(name, &info, FORMAT)? else { return Ok(()) };
            let shape = info.shape;
            let size = volume(&shape).and_then(|n| n.checked_mul(dtype.size()));
            if size.map(|n| n as u64) != Some(place.size) || place.shard >= count {
                return Err(corrupt(0, format!("{name} is not as long as its shape says")));
            }
            listing.add(Entry { name: name.to_owned(), shape, dtype }, limits)?;
            places.push(place);
            Ok(())
        })?;
        Ok(Self { shards: shards(to_usize(count)?)?, endian, listing, places })
    }
}

/// `BundleHeaderProto { int32 num_shards = 1; Endianness endianness = 2; }`
fn header(message: &[u8]) -> Option<(u64, Endian)> {
    let (mut count, mut endian) = (0, Endian::Little);
    for field in fields(message) {
        match field? {
            (1, Field::Number(n)) => count = n,
            (2, Field::Number(1)) => endian = Endian::Big,
            _ => {}
        }
    }
    Some((count, endian))
}

/// `BundleEntryProto { dtype = 1; shape = 2; shard_id = 3; offset = 4; size = 5; crc32c = 6; slices = 7; }`
fn entry(message: &[u8]) -> Option<(Info, Place)> {
    let (mut info, mut place) = (Info::default(), Place::default());
    for field in fields(message) {
        match field? {
            (1, Field::Number(n)) => info.number = n,
            (2, Field::Bytes(b)) => info.shape = shape(b)?,
            (3, Field::Number(n)) => place.shard = n,
            (4, Field::Number(n)) => place.offset = n,
            (5, Field::Number(n)) => place.size = n,
            (6, Field::Fixed32(b)) => place.crc = u32::from_le_bytes(b),
            (7, _) => info.is_sliced = true,
            _ => {}
        }
    }
    Some((info, place))
}

impl Reader for Bundle<'_> {
    fn listing(&self) -> &Listing {
        &self.listing
    }

    fn load(&mut self, _: &Limits) -> Result<StateDict, WeightsError> {
        let mut dict = StateDict::new();
        for (Entry { name, shape, dtype }, place) in self.listing.entries.iter().zip(&self.places) {
            let Place { offset, size, crc, .. } = *place;
            let shard = &mut self.shards[to_usize(place.shard)?];
            if offset.checked_add(size).is_none_or(|end| end > shard.len()) {
                return Err(corrupt(offset, format!("{name} lies beyond its data file")));
            }
            shard.seek(SeekFrom::Start(offset))?;
            let mut checked = Checked { inner: shard, crc: 0 };
            let count = volume(shape).unwrap_or(usize::MAX);
            let values = decode(&mut checked, (*dtype, self.endian), count, size)
                .map_err(|e| io_error(FORMAT, offset, e))?;
            if masked_crc(checked.crc) != crc {
                return Err(corrupt(offset, format!("{name}'s checksum is wrong")));
            }
            dict.insert(name.clone(), Tensor::new(shape.clone(), values));
        }
        Ok(dict)
    }
}

/// Computes the checksum of what is read.
struct Checked<R> {
    inner: R,
    crc: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(to)?;
        self.crc = crc32c::crc32c_append(self.crc, &to[..n]);
        Ok(n)
    }
}
