//! The children of a group: sections III.A.1, III.B to III.D, IV.A.2.c, IV.A.2.g.

use super::header::kind;
use super::{File, NOWHERE, Object, corrupt, number, unsupported};
use crate::WeightsError;
use crate::parse::Parser;

/// The name and the header's address of each child.
pub(crate) type Children = Vec<(String, u64)>;

/// Deeper than a B-tree of any file that fits on a disk.
const MAX_LEVEL: u8 = 16;

impl File<'_> {
    /// A group's children, in the file's order. Soft and external links are errors.
    pub(crate) fn children(&mut self, group: &Object) -> Result<Children, WeightsError> {
        let mut children = vec![];
        if let Some(table) = group.message(kind::SYMBOL_TABLE) {
            let mut p = Parser::new(table);
            let places = (|| Some((p.u64()?, p.u64()?)))();
            let (tree, heap) = places.ok_or_else(|| damaged(group.at))?;
            let names = self.names(heap)?;
            self.symbols((tree, None), &names, &mut children)?;
        }
        if let Some(info) = group.message(kind::LINK_INFO) {
            let mut p = Parser::new(info);
            let heap = (|| {
                let [_version, flags] = p.array()?;
                p.take(if flags & 1 == 0 { 0 } else { 8 })?;
                p.u64()
            })();
            if heap.ok_or_else(|| damaged(group.at))? != NOWHERE {
                return Err(unsupported("links in dense storage"));
            }
        }
        for message in group.messages(kind::LINK) {
            children.push(link(message).ok_or_else(|| damaged(group.at))??);
        }
        Ok(children)
    }

    /// The texts of a local heap.
    fn names(&mut self, at: u64) -> Result<Vec<u8>, WeightsError> {
        let bytes = self.bytes(at, 32)?;
        let mut p = Parser::new(&bytes);
        let is_heap = p.take(8).is_some_and(|b| b.starts_with(b"HEAP\0"));
        let place = (|| Some((p.u64()?, p.u64()?, p.u64()?)))();
        let (size, _, data) = place.filter(|_| is_heap).ok_or_else(|| damaged(at))?;
        self.bytes(data, size)
    }

    /// The symbols under a node of a group's B-tree, which must be of the level that its
    /// parent says.
    fn symbols(
        &mut self,
        (at, level): (u64, Option<u8>),
        names: &[u8],
        found: &mut Children,
    ) -> Result<(), WeightsError> {
        let node = self.node(at, 0)?;
        if level.is_some_and(|level| node.level != level) || node.level > MAX_LEVEL {
            return Err(damaged(at));
        }
        // Keys and children take turns, each eight bytes.
        let bytes = self.bytes(at.saturating_add(24), 16 * u64::from(node.used) + 8)?;
        let (words, _) = bytes.as_chunks::<8>();
        for child in words.iter().skip(1).step_by(2).map(|&word| u64::from_le_bytes(word)) {
            match node.level.checked_sub(1) {
                Some(level) => self.symbols((child, Some(level)), names, found)?,
                None => self.leaf(child, names, found)?,
            }
        }
        Ok(())
    }

    /// One node of symbols.
    fn leaf(&mut self, at: u64, names: &[u8], found: &mut Children) -> Result<(), WeightsError> {
        let head = self.bytes(at, 8)?;
        let mut p = Parser::new(&head);
        let is_leaf = p.take(6).is_some_and(|b| b.starts_with(b"SNOD\x01"));
        let count = p.u16().filter(|_| is_leaf).ok_or_else(|| damaged(at))?;
        let bytes = self.bytes(at.saturating_add(8), 40 * u64::from(count))?;
        for entry in bytes.chunks_exact(40) {
            let mut p = Parser::new(entry);
            let fields = (|| Some((p.u64()?, p.u64()?, p.u32()?)))();
            let (name, header, cache) = fields.ok_or_else(|| damaged(at))?;
            let name = text(names, name).ok_or_else(|| damaged(at))?;
            if cache == 2 {
                return Err(unsupported(format!("a soft link, {name:?}")));
            }
            found.push((name, header));
        }
        Ok(())
    }

    /// The start of a B-tree's node of version 1.
    pub(super) fn node(&mut self, at: u64, kind: u8) -> Result<Node, WeightsError> {
        let head = self.bytes(at, 24)?;
        match *head {
            [b'T', b'R', b'E', b'E', k, level, a, b, ..] if k == kind => {
                Ok(Node { level, used: u16::from_le_bytes([a, b]) })
            }
            _ => Err(damaged(at)),
        }
    }
}

/// What a B-tree's node says of itself.
pub(super) struct Node {
    pub(super) level: u8,
    pub(super) used: u16,
}

fn damaged(at: u64) -> WeightsError {
    corrupt(at, "a group's table is damaged")
}

/// The text at an offset, up to its zero byte.
fn text(names: &[u8], at: u64) -> Option<String> {
    let names = names.get(usize::try_from(at).ok()?..)?;
    let end = names.iter().position(|&b| b == 0)?;
    String::from_utf8(names[..end].to_vec()).ok()
}

/// One link message; `None` if it is damaged.
fn link(message: &[u8]) -> Option<Result<(String, u64), WeightsError>> {
    let mut p = Parser::new(message);
    let [version, flags] = p.array()?;
    if version != 1 {
        return None;
    }
    let [kind] = if flags & 8 == 0 { [0] } else { p.array()? };
    p.take(if flags & 4 == 0 { 0 } else { 8 })?; // order of making
    p.take(usize::from(flags & 0x10 != 0))?; // encoding
    let len = number(&mut p, 1 << (flags & 3))?;
    let name = String::from_utf8(p.take_u64(len)?.to_vec()).ok()?;
    Some(match kind {
        0 => Ok((name, p.u64()?)),
        1 => Err(unsupported(format!("a soft link, {name:?}"))),
        64 => Err(unsupported(format!("an external link, {name:?}"))),
        _ => Err(unsupported(format!("a link of its own kind, {name:?}"))),
    })
}
