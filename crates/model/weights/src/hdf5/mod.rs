//! HDF5: as much of it as Keras and h5py write, for files from strangers.
//!
//! A file is a tree of groups with datasets as leaves; each of them is an *object
//! header*, a list of messages ([`header`]). A group's children are in a B-tree of
//! symbols or in link messages ([`group`]); a dataset's messages say its shape, type
//! and where its values lie ([`dataset`], [`chunks`]); an attribute is a message
//! too ([`attribute`]).
//!
//! Every byte of metadata is read through [`File::bytes`], which counts it against
//! [`Limits::header`]: whatever a file refers to, and however often, ends there. Links
//! out of the tree, virtual data sets, values in other files, and datasets that claim
//! values they do not store are refused by name. See `docs/decisions/0025`.
//!
//! # Source
//!
//! "HDF5 File Format Specification Version 3.0", whose section numbers are quoted.
//! Not read: offsets of other sizes than eight bytes, user blocks, shared messages,
//! dense storage of links and attributes, layouts and indices that only
//! `libver="latest"` makes (but for a single chunk).

mod attribute;
mod checksum;
mod chunks;
mod dataset;
mod group;
mod header;
mod types;
mod write;

pub(crate) use dataset::Dataset;
pub(crate) use header::Object;
pub(crate) use write::{Group, write as write_hdf5};

use crate::parse::Parser;
use crate::source::Source;
use crate::{Format, Limits, WeightsError};

/// An open file, and how much of it may still be read as metadata.
pub(crate) struct File<'a> {
    source: Source<'a>,
    /// Bytes of metadata left.
    budget: u64,
    limits: Limits,
    /// The last collection of texts, which the next text is likely in too.
    texts: Option<(u64, Vec<u8>)>,
}

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// The address that points nowhere.
const NOWHERE: u64 = u64::MAX;

/// Whether a file begins as HDF5 files do.
pub(crate) fn is_hdf5(head: &[u8]) -> bool {
    head.starts_with(SIGNATURE)
}

pub(crate) fn corrupt(at: u64, what: impl Into<String>) -> WeightsError {
    WeightsError::corrupt(Format::Hdf5, at, what)
}

pub(crate) fn unsupported(what: impl Into<String>) -> WeightsError {
    WeightsError::unsupported(Format::Hdf5, what)
}

impl<'a> File<'a> {
    /// Opens a file and reads the header of its root group.
    pub(crate) fn open(
        source: Source<'a>,
        limits: &Limits,
    ) -> Result<(Self, Object), WeightsError> {
        let (budget, limits) = (limits.header, *limits);
        let mut file = Self { source, budget, limits, texts: None };
        let root = file.superblock()?;
        let root = file.object(root)?;
        Ok((file, root))
    }

    /// The root group's address: sections II.A.
    fn superblock(&mut self) -> Result<u64, WeightsError> {
        let damaged = || corrupt(0, "the file ends early");
        let bytes = self.bytes(0, self.source.len().min(96))?;
        let mut p = Parser::new(&bytes);
        p.take(SIGNATURE.len()).ok_or_else(damaged)?;
        let [version] = p.array().ok_or_else(damaged)?;
        let sizes = match version {
            0 | 1 => p.take(4).and_then(|_versions| p.take(2)),
            2 | 3 => p.take(2),
            other => return Err(unsupported(format!("a superblock of version {other}"))),
        };
        if sizes.ok_or_else(damaged)? != [8, 8] {
            return Err(unsupported("offsets or lengths that are not eight bytes"));
        }
        let fields = if version < 2 {
            // Reserved, sizes of nodes, flags; version 1 has four more bytes.
            p.take(9 + 4 * usize::from(version))
        } else {
            p.take(1)
        };
        let fields = fields.and_then(|_| Some([p.u64()?, p.u64()?, p.u64()?, p.u64()?]));
        let [base, _, end, last] = fields.ok_or_else(damaged)?;
        if version >= 2 {
            checksum::verify(&bytes, 0, 44)?;
        }
        if base != 0 {
            return Err(unsupported("a user block before it"));
        }
        if end > self.source.len() {
            return Err(damaged());
        }
        // The last field is the root's address in version 2; before, that of a driver,
        // and a symbol's entry follows.
        match version {
            2.. => Ok(last),
            _ if last != NOWHERE => Err(unsupported("a file driver")),
            _ => p.u64().and_then(|_name| p.u64()).ok_or_else(damaged),
        }
    }

    /// Bytes of metadata.
    fn bytes(&mut self, at: u64, len: u64) -> Result<Vec<u8>, WeightsError> {
        if len > self.budget {
            let limit = self.limits.header;
            let need = limit.saturating_add(len - self.budget);
            return Err(WeightsError::TooLarge { need, limit });
        }
        let bytes = self.source.read_at(at, len, (Format::Hdf5, len))?;
        self.budget -= len;
        Ok(bytes)
    }

    /// What is left of the file from an address on.
    fn left(&self, at: u64) -> u64 {
        self.source.len().saturating_sub(at)
    }
}

/// The next number of `size` bytes (1, 2, 4 or 8).
fn number(p: &mut Parser<'_>, size: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    bytes.get_mut(..size)?.copy_from_slice(p.take(size)?);
    Some(u64::from_le_bytes(bytes))
}
