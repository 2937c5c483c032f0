//! The text at the start of a NumPy array: a Python dictionary with three keys.

use std::io::Read;

use crate::checkpoint::MAX_RANK;
use crate::dtype::Endian;
use crate::source::io_error;
use crate::{DType, Format, WeightsError};

pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Plenty for three keys and 32 axes; NumPy itself stops at 10,000 bytes.
const MAX_HEADER: usize = 65_535;

/// What an array is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: DType,
    pub(crate) endian: Endian,
    /// Whether the first axis is the fastest.
    pub(crate) fortran: bool,
    /// Bytes before the values.
    pub(crate) length: u64,
}

pub(crate) fn read(mut reader: impl Read, format: Format) -> Result<Header, WeightsError> {
    let corrupt = |at: u64, what: &str| WeightsError::corrupt(format, at, what);
    let mut bytes = |n: usize, at: u64| {
        let mut bytes = vec![0; n];
        reader.read_exact(&mut bytes).map_err(|e| io_error(format, at, e))?;
        Ok::<_, WeightsError>(bytes)
    };
    let magic = bytes(8, 0)?;
    if !magic.starts_with(MAGIC) {
        return Err(corrupt(0, "not an array"));
    }
    let size = match magic[6] {
        1 => 2,
        2 | 3 => 4,
        other => {
            return Err(WeightsError::unsupported(format, format!("array version {other}")));
        }
    };
    let length = bytes(size, 8)?.iter().rev().fold(0, |n, &b| n << 8 | usize::from(b));
    if length > MAX_HEADER {
        return Err(corrupt(8, "the header is too long"));
    }
    let start = 8 + size as u64;
    let text = String::from_utf8(bytes(length, start)?);
    let text = text.map_err(|_not_utf8| corrupt(start, "the header is not text"))?;
    let fields = Literal(&text).header().ok_or_else(|| corrupt(start, "the header is damaged"))?;
    let (dtype, endian) = dtype_of(&fields.descr).ok_or_else(|| {
        WeightsError::unsupported(format, format!("values of type {}", fields.descr))
    })?;
    let length = start + length as u64;
    Ok(Header { shape: fields.shape, dtype, endian, fortran: fields.fortran, length })
}

/// NumPy's type code: byte order, kind, bytes.
fn dtype_of(descr: &str) -> Option<(DType, Endian)> {
    let (order, kind) = descr.split_at_checked(1)?;
    let dtype = match kind {
        "f8" => DType::F64,
        "f4" => DType::F32,
        "f2" => DType::F16,
        "i8" => DType::I64,
        "i4" => DType::I32,
        "i2" => DType::I16,
        "i1" => DType::I8,
        "u8" => DType::U64,
        "u4" => DType::U32,
        "u2" => DType::U16,
        "u1" => DType::U8,
        "b1" => DType::Bool,
        _ => return None,
    };
    match order {
        "<" => Some((dtype, Endian::Little)),
        ">" => Some((dtype, Endian::Big)),
        "|" if dtype.size() == 1 => Some((dtype, Endian::Little)),
        _ => None,
    }
}

struct Fields {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

/// What is left of a Python literal.
struct Literal<'a>(&'a str);

impl<'a> Literal<'a> {
    fn header(mut self) -> Option<Fields> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.accept('}') {
            let key = self.text()?;
            self.expect(':')?;
            match key {
                "descr" => descr = Some(self.type_code()?),
                "fortran_order" => fortran = Some(self.truth()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return None,
            }
            if !self.accept(',') {
                self.expect('}')?;
                break;
            }
        }
        let is_end = self.0.trim_matches([' ', '\n', '\0']).is_empty();
        is_end.then_some(Fields { descr: descr?, fortran: fortran?, shape: shape? })
    }

    fn accept(&mut self, c: char) -> bool {
        let rest = self.0.trim_start();
        self.0 = rest.strip_prefix(c).unwrap_or(rest);
        self.0.len() < rest.len()
    }

    fn expect(&mut self, c: char) -> Option<()> {
        self.accept(c).then_some(())
    }

    fn text(&mut self) -> Option<&'a str> {
        let quote = if self.accept('\'') { '\'' } else { self.expect('"').map(|()| '"')? };
        let (text, rest) = self.0.split_once(quote)?;
        self.0 = rest;
        Some(text)
    }

    /// A type code or, for a structured type, the whole list (which is then refused by name).
    fn type_code(&mut self) -> Option<String> {
        if !self.accept('[') {
            return self.text().map(str::to_owned);
        }
        let (list, rest) = self.0.split_once(']')?;
        self.0 = rest;
        Some(format!("[{list}]"))
    }

    fn truth(&mut self) -> Option<bool> {
        let rest = self.0.trim_start();
        let (rest, value) = match rest.strip_prefix("True") {
            Some(rest) => (rest, true),
            None => (rest.strip_prefix("False")?, false),
        };
        self.0 = rest;
        Some(value)
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        let mut items = vec![];
        self.expect('(')?;
        while !self.accept(')') {
            let rest = self.0.trim_start();
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            items.push(rest[..end].parse().ok()?);
            // Python 2 wrote long integers with an L.
            self.0 = rest[end..].strip_prefix('L').unwrap_or(&rest[end..]);
            if items.len() > MAX_RANK {
                return None;
            }
            if !self.accept(',') {
                self.expect(')')?;
                break;
            }
        }
        Some(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Option<(String, bool, Vec<usize>)> {
        Literal(text).header().map(|f| (f.descr, f.fortran, f.shape))
    }

    #[test]
    fn reads_the_dictionaries_that_numpy_writes() {
        let want = Some(("<f4".to_owned(), false, vec![2, 3]));
        assert_eq!(fields("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n"), want);
        assert_eq!(fields("{\"shape\":(2L,3L),'fortran_order':False,'descr':'<f4'}"), want);
        let scalar = fields("{'descr': '<f4', 'fortran_order': True, 'shape': ()}");
        assert_eq!(scalar, Some(("<f4".to_owned(), true, vec![])));
        let structured = fields("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}");
        assert_eq!(structured.map(|f| f.0).as_deref(), Some("[('a', '<f4')]"));
    }

    #[test]
    fn refuses_anything_else() {
        for text in [
            "",
            "{",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} import os",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        ] {
            assert_eq!(fields(text), None, "{text}");
        }
    }
}
