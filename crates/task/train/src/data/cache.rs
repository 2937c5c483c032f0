//! Scaled pictures on disk, so that a large photograph is decoded once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use imaging::atomic_write;

use super::folder::key;
use super::prepare::{Prepared, Scaling};
use crate::random::hashed;

/// A folder of scaled pictures.
///
/// An entry is named by a hash of the photograph's path, size, time of last
/// change and what was asked for, and begins with all of that in full: a changed
/// photograph, another size and a clash of hashes all miss. Entries are written
/// whole or not at all; one whose checksum is wrong is made again.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// Where a photograph's entry is, and what it must begin with.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    file: PathBuf,
    head: Vec<u8>,
}

/// Marks the file, and the version of what is in it.
const MAGIC: &str = "pentimento scaled picture 1";

impl Cache {
    /// The folder is made if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be.
    pub(super) fn open(folder: &Path) -> std::io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The slot of a photograph; `None` if the file system does not tell what
    /// it is called by.
    pub(super) fn slot(&self, photo: &Path, scaling: &Scaling) -> Option<Slot> {
        let photo = photo.canonicalize().ok()?;
        let about = fs::metadata(&photo).ok()?;
        let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        let Scaling { to, filter, .. } = scaling;
        let (path, length) = (key(&photo), about.len());
        let head = format!("{MAGIC}\n{path}\n{length}\n{changed}\n{to} {filter:?}\n");
        let file = self.folder.join(format!("{:016x}.rgb", hashed(head.as_bytes())));
        Some(Slot { file, head: head.into_bytes() })
    }
}

impl Slot {
    /// The picture, if a whole one of that photograph is there.
    pub(super) fn read(&self) -> Option<Prepared> {
        let bytes = fs::read(&self.file).ok()?;
        let rest = bytes.strip_prefix(self.head.as_slice())?;
        let (sum, rest) = rest.split_first_chunk()?;
        if u32::from_le_bytes(*sum) != crc32c::crc32c(rest) {
            return None;
        }
        let (height, rest) = rest.split_first_chunk()?;
        let (width, pixels) = rest.split_first_chunk()?;
        let size = [*height, *width].map(|side| u32::from_le_bytes(side) as usize);
        let length = size[0].checked_mul(size[1])?.checked_mul(3)?;
        (pixels.len() == length).then(|| Prepared { size, pixels: pixels.to_vec() })
    }

    /// Puts a picture there.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub(super) fn write(&self, picture: &Prepared) -> std::io::Result<()> {
        let sides = picture.size.map(|side| (side as u32).to_le_bytes()).concat();
        let sum = crc32c::crc32c_append(crc32c::crc32c(&sides), &picture.pixels);
        let parts = [&self.head[..], &sum.to_le_bytes(), &sides, &picture.pixels];
        atomic_write(&self.file, &parts.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepare::ScaleTo;
    use super::*;
    use imaging::{Filter, Limits};

    fn scaling(short: usize) -> Scaling {
        Scaling { to: ScaleTo::Short(short), filter: Filter::Triangle, limits: Limits::default() }
    }

    fn picture() -> Prepared {
        Prepared { size: [2, 3], pixels: (0..18).collect() }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let photo = dir.path().join("a.jpg");
        fs::write(&photo, "one").unwrap();
        let cache = Cache::open(&dir.path().join("cache")).unwrap();
        let slot = cache.slot(&photo, &scaling(8)).unwrap();
        assert_eq!(slot.read(), None);
        slot.write(&picture()).unwrap();
        assert_eq!(slot.read(), Some(picture()));
        assert_eq!(cache.slot(&photo, &scaling(9)).unwrap().read(), None);
        fs::write(&photo, "another").unwrap();
        assert_eq!(cache.slot(&photo, &scaling(8)).unwrap().read(), None);
        assert!(cache.slot(&dir.path().join("absent.jpg"), &scaling(8)).is_none());
    }

    /// Every truncation, every flipped byte, and another photograph's entry under this name.
    #[test]
    fn damage_is_never_read() {
        let dir = tempfile::tempdir().unwrap();
        let photo = dir.path().join("a.jpg");
        fs::write(&photo, "one").unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let slot = cache.slot(&photo, &scaling(8)).unwrap();
        slot.write(&picture()).unwrap();
        let whole = fs::read(&slot.file).unwrap();
        for length in 0..whole.len() {
            fs::write(&slot.file, &whole[..length]).unwrap();
            assert_eq!(slot.read(), None, "cut to {length}");
        }
        for i in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[i] ^= 0x20;
            fs::write(&slot.file, damaged).unwrap();
            assert_eq!(slot.read(), None, "byte {i}");
        }
    }
}
