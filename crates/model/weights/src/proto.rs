//! As much of protocol buffers as checkpoints need.
//!
//! # Source
//!
//! <https://protobuf.dev/programming-guides/encoding/>; the messages are in
//! `tensorflow/core/framework/*.proto` and `…/protobuf/tensor_bundle.proto`.

use crate::checkpoint::MAX_RANK;
use crate::parse::Parser;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Number(u64),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    pub(crate) fn number(self) -> Option<u64> {
        if let Self::Number(n) = self { Some(n) } else { None }
    }

    pub(crate) fn bytes(self) -> Option<&'a [u8]> {
        if let Self::Bytes(b) = self { Some(b) } else { None }
    }
}

/// A message's fields with their numbers; `None`, once, where the message is damaged.
pub(crate) fn fields(message: &[u8]) -> impl Iterator<Item = Option<(u64, Field<'_>)>> {
    let mut parser = Some(Parser::new(message));
    std::iter::from_fn(move || {
        let p = parser.as_mut().filter(|p| !p.rest().is_empty())?;
        let field = field(p);
        if field.is_none() {
            parser = None;
        }
        Some(field)
    })
}

fn field<'a>(p: &mut Parser<'a>) -> Option<(u64, Field<'a>)> {
    let tag = p.varint()?;
    let field = match tag & 7 {
        0 => Field::Number(p.varint()?),
        1 => Field::Fixed64(p.array()?),
        2 => {
            let len = p.varint()?;
            Field::Bytes(p.take_u64(len)?)
        }
        5 => Field::Fixed32(p.array()?),
        _ => return None,
    };
    Some((tag >> 3, field))
}

/// The numbers of a packed field.
pub(crate) fn packed(bytes: &[u8]) -> impl Iterator<Item = Option<u64>> {
    let mut parser = Parser::new(bytes);
    std::iter::from_fn(move || {
        if parser.rest().is_empty() {
            return None;
        }
        let number = parser.varint();
        if number.is_none() {
            parser = Parser::new(&[]);
        }
        Some(number)
    })
}

/// `TensorShapeProto { repeated Dim dim = 2 { int64 size = 1; } }`
pub(crate) fn shape(message: &[u8]) -> Option<Vec<usize>> {
    let mut shape = vec![];
    for field in fields(message) {
        match field? {
            (2, Field::Bytes(dim)) => {
                let mut size = 0;
                for field in fields(dim) {
                    if let (1, Field::Number(n)) = field? {
                        size = usize::try_from(n).ok()?;
                    }
                }
                shape.push(size);
            }
            (3, Field::Number(1)) => return None, // unknown rank
            _ => {}
        }
        if shape.len() > MAX_RANK {
            return None;
        }
    }
    Some(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_until_the_damage() {
        let good = [0x08, 0x96, 0x01, 0x12, 2, 7, 8, 0x1d, 1, 2, 3, 4];
        let want = [
            Some((1, Field::Number(150))),
            Some((2, Field::Bytes(&[7, 8]))),
            Some((3, Field::Fixed32([1, 2, 3, 4]))),
        ];
        assert_eq!(fields(&good).collect::<Vec<_>>(), want);
        assert_eq!(fields(&good[..11]).collect::<Vec<_>>()[2], None);
        assert_eq!(fields(&[0x0b]).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn reads_a_shape() {
        assert_eq!(shape(&[0x12, 2, 0x08, 2, 0x12, 2, 0x08, 3]), Some(vec![2, 3]));
        assert_eq!(shape(&[]), Some(vec![]));
        assert_eq!(shape(&[0x18, 1]), None);
        assert_eq!(shape(&[0x12, 9, 0x08]), None);
    }
}
