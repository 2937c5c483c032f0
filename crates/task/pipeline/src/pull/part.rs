//! The file while it is not whole: `NAME.part`, and `NAME.part.tag` with what the
//! server calls this version of it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{KnownWeights, PullError};

/// Bytes read or written at once.
pub(super) const PIECE: usize = 1 << 16;

/// Held by one process at a time.
#[derive(Debug)]
pub(super) struct Part {
    whole: PathBuf,
    path: PathBuf,
    tag: PathBuf,
    file: File,
}

impl Part {
    /// Opens or makes it, with the folders above.
    pub(super) fn open(whole: &Path) -> Result<Self, PullError> {
        let [path, tag] = [".part", ".part.tag"].map(|end| beside(whole, end));
        if let Some(folder) = whole.parent() {
            fs::create_dir_all(folder).map_err(|source| io_error(folder, source))?;
        }
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let file = opened.map_err(|source| io_error(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { whole: whole.to_owned(), path, tag, file }),
            Err(TryLockError::WouldBlock) => Err(PullError::Busy { path }),
            Err(TryLockError::Error(source)) => Err(PullError::Io { path, source }),
        }
    }

    /// Bytes that are there.
    pub(super) fn len(&self) -> Result<u64, PullError> {
        self.file.metadata().map(|m| m.len()).map_err(|e| io_error(&self.path, e))
    }

    /// The server's word for the version that the bytes are of.
    pub(super) fn tag(&self) -> Option<String> {
        fs::read_to_string(&self.tag).ok().filter(|tag| !tag.is_empty())
    }

    /// Empties it, for bytes of that version.
    pub(super) fn begin(&mut self, tag: Option<&str>) -> Result<(), PullError> {
        self.file.set_len(0).map_err(|e| io_error(&self.path, e))?;
        fs::write(&self.tag, tag.unwrap_or_default()).map_err(|e| io_error(&self.tag, e))
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), PullError> {
        self.file.write_all(bytes).map_err(|e| io_error(&self.path, e))
    }

    /// Gives it its name, if it is what is wanted; otherwise takes it away.
    pub(super) fn finish(mut self, weights: &KnownWeights, url: &str) -> Result<(), PullError> {
        let got = self.hash()?;
        if got != weights.sha256 {
            self.discard();
            let (what, want) = (url.to_owned(), weights.sha256);
            return Err(PullError::Hash { what, got, want, remedy: "; nothing is kept" });
        }
        self.file.sync_all().map_err(|e| io_error(&self.path, e))?;
        fs::rename(&self.path, &self.whole).map_err(|e| io_error(&self.whole, e))?;
        let _ = fs::remove_file(&self.tag); // of no use, and no harm
        Ok(())
    }

    /// Takes away what is of no use.
    pub(super) fn discard(self) {
        for path in [&self.path, &self.tag] {
            let _ = fs::remove_file(path); // begun anew the next time, if it stays
        }
    }

    fn hash(&mut self) -> Result<String, PullError> {
        let start = self.file.seek(SeekFrom::Start(0));
        start.and_then(|_| hash(&mut self.file)).map_err(|e| io_error(&self.path, e))
    }
}

/// The SHA-256 of a file, in hex.
pub(super) fn hash_of(path: &Path) -> Result<String, PullError> {
    File::open(path).and_then(|mut f| hash(&mut f)).map_err(|e| io_error(path, e))
}

fn hash(from: &mut impl Read) -> io::Result<String> {
    let (mut hasher, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match from.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => hasher.update(&piece[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let digits = hasher.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

fn io_error(path: &Path, source: io::Error) -> PullError {
    PullError::Io { path: path.to_owned(), source }
}
