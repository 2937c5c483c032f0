//! The two files that a pickle and its storages come in.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use super::machine::Machine;
use super::object::{Object, View};
use super::state;
use super::views::{self, Storages};
use crate::archive::Archive;
use crate::checkpoint::{Listing, Reader};
use crate::dtype::Endian;
use crate::source::{Source, io_error};
use crate::{Format, Limits, StateDict, WeightsError};

const PICKLE: &str = "data.pkl";

/// Whether a zip member's name is that of a checkpoint's pickle.
pub(crate) fn is_main_member(name: &str) -> bool {
    name.strip_suffix(PICKLE).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
}

/// Whether a file starts as a pickle of protocol 2 to 5.
pub(crate) fn is_pickle(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, ..])
}

fn corrupt(format: Format, what: impl Into<String>) -> WeightsError {
    WeightsError::corrupt(format, 0, what)
}

/// A zip checkpoint.
pub(crate) struct Zip<'a> {
    archive: Archive<'a>,
    members: BTreeMap<String, usize>,
    folder: String,
    endian: Endian,
    listing: Listing,
    views: Vec<View>,
}

impl<'a> Zip<'a> {
    pub(crate) fn open(mut archive: Archive<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        const FORMAT: Format = Format::PytorchZip;
        let members: BTreeMap<String, usize> =
            archive.names().enumerate().map(|(i, name)| (name.to_owned(), i)).collect();
        let main = members.iter().find(|(name, _)| is_main_member(name));
        let (name, &main) = main.ok_or_else(|| corrupt(FORMAT, "there is no pickle"))?;
        let folder = name[..name.len() - PICKLE.len()].to_owned();
        if members.contains_key(&format!("{folder}constants.pkl")) {
            return Err(WeightsError::unsupported(FORMAT, "a TorchScript program"));
        }
        let endian = match members.get(&format!("{folder}byteorder")) {
            Some(&i) if archive.read(i, 16)? == b"big" => Endian::Big,
            _ => Endian::Little,
        };
        let pickle = archive.read(main, limits.header)?;
        let mut source = Source::bytes(&pickle);
        let mut machine = Machine::new(&mut source, FORMAT, limits);
        let root = machine.run()?;
        let (listing, views) = state::collect(&machine.heap, root, (FORMAT, limits))?;
        Ok(Self { archive, members, folder, endian, listing, views })
    }
}

impl Reader for Zip<'_> {
    fn listing(&self) -> &Listing {
        &self.listing
    }

    fn load(&mut self, limits: &Limits) -> Result<StateDict, WeightsError> {
        let Self { archive, members, folder, endian, listing, views } = self;
        let mut storages = ZipStorages { archive, members, folder };
        views::load(listing, views, &mut storages, ((Format::PytorchZip, *endian), limits))
    }
}

struct ZipStorages<'r, 'a> {
    archive: &'r mut Archive<'a>,
    members: &'r BTreeMap<String, usize>,
    folder: &'r str,
}

impl Storages for ZipStorages<'_, '_> {
    fn storage(&mut self, key: &str) -> Result<(Box<dyn Read + '_>, u64), WeightsError> {
        let member = self.members.get(&format!("{}data/{key}", self.folder));
        let &member = member
            .ok_or_else(|| corrupt(Format::PytorchZip, format!("storage {key:?} is missing")))?;
        let size = self.archive.members()[member].size;
        Ok((Box::new(self.archive.reader(member)?), size))
    }
}

/// A checkpoint from before 1.6.
pub(crate) struct Legacy<'a> {
    source: Source<'a>,
    /// Where each storage's values begin, and how many bytes they are.
    storages: BTreeMap<String, (u64, u64)>,
    listing: Listing,
    views: Vec<View>,
}

const FORMAT: Format = Format::PytorchLegacy;
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const VERSION: i128 = 1001;

impl<'a> Legacy<'a> {
    pub(crate) fn open(mut source: Source<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        source.seek(SeekFrom::Start(0))?;
        let mut machine = Machine::new(&mut source, FORMAT, limits);
        let magic = machine.run()?;
        if machine.heap[magic] != Object::Int(MAGIC) {
            return Err(WeightsError::unsupported(
                FORMAT,
                "a pickle that torch.save did not write",
            ));
        }
        let version = machine.run()?;
        if machine.heap[version] != Object::Int(VERSION) {
            return Err(WeightsError::unsupported(FORMAT, "another protocol than 1001"));
        }
        let facts = machine.run()?;
        if let Object::Dict(items) = &machine.heap[facts]
            && items.iter().any(|&(k, v)| {
                machine.heap.text(k) == Some("little_endian")
                    && machine.heap[v] == Object::Bool(false)
            })
        {
            return Err(WeightsError::unsupported(FORMAT, "big-endian values"));
        }
        let root = machine.run()?;
        let (listing, views) = state::collect(&machine.heap, root, (FORMAT, limits))?;
        let sizes = machine.heap.storages().map_err(|what| corrupt(FORMAT, what))?;
        let keys = machine.run()?;
        let keys = machine.heap.sequence(keys).and_then(|keys| {
            keys.iter()
                .map(|&r| machine.heap.text(r).map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        });
        let keys = keys.ok_or_else(|| machine.corrupt("no list of storages"))?;
        drop(machine);
        let storages = locate(&mut source, &keys, &sizes)?;
        Ok(Self { source, storages, listing, views })
    }
}

/// Walks over the storages, which say their lengths but not their types.
fn locate(
    source: &mut Source<'_>,
    keys: &[String],
    sizes: &BTreeMap<String, u64>,
) -> Result<BTreeMap<String, (u64, u64)>, WeightsError> {
    let mut storages = BTreeMap::new();
    for key in keys {
        let at = source.stream_position()?;
        let mut len = [0; 8];
        source.read_exact(&mut len).map_err(|e| io_error(FORMAT, at, e))?;
        let size = sizes.get(key);
        let size = size.ok_or_else(|| corrupt(FORMAT, format!("storage {key:?} has no type")))?;
        let bytes = u64::from_le_bytes(len).checked_mul(*size);
        let bytes = bytes.filter(|&n| source.left().is_ok_and(|left| n <= left));
        let bytes =
            bytes.ok_or_else(|| WeightsError::corrupt(FORMAT, at, "the file ends early"))?;
        let start = at + 8;
        if storages.insert(key.clone(), (start, bytes)).is_some() {
            return Err(corrupt(FORMAT, format!("storage {key:?} stands there twice")));
        }
        source.seek(SeekFrom::Start(start + bytes))?;
    }
    Ok(storages)
}

impl Reader for Legacy<'_> {
    fn listing(&self) -> &Listing {
        &self.listing
    }

    fn load(&mut self, limits: &Limits) -> Result<StateDict, WeightsError> {
        let Self { source, storages, listing, views } = self;
        let mut storages = LegacyStorages { source, places: storages };
        views::load(listing, views, &mut storages, ((FORMAT, Endian::Little), limits))
    }
}

struct LegacyStorages<'r, 'a> {
    source: &'r mut Source<'a>,
    places: &'r BTreeMap<String, (u64, u64)>,
}

impl Storages for LegacyStorages<'_, '_> {
    fn storage(&mut self, key: &str) -> Result<(Box<dyn Read + '_>, u64), WeightsError> {
        let place = self.places.get(key);
        let &(at, bytes) =
            place.ok_or_else(|| corrupt(FORMAT, format!("storage {key:?} is missing")))?;
        self.source.seek(SeekFrom::Start(at))?;
        Ok((Box::new(self.source.by_ref().take(bytes)), bytes))
    }
}
