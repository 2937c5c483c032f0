//! Zip files: as much of them as NumPy and PyTorch write.
//!
//! Our own reader of the table of contents, because memory must be bounded before
//! it is taken; inflating and checksums are flate2's. See `docs/decisions/0021`.

mod write;

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom, Take};

use flate2::{Crc, read::DeflateDecoder};

use crate::parse::Parser;
use crate::source::{Source, io_error};
use crate::{Format, Limits, WeightsError};

pub(crate) use write::write_archive;

/// One file inside a zip file.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Uncompressed bytes, as announced; no more are ever read.
    pub(crate) size: u64,
    packed: u64,
    method: Method,
    crc: u32,
    header: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Stored,
    Deflated,
}

/// A zip file whose table of contents is read.
pub(crate) struct Archive<'a> {
    source: Source<'a>,
    members: Vec<Member>,
}

const END: usize = 22; // bytes of the end record without its comment
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

fn corrupt(offset: u64, what: &str) -> WeightsError {
    WeightsError::corrupt(Format::Zip, offset, what)
}

/// Where the table of contents lies.
struct Directory {
    entries: u64,
    size: u64,
    offset: u64,
}

impl<'a> Archive<'a> {
    pub(crate) fn open(mut source: Source<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        let directory = find_directory(&mut source, limits)?;
        limits.check_entries(usize::try_from(directory.entries).unwrap_or(usize::MAX))?;
        let bytes =
            source.read_at(directory.offset, directory.size, (Format::Zip, limits.header))?;
        let mut parser = Parser::new(&bytes);
        let mut members = vec![];
        let mut names = BTreeSet::new();
        for _ in 0..directory.entries {
            let at = directory.offset + parser.at();
            let member = member(&mut parser)
                .ok_or_else(|| corrupt(at, "the table of contents is damaged"))?
                .map_err(|what| WeightsError::unsupported(Format::Zip, what))?;
            if !names.insert(member.name.clone()) {
                return Err(corrupt(at, "two members have the same name"));
            }
            if !member.is_plausible() {
                return Err(corrupt(at, "a member's sizes contradict each other"));
            }
            members.push(member);
        }
        Ok(Self { source, members })
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|m| m.name.as_str())
    }

    /// The uncompressed bytes of member `index`, exactly as many as it announces.
    pub(crate) fn reader(&mut self, index: usize) -> Result<MemberReader<'_, 'a>, WeightsError> {
        let member = &self.members[index];
        let header = self.source.read_at(member.header, 30, (Format::Zip, 30))?;
        let mut parser = Parser::new(&header);
        let lengths = (|| {
            let magic = parser.take(26)?.starts_with(LOCAL);
            magic.then_some(u64::from(parser.u16()?) + u64::from(parser.u16()?))
        })();
        let lengths = lengths.ok_or_else(|| corrupt(member.header, "no member begins here"))?;
        let start = member.header + 30 + lengths;
        if start.checked_add(member.packed).is_none_or(|end| end > self.source.len()) {
            return Err(corrupt(start, "the file ends early"));
        }
        self.source.seek(SeekFrom::Start(start))?;
        let packed = (&mut self.source).take(member.packed);
        let inner = match member.method {
            Method::Stored => Inner::Stored(packed),
            Method::Deflated => {
                Inner::Deflated(Box::new(DeflateDecoder::new(packed).take(member.size)))
            }
        };
        Ok(MemberReader { inner, crc: Crc::new(), want: member.crc, left: member.size })
    }

    /// One member as a file of its own: a stretch of this one if it is stored, and held in
    /// memory if it is deflated.
    pub(crate) fn into_member(
        mut self,
        index: usize,
        limits: &Limits,
    ) -> Result<Source<'a>, WeightsError> {
        let Member { size, method, .. } = self.members[index];
        if method == Method::Deflated {
            let bytes = self.read(index, limits.bytes.saturating_add(limits.header))?;
            return Ok(Source::owned(bytes));
        }
        let mut reader = self.reader(index)?;
        io::copy(&mut reader, &mut io::sink()).map_err(|e| io_error(Format::Zip, 0, e))?;
        let end = self.source.stream_position()?;
        Ok(self.source.stretch(end - size, size))
    }

    /// All bytes of a member, if they are within `limit`.
    pub(crate) fn read(&mut self, index: usize, limit: u64) -> Result<Vec<u8>, WeightsError> {
        let Member { size, header, .. } = self.members[index];
        if size > limit {
            return Err(WeightsError::TooLarge { need: size, limit });
        }
        let mut bytes = vec![];
        let read = self.reader(index)?.read_to_end(&mut bytes);
        read.map_err(|e| io_error(Format::Zip, header, e))?;
        Ok(bytes)
    }
}

impl Member {
    /// Deflate makes no more than 1032 bytes of one, so a small file cannot claim a large member.
    fn is_plausible(&self) -> bool {
        match self.method {
            Method::Stored => self.size == self.packed,
            Method::Deflated => self.size <= self.packed.saturating_mul(1032),
        }
    }
}

/// Finds the end record, which a comment of up to 65,535 bytes may follow.
fn find_directory(source: &mut Source<'_>, limits: &Limits) -> Result<Directory, WeightsError> {
    let tail = source.tail(END as u64 + 0xffff)?;
    let start = source.len() - tail.len() as u64;
    for at in (0..(tail.len() + 1).saturating_sub(END)).rev() {
        let mut parser = Parser::new(&tail[at..]);
        if parser.take(4) != Some(b"PK\x05\x06") {
            continue;
        }
        let fields = (|| {
            parser.take(6)?; // disks
            let entries = u64::from(parser.u16()?);
            let (size, offset) = (u64::from(parser.u32()?), u64::from(parser.u32()?));
            let comment = usize::from(parser.u16()?);
            (parser.rest().len() == comment).then_some(Directory { entries, size, offset })
        })();
        if let Some(directory) = fields {
            let is_64 = directory.entries == 0xffff
                || directory.size == 0xffff_ffff
                || directory.offset == 0xffff_ffff;
            let end = start + at as u64;
            return if is_64 { find_directory_64(source, end, limits) } else { Ok(directory) };
        }
    }
    Err(corrupt(source.len(), "no end record: the file ends early"))
}

/// The 64-bit end record, which a locator just before the end record points to.
fn find_directory_64(
    source: &mut Source<'_>,
    end: u64,
    limits: &Limits,
) -> Result<Directory, WeightsError> {
    let wrong = || corrupt(end, "no 64-bit end record");
    let locator = end.checked_sub(20).ok_or_else(wrong)?;
    let bytes = source.read_at(locator, 20, (Format::Zip, limits.header))?;
    let mut parser = Parser::new(&bytes);
    let is_locator = parser.take(8).is_some_and(|b| b.starts_with(b"PK\x06\x07"));
    let at = parser.u64().filter(|_| is_locator).ok_or_else(wrong)?;
    let bytes = source.read_at(at, 56, (Format::Zip, limits.header))?;
    let mut parser = Parser::new(&bytes);
    let is_record = parser.take(32).is_some_and(|b| b.starts_with(b"PK\x06\x06"));
    let fields = (|| Some([parser.u64()?, parser.u64()?, parser.u64()?]))();
    let [entries, size, offset] = fields.filter(|_| is_record).ok_or_else(wrong)?;
    Ok(Directory { entries, size, offset })
}

/// One entry of the table of contents: `None` if it is damaged.
fn member(parser: &mut Parser<'_>) -> Option<Result<Member, String>> {
    if parser.take(4)? != ENTRY {
        return None;
    }
    parser.take(4)?; // versions
    let (flags, method) = (parser.u16()?, parser.u16()?);
    parser.take(4)?; // time
    let crc = parser.u32()?;
    let mut packed = u64::from(parser.u32()?);
    let mut size = u64::from(parser.u32()?);
    let [name, extra, comment] = [parser.u16()?, parser.u16()?, parser.u16()?].map(usize::from);
    parser.take(8)?; // disk, attributes
    let mut header = u64::from(parser.u32()?);
    let name = String::from_utf8_lossy(parser.take(name)?).into_owned();
    let mut extra = Parser::new(parser.take(extra)?);
    parser.take(comment)?;
    while let (Some(id), Some(len)) = (extra.u16(), extra.u16()) {
        let mut field = Parser::new(extra.take(usize::from(len))?);
        for value in [&mut size, &mut packed, &mut header] {
            if id == 1 && *value == 0xffff_ffff {
                *value = field.u64()?;
            }
        }
    }
    let method = match method {
        _ if flags & 1 != 0 => return Some(Err(format!("an encrypted member, {name:?}"))),
        0 => Method::Stored,
        8 => Method::Deflated,
        other => return Some(Err(format!("compression method {other} for {name:?}"))),
    };
    Some(Ok(Member { name, size, packed, method, crc, header }))
}

/// Reads one member and compares its checksum at its end.
pub(crate) struct MemberReader<'r, 'a> {
    inner: Inner<'r, 'a>,
    crc: Crc,
    want: u32,
    left: u64,
}

enum Inner<'r, 'a> {
    Stored(Take<&'r mut Source<'a>>),
    Deflated(Box<Take<DeflateDecoder<Take<&'r mut Source<'a>>>>>),
}

impl Read for MemberReader<'_, '_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.inner {
            Inner::Stored(inner) => inner.read(to)?,
            Inner::Deflated(inner) => inner.read(to)?,
        };
        if n == 0 && self.left > 0 && !to.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.crc.update(&to[..n]);
        self.left -= n as u64;
        if n > 0 && self.left == 0 && self.crc.sum() != self.want {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a checksum is wrong"));
        }
        Ok(n)
    }
}
