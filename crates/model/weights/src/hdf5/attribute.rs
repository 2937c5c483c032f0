//! Attributes with texts, and the heap that they may lie in: sections IV.A.2.m, III.E.

use super::header::kind;
use super::types::{Type, datatype, shape};
use super::{File, NOWHERE, Object, corrupt, unsupported};
use crate::WeightsError;
use crate::parse::Parser;
use crate::source::volume;

impl File<'_> {
    /// The texts of an attribute; `None` if the object does not have it.
    pub(crate) fn texts(
        &mut self,
        object: &Object,
        name: &str,
    ) -> Result<Option<Vec<String>>, WeightsError> {
        if let Some(info) = object.message(kind::ATTRIBUTE_INFO) {
            let mut p = Parser::new(info);
            let heap = (|| {
                let [_version, flags] = p.array()?;
                p.take(if flags & 1 == 0 { 0 } else { 2 })?;
                p.u64()
            })();
            if heap.ok_or_else(|| damaged(object.at))? != NOWHERE {
                return Err(unsupported("attributes in dense storage"));
            }
        }
        for message in object.messages(kind::ATTRIBUTE) {
            let attribute = Attribute::of(message).ok_or_else(|| damaged(object.at))??;
            if attribute.name == name.as_bytes() {
                return self.texts_of(&attribute, object.at).map(Some);
            }
        }
        Ok(None)
    }

    /// An attribute that holds one text.
    pub(crate) fn text(
        &mut self,
        object: &Object,
        name: &str,
    ) -> Result<Option<String>, WeightsError> {
        let texts = self.texts(object, name)?;
        Ok(texts.and_then(|texts| texts.into_iter().next()))
    }

    /// A list of texts, which Keras splits into `name0`, `name1`, … where an object header
    /// cannot hold it.
    pub(crate) fn long_texts(
        &mut self,
        object: &Object,
        name: &str,
    ) -> Result<Option<Vec<String>>, WeightsError> {
        if let Some(texts) = self.texts(object, name)? {
            return Ok(Some(texts));
        }
        let mut all: Option<Vec<String>> = None;
        for part in 0usize.. {
            let Some(texts) = self.texts(object, &format!("{name}{part}"))? else { break };
            all.get_or_insert_default().extend(texts);
        }
        Ok(all)
    }

    fn texts_of(
        &mut self,
        attribute: &Attribute<'_>,
        at: u64,
    ) -> Result<Vec<String>, WeightsError> {
        let count = volume(&attribute.shape).ok_or_else(|| damaged(at))?;
        self.limits.check_entries(count)?;
        if count == 0 {
            return Ok(vec![]); // h5py writes an empty list as one of numbers
        }
        let size = match attribute.kind {
            Type::Text(size) => size,
            Type::FarText => 16,
            _ => return Err(unsupported("an attribute that holds no text where one is due")),
        };
        let bytes = count.checked_mul(size).and_then(|n| attribute.data.get(..n));
        let bytes = bytes.ok_or_else(|| damaged(at))?;
        let mut texts = vec![];
        for value in bytes.chunks_exact(size) {
            let text = match attribute.kind {
                Type::FarText => self.far_text(value)?,
                _ => value.to_vec(),
            };
            let end = text.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
            let text = String::from_utf8(text[..end].to_vec());
            texts.push(text.map_err(|_not_utf8| corrupt(at, "a text is not UTF-8"))?);
        }
        Ok(texts)
    }

    /// The text that a length, a collection's address and a number in it stand for.
    fn far_text(&mut self, value: &[u8]) -> Result<Vec<u8>, WeightsError> {
        let mut p = Parser::new(value);
        let place = (|| Some((p.u32()?, p.u64()?, p.u32()?)))();
        let Some((len, at, number)) = place.filter(|(_, at, _)| *at != 0) else {
            return Ok(vec![]); // how an empty text is written
        };
        if self.texts.as_ref().is_none_or(|(loaded, _)| *loaded != at) {
            let head = self.bytes(at, 16)?;
            let mut p = Parser::new(&head);
            let is_heap = p.take(8).is_some_and(|b| b.starts_with(b"GCOL\x01"));
            let size = p.u64().filter(|_| is_heap).ok_or_else(|| far(at))?;
            self.texts = Some((at, self.bytes(at, size)?));
        }
        let bytes = self.texts.as_ref().map_or(&[][..], |(_, bytes)| bytes);
        let found = find(bytes, number).and_then(|text| text.get(..usize::try_from(len).ok()?));
        let text = found.ok_or_else(|| far(at))?.to_vec();
        // Many values may stand for one text: each is counted.
        let limit = self.limits.header;
        self.budget = self.budget.checked_sub(u64::from(len)).ok_or_else(|| {
            WeightsError::TooLarge { need: limit.saturating_add(u64::from(len)), limit }
        })?;
        Ok(text)
    }
}

fn damaged(at: u64) -> WeightsError {
    corrupt(at, "an attribute is damaged")
}

fn far(at: u64) -> WeightsError {
    corrupt(at, "a collection of texts is damaged")
}

/// The object of this number in a collection.
fn find(collection: &[u8], number: u32) -> Option<&[u8]> {
    let mut p = Parser::new(collection.get(16..)?);
    loop {
        let (index, _references, _) = (p.u16()?, p.u16()?, p.u32()?);
        let size = p.u64()?;
        if index == 0 {
            return None; // the rest is free
        }
        let object = p.take_u64(size)?;
        if u32::from(index) == number {
            return Some(object);
        }
        p.take_u64(size.next_multiple_of(8) - size)?;
    }
}

/// An attribute message.
struct Attribute<'m> {
    name: &'m [u8],
    kind: Type,
    shape: Vec<usize>,
    data: &'m [u8],
}

impl<'m> Attribute<'m> {
    /// `None` if it is damaged.
    fn of(message: &'m [u8]) -> Option<Result<Self, WeightsError>> {
        let mut p = Parser::new(message);
        let [version, flags] = p.array()?;
        let sizes = [p.u16()?, p.u16()?, p.u16()?].map(usize::from);
        let round = match version {
            1 => 8,
            2 => 1,
            3 => p.take(1).map(|_encoding| 1)?,
            _ => return None,
        };
        if version > 1 && flags & 3 != 0 {
            return Some(Err(unsupported("an attribute with a shared type")));
        }
        let [name, kind, shape_bytes] = {
            let mut parts = [&[][..]; 3];
            for (part, size) in parts.iter_mut().zip(sizes) {
                *part = p.take(size.next_multiple_of(round))?.get(..size)?;
            }
            parts
        };
        let kind = match datatype(kind)? {
            Ok(kind) => kind,
            // Numbers of any kind may stand beside what is read.
            Err(_unread) => Type::TwoBytes,
        };
        let name = name.strip_suffix(&[0]).unwrap_or(name);
        Some(Ok(Self { name, kind, shape: shape(shape_bytes)?, data: p.rest() }))
    }
}
