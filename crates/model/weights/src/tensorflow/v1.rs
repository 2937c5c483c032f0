//! The V1 checkpoint: a table of slices of tensors.

use half::{bf16, f16};
use tensor::Tensor;

use super::table::Table;
use super::{Info, weights_type};
use crate::checkpoint::{Entry, Listing, Reader};
use crate::dtype::{Endian, decode};
use crate::proto::{Field, fields, packed, shape};
use crate::source::volume;
use crate::{DType, Format, Limits, StateDict, WeightsError};

const FORMAT: Format = Format::TensorflowV1;

fn corrupt(what: impl Into<String>) -> WeightsError {
    WeightsError::corrupt(FORMAT, 0, what)
}

pub(super) struct V1<'a> {
    table: Table<'a>,
    listing: Listing,
}

impl<'a> V1<'a> {
    pub(super) fn open(mut table: Table<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        table.format = FORMAT;
        let header = table.header()?;
        let mut listing = Listing::default();
        let damaged = || corrupt("the header is damaged");
        // SavedTensorSlices { SavedTensorSliceMeta meta = 1 { repeated SavedSliceMeta tensor = 1; } }
        for field in fields(&header) {
            let (1, Field::Bytes(meta)) = field.ok_or_else(damaged)? else { continue };
            for field in fields(meta) {
                let (1, Field::Bytes(tensor)) = field.ok_or_else(damaged)? else { continue };
                let (name, info) = slice_meta(tensor).ok_or_else(damaged)?;
                let Some(dtype) = weights_type(&name, &info, FORMAT)? else { continue };
                listing.add(Entry { name, shape: info.shape, dtype }, limits)?;
            }
        }
        Ok(Self { table, listing })
    }
}

/// `SavedSliceMeta { name = 1; shape = 2; type = 3; repeated TensorSliceProto slice = 4; }`
fn slice_meta(message: &[u8]) -> Option<(String, Info)> {
    let (mut name, mut info, mut slices) = (String::new(), Info::default(), 0);
    for field in fields(message) {
        match field? {
            (1, Field::Bytes(b)) => name = String::from_utf8(b.to_vec()).ok()?,
            (2, Field::Bytes(b)) => info.shape = shape(b)?,
            (3, Field::Number(n)) => info.number = n,
            (4, Field::Bytes(b)) => {
                slices += 1;
                info.is_sliced |= slices > 1 || !is_whole(b)?;
            }
            _ => {}
        }
    }
    Some((name, info))
}

/// `TensorSliceProto { repeated Extent extent = 1 { start = 1; length = 2; } }`: an
/// extent without a length is a whole axis.
fn is_whole(slice: &[u8]) -> Option<bool> {
    let mut whole = true;
    for field in fields(slice) {
        let (1, Field::Bytes(extent)) = field? else { continue };
        for field in fields(extent) {
            whole &= field?.0 != 2;
        }
    }
    Some(whole)
}

impl Reader for V1<'_> {
    fn listing(&self) -> &Listing {
        &self.listing
    }

    fn load(&mut self, _: &Limits) -> Result<StateDict, WeightsError> {
        let Self { table, listing } = self;
        let mut dict = StateDict::new();
        let by_name: std::collections::BTreeMap<&str, &Entry> =
            listing.entries.iter().map(|e| (e.name.as_str(), e)).collect();
        table.for_each(|_, value| {
            let (name, tensor) = saved_slice(value).ok_or_else(|| corrupt("a slice is damaged"))?;
            let Some(Entry { name, shape, dtype }) = by_name.get(name) else { return Ok(()) };
            let values = values(tensor, *dtype, volume(shape))
                .ok_or_else(|| corrupt(format!("{name} is not as long as its shape says")))?;
            match dict.insert(name.clone(), Tensor::new(shape.clone(), values)) {
                None => Ok(()),
                Some(_) => Err(corrupt(format!("{name} stands there twice"))),
            }
        })?;
        match listing.entries.iter().find(|e| !dict.contains_key(&e.name)) {
            None => Ok(dict),
            Some(entry) => Err(corrupt(format!("{} has no values", entry.name))),
        }
    }
}

/// `SavedTensorSlices { SavedSlice data = 2 { name = 1; slice = 2; TensorProto data = 3; } }`
fn saved_slice(value: &[u8]) -> Option<(&str, &[u8])> {
    let (mut name, mut tensor) = (None, None);
    for field in fields(value) {
        let (2, Field::Bytes(data)) = field? else { continue };
        for field in fields(data) {
            match field? {
                (1, f) => name = Some(str::from_utf8(f.bytes()?).ok()?),
                (3, f) => tensor = Some(f.bytes()?),
                _ => {}
            }
        }
    }
    Some((name?, tensor?))
}

/// The values of a `TensorProto`, exactly `count`: raw in `tensor_content` (4), or by
/// type in `float_val` (5), `double_val` (6), `int_val` (7), `int64_val` (10),
/// `bool_val` (11), `half_val` (13), `uint32_val` (16), `uint64_val` (17).
fn values(tensor: &[u8], dtype: DType, count: Option<usize>) -> Option<Vec<f32>> {
    let count = count?;
    let mut values: Vec<f32> = vec![];
    for field in fields(tensor) {
        let raw = |dtype: DType, bytes: &[u8]| {
            let (n, len) = (bytes.len() / dtype.size(), bytes.len() as u64);
            decode(bytes, (dtype, Endian::Little), n, len).ok()
        };
        match field? {
            (4, Field::Bytes(bytes)) => values.extend(raw(dtype, bytes)?),
            (5, Field::Bytes(bytes)) => values.extend(raw(DType::F32, bytes)?),
            (6, Field::Bytes(bytes)) => values.extend(raw(DType::F64, bytes)?),
            (5, Field::Fixed32(bytes)) => values.extend(raw(DType::F32, &bytes)?),
            (6, Field::Fixed64(bytes)) => values.extend(raw(DType::F64, &bytes)?),
            (7 | 10 | 11 | 13 | 16 | 17, Field::Bytes(bytes)) => {
                for number in packed(bytes) {
                    values.push(from_number(number?, dtype)?);
                }
            }
            (7 | 10 | 11 | 13 | 16 | 17, field) => {
                values.push(from_number(field.number()?, dtype)?);
            }
            _ => {}
        }
    }
    (values.len() == count).then_some(values)
}

/// Numbers stand there as 64 bits with the sign extended; halves as their bits.
#[expect(clippy::cast_possible_wrap, reason = "that is how they are stored")]
fn from_number(number: u64, dtype: DType) -> Option<f32> {
    Some(match dtype {
        DType::F16 => f16::from_bits(u16::try_from(number).ok()?).to_f32(),
        DType::Bf16 => bf16::from_bits(u16::try_from(number).ok()?).to_f32(),
        DType::U64 => number as f32,
        _ => number as i64 as f32,
    })
}
