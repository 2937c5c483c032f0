//! The folder in which a run lives.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use pentimento::imaging::{Depth, EncodeOptions, Picture, encode_file};
use pentimento::pipeline::PipelineError;
use pentimento::tensor::Tensor;
use pentimento::train::events::{EventWriter, Moment};

use super::table::Table;

/// Whether a run begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// Where there is none.
    New,
    /// Where there may be one, which is thrown away.
    Anew,
    /// From its checkpoint.
    Resume,
}

impl Begin {
    /// As the flags `--resume` and `--overwrite` say.
    pub(super) fn of_flags(resume: bool, overwrite: bool) -> Self {
        match (resume, overwrite) {
            (true, _) => Self::Resume,
            (_, true) => Self::Anew,
            _ => Self::New,
        }
    }
}

/// A run's folder: the one that is named, or else beside the output.
pub(super) fn beside(output: &Path, named: Option<&Path>) -> PathBuf {
    named.map_or_else(
        || {
            let mut name: OsString = output.to_owned().into();
            name.push(".run");
            name.into()
        },
        Path::to_owned,
    )
}

/// Refuses an output that could not be written hours later; `what` it is of.
pub(super) fn check_output(output: &Path, what: &str, begin: Begin) -> Result<(), PipelineError> {
    let refuse = |what: String| PipelineError::Output { path: output.into(), what };
    if output.extension().is_none_or(|ending| ending != "safetensors") {
        return Err(refuse(format!("{what} file ends in .safetensors")));
    }
    if output.is_dir() {
        return Err(refuse("is a folder".to_owned()));
    }
    if begin == Begin::New && output.exists() {
        return Err(refuse("is there already: --overwrite replaces it".to_owned()));
    }
    let folder = output.parent().filter(|f| !f.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    made.map_err(|source| PipelineError::Unwritable { path: output.to_owned(), source })
}

/// A run's folder, which is this process's alone.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

const CHECKPOINT: &str = "checkpoint.safetensors";
/// Tables, by the ending.
const TABLES: &str = ".csv";
const PREVIEW: &str = "preview-";
const EVENTS: &str = "events.out.tfevents.";
/// What a process that was killed may have left half written.
const TEMPORARY: &str = ".pentimento-";

impl RunFolder {
    /// Takes the folder, which is made if it is not there.
    pub(super) fn open(path: &Path, begin: Begin) -> Result<Self, PipelineError> {
        let refuse = |what: &str| PipelineError::Output { path: path.into(), what: what.into() };
        let unwritable = |source| PipelineError::Unwritable { path: path.into(), source };
        let has_run = path.join(CHECKPOINT).exists();
        match begin {
            Begin::New if has_run => {
                return Err(refuse("there is a run already: --resume goes on with it"));
            }
            Begin::Resume if !has_run => {
                return Err(refuse("there is no run with a checkpoint to go on with"));
            }
            _ => {}
        }
        fs::create_dir_all(path).map_err(unwritable)?;
        let lock = File::create(path.join(".lock")).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(refuse("another process trains in it")),
            Err(TryLockError::Error(e)) => return Err(unwritable(e)),
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.tidy(begin).map_err(unwritable)?;
        Ok(folder)
    }

    /// Takes away what is half written, and what is of a run that is not wanted.
    fn tidy(&self, begin: Begin) -> io::Result<()> {
        let old = [CHECKPOINT, PREVIEW, EVENTS];
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_old = old.iter().any(|o| name.starts_with(o)) || name.ends_with(TABLES);
            if (begin != Begin::Resume && is_old) || name.starts_with(TEMPORARY) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn checkpoint(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }
}

/// What is written down while a run goes: tables of numbers, and what `TensorBoard` reads.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    events: EventWriter,
    tables: Vec<Table>,
}

/// A table's file, and its columns, the first of which is the step.
pub(super) type Columns<'a> = (&'a str, &'a [&'a str]);

impl Journal {
    /// Begins to write, or goes on after a checkpoint at that step.
    pub(super) fn open(
        folder: &RunFolder,
        step: u64,
        tables: &[Columns<'_>],
    ) -> anyhow::Result<Self> {
        let table = |(name, columns): &Columns| Table::open(&folder.path.join(name), columns, step);
        Ok(Self {
            folder: folder.path.clone(),
            events: EventWriter::create(&folder.path, "pentimento", Moment::now(step))?,
            tables: tables.iter().map(table).collect::<Result<_, _>>()?,
        })
    }

    /// A line for the table of that number: a value for each column but the step.
    pub(super) fn line(&mut self, table: usize, step: u64, values: &[f64]) -> anyhow::Result<()> {
        self.tables[table].add(step, values)
    }

    /// Numbers for `TensorBoard`, by their tags.
    pub(super) fn scalars(&mut self, step: u64, scalars: &[(&str, f64)]) -> anyhow::Result<()> {
        let scalars: Vec<(&str, f32)> = scalars.iter().map(|(tag, v)| (*tag, *v as f32)).collect();
        Ok(self.events.scalars(Moment::now(step), &scalars)?)
    }

    /// A picture `[1, 3, H, W]` for `TensorBoard`, RGB in 0..=1.
    pub(super) fn picture(&mut self, step: u64, tag: &str, rgb: &Tensor) -> anyhow::Result<()> {
        Ok(self.events.image(Moment::now(step), tag, rgb)?)
    }

    /// Keeps a preview.
    pub(super) fn preview(&mut self, step: u64, name: &str, rgb: &Tensor) -> anyhow::Result<()> {
        let picture = Picture::from_rgb_tensor(rgb, Depth::Eight);
        let path = self.folder.join(format!("{PREVIEW}{step:06}-{name}.png"));
        encode_file(&picture, &path, &EncodeOptions::default())
            .map_err(|e| anyhow::Error::new(e).context(format!("{}", path.display())))?;
        self.picture(step, &format!("preview/{name}"), rgb)
    }
}
