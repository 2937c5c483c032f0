use std::{io, path::Path};

/// Writes a file so that it appears whole or not at all.
///
/// The bytes go to a new temporary file in the same folder, which is then
/// renamed over `path`. The temporary file is removed if anything fails.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn atomic_write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _ = (path, bytes);
    unimplemented!()
}
