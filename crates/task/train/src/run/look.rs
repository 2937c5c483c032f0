//! A run's folder as others see it: what it is at, and what it has shown.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::folder::{LOCK, PREVIEW, STOP};
use crate::TrainError;

/// Numbers by step, as a [`Journal`](super::Journal) writes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Their names; the first is the step.
    pub columns: Vec<String>,
    /// By step.
    pub rows: Vec<Vec<f64>>,
}

/// A picture that was painted on the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    /// After so many steps.
    pub step: u64,
    /// The picture's name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
}

impl Numbers {
    /// Reads a table of a run; lines that are not whole are passed over. A table that is not
    /// there has no columns.
    pub fn read(run: &Path, table: &str) -> Self {
        let text = fs::read_to_string(run.join(table)).unwrap_or_default();
        let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let columns: Vec<String> =
            lines.next().unwrap_or_default().split(',').map(str::to_owned).collect();
        let row = |line: &str| {
            let values = line.split(',').map(|value| value.parse::<f64>().ok());
            let values: Vec<f64> = values.collect::<Option<_>>()?;
            (values.len() == columns.len()).then_some(values)
        };
        let rows = lines.filter_map(row).collect();
        Self { columns, rows }
    }

    /// What stands under a name in a row.
    pub fn value(&self, row: &[f64], column: &str) -> Option<f64> {
        let at = self.columns.iter().position(|name| name == column)?;
        row.get(at).copied()
    }
}

/// Whether a process is at a run now.
pub fn is_at_work(run: &Path) -> bool {
    let lock = File::open(run.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Asks the process that is at a run to save it and stop.
///
/// # Errors
///
/// [`TrainError::Unwritable`] if the system refuses.
pub fn ask_to_stop(run: &Path) -> Result<(), TrainError> {
    let path = run.join(STOP);
    fs::write(&path, "").map_err(TrainError::unwritable(&path))
}

/// Whether a process was asked to stop, and has not answered.
pub fn is_asked_to_stop(run: &Path) -> bool {
    run.join(STOP).exists()
}

/// The pictures that a run has painted so far, by step, then name.
pub fn shown(run: &Path) -> Vec<Shown> {
    let entries = fs::read_dir(run).into_iter().flatten().flatten();
    let mut found: Vec<Shown> = entries.filter_map(|entry| of_file(entry.path())).collect();
    found.sort();
    found
}

/// `preview-000250-name.png`.
fn of_file(path: PathBuf) -> Option<Shown> {
    let file = path.file_name()?.to_str()?;
    let (step, name) = file.strip_prefix(PREVIEW)?.strip_suffix(".png")?.split_once('-')?;
    Some(Shown { step: step.parse().ok()?, name: name.to_owned(), path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Begin, Journal, RunFolder};
    use tensor::Tensor;

    #[test]
    fn others_see_what_a_journal_writes_and_who_is_at_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.run");
        assert!(!is_at_work(&path) && shown(&path).is_empty());
        let folder = RunFolder::open(&path, Begin::New).unwrap();
        let columns: (&str, &[&str]) = ("losses.csv", &["step", "total"]);
        let mut journal = Journal::open(&folder, 0, &[columns]).unwrap();
        journal.line(0, 1, &[0.5]).unwrap();
        journal.line(0, 2, &[0.25]).unwrap();
        for (step, name) in [(10, "b-c"), (2, "b-c"), (2, "a")] {
            journal.preview(step, name, &Tensor::zeros([1, 3, 4, 4])).unwrap();
        }
        assert!(is_at_work(&path) && !folder.is_asked_to_stop());
        ask_to_stop(&path).unwrap();
        assert!(folder.is_asked_to_stop() && is_asked_to_stop(&path));
        drop((journal, folder));
        assert!(!is_at_work(&path));
        fs::write(path.join("preview-x-y.png"), "").unwrap();
        let seen: Vec<_> = shown(&path).into_iter().map(|s| (s.step, s.name)).collect();
        assert_eq!(seen, [(2, "a".into()), (2, "b-c".into()), (10, "b-c".into())]);
        let text = fs::read_to_string(path.join("losses.csv")).unwrap();
        fs::write(path.join("losses.csv"), text + "nonsense\n3,1,2\n3,0.1").unwrap();
        let numbers = Numbers::read(&path, "losses.csv");
        assert_eq!(numbers.rows, [[1.0, 0.5], [2.0, 0.25]]);
        assert_eq!(numbers.value(&numbers.rows[1], "total"), Some(0.25));
        assert_eq!(Numbers::read(&path, "none.csv").rows.len(), 0);
        drop(RunFolder::open(&path, Begin::New).unwrap()); // a new run clears what was there
        assert!(!is_asked_to_stop(&path) && shown(&path).is_empty());
    }
}
