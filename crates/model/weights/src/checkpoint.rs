use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use crate::archive::Archive;
use crate::source::{Source, volume};
use crate::{
    DType, Limits, StateDict, WeightsError, hdf5, keras, numpy, onnx, pytorch, safetensors,
    tensorflow,
};

/// A kind of file that holds tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// A JSON header and raw values: the house format.
    Safetensors,
    /// One NumPy array.
    Npy,
    /// A zip file, before it is known whose.
    Zip,
    /// Named NumPy arrays in a zip file.
    Npz,
    /// PyTorch since 1.6: a pickle and raw storages in a zip file.
    PytorchZip,
    /// PyTorch before 1.6: pickles and storages one after the other.
    PytorchLegacy,
    /// TensorFlow's `tf.train.Saver` before 1.0: one table with slices of tensors.
    TensorflowV1,
    /// TensorFlow's bundle: `.index` and `.data-00000-of-0000N`.
    TensorflowV2,
    /// HDF5: Keras's weights or whole models (`.h5`), or anybody's arrays.
    Hdf5,
    /// ONNX: a network with its weights.
    Onnx,
    /// Keras 3's archive (`.keras`): a configuration and HDF5 in a zip file.
    Keras,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Safetensors => "safetensors",
            Self::Npy => "NumPy npy",
            Self::Zip => "zip",
            Self::Npz => "NumPy npz",
            Self::PytorchZip => "PyTorch",
            Self::PytorchLegacy => "legacy PyTorch",
            Self::TensorflowV1 => "TensorFlow V1",
            Self::TensorflowV2 => "TensorFlow V2",
            Self::Onnx => "ONNX",
            Self::Hdf5 => "HDF5",
            Self::Keras => "Keras",
        })
    }
}

/// What a checkpoint file holds.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The tensors under the file's own names, but for `PyTorch`'s `module.` prefix.
    pub tensors: StateDict,
    /// Texts beside the tensors: safetensors' metadata, or the plain values of a
    /// `PyTorch` training checkpoint (`epoch`, `arch`, …).
    pub metadata: BTreeMap<String, String>,
    /// What kind of file it was.
    pub format: Format,
}

/// One tensor, as the file announces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: DType,
}

/// What a file announces, before any value is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<Entry>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Bytes of all names and texts: a short file can repeat a long name many times.
    text: u64,
}

/// More axes than anybody's tensors have.
pub(crate) const MAX_RANK: usize = 32;

impl Listing {
    pub(crate) fn add(&mut self, entry: Entry, limits: &Limits) -> Result<(), WeightsError> {
        limits.check_entries(self.entries.len() + 1)?;
        self.count(entry.name.len(), limits)?;
        self.entries.push(entry);
        Ok(())
    }

    pub(crate) fn describe(
        &mut self,
        key: &str,
        text: String,
        limits: &Limits,
    ) -> Result<(), WeightsError> {
        limits.check_entries(self.metadata.len() + 1)?;
        self.count(key.len() + text.len(), limits)?;
        self.metadata.insert(key.to_owned(), text);
        Ok(())
    }

    fn count(&mut self, text: usize, limits: &Limits) -> Result<(), WeightsError> {
        self.text = self.text.saturating_add(text as u64);
        limits.check_header(self.text)
    }
}

/// A file whose table of contents is read and checked, and whose values are not.
pub(crate) trait Reader {
    fn listing(&self) -> &Listing;

    /// All tensors. Called once, after the caller has compared the listing with the limits.
    fn load(&mut self, limits: &Limits) -> Result<StateDict, WeightsError>;
}

pub(crate) type Opened<'a> = (Format, Box<dyn Reader + 'a>);

/// Reads a checkpoint of any known format, told by its content.
///
/// A TensorFlow checkpoint is named by its prefix (`model.ckpt`), by any of its
/// files, or by the folder with its `checkpoint` file.
///
/// ```
/// # fn main() -> Result<(), weights::WeightsError> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("net.safetensors");
/// # let tensors = [("a".to_owned(), tensor::Tensor::zeros([2, 3]))].into();
/// # weights::write(&path, &tensors, &Default::default(), weights::Precision::F32)?;
/// let checkpoint = weights::read(&path, &weights::Limits::default())?;
/// assert_eq!(checkpoint.tensors["a"].shape(), [2, 3]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the file cannot be opened, is of no known format, is damaged, goes over
/// `limits`, or is a pickle that calls anything but tensor constructors.
pub fn read(path: &Path, limits: &Limits) -> Result<Checkpoint, WeightsError> {
    load(open(path, limits)?, limits)
}

/// [`read`] from memory. A TensorFlow V2 index needs its data: see [`read_bundle`].
///
/// # Errors
///
/// As [`read`].
pub fn read_bytes(bytes: &[u8], limits: &Limits) -> Result<Checkpoint, WeightsError> {
    read_bundle(bytes, &[], limits)
}

/// Reads a TensorFlow V2 checkpoint from memory: the `.index` file and the data files in order.
///
/// # Errors
///
/// As [`read`], and if the index wants another number of data files.
pub fn read_bundle(
    index: &[u8],
    shards: &[&[u8]],
    limits: &Limits,
) -> Result<Checkpoint, WeightsError> {
    let given = |count| match shards {
        shards if shards.len() == count => {
            Ok(shards.iter().map(|bytes| Source::bytes(bytes)).collect())
        }
        _ => Err(WeightsError::unsupported(
            Format::TensorflowV2,
            format!("{count} data files where {} are given", shards.len()),
        )),
    };
    load(open_source(Source::bytes(index), &given, limits)?, limits)
}

fn load((format, mut reader): Opened<'_>, limits: &Limits) -> Result<Checkpoint, WeightsError> {
    let metadata = reader.listing().metadata.clone();
    limits.check_bytes(memory(reader.listing()))?;
    Ok(Checkpoint { tensors: reader.load(limits)?, metadata, format })
}

/// Bytes of all tensors as `f32`.
fn memory(listing: &Listing) -> u64 {
    let bytes = |e: &Entry| volume(&e.shape).and_then(|n| n.checked_mul(size_of::<f32>()));
    listing
        .entries
        .iter()
        .fold(0, |sum: u64, e| sum.saturating_add(bytes(e).map_or(u64::MAX, |bytes| bytes as u64)))
}

/// Opens a checkpoint and reads its table of contents only.
pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Opened<'static>, WeightsError> {
    let path = tensorflow::main_file(path)?;
    let file = File::open(&path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    let beside = |count| tensorflow::shard_files(&path, count, limits);
    open_source(Source::file(file)?, &beside, limits)
}

/// Gives the data files of a TensorFlow V2 checkpoint, so many of them.
pub(crate) type Shards<'s, 'a> = &'s dyn Fn(usize) -> Result<Vec<Source<'a>>, WeightsError>;

fn open_source<'a>(
    mut source: Source<'a>,
    shards: Shards<'_, 'a>,
    limits: &Limits,
) -> Result<Opened<'a>, WeightsError> {
    let head = source.head(16)?;
    // A zip file begins with a member or, if it is empty, with its end record.
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return open_zip(source, limits);
    }
    if head.starts_with(numpy::MAGIC) {
        return Ok((Format::Npy, Box::new(numpy::Npy::open(source, limits)?)));
    }
    if tensorflow::is_table(&mut source)? {
        return tensorflow::open(source, shards, limits);
    }
    if hdf5::is_hdf5(&head) {
        return Ok((Format::Hdf5, Box::new(keras::H5::open(source, limits)?)));
    }
    if safetensors::looks_like(&head) {
        let reader = safetensors::Safetensors::open(source, limits)?;
        return Ok((Format::Safetensors, Box::new(reader)));
    }
    if pytorch::is_pickle(&head) {
        let reader = pytorch::Legacy::open(source, limits)?;
        return Ok((Format::PytorchLegacy, Box::new(reader)));
    }
    if onnx::looks_like(&head) {
        return Ok((Format::Onnx, Box::new(onnx::Onnx::open(source, limits)?)));
    }
    Err(WeightsError::UnknownFormat)
}

/// A zip file is `PyTorch`'s if it has a pickle in it, Keras's if it has Keras's weights in
/// it, and NumPy's otherwise.
fn open_zip<'a>(source: Source<'a>, limits: &Limits) -> Result<Opened<'a>, WeightsError> {
    let archive = Archive::open(source, limits)?;
    if archive.names().any(pytorch::is_main_member) {
        return Ok((Format::PytorchZip, Box::new(pytorch::Zip::open(archive, limits)?)));
    }
    if archive.names().any(keras::is_main_member) {
        return Ok((Format::Keras, Box::new(keras::KerasArchive::open(archive, limits)?)));
    }
    Ok((Format::Npz, Box::new(numpy::Npz::open(archive, limits)?)))
}
