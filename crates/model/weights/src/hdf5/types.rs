//! Shapes and types: sections IV.A.2.b and IV.A.2.d.

use super::unsupported;
use crate::checkpoint::MAX_RANK;
use crate::dtype::Endian;
use crate::parse::Parser;
use crate::{DType, WeightsError};

/// The type of a dataset's or attribute's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Number(DType, Endian),
    /// Two bytes that only a note beside them explains: how h5py writes `bfloat16`.
    TwoBytes,
    /// Texts of so many bytes, ended by zeros or spaces.
    Text(usize),
    /// Texts in a global heap.
    FarText,
}

/// The shape in a dataspace message; `None` if it is damaged. An empty dataspace, which
/// holds not even one value, has a side of zero.
pub(super) fn shape(message: &[u8]) -> Option<Vec<usize>> {
    let mut p = Parser::new(message);
    let [version, rank, _flags] = p.array()?;
    match version {
        1 => drop(p.take(5)?),
        2 if p.array::<1>()? == [2] => return Some(vec![0]),
        2 => {}
        _ => return None,
    }
    if usize::from(rank) > MAX_RANK {
        return None;
    }
    (0..rank).map(|_| usize::try_from(p.u64()?).ok()).collect()
}

/// The type in a datatype message; `None` if it is damaged.
pub(super) fn datatype(message: &[u8]) -> Option<Result<Type, WeightsError>> {
    let mut p = Parser::new(message);
    let [head, bits, _, _] = p.array()?;
    let size = usize::try_from(p.u32()?).ok()?;
    let endian = if bits & 1 == 0 { Endian::Little } else { Endian::Big };
    let no = |what: String| Some(Err(unsupported(what)));
    let number = match (head & 0xf, size) {
        (0, _) if bits & 8 == 0 => unsigned(size),
        (0, _) => signed(size),
        (1, _) if bits & 0x40 == 0 => {
            p.take(4)?; // offset and precision
            let [_, exponent, _, mantissa] = p.array()?;
            float(size, exponent, mantissa)
        }
        (3, 1..) => return Some(Ok(Type::Text(size))),
        (5, 2) => return Some(Ok(Type::TwoBytes)),
        (8, 1) => Some(DType::Bool), // h5py's: an enumeration of FALSE and TRUE
        (9, 16) if bits & 0xf == 1 => return Some(Ok(Type::FarText)),
        (class, _) => return no(format!("values of type class {class} and {size} bytes")),
    };
    match number {
        Some(dtype) => Some(Ok(Type::Number(dtype, endian))),
        None => no(format!("numbers of {size} bytes")),
    }
}

/// An integer type by its bytes.
fn signed(size: usize) -> Option<DType> {
    Some(match size {
        1 => DType::I8,
        2 => DType::I16,
        4 => DType::I32,
        8 => DType::I64,
        _ => return None,
    })
}

fn unsigned(size: usize) -> Option<DType> {
    Some(match size {
        1 => DType::U8,
        2 => DType::U16,
        4 => DType::U32,
        8 => DType::U64,
        _ => return None,
    })
}

/// A floating-point type by its bytes and the bits of its parts.
fn float(size: usize, exponent: u8, mantissa: u8) -> Option<DType> {
    Some(match (size, exponent, mantissa) {
        (8, 11, 52) => DType::F64,
        (4, 8, 23) => DType::F32,
        (2, 5, 10) => DType::F16,
        (2, 8, 7) => DType::Bf16,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_both_versions() {
        assert_eq!(shape(&[1, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]), Some(vec![3]));
        assert_eq!(shape(&[2, 1, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0]), Some(vec![3]));
        assert_eq!(shape(&[2, 0, 0, 0]), Some(vec![]));
        assert_eq!(shape(&[2, 0, 0, 2]), Some(vec![0]));
        assert_eq!(shape(&[2, 1, 0, 1, 3, 0, 0, 0]), None);
        assert_eq!(shape(&[2, 33, 0, 1]), None);
    }

    #[test]
    fn types_by_their_bits() {
        let of = |message: &[u8]| datatype(message).map(Result::ok);
        let float = |size, exponent, mantissa, order| {
            of(&[0x11, order, 31, 0, size, 0, 0, 0, 0, 0, 32, 0, 23, exponent, 0, mantissa])
        };
        let little = |dtype| Some(Some(Type::Number(dtype, Endian::Little)));
        assert_eq!(float(4, 8, 23, 0x20), little(DType::F32));
        assert_eq!(float(2, 8, 7, 0x20), little(DType::Bf16));
        assert_eq!(float(4, 8, 23, 0x21), Some(Some(Type::Number(DType::F32, Endian::Big))));
        assert_eq!(float(4, 9, 22, 0x20), Some(None));
        assert_eq!(of(&[0x10, 8, 0, 0, 2, 0, 0, 0]), little(DType::I16));
        assert_eq!(of(&[0x13, 0, 0, 0, 7, 0, 0, 0]), Some(Some(Type::Text(7))));
        assert_eq!(of(&[0x19, 1, 1, 0, 16, 0, 0, 0]), Some(Some(Type::FarText)));
        assert_eq!(of(&[0x16, 1, 1, 0, 16, 0, 0, 0]), Some(None));
        assert_eq!(of(&[0x13, 0, 0, 0, 7, 0]), None);
    }
}
