//! TensorFlow checkpoints.
//!
//! Both kinds are sorted tables of keys and values as `LevelDB` writes them
//! ([`table`]), with protocol buffers as values ([`proto`]):
//!
//! - V1, one file ([`v1`]): under the empty key the names, types and shapes, under
//!   all others the values;
//! - V2, the *bundle* ([`bundle`]): an `.index` table that says where in the
//!   `.data-00000-of-0000N` files the raw values lie.
//!
//! Tensors that are stored in several slices are refused; texts (Keras keeps its
//! object graph as one) are no weights and left out.

mod bundle;
mod files;

mod table;
mod v1;

pub(crate) use files::{main_file, shard_files};
pub(crate) use table::is_table;

use crate::checkpoint::{Opened, Shards};
use crate::proto::{self, Field};
use crate::source::Source;
use crate::{DType, Format, Limits, WeightsError};
use table::Table;

/// Opens a table of either kind; `shards` gives the data files if it is a V2 index.
pub(crate) fn open<'a>(
    source: Source<'a>,
    shards: Shards<'_, 'a>,
    limits: &Limits,
) -> Result<Opened<'a>, WeightsError> {
    let mut table = Table::open(source, limits)?;
    // V1's header has one field, a message; V2's begins with a number of shards.
    match proto::fields(&table.header()?).next() {
        Some(Some((1, Field::Bytes(_)))) => {
            Ok((Format::TensorflowV1, Box::new(v1::V1::open(table, limits)?)))
        }
        _ => Ok((Format::TensorflowV2, Box::new(bundle::Bundle::open(table, shards, limits)?))),
    }
}

/// A type's number in TensorFlow's protocol buffers.
enum Type {
    Values(DType),
    Text,
    Other,
}

fn type_of(number: u64) -> Type {
    Type::Values(match number {
        1 => DType::F32,
        2 => DType::F64,
        3 => DType::I32,
        4 => DType::U8,
        5 => DType::I16,
        6 => DType::I8,
        7 => return Type::Text,
        9 => DType::I64,
        10 => DType::Bool,
        14 => DType::Bf16,
        17 => DType::U16,
        19 => DType::F16,
        22 => DType::U32,
        23 => DType::U64,
        _ => return Type::Other,
    })
}

/// What a file says of one tensor.
#[derive(Default)]
struct Info {
    number: u64,
    shape: Vec<usize>,
    /// Whether it lies there in several parts.
    is_sliced: bool,
}

/// The type for a tensor of weights; `None` if it holds texts.
fn weights_type(name: &str, info: &Info, format: Format) -> Result<Option<DType>, WeightsError> {
    let unsupported = |what: String| Err(WeightsError::unsupported(format, what));
    match type_of(info.number) {
        Type::Values(_) if info.is_sliced => unsupported(format!("{name} in several slices")),
        Type::Values(dtype) => Ok(Some(dtype)),
        Type::Text => Ok(None),
        Type::Other => unsupported(format!("values of type {} in {name}", info.number)),
    }
}
