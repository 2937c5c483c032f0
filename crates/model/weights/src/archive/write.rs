//! Writing zip files: members as they are, none compressed.

use std::io::Write;

use flate2::Crc;

use super::{ENTRY, LOCAL};
use crate::{Format, WeightsError};

/// The version of the format that stored members need, 1.0, and that made the file.
const VERSION: u16 = 10;

/// 1980-01-01, so that the same content gives the same bytes.
const DATE: u16 = 1 << 5 | 1;

/// Writes members in their order, uncompressed.
///
/// # Errors
///
/// If the file would be larger than 4 GiB, or the operating system refuses.
pub(crate) fn write_archive(
    mut to: impl Write,
    members: &[(&str, Vec<u8>)],
) -> Result<(), WeightsError> {
    let (mut directory, mut at) = (vec![], 0);
    for (name, bytes) in members {
        let entry = entry(name, bytes)?;
        directory.extend(ENTRY);
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&entry);
        directory.extend([0; 2 + 2 + 2 + 4]); // comment, disk, attributes
        directory.extend(small(at)?);
        directory.extend(name.as_bytes());
        to.write_all(LOCAL)?;
        to.write_all(&entry)?;
        to.write_all(name.as_bytes())?;
        to.write_all(bytes)?;
        at += LOCAL.len() + entry.len() + name.len() + bytes.len();
    }
    let count = u16::try_from(members.len()).map_err(|_many| too_large())?.to_le_bytes();
    to.write_all(&directory)?;
    to.write_all(b"PK\x05\x06\0\0\0\0")?;
    to.write_all(&[count, count].concat())?;
    to.write_all(&[small(directory.len())?, small(at)?].concat())?;
    to.write_all(&[0; 2])?; // no comment
    to.flush()?;
    Ok(())
}

/// What a member's header and its entry in the directory have in common.
fn entry(name: &str, bytes: &[u8]) -> Result<Vec<u8>, WeightsError> {
    let mut crc = Crc::new();
    crc.update(bytes);
    let size = small(bytes.len())?;
    let mut entry = VERSION.to_le_bytes().to_vec();
    entry.extend([0; 2 + 2 + 2]); // flags, stored, midnight
    entry.extend(DATE.to_le_bytes());
    entry.extend(crc.sum().to_le_bytes());
    entry.extend([size, size].concat());
    entry.extend(u16::try_from(name.len()).map_err(|_long| too_large())?.to_le_bytes());
    entry.extend([0; 2]); // nothing extra
    Ok(entry)
}

fn small(n: usize) -> Result<[u8; 4], WeightsError> {
    u32::try_from(n).ok().filter(|&n| n < u32::MAX).map(u32::to_le_bytes).ok_or_else(too_large)
}

fn too_large() -> WeightsError {
    WeightsError::unsupported(Format::Zip, "more than 4 GiB in one file")
}

#[cfg(test)]
mod tests {
    use super::super::Archive;
    use super::*;
    use crate::Limits;
    use crate::source::Source;

    #[test]
    fn what_is_written_is_read() {
        let members = [("a.json", b"{}".to_vec()), ("b/c", vec![7; 3000]), ("empty", vec![])];
        let mut bytes = vec![];
        write_archive(&mut bytes, &members).unwrap();
        let mut archive = Archive::open(Source::owned(bytes), &Limits::default()).unwrap();
        assert_eq!(archive.names().collect::<Vec<_>>(), ["a.json", "b/c", "empty"]);
        for (index, (_, content)) in members.iter().enumerate() {
            assert_eq!(archive.read(index, 1 << 20).unwrap(), *content);
        }
    }
}
