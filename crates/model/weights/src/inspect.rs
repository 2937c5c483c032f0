use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use graph::Graph;

use crate::checkpoint::{self, Reader};
use crate::source::volume;
use crate::{DType, Format, Layout, Limits, NetworkCard, Precision, WeightsError, keras};

/// What a checkpoint holds, without its values. Displays as a table.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Inspection {
    /// What kind of file it is.
    pub format: Format,
    /// Texts beside the tensors.
    pub metadata: BTreeMap<String, String>,
    /// The tensors, by name.
    pub tensors: Vec<TensorInfo>,
    /// Values of all tensors together.
    pub parameters: u64,
    /// Bytes of all values as they are stored, before any compression.
    pub bytes: u64,
}

/// One tensor of an [`Inspection`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TensorInfo {
    /// Its name in the file.
    pub name: String,
    /// Its shape, axes as in the file.
    pub shape: Vec<usize>,
    /// How its values are stored.
    pub dtype: DType,
}

impl TensorInfo {
    fn values(&self) -> u64 {
        volume(&self.shape).map_or(u64::MAX, |n| n as u64)
    }
}

/// Reads a checkpoint's table of contents only: fast, and for any size of file.
///
/// # Errors
///
/// As [`read`](crate::read), but for damage in the values.
pub fn inspect(path: &Path, limits: &Limits) -> Result<Inspection, WeightsError> {
    let (format, reader) = checkpoint::open(path, limits)?;
    Ok(inspection(format, &*reader))
}

fn inspection(format: Format, reader: &dyn Reader) -> Inspection {
    let listing = reader.listing();
    let info = listing.entries.iter().map(|e| TensorInfo {
        name: e.name.clone(),
        shape: e.shape.clone(),
        dtype: e.dtype,
    });
    let mut tensors: Vec<_> = info.collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let sum = |f: fn(&TensorInfo) -> u64| tensors.iter().map(f).fold(0, u64::saturating_add);
    let parameters = sum(TensorInfo::values);
    let bytes = sum(|t| t.values().saturating_mul(t.dtype.size() as u64));
    Inspection { format, metadata: listing.metadata.clone(), tensors, parameters, bytes }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "format      {}", self.format)?;
        writeln!(f, "tensors     {}", self.tensors.len())?;
        writeln!(f, "parameters  {}", self.parameters)?;
        writeln!(f, "bytes       {}", self.bytes)?;
        let width = self.metadata.keys().map(|key| key.chars().count()).max().unwrap_or(0);
        for (key, text) in &self.metadata {
            writeln!(f, "  {key:width$}  {}", clean(text))?;
        }
        let width = self.tensors.iter().map(|t| t.name.chars().count()).max().unwrap_or(0);
        for TensorInfo { name, shape, dtype } in &self.tensors {
            writeln!(f, "{:width$}  {dtype:4}  {shape:?}", clean(name))?;
        }
        Ok(())
    }
}

/// A stranger's text without what could command a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What [`convert`] does to a checkpoint.
#[derive(Clone, Debug, Default)]
pub struct Conversion {
    /// How the new file stores its values.
    pub precision: Precision,
    /// The source's names and axes; detected by default.
    pub layout: Option<Layout>,
    /// The network whose tensors these are: what a file for Keras needs.
    pub network: Option<Graph>,
    /// Pixels of the side of the pictures that a `.keras` model is for, where it goes with
    /// one size only. 256 by default.
    pub side: Option<usize>,
    /// What the new file says about itself; the old file's metadata by default.
    pub card: Option<NetworkCard>,
    /// More to say in the new file's metadata: `title`, `licence`, `provenance`.
    pub notes: BTreeMap<String, String>,
    /// For reading.
    pub limits: Limits,
}

/// Rewrites a checkpoint of any known format as safetensors, or for Keras if the new name
/// ends in `.h5` ([`keras::Kind`]) or `.keras` ([`keras::write_model`]), and says what it wrote.
///
/// # Errors
///
/// As [`read`](crate::read), [`Layout::apply`], [`keras::Table`], [`write`](crate::write())
/// and [`keras::write`]; and if a file for Keras is asked for, and not known of which network.
pub fn convert(from: &Path, to: &Path, how: &Conversion) -> Result<Inspection, WeightsError> {
    let checkpoint = crate::read(from, &how.limits)?;
    let is_model = to.extension().is_some_and(|end| end.eq_ignore_ascii_case("keras"));
    if is_model || keras::Kind::of(to).is_some() {
        for_keras(checkpoint, to, how)?;
        return inspect(to, &how.limits);
    }
    let layout = how.layout.or_else(|| Layout::detect(&checkpoint.tensors));
    let tensors = match layout {
        Some(layout) => layout.apply(checkpoint.tensors)?,
        // Keras's names and axes become the network's.
        None => match &how.network {
            Some(graph) if keras::is_keras(&checkpoint.tensors) => {
                keras::Table::of(graph).to_graph(checkpoint.tensors)?
            }
            _ => checkpoint.tensors,
        },
    };
    let mut metadata = match &how.card {
        Some(card) => card.to_metadata(),
        None => checkpoint.metadata,
    };
    metadata.extend(how.notes.clone());
    crate::write(to, &tensors, &metadata, how.precision)?;
    inspect(to, &how.limits)
}

/// The weights alone, or with their network as a whole model, by the name of the file.
fn for_keras(
    checkpoint: crate::Checkpoint,
    to: &Path,
    how: &Conversion,
) -> Result<(), WeightsError> {
    let Some(graph) = &how.network else {
        let what = "the tensors of a network that is not known, whose axes are not known either";
        return Err(WeightsError::unsupported(Format::Keras, what));
    };
    let tensors = crate::fit(graph, checkpoint.tensors)?.into_dict(graph);
    if let Some(kind) = keras::Kind::of(to) {
        return keras::write(to, &keras::Table::of(graph), tensors, (kind, how.precision));
    }
    let side = how.side.unwrap_or(256);
    keras::write_model(to, graph, tensors, ([side; 2], how.precision))
}
