use std::path::Path;

use crate::{Format, ImagingError};

/// What a file's header declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// By content, not by name.
    pub format: Format,
    /// Pixels across, as stored: before EXIF orientation.
    pub width: u32,
    /// Pixels down, as stored.
    pub height: u32,
}

/// Reads format and size from the header, without decoding.
///
/// # Errors
///
/// As [`decode`](crate::decode), as far as the header shows.
pub fn identify(bytes: &[u8]) -> Result<Probe, ImagingError> {
    let _ = bytes;
    unimplemented!()
}

/// Reads format and size from a file's header; see [`identify`].
///
/// # Errors
///
/// As [`identify`], and [`ImagingError::Io`] if the file cannot be read.
pub fn identify_file(path: &Path) -> Result<Probe, ImagingError> {
    let _ = path;
    unimplemented!()
}
