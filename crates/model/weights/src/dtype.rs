use std::fmt;
use std::io::{self, Read};

use half::{bf16, f16};

/// How a file stores a tensor's values. In memory they are always `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum DType {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl DType {
    /// Bytes of one value.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::I16 => "i16",
            Self::I8 => "i8",
            Self::U64 => "u64",
            Self::U32 => "u32",
            Self::U16 => "u16",
            Self::U8 => "u8",
            Self::Bool => "bool",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The order of a value's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

/// Reads `count` values as `f32`; doubles and long integers round to the nearest.
///
/// `at_hand` is how many bytes the reader can have at most. Memory is taken for
/// no more than that, so that a short file with large claims costs nothing.
pub(crate) fn decode(
    mut reader: impl Read,
    (dtype, endian): (DType, Endian),
    count: usize,
    at_hand: u64,
) -> io::Result<Vec<f32>> {
    const CHUNK: usize = 8192; // values
    let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let need = (count as u64).checked_mul(dtype.size() as u64).ok_or_else(short)?;
    if need > at_hand {
        return Err(short());
    }
    let mut values = Vec::with_capacity(count);
    let mut bytes = vec![0; count.min(CHUNK) * dtype.size()];
    while values.len() < count {
        let part = &mut bytes[..(count - values.len()).min(CHUNK) * dtype.size()];
        reader.read_exact(part)?;
        if endian == Endian::Big {
            part.chunks_exact_mut(dtype.size()).for_each(<[u8]>::reverse);
        }
        convert(part, dtype, &mut values);
    }
    Ok(values)
}

/// Appends little-endian values.
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what it is for")]
fn convert(bytes: &[u8], dtype: DType, to: &mut Vec<f32>) {
    macro_rules! each {
        ($t:ty, $f:expr) => {{
            let (values, _) = bytes.as_chunks::<{ size_of::<$t>() }>();
            to.extend(values.iter().map(|&v| $f(<$t>::from_le_bytes(v))));
        }};
    }
    match dtype {
        DType::F64 => each!(f64, |v| v as f32),
        DType::F32 => each!(f32, |v| v),
        DType::F16 => each!(f16, f16::to_f32),
        DType::Bf16 => each!(bf16, bf16::to_f32),
        DType::I64 => each!(i64, |v| v as f32),
        DType::I32 => each!(i32, |v| v as f32),
        DType::I16 => each!(i16, f32::from),
        DType::I8 => each!(i8, f32::from),
        DType::U64 => each!(u64, |v| v as f32),
        DType::U32 => each!(u32, |v| v as f32),
        DType::U16 => each!(u16, f32::from),
        DType::U8 => each!(u8, f32::from),
        DType::Bool => to.extend(bytes.iter().map(|&v| f32::from(u8::from(v != 0)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_both_ways_round() {
        let cases: [(DType, &[u8], f32); 13] = [
            (DType::F64, &(-1.5f64).to_le_bytes(), -1.5),
            (DType::F32, &(-1.5f32).to_le_bytes(), -1.5),
            (DType::F16, &f16::from_f32(-1.5).to_le_bytes(), -1.5),
            (DType::Bf16, &bf16::from_f32(-1.5).to_le_bytes(), -1.5),
            (DType::I64, &(-7i64).to_le_bytes(), -7.0),
            (DType::I32, &(-7i32).to_le_bytes(), -7.0),
            (DType::I16, &(-7i16).to_le_bytes(), -7.0),
            (DType::I8, &(-7i8).to_le_bytes(), -7.0),
            (DType::U64, &300u64.to_le_bytes(), 300.0),
            (DType::U32, &300u32.to_le_bytes(), 300.0),
            (DType::U16, &300u16.to_le_bytes(), 300.0),
            (DType::U8, &[200], 200.0),
            (DType::Bool, &[2], 1.0),
        ];
        for (dtype, bytes, want) in cases {
            assert_eq!(bytes.len(), dtype.size());
            let n = bytes.len() as u64;
            assert_eq!(decode(bytes, (dtype, Endian::Little), 1, n).unwrap(), [want], "{dtype}");
            let turned: Vec<u8> = bytes.iter().rev().copied().collect();
            assert_eq!(decode(&*turned, (dtype, Endian::Big), 1, n).unwrap(), [want], "{dtype}");
        }
    }

    #[test]
    fn a_claim_beyond_the_file_takes_no_memory() {
        let error = decode(&[0u8; 4][..], (DType::F32, Endian::Little), usize::MAX / 8, 4);
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
