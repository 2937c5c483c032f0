//! NumPy: `.npy`, a text header and raw values; `.npz`, such files in a zip file.
//!
//! # Source
//!
//! `numpy.lib.format`, versions 1.0 to 3.0. Numbers only: no objects, which are
//! pickles, no texts, no structured types.

use std::io::{Read, Seek, SeekFrom};

use tensor::Tensor;

use crate::archive::Archive;
use crate::checkpoint::{Entry, Listing, Reader};
use crate::dtype::decode;
use crate::npy_header::{self, Header};
use crate::source::{Source, io_error, volume};
use crate::{Format, Limits, StateDict, WeightsError};

pub(crate) use crate::npy_header::MAGIC;

/// The name of the only tensor of a file that names none.
const NAMELESS: &str = "tensor";

/// One array.
pub(crate) struct Npy<'a> {
    source: Source<'a>,
    header: Header,
    listing: Listing,
}

impl<'a> Npy<'a> {
    pub(crate) fn open(mut source: Source<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        source.seek(SeekFrom::Start(0))?;
        let header = npy_header::read(&mut source, Format::Npy)?;
        check_length(&header, source.len(), Format::Npy)?;
        let mut listing = Listing::default();
        listing.add(header.entry(NAMELESS.to_owned()), limits)?;
        Ok(Self { source, header, listing })
    }
}

impl Reader for Npy<'_> {
    fn listing(&self) -> &Listing {
        &self.listing
    }

    fn load(&mut self, _: &Limits) -> Result<StateDict, WeightsError> {
        self.source.seek(SeekFrom::Start(self.header.length))?;
        let tensor = values(&mut self.source, &self.header, Format::Npy)?;
        Ok([(NAMELESS.to_owned(), tensor)].into())
    }
}

/// Named arrays.
pub(crate) struct Npz<'a> {
    archive: Archive<'a>,
    headers: Vec<Header>,
    listing: Listing,
}

impl<'a> Npz<'a> {
    pub(crate) fn open(mut archive: Archive<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        let mut listing = Listing::default();
        let mut headers = vec![];
        for index in 0..archive.members().len() {
            let member = archive.members()[index].clone();
            let Some(name) = member.name.strip_suffix(".npy") else {
                let what = format!("a member that is no array, {:?}", member.name);
                return Err(WeightsError::unsupported(Format::Npz, what));
            };
            let header = npy_header::read(archive.reader(index)?, Format::Npz)?;
            check_length(&header, member.size, Format::Npz)?;
            listing.add(header.entry(name.to_owned()), limits)?;
            headers.push(header);
        }
        Ok(Self { archive, headers, listing })
    }
}

impl Reader for Npz<'_> {
    fn listing(&self) -> &Listing {
        &self.listing
    }

    fn load(&mut self, _: &Limits) -> Result<StateDict, WeightsError> {
        let mut dict = StateDict::new();
        for (index, header) in self.headers.iter().enumerate() {
            let mut reader = self.archive.reader(index)?;
            std::io::copy(&mut reader.by_ref().take(header.length), &mut std::io::sink())
                .map_err(|e| io_error(Format::Npz, 0, e))?;
            let tensor = values(reader, header, Format::Npz)?;
            dict.insert(self.listing.entries[index].name.clone(), tensor);
        }
        Ok(dict)
    }
}

/// Header and values fill the file exactly, so its length bounds what is read.
fn check_length(header: &Header, file: u64, format: Format) -> Result<(), WeightsError> {
    let values = volume(&header.shape).and_then(|n| n.checked_mul(header.dtype.size()));
    let need = values.and_then(|n| header.length.checked_add(n as u64));
    if need == Some(file) {
        return Ok(());
    }
    let what = format!("shape {:?} does not match the length", header.shape);
    Err(WeightsError::corrupt(format, header.length, what))
}

fn values(reader: impl Read, header: &Header, format: Format) -> Result<Tensor, WeightsError> {
    let Header { shape, dtype, endian, fortran, length } = header;
    let count = volume(shape).unwrap_or(usize::MAX);
    let values = decode(reader, (*dtype, *endian), count, u64::MAX)
        .map_err(|e| io_error(format, *length, e))?;
    if !fortran {
        return Ok(Tensor::new(shape.clone(), values));
    }
    let turned: Vec<usize> = shape.iter().rev().copied().collect();
    let axes: Vec<usize> = (0..shape.len()).rev().collect();
    Ok(Tensor::new(turned, values).permuted(&axes))
}

impl Header {
    fn entry(&self, name: String) -> Entry {
        Entry { name, shape: self.shape.clone(), dtype: self.dtype }
    }
}
