//! Writing HDF5: groups, arrays of numbers, texts as attributes.
//!
//! Superblock and object headers of version 2, links in the headers, values in one
//! piece each: what every HDF5 since 1.8 (2008) reads, in few bytes. First come the
//! values, then the headers, children before their parents.

use std::collections::BTreeMap;
use std::io::Write;

use half::f16;
use tensor::Tensor;

use super::checksum::lookup3;
use super::{NOWHERE, SIGNATURE};
use crate::{Precision, WeightsError};

/// A group to be written.
#[derive(Debug, Default)]
pub(crate) struct Group<'t> {
    children: BTreeMap<String, Child<'t>>,
    attributes: Vec<(String, Texts)>,
}

#[derive(Debug)]
enum Child<'t> {
    Group(Group<'t>),
    Dataset(&'t Tensor),
}

/// What an attribute holds.
#[derive(Debug)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

/// Bytes of texts in one attribute: Keras's limit, below that of a message.
const MAX_ATTRIBUTE: usize = 64_512;

impl<'t> Group<'t> {
    /// The group at a path below this one, made where it is not there.
    ///
    /// # Panics
    ///
    /// If a dataset is in the way.
    pub(crate) fn at(&mut self, path: &str) -> &mut Self {
        path.split('/').fold(self, |group, part| {
            let child = group.children.entry(part.to_owned());
            match child.or_insert_with(|| Child::Group(Group::default())) {
                Child::Group(group) => group,
                Child::Dataset(_) => panic!("{part:?} of {path:?} is a dataset"),
            }
        })
    }

    /// A dataset at a path below this group.
    pub(crate) fn dataset(&mut self, path: &str, values: &'t Tensor) {
        let (group, name) = match path.rsplit_once('/') {
            Some((group, name)) => (self.at(group), name),
            None => (self, path),
        };
        group.children.insert(name.to_owned(), Child::Dataset(values));
    }

    /// An attribute that is one text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.attributes.push((name.to_owned(), Texts::One(text.to_owned())));
    }

    /// An attribute that is a list of texts, split as Keras does where it is long.
    pub(crate) fn texts(&mut self, name: &str, texts: &[String]) {
        let longest = texts.iter().map(String::len).max().unwrap_or(0).max(1);
        let parts = texts.chunks((MAX_ATTRIBUTE / longest).max(1));
        let is_split = parts.len() > 1;
        for (i, part) in parts.enumerate() {
            let name = if is_split { format!("{name}{i}") } else { name.to_owned() };
            self.attributes.push((name, Texts::Many(part.to_vec())));
        }
    }
}

/// Writes a file with this root.
///
/// # Errors
///
/// If the operating system refuses.
pub(crate) fn write(
    mut to: impl Write,
    root: &Group<'_>,
    precision: Precision,
) -> Result<(), WeightsError> {
    let mut plan = Plan { values: vec![], end: SUPERBLOCK as u64, precision };
    plan.place(root);
    let mut headers =
        Headers { bytes: vec![], start: plan.end, next: SUPERBLOCK as u64, precision };
    let root = headers.group(root);
    let end = headers.start + headers.bytes.len() as u64;
    to.write_all(&superblock(root, end))?;
    for tensor in plan.values {
        let mut written = 0;
        for chunk in tensor.data().chunks(8192) {
            let bytes = encode(chunk, precision);
            written += bytes.len();
            to.write_all(&bytes)?;
        }
        to.write_all(&vec![0; written.next_multiple_of(8) - written])?;
    }
    to.write_all(&headers.bytes)?;
    to.flush()?;
    Ok(())
}

const SUPERBLOCK: usize = 48;

fn superblock(root: u64, end: u64) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([2, 8, 8, 0]); // version, sizes of offsets and lengths, flags
    for address in [0, NOWHERE, end, root] {
        bytes.extend(address.to_le_bytes());
    }
    bytes.extend(lookup3(&bytes).to_le_bytes());
    bytes
}

fn size(precision: Precision) -> usize {
    if precision == Precision::F32 { 4 } else { 2 }
}

fn encode(values: &[f32], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        _ => values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect(),
    }
}

/// Bytes of a tensor's values with the gap behind them.
fn room(tensor: &Tensor, precision: Precision) -> u64 {
    (tensor.data().len() * size(precision)).next_multiple_of(8) as u64
}

/// All values in the order in which the headers will come to them.
struct Plan<'r> {
    values: Vec<&'r Tensor>,
    end: u64,
    precision: Precision,
}

impl<'r> Plan<'r> {
    fn place(&mut self, group: &'r Group<'_>) {
        for child in group.children.values() {
            match child {
                Child::Group(group) => self.place(group),
                Child::Dataset(tensor) => {
                    self.end += room(tensor, self.precision);
                    self.values.push(tensor);
                }
            }
        }
    }
}

/// The headers written so far.
struct Headers {
    bytes: Vec<u8>,
    start: u64,
    /// Where the next dataset's values lie.
    next: u64,
    precision: Precision,
}

type Messages = Vec<(u8, Vec<u8>)>;

impl Headers {
    /// A group after all that is in it; its address.
    fn group(&mut self, group: &Group<'_>) -> u64 {
        let mut messages: Messages = vec![];
        // Links are in the header, in no order.
        let info = [&[0, 0][..], &NOWHERE.to_le_bytes(), &NOWHERE.to_le_bytes()].concat();
        messages.push((0x02, info));
        messages.push((0x0a, vec![0, 0]));
        for (name, child) in &group.children {
            let address = match child {
                Child::Group(group) => self.group(group),
                Child::Dataset(tensor) => self.dataset(tensor),
            };
            // Version, flags: the encoding is given, and the name's length in four bytes.
            let mut link = vec![1, 0x10 | 2, 1];
            link.extend(length(name.len()));
            link.extend(name.as_bytes());
            link.extend(address.to_le_bytes());
            messages.push((0x06, link));
        }
        messages
            .extend(group.attributes.iter().map(|(name, texts)| (0x0c, attribute(name, texts))));
        self.header(messages)
    }

    fn dataset(&mut self, tensor: &Tensor) -> u64 {
        let mut layout = vec![3, 1];
        layout.extend(self.next.to_le_bytes());
        layout.extend(((tensor.data().len() * size(self.precision)) as u64).to_le_bytes());
        self.next += room(tensor, self.precision);
        self.header(vec![
            (0x01, dataspace(Some(tensor.shape()))),
            (0x03, float(self.precision)),
            (0x05, vec![3, 0x0a]), // no value for what is not written
            (0x08, layout),
        ])
    }

    fn header(&mut self, messages: Messages) -> u64 {
        let mut body = vec![];
        for (kind, message) in messages {
            body.push(kind);
            body.extend(&length(message.len())[..2]);
            body.push(0);
            body.extend(message);
        }
        let address = self.start + self.bytes.len() as u64;
        // Version, flags: the length of what follows in four bytes.
        let mut header = b"OHDR\x02\x02".to_vec();
        header.extend(length(body.len()));
        header.extend(body);
        header.extend(lookup3(&header).to_le_bytes());
        header.resize(header.len().next_multiple_of(8), 0);
        self.bytes.extend(header);
        address
    }
}

/// A length in four bytes: none here is longer.
fn length(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}

/// A shape, or that of one value.
fn dataspace(shape: Option<&[usize]>) -> Vec<u8> {
    let shape = shape.unwrap_or(&[]);
    let rank = u8::try_from(shape.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![2, rank, 0, u8::from(rank > 0)];
    bytes.extend(shape.iter().flat_map(|&side| (side as u64).to_le_bytes()));
    bytes
}

/// A little-endian IEEE number.
fn float(precision: Precision) -> Vec<u8> {
    let (width, exponent, mantissa, offset) =
        if precision == Precision::F32 { (32, 8, 23, 127u32) } else { (16, 5, 10, 15) };
    let mut bytes = vec![0x11, 0x20, width - 1, 0];
    bytes.extend([width / 8, 0, 0, 0, 0, 0, width, 0, mantissa, exponent, 0, mantissa]);
    bytes.extend(offset.to_le_bytes());
    bytes
}

/// A text, or a list of them, each padded with zeros to the longest.
fn attribute(name: &str, texts: &Texts) -> Vec<u8> {
    let (texts, shape) = match texts {
        Texts::One(text) => (std::slice::from_ref(text), None),
        Texts::Many(texts) => (&texts[..], Some([texts.len()])),
    };
    let longest = texts.iter().map(String::len).max().unwrap_or(0).max(1);
    let mut kind = vec![0x13, 0x11, 0, 0]; // padded with zeros, UTF-8
    kind.extend(length(longest));
    let space = dataspace(shape.as_ref().map(|shape| &shape[..]));
    let mut bytes = vec![3, 0];
    for len in [name.len() + 1, kind.len(), space.len()] {
        bytes.extend(&length(len)[..2]);
    }
    bytes.push(1); // UTF-8
    bytes.extend(name.as_bytes());
    bytes.push(0);
    bytes.extend(kind);
    bytes.extend(space);
    for text in texts {
        bytes.extend(text.as_bytes());
        bytes.resize(bytes.len() + longest - text.len(), 0);
    }
    bytes
}
