//! ONNX's tensors.

use std::collections::BTreeMap;

use super::file::{MAX_LIST, entry, text};
use super::{corrupt, unsupported};
use crate::WeightsError;
use crate::checkpoint::MAX_RANK;
use crate::dtype::{Endian, decode};
use crate::proto::{Field, fields, packed};
use crate::source::{io_error, volume};
use crate::{DType, Format};

/// A `TensorProto`: where its values are.
#[derive(Clone, Debug, Default)]
pub(super) struct TensorProto<'f> {
    pub(super) name: &'f str,
    pub(super) shape: Vec<usize>,
    number: u64,
    raw: Option<&'f [u8]>,
    /// Fields with one number each, and packed ones, in order.
    numbers: Vec<Field<'f>>,
    /// `location`, `offset` and `length` of values in another file.
    pub(super) external: Option<BTreeMap<&'f str, &'f str>>,
}

impl<'f> TensorProto<'f> {
    pub(super) fn parse(bytes: &'f [u8]) -> Result<Self, WeightsError> {
        let damaged = || corrupt("a tensor is damaged");
        let mut tensor = Self::default();
        for field in fields(bytes) {
            match field.ok_or_else(damaged)? {
                (1, Field::Number(n)) => tensor.side(n)?,
                (1, Field::Bytes(b)) => {
                    for n in packed(b) {
                        tensor.side(n.ok_or_else(damaged)?)?;
                    }
                }
                (2, Field::Number(n)) => tensor.number = n,
                (3, _) => return Err(unsupported("a tensor in segments")),
                (4 | 5 | 7 | 10 | 11, field) => tensor.numbers.push(field),
                (8, Field::Bytes(b)) => tensor.name = text(b)?,
                (9, Field::Bytes(b)) => tensor.raw = Some(b),
                (13, Field::Bytes(b)) => {
                    let (key, value) = entry(b).ok_or_else(damaged)?;
                    tensor.external.get_or_insert_default().insert(key, value);
                }
                (14, Field::Number(1)) => {
                    tensor.external.get_or_insert_default();
                }
                _ => {}
            }
            if tensor.numbers.len() > MAX_LIST {
                return Err(unsupported("a tensor in many single numbers"));
            }
        }
        Ok(tensor)
    }

    fn side(&mut self, n: u64) -> Result<(), WeightsError> {
        let side = usize::try_from(n).ok().filter(|_| self.shape.len() < MAX_RANK);
        self.shape.push(side.ok_or_else(|| corrupt("a tensor is damaged"))?);
        Ok(())
    }

    pub(super) fn dtype(&self) -> Result<DType, WeightsError> {
        Ok(match self.number {
            1 => DType::F32,
            2 => DType::U8,
            3 => DType::I8,
            4 => DType::U16,
            5 => DType::I16,
            6 => DType::I32,
            7 => DType::I64,
            9 => DType::Bool,
            10 => DType::F16,
            11 => DType::F64,
            12 => DType::U32,
            13 => DType::U64,
            16 => DType::Bf16,
            other => return Err(unsupported(format!("values of type {other}"))),
        })
    }

    pub(super) fn count(&self) -> Option<usize> {
        volume(&self.shape)
    }

    /// Its values as whole numbers: for shapes, axes and sizes.
    pub(super) fn ints(&self) -> Option<Vec<i64>> {
        if let Some(raw) = self.raw {
            return match self.number {
                7 => Some(raw.as_chunks::<8>().0.iter().map(|&b| i64::from_le_bytes(b)).collect()),
                6 => {
                    let (words, _) = raw.as_chunks::<4>();
                    Some(words.iter().map(|&b| i64::from(i32::from_le_bytes(b))).collect())
                }
                _ => None,
            };
        }
        if !matches!(self.number, 6 | 7) {
            return None;
        }
        let mut values = vec![];
        for field in &self.numbers {
            match field {
                Field::Number(n) => values.push(n.cast_signed()),
                Field::Bytes(b) => {
                    for n in packed(b) {
                        values.push(n?.cast_signed());
                    }
                }
                _ => return None,
            }
        }
        Some(values)
    }

    /// Its values, from itself or from `external`, the bytes that it names.
    pub(super) fn values(&self, external: Option<&[u8]>) -> Result<Vec<f32>, WeightsError> {
        let count = self.count().ok_or_else(|| self.short())?;
        let dtype = self.dtype()?;
        if let Some(raw) = external.or(self.raw) {
            return decode(raw, (dtype, Endian::Little), count, raw.len() as u64)
                .map_err(|e| io_error(Format::Onnx, 0, e));
        }
        let bytes = self.plain(dtype).ok_or_else(|| self.short())?;
        if bytes.len() / dtype.size() != count {
            return Err(self.short());
        }
        decode(&*bytes, (dtype, Endian::Little), count, bytes.len() as u64)
            .map_err(|e| io_error(Format::Onnx, 0, e))
    }

    /// The numbers of its fields, as raw values would be.
    fn plain(&self, dtype: DType) -> Option<Vec<u8>> {
        let mut bytes = vec![];
        // Numbers of up to 64 bits are varints, whose low bytes are the value.
        let mut push = |n: u64| bytes.extend(&n.to_le_bytes()[..dtype.size()]);
        let is_float = matches!(dtype, DType::F32 | DType::F64);
        for field in &self.numbers {
            match field {
                Field::Number(n) => push(*n),
                Field::Fixed32(b) => push(u64::from(u32::from_le_bytes(*b))),
                Field::Fixed64(b) => push(u64::from_le_bytes(*b)),
                Field::Bytes(b) if is_float => b.chunks_exact(dtype.size()).for_each(|value| {
                    let mut wide = [0; 8];
                    wide[..value.len()].copy_from_slice(value);
                    push(u64::from_le_bytes(wide));
                }),
                Field::Bytes(b) => {
                    for n in packed(b) {
                        push(n?);
                    }
                }
            }
        }
        Some(bytes)
    }

    fn short(&self) -> WeightsError {
        corrupt(format!("{:?} has shape {:?} and not its values", self.name, self.shape))
    }
}
