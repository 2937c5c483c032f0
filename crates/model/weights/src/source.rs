use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use crate::{Format, WeightsError};

trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// A file, or bytes in memory, of known length.
pub(crate) struct Source<'a> {
    inner: Box<dyn ReadSeek + 'a>,
    len: u64,
}

impl Source<'static> {
    pub(crate) fn file(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { inner: Box::new(BufReader::new(file)), len })
    }
}

impl<'a> Source<'a> {
    pub(crate) fn bytes(bytes: &'a [u8]) -> Self {
        Self { inner: Box::new(Cursor::new(bytes)), len: bytes.len() as u64 }
    }

    pub(crate) fn owned(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self { inner: Box::new(Cursor::new(bytes)), len }
    }

    /// A stretch of a file, which must lie inside it, as a file of its own.
    pub(crate) fn stretch(self, start: u64, len: u64) -> Self {
        Self { inner: Box::new(Stretch { inner: self.inner, start, len, at: 0 }), len }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// What is left from the current place on.
    pub(crate) fn left(&mut self) -> io::Result<u64> {
        Ok(self.len.saturating_sub(self.inner.stream_position()?))
    }

    /// The bytes of a range that must lie inside the file and be no more than `limit`.
    pub(crate) fn read_at(
        &mut self,
        offset: u64,
        len: u64,
        (format, limit): (Format, u64),
    ) -> Result<Vec<u8>, WeightsError> {
        if offset.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(WeightsError::corrupt(format, offset, "the file ends early"));
        }
        if len > limit {
            return Err(WeightsError::TooLarge { need: len, limit });
        }
        let mut bytes = vec![0; to_usize(len)?];
        self.seek(SeekFrom::Start(offset))?;
        self.read_exact(&mut bytes).map_err(|e| io_error(format, offset, e))?;
        Ok(bytes)
    }

    /// Up to `len` bytes from the start of the file.
    pub(crate) fn head(&mut self, len: u64) -> io::Result<Vec<u8>> {
        self.seek(SeekFrom::Start(0))?;
        let mut bytes = vec![];
        self.by_ref().take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Up to `len` bytes from the end of the file.
    pub(crate) fn tail(&mut self, len: u64) -> io::Result<Vec<u8>> {
        self.seek(SeekFrom::Start(self.len.saturating_sub(len)))?;
        let mut bytes = vec![];
        self.by_ref().take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Read for Source<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.inner.read(to)
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Part of a file; `at` counts from its start.
struct Stretch<'a> {
    inner: Box<dyn ReadSeek + 'a>,
    start: u64,
    len: u64,
    at: u64,
}

impl Read for Stretch<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = to.len().min(left);
        let n = self.inner.read(&mut to[..most])?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Stretch<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
        };
        let place = at.and_then(|at| self.start.checked_add(at));
        let place = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.inner.seek(SeekFrom::Start(place))?;
        self.at = place - self.start;
        Ok(self.at)
    }
}

/// A file that ends early, or whose compressed data is wrong, is corrupt; anything
/// else is the operating system's word.
pub(crate) fn io_error(format: Format, offset: u64, error: io::Error) -> WeightsError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            WeightsError::corrupt(format, offset, "the file ends early")
        }
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            WeightsError::corrupt(format, offset, error.to_string())
        }
        _ => WeightsError::Io(error),
    }
}

/// A foreign size as an index; what does not fit cannot fit memory either.
pub(crate) fn to_usize(n: u64) -> Result<usize, WeightsError> {
    usize::try_from(n).map_err(|_over| WeightsError::TooLarge { need: n, limit: usize::MAX as u64 })
}

/// How many values a shape holds, counted as [`tensor::Tensor::new`] does.
pub(crate) fn volume(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |a, &b| a.checked_mul(b))
}
