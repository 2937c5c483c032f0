use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::TrainError;

/// Whether a run begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Where there is none.
    New,
    /// Where there may be one, which is thrown away.
    Anew,
    /// From its checkpoint.
    Resume,
}

/// A run's folder: the one that is named, or else beside the output.
pub fn beside(output: &Path, named: Option<&Path>) -> PathBuf {
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
///
/// # Errors
///
/// [`TrainError::Output`] if it has another ending than safetensors, or is there already;
/// [`TrainError::Unwritable`] if its folder cannot be made.
pub fn check_output(output: &Path, what: &str, begin: Begin) -> Result<(), TrainError> {
    let refuse = |what: String| TrainError::Output { path: output.into(), what };
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
    made.map_err(TrainError::unwritable(output))
}

/// A run's folder, which is this process's alone.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

const CHECKPOINT: &str = "checkpoint.safetensors";
/// Tables, by the ending.
const TABLES: &str = ".csv";
pub(super) const PREVIEW: &str = "preview-";
/// Locked while somebody trains here.
pub(super) const LOCK: &str = ".lock";
/// There when somebody else asks that the run stops.
pub(super) const STOP: &str = ".stop";
const EVENTS: &str = "events.out.tfevents.";
/// What a process that was killed may have left half written.
const TEMPORARY: &str = ".pentimento-";

impl RunFolder {
    /// Takes the folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`TrainError::Output`] if there is a run where a new one was to begin, or none
    /// where one was to go on, or if another process has the folder;
    /// [`TrainError::Unwritable`] if the system refuses.
    pub fn open(path: &Path, begin: Begin) -> Result<Self, TrainError> {
        let refuse = |what: &str| TrainError::Output { path: path.into(), what: what.into() };
        let unwritable = |e: io::Error| TrainError::unwritable(path)(e);
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
        let lock = File::create(path.join(LOCK)).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(refuse("another process trains in it")),
            Err(TryLockError::Error(e)) => return Err(unwritable(e)),
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.tidy(begin).map_err(unwritable)?;
        Ok(folder)
    }

    /// Takes away what is half written, what was asked of an earlier process, and what is of a run
    /// that is not wanted.
    fn tidy(&self, begin: Begin) -> io::Result<()> {
        let old = [CHECKPOINT, PREVIEW, EVENTS];
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_old = old.iter().any(|o| name.starts_with(o)) || name.ends_with(TABLES);
            let is_passing = name.starts_with(TEMPORARY) || name == STOP;
            if (begin != Begin::Resume && is_old) || is_passing {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether another process has asked, by [`ask_to_stop`](super::ask_to_stop), that the run
    /// stops after the step it is at.
    pub fn is_asked_to_stop(&self) -> bool {
        self.path.join(STOP).exists()
    }

    /// The checkpoint in it, which may not be there yet.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }
}
