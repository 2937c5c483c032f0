//! Object headers: sections IV.A.1.

use super::{File, checksum, corrupt, number, unsupported};
use crate::WeightsError;
use crate::parse::Parser;

/// An object: the messages of its header.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// Where its header lies; what it is known by.
    pub(crate) at: u64,
    messages: Vec<Message>,
}

#[derive(Clone, Debug)]
struct Message {
    kind: u16,
    body: Vec<u8>,
}

/// What messages are about, as far as anybody asks.
pub(super) mod kind {
    pub(crate) const DATASPACE: u16 = 0x01;
    pub(crate) const LINK_INFO: u16 = 0x02;
    pub(crate) const DATATYPE: u16 = 0x03;
    pub(crate) const LINK: u16 = 0x06;
    pub(crate) const EXTERNAL_FILES: u16 = 0x07;
    pub(crate) const LAYOUT: u16 = 0x08;
    pub(crate) const FILTERS: u16 = 0x0b;
    pub(crate) const ATTRIBUTE: u16 = 0x0c;
    pub(crate) const CONTINUATION: u16 = 0x10;
    pub(crate) const SYMBOL_TABLE: u16 = 0x11;
    pub(crate) const ATTRIBUTE_INFO: u16 = 0x15;
}

/// How a header writes its messages.
#[derive(Clone, Copy)]
enum Style {
    /// Version 1: long prefixes, bodies at multiples of eight bytes.
    One,
    /// Version 2: short prefixes, with or without a number for the order of making.
    Two { ordered: bool },
}

impl Object {
    /// The body of the first message of a kind.
    pub(super) fn message(&self, kind: u16) -> Option<&[u8]> {
        self.messages(kind).next()
    }

    /// The bodies of all messages of a kind.
    pub(super) fn messages(&self, kind: u16) -> impl Iterator<Item = &[u8]> {
        self.messages.iter().filter(move |m| m.kind == kind).map(|m| m.body.as_slice())
    }

    /// Whether it is a group.
    pub(crate) fn is_group(&self) -> bool {
        self.message(kind::SYMBOL_TABLE).is_some()
            || self.message(kind::LINK_INFO).is_some()
            || self.message(kind::LINK).is_some()
    }

    /// Whether it is a dataset.
    pub(crate) fn is_dataset(&self) -> bool {
        self.message(kind::LAYOUT).is_some()
    }
}

impl File<'_> {
    /// Reads the header at an address, and what it continues to.
    pub(crate) fn object(&mut self, at: u64) -> Result<Object, WeightsError> {
        let start = self.bytes(at, self.left(at).min(16))?;
        let (style, first) = match *start {
            [b'O', b'H', b'D', b'R', 2, flags, ..] => self.start_of_two(at, flags)?,
            [1, ..] => {
                // Version, reserved, number of messages, references, size, reserved.
                let mut p = Parser::new(&start);
                let size = p.take(8).and_then(|_| p.u32());
                let size = size.ok_or_else(|| corrupt(at, "the file ends early"))?;
                (Style::One, self.bytes(at.saturating_add(16), u64::from(size))?)
            }
            _ => return Err(corrupt(at, "no object header begins here")),
        };
        let mut messages = vec![];
        let mut parts = vec![first];
        while let Some(part) = parts.pop() {
            for (kind, body) in split(&part, style).ok_or_else(|| damaged(at))? {
                if kind != kind::CONTINUATION {
                    messages.push(Message { kind, body: body? });
                    continue;
                }
                let body = body?;
                let mut p = Parser::new(&body);
                let place = (|| Some((p.u64()?, p.u64()?)))().ok_or_else(|| damaged(at))?;
                parts.push(self.continuation(place, style)?);
            }
        }
        Ok(Object { at, messages })
    }

    /// The first messages of a header of version 2.
    fn start_of_two(&mut self, at: u64, flags: u8) -> Result<(Style, Vec<u8>), WeightsError> {
        let times = if flags & 0x20 == 0 { 0 } else { 16 };
        let phases = if flags & 0x10 == 0 { 0 } else { 4 };
        let width = 1usize << (flags & 3);
        let prefix = 6 + times + phases;
        let bytes = self.bytes(at, (prefix + width) as u64)?;
        let mut p = Parser::new(&bytes[prefix..]);
        let size = number(&mut p, width).ok_or_else(|| damaged(at))?;
        let whole = size.checked_add((prefix + width + 4) as u64).ok_or_else(|| damaged(at))?;
        let bytes = self.bytes(at, whole)?;
        checksum::verify(&bytes, at, bytes.len() - 4)?;
        let style = Style::Two { ordered: flags & 4 != 0 };
        Ok((style, bytes[prefix + width..bytes.len() - 4].to_vec()))
    }

    /// More messages of a header.
    fn continuation(
        &mut self,
        (at, len): (u64, u64),
        style: Style,
    ) -> Result<Vec<u8>, WeightsError> {
        let bytes = self.bytes(at, len)?;
        let Style::Two { .. } = style else { return Ok(bytes) };
        if !bytes.starts_with(b"OCHK") || bytes.len() < 8 {
            return Err(corrupt(at, "an object header does not go on here"));
        }
        checksum::verify(&bytes, at, bytes.len() - 4)?;
        Ok(bytes[4..bytes.len() - 4].to_vec())
    }
}

fn damaged(at: u64) -> WeightsError {
    corrupt(at, "an object header is damaged")
}

type Split = Vec<(u16, Result<Vec<u8>, WeightsError>)>;

/// The messages of one part of a header; `None` if it is damaged. A message that lies
/// elsewhere is an error, but only where somebody reads it.
fn split(part: &[u8], style: Style) -> Option<Split> {
    let mut p = Parser::new(part);
    let mut found = vec![];
    let prefix = match style {
        Style::One => 8,
        Style::Two { ordered } => 4 + 2 * usize::from(ordered),
    };
    // Fewer bytes than a prefix are a gap.
    while p.rest().len() >= prefix {
        let (kind, size, flags) = match style {
            Style::One => (p.u16()?, p.u16()?, p.array::<4>()?[0]),
            Style::Two { ordered } => {
                let [kind] = p.array()?;
                let (size, [flags]) = (p.u16()?, p.array()?);
                p.take(2 * usize::from(ordered))?;
                (u16::from(kind), size, flags)
            }
        };
        let body = p.take(usize::from(size))?.to_vec();
        let is_shared = flags & 2 != 0;
        let body =
            if is_shared { Err(unsupported("a message shared by objects")) } else { Ok(body) };
        if kind != 0 {
            found.push((kind, body));
        }
    }
    Some(found)
}
