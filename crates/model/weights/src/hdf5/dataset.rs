//! Datasets: where the values lie, sections IV.A.2.i and IV.A.2.l.

use std::io::{Read, Seek, SeekFrom};

use tensor::Tensor;

use super::chunks::{Chunk, Filter, filters};
use super::header::kind;
use super::types::{Type, datatype, shape};
use super::{File, NOWHERE, Object, corrupt, number, unsupported};
use crate::checkpoint::MAX_RANK;
use crate::dtype::{Endian, decode};
use crate::parse::Parser;
use crate::source::{io_error, volume};
use crate::{DType, Format, WeightsError};

/// A dataset whose claims are checked: the file holds as many bytes as it needs.
#[derive(Clone, Debug)]
pub(crate) struct Dataset {
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: DType,
    pub(super) endian: Endian,
    at: u64,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    /// No values at all.
    Nowhere,
    Inline(Vec<u8>),
    Contiguous(u64),
    Chunked {
        side: Vec<usize>,
        chunks: Vec<Chunk>,
        filters: Vec<Filter>,
    },
}

/// What a layout message says.
pub(super) enum Layout {
    Inline(Vec<u8>),
    Contiguous {
        at: u64,
        size: Option<u64>,
    },
    /// Chunks found by a B-tree of version 1.
    Tree {
        at: u64,
        side: Vec<usize>,
    },
    /// One chunk that is the whole dataset.
    Single {
        chunk: Chunk,
        side: Vec<usize>,
    },
}

impl File<'_> {
    /// Reads what an object says of its values, and checks that the file can hold them.
    pub(crate) fn dataset(&mut self, object: &Object) -> Result<Dataset, WeightsError> {
        let at = object.at;
        let damaged = || corrupt(at, "a dataset's header is damaged");
        if object.message(kind::EXTERNAL_FILES).is_some() {
            return Err(unsupported("values in other files"));
        }
        let shape = object.message(kind::DATASPACE).and_then(shape).ok_or_else(damaged)?;
        let kind = object.message(kind::DATATYPE).and_then(datatype).ok_or_else(damaged)??;
        let (dtype, endian) = self.number_type(object, kind)?;
        let layout = object.message(kind::LAYOUT).and_then(layout).ok_or_else(damaged)??;
        let filters = object.message(kind::FILTERS).map(filters).transpose()?.unwrap_or_default();
        let count = volume(&shape).ok_or_else(|| claims(at, &shape))?;
        let bytes = count.checked_mul(dtype.size()).ok_or_else(|| claims(at, &shape))? as u64;
        let mut dataset = Dataset { shape, dtype, endian, at, place: Place::Nowhere };
        if count > 0 {
            dataset.place = self.place(&dataset, layout, filters, bytes)?;
        }
        Ok(dataset)
    }

    fn number_type(
        &mut self,
        object: &Object,
        kind: Type,
    ) -> Result<(DType, Endian), WeightsError> {
        match kind {
            Type::Number(dtype, endian) => Ok((dtype, endian)),
            Type::TwoBytes if self.text(object, "dtype")?.as_deref() == Some("bfloat16") => {
                Ok((DType::Bf16, Endian::Little))
            }
            _ => Err(unsupported("a dataset that holds no numbers")),
        }
    }

    /// Where the values are, if the file can hold them.
    fn place(
        &mut self,
        dataset: &Dataset,
        layout: Layout,
        filters: Vec<Filter>,
        bytes: u64,
    ) -> Result<Place, WeightsError> {
        let wrong = || claims(dataset.at, &dataset.shape);
        match layout {
            Layout::Inline(data) if data.len() as u64 >= bytes => Ok(Place::Inline(data)),
            // Values that were never written are all the same; nobody's weights are.
            Layout::Contiguous { at, size }
                if at != NOWHERE
                    && bytes <= self.left(at)
                    && size.is_none_or(|size| size >= bytes) =>
            {
                Ok(Place::Contiguous(at))
            }
            Layout::Tree { at, side } if at != NOWHERE => {
                self.check_chunks(dataset, &side, bytes)?;
                let chunks = self.chunks(at, &side)?;
                if grid(&dataset.shape, &side) != Some(chunks.len() as u64) {
                    return Err(wrong());
                }
                Ok(Place::Chunked { side, chunks, filters })
            }
            Layout::Single { mut chunk, side } if chunk.at != NOWHERE => {
                self.check_chunks(dataset, &side, bytes)?;
                chunk.origin = vec![0; side.len()];
                if filters.is_empty() {
                    chunk.packed = bytes;
                }
                if grid(&dataset.shape, &side) != Some(1) {
                    return Err(wrong());
                }
                Ok(Place::Chunked { side, chunks: vec![chunk], filters })
            }
            _ => Err(wrong()),
        }
    }

    /// Deflate makes no more than 1032 bytes of one, so a small file cannot claim much;
    /// nor can a small dataset have large chunks.
    fn check_chunks(
        &self,
        dataset: &Dataset,
        side: &[usize],
        bytes: u64,
    ) -> Result<(), WeightsError> {
        let chunk = volume(side).and_then(|n| n.checked_mul(dataset.dtype.size()));
        let most = self.source.len().saturating_mul(1032);
        let fits = side.len() == dataset.shape.len()
            && bytes <= most
            && !side.contains(&0)
            && chunk.is_some_and(|chunk| chunk as u64 <= most);
        if !fits {
            return Err(claims(dataset.at, &dataset.shape));
        }
        self.limits.check_bytes(chunk.map_or(u64::MAX, |chunk| chunk as u64))
    }

    /// A dataset's values. The caller has compared its size with the limits.
    pub(crate) fn values(&mut self, dataset: &Dataset) -> Result<Tensor, WeightsError> {
        let count = volume(&dataset.shape).unwrap_or(usize::MAX);
        let kind = (dataset.dtype, dataset.endian);
        let values = match &dataset.place {
            Place::Nowhere => Ok(vec![]),
            Place::Inline(data) => decode(&**data, kind, count, data.len() as u64),
            Place::Contiguous(at) => {
                self.source.seek(SeekFrom::Start(*at))?;
                let left = self.left(*at);
                decode(self.source.by_ref(), kind, count, left)
            }
            Place::Chunked { side, chunks, filters } => {
                let values = self.gather(dataset, side, chunks, filters)?;
                return Ok(Tensor::new(dataset.shape.clone(), values));
            }
        };
        let values = values.map_err(|e| io_error(Format::Hdf5, dataset.at, e))?;
        Ok(Tensor::new(dataset.shape.clone(), values))
    }
}

fn claims(at: u64, shape: &[usize]) -> WeightsError {
    corrupt(at, format!("a dataset claims shape {shape:?}, and the file does not hold its values"))
}

/// How many chunks cover a shape.
fn grid(shape: &[usize], side: &[usize]) -> Option<u64> {
    shape
        .iter()
        .zip(side)
        .try_fold(1u64, |n, (&size, &side)| n.checked_mul(size.div_ceil(side) as u64))
}

/// A layout message; `None` if it is damaged.
fn layout(message: &[u8]) -> Option<Result<Layout, WeightsError>> {
    let mut p = Parser::new(message);
    let [version] = p.array()?;
    Some(Ok(match version {
        1 | 2 => return layout_2(&mut p).map(Ok),
        3 | 4 => match (p.array()?, version) {
            ([0], _) => {
                let size = usize::from(p.u16()?);
                Layout::Inline(p.take(size)?.to_vec())
            }
            ([1], _) => Layout::Contiguous { at: p.u64()?, size: Some(p.u64()?) },
            ([2], 3) => {
                let [rank] = p.array()?;
                let at = p.u64()?;
                Layout::Tree { at, side: sides(&mut p, usize::from(rank), 4)? }
            }
            ([2], _) => return layout_4(&mut p),
            ([3], _) => return Some(Err(unsupported("a virtual dataset"))),
            _ => return None,
        },
        _ => return None,
    }))
}

/// Versions 1 and 2, after the version.
fn layout_2(p: &mut Parser<'_>) -> Option<Layout> {
    let [rank, class, ..] = p.array::<7>()?;
    let at = if class == 0 { NOWHERE } else { p.u64()? };
    Some(match class {
        0 => {
            p.take(4 * usize::from(rank))?;
            let size = p.u32()?;
            Layout::Inline(p.take_u64(u64::from(size))?.to_vec())
        }
        1 => Layout::Contiguous { at, size: None },
        2 => Layout::Tree { at, side: sides(p, usize::from(rank), 4)? },
        _ => return None,
    })
}

/// Chunks of version 4, after the class: the only index that is read is none at all.
fn layout_4(p: &mut Parser<'_>) -> Option<Result<Layout, WeightsError>> {
    let [flags, rank, width] = p.array()?;
    let side = sides(p, usize::from(rank), usize::from(width))?;
    if p.array()? != [1] {
        return Some(Err(unsupported("chunks in a new kind of index")));
    }
    let is_filtered = flags & 2 != 0;
    let (packed, mask) = if is_filtered { (p.u64()?, p.u32()?) } else { (0, 0) };
    let chunk = Chunk { at: p.u64()?, packed, mask, origin: vec![] };
    Some(Ok(Layout::Single { chunk, side }))
}

/// A chunk's sides, without the last one, which is the size of a value.
fn sides(p: &mut Parser<'_>, rank: usize, width: usize) -> Option<Vec<usize>> {
    if !(1..=MAX_RANK + 1).contains(&rank) {
        return None;
    }
    let mut sides = vec![];
    for _ in 0..rank {
        sides.push(usize::try_from(number(p, width)?).ok()?);
    }
    sides.pop();
    Some(sides)
}
