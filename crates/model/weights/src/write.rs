use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use half::{bf16, f16};
use serde_json::{Value, json};

use crate::safetensors::METADATA;
use crate::{Format, StateDict, WeightsError};

/// How a written file stores its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Half the size, about three digits; nothing beyond ±65,504.
    F16,
    /// Half the size, about two digits; any magnitude.
    Bf16,
}

impl Precision {
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }

    fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// Writes tensors and texts about them as a safetensors file.
///
/// The same content gives the same bytes. The file is written beside `path`,
/// put on the disk for good and then renamed, so that nobody ever sees half of
/// it, not even after a power cut; what was there before stays until then.
///
/// # Errors
///
/// If the operating system refuses, a tensor is called `__metadata__`, or a
/// finite value is beyond what `precision` holds.
pub fn write(
    path: &Path,
    tensors: &StateDict,
    metadata: &BTreeMap<String, String>,
    precision: Precision,
) -> Result<(), WeightsError> {
    atomically(path, |file| write_to(file, tensors, metadata, precision))
}

/// Has a file written beside `path`, puts it on the disk for good and renames it.
pub(crate) fn atomically(
    path: &Path,
    content: impl FnOnce(BufWriter<&mut tempfile::NamedTempFile>) -> Result<(), WeightsError>,
) -> Result<(), WeightsError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As any new file: what the user's mask leaves of it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".pentimento-").tempfile_in(folder)?;
    content(BufWriter::new(&mut file))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    // The new name too. A file system that cannot promise that is no reason to fail.
    #[cfg(unix)]
    let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// [`write()`] into anything that takes bytes.
///
/// # Errors
///
/// As [`write()`].
pub fn write_to(
    mut to: impl Write,
    tensors: &StateDict,
    metadata: &BTreeMap<String, String>,
    precision: Precision,
) -> Result<(), WeightsError> {
    check(tensors, precision)?;
    let header = header(tensors, metadata, precision)?;
    to.write_all(&(header.len() as u64).to_le_bytes())?;
    to.write_all(&header)?;
    for tensor in tensors.values() {
        for chunk in tensor.data().chunks(8192) {
            to.write_all(&encode(chunk, precision))?;
        }
    }
    to.flush()?;
    Ok(())
}

pub(crate) fn check(tensors: &StateDict, precision: Precision) -> Result<(), WeightsError> {
    let unsupported = |what| Err(WeightsError::unsupported(Format::Safetensors, what));
    for (name, tensor) in tensors {
        if name == METADATA {
            return unsupported(format!("a tensor called {name}"));
        }
        let too_large = |v: &&f32| match precision {
            Precision::F32 => false,
            Precision::F16 => v.is_finite() && f16::from_f32(**v).is_infinite(),
            Precision::Bf16 => v.is_finite() && bf16::from_f32(**v).is_infinite(),
        };
        if let Some(value) = tensor.data().iter().find(too_large) {
            return unsupported(format!("{value} in {name} as {}", precision.name()));
        }
    }
    Ok(())
}

/// The JSON header, padded with spaces so that the values begin at a multiple of eight.
fn header(
    tensors: &StateDict,
    metadata: &BTreeMap<String, String>,
    precision: Precision,
) -> Result<Vec<u8>, WeightsError> {
    let mut entries: BTreeMap<&str, Value> = BTreeMap::new();
    if !metadata.is_empty() {
        entries.insert(METADATA, json!(metadata));
    }
    let mut end = 0;
    for (name, tensor) in tensors {
        let from = end;
        end += tensor.data().len() * precision.size();
        let info = json!({
            "dtype": precision.name(), "shape": tensor.shape(), "data_offsets": [from, end],
        });
        entries.insert(name, info);
    }
    let mut header = serde_json::to_vec(&entries).map_err(io::Error::from)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

fn encode(values: &[f32], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Precision::F16 => values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect(),
        Precision::Bf16 => values.iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes()).collect(),
    }
}
