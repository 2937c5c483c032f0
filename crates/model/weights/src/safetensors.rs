//! safetensors: eight bytes of length, a JSON header, raw little-endian values.
//!
//! # Source
//!
//! <https://github.com/huggingface/safetensors>, "Format". Stricter than the reference
//! in one thing: a name that stands twice in the header is refused. Why this is not the
//! `safetensors` crate: `docs/decisions/0020`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Seek, SeekFrom};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use tensor::Tensor;

use crate::checkpoint::{Entry, Listing, MAX_RANK, Reader};
use crate::dtype::{Endian, decode};
use crate::source::{Source, io_error, volume};
use crate::{DType, Format, Limits, StateDict, WeightsError};

/// The reference's limit for the header.
const MAX_HEADER: u64 = 100_000_000;

/// Where texts about the file stand in the header, and so no name for a tensor.
pub(crate) const METADATA: &str = "__metadata__";

pub(crate) fn looks_like(head: &[u8]) -> bool {
    head.get(8) == Some(&b'{')
}

fn corrupt(offset: u64, what: impl Into<String>) -> WeightsError {
    WeightsError::corrupt(Format::Safetensors, offset, what)
}

pub(crate) struct Safetensors<'a> {
    source: Source<'a>,
    listing: Listing,
    /// Where each entry's values begin in the file.
    offsets: Vec<u64>,
}

impl<'a> Safetensors<'a> {
    pub(crate) fn open(mut source: Source<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        let length = source.head(8)?;
        let length = length.try_into().map(u64::from_le_bytes);
        let length = length.map_err(|_short| corrupt(0, "the file ends early"))?;
        let limit = limits.header.min(MAX_HEADER);
        let header = source.read_at(8, length, (Format::Safetensors, limit))?;
        let start = 8 + length;

        let mut json = serde_json::Deserializer::from_slice(&header);
        let read = HeaderSeed { limits }.deserialize(&mut json);
        let header = read.and_then(|header| json.end().map(|()| header));
        let header = header.map_err(|e| corrupt(8, e.to_string()))?;
        check_ranges(&header.tensors, source.len() - start).map_err(|e| corrupt(8, e))?;

        let mut listing = Listing::default();
        for (key, text) in header.metadata {
            listing.describe(&key, text, limits)?;
        }
        let mut offsets = vec![];
        for (name, Info { dtype, shape, data_offsets: [from, _] }) in header.tensors {
            let dtype = dtype_of(&dtype).ok_or_else(|| {
                WeightsError::unsupported(Format::Safetensors, format!("{dtype} values in {name}"))
            })?;
            offsets.push(start + from);
            listing.add(Entry { name, shape, dtype }, limits)?;
        }
        Ok(Self { source, listing, offsets })
    }
}

impl Reader for Safetensors<'_> {
    fn listing(&self) -> &Listing {
        &self.listing
    }

    fn load(&mut self, _: &Limits) -> Result<StateDict, WeightsError> {
        let mut dict = StateDict::new();
        for (Entry { name, shape, dtype }, &at) in self.listing.entries.iter().zip(&self.offsets) {
            let count = volume(shape).ok_or_else(|| corrupt(at, "a shape overflows"))?;
            self.source.seek(SeekFrom::Start(at))?;
            let left = self.source.left()?;
            let values = decode(&mut self.source, (*dtype, Endian::Little), count, left)
                .map_err(|e| io_error(Format::Safetensors, at, e))?;
            dict.insert(name.clone(), Tensor::new(shape.clone(), values));
        }
        Ok(dict)
    }
}

fn dtype_of(name: &str) -> Option<DType> {
    Some(match name {
        "F64" => DType::F64,
        "F32" => DType::F32,
        "F16" => DType::F16,
        "BF16" => DType::Bf16,
        "I64" => DType::I64,
        "I32" => DType::I32,
        "I16" => DType::I16,
        "I8" => DType::I8,
        "U64" => DType::U64,
        "U32" => DType::U32,
        "U16" => DType::U16,
        "U8" => DType::U8,
        "BOOL" => DType::Bool,
        _ => return None,
    })
}

#[derive(serde::Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

#[derive(Default)]
struct Header {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, Info>,
}

/// Every byte of data belongs to exactly one tensor, which is as long as its shape says.
fn check_ranges(tensors: &BTreeMap<String, Info>, len: u64) -> Result<(), String> {
    let mut ranges: Vec<_> = tensors.iter().map(|(name, i)| (i.data_offsets, name, i)).collect();
    ranges.sort_unstable_by_key(|&(range, name, _)| (range, name));
    let mut end = 0;
    for ([from, to], name, info) in ranges {
        if info.shape.len() > MAX_RANK {
            return Err(format!("{name} has {} axes", info.shape.len()));
        }
        if from != end || to < from {
            return Err(format!("{name} overlaps another tensor or leaves a gap"));
        }
        let bytes = dtype_of(&info.dtype)
            .map(|d| volume(&info.shape).and_then(|n| n.checked_mul(d.size())));
        if bytes.is_some_and(|bytes| bytes.map(|n| n as u64) != Some(to - from)) {
            return Err(format!("{name} is not as long as its shape says"));
        }
        end = to;
    }
    if end == len { Ok(()) } else { Err(format!("{end} bytes of data announced, {len} there")) }
}

struct HeaderSeed<'l> {
    limits: &'l Limits,
}

impl<'de> DeserializeSeed<'de> for HeaderSeed<'_> {
    type Value = Header;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Header, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for HeaderSeed<'_> {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from names to tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        let mut has_metadata = false;
        while let Some(name) = map.next_key::<String>()? {
            if header.tensors.len() >= self.limits.entries {
                return Err(A::Error::custom(format_args!(
                    "more than {} tensors",
                    self.limits.entries
                )));
            }
            let is_new = if name == METADATA {
                header.metadata = map.next_value()?;
                !std::mem::replace(&mut has_metadata, true)
            } else {
                header.tensors.insert(name.clone(), map.next_value()?).is_none()
            };
            if !is_new {
                return Err(A::Error::custom(format_args!("{name} stands there twice")));
            }
        }
        Ok(header)
    }
}
