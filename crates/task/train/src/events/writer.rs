use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use imaging::{Depth, EncodeOptions, Format, Picture};
use tensor::Tensor;

use super::message::{Event, What};
use super::record::framed;
use crate::TrainError;

/// When something happened: after which step, and at what time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Steps of training done.
    pub step: u64,
    /// Seconds since 1970.
    pub wall_time: f64,
}

impl Moment {
    /// This step, now.
    pub fn now(step: u64) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { step, wall_time: since.as_secs_f64() }
    }
}

/// Writes an event file that `TensorBoard` reads, also while it is written.
///
/// ```no_run
/// # use train::events::{EventWriter, Moment};
/// let mut events = EventWriter::create("runs/wave".as_ref(), "studio", Moment::now(0))?;
/// events.scalars(Moment::now(100), &[("loss/content", 3.5), ("loss/style", 0.25)])?;
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct EventWriter {
    file: File,
    path: PathBuf,
    /// Bytes of whole records.
    length: u64,
}

impl EventWriter {
    /// Begins a file in `folder`, which is made if it is not there.
    ///
    /// The file is called `events.out.tfevents.TIME.HOST.PROCESS.COUNT`, after
    /// `start`, so that `TensorBoard` reads the files of a resumed run in the order
    /// in which they were begun. A run begins at step 0; one that is resumed
    /// begins where its checkpoint is, and whatever earlier files hold of later
    /// steps is void. Characters that do not belong into a file's name are left
    /// out of `host`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`] if the file cannot be made.
    pub fn create(folder: &Path, host: &str, start: Moment) -> Result<Self, TrainError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
        let host: String =
            host.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).collect();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let (seconds, process) = (start.wall_time.max(0.0) as u64, process::id());
        let path =
            folder.join(format!("events.out.tfevents.{seconds:010}.{host}.{process}.{count}"));
        let file = OpenOptions::new().append(true).create_new(true).open(&path);
        let file = file.map_err(TrainError::io(&path))?;
        let mut writer = Self { file, path, length: 0 };
        writer.write(Moment { step: 0, ..start }, What::Version)?;
        writer.write(start, What::Start)?;
        Ok(writer)
    }

    /// The file that is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends numbers by name; a `/` in a name makes a group of those before it.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`], with the file as it was before.
    pub fn scalars(&mut self, at: Moment, values: &[(&str, f32)]) -> Result<(), TrainError> {
        self.write(at, What::Scalars(values))
    }

    /// Appends a picture, `[1, 3, H, W]` in 0..=1, as PNG with 8 bits.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`], with the file as it was before; [`TrainError::Imaging`] if
    /// the picture is too large for a PNG.
    ///
    /// # Panics
    ///
    /// If `rgb` is not `[1, 3, H, W]` with `H` and `W` at least 1.
    pub fn image(&mut self, at: Moment, tag: &str, rgb: &Tensor) -> Result<(), TrainError> {
        let picture = Picture::from_rgb_tensor(rgb, Depth::Eight);
        let png = imaging::encode(&picture, Format::Png, &EncodeOptions::default())?;
        self.write(at, What::Image { tag, size: picture.size(), png: &png })
    }

    fn write(&mut self, at: Moment, what: What<'_>) -> Result<(), TrainError> {
        let Moment { step, wall_time } = at;
        let record = framed(&Event { wall_time, step, what }.encoded());
        if let Err(e) = self.file.write_all(&record) {
            // Half a record, of a full disk, would hide all that follow. If even
            // this fails there is nothing left to do; the first error is told.
            let _ = self.file.set_len(self.length);
            return Err(TrainError::io(&self.path)(e));
        }
        self.length += record.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_names_tensorboard_looks_for_and_never_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let start = Moment { step: 5, wall_time: 1_234_567.9 };
        let folder = dir.path().join("runs/one");
        let first = EventWriter::create(&folder, "a host/1", start).unwrap();
        let second = EventWriter::create(&folder, "a host/1", start).unwrap();
        let name = first.path().file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("events.out.tfevents.0001234567.ahost1."), "{name}");
        assert_ne!(first.path(), second.path());
    }

    #[test]
    fn every_record_is_there_as_soon_as_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(dir.path(), "h", Moment::now(0)).unwrap();
        for step in 1..4 {
            writer.scalars(Moment::now(step), &[("loss", 1.0)]).unwrap();
            assert_eq!(fs::metadata(writer.path()).unwrap().len(), writer.length);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_reported() {
        let file = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut writer = EventWriter { file, path: "/dev/full".into(), length: 0 };
        let error = writer.scalars(Moment::now(1), &[("loss", 1.0)]).unwrap_err();
        assert!(error.to_string().starts_with("/dev/full: "), "{error}");
        assert_eq!(writer.length, 0);
    }
}
