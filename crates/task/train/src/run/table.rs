use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use imaging::atomic_write;

use crate::TrainError;

/// A file of comma separated values whose first column is the step.
#[derive(Debug)]
pub(super) struct Table {
    file: File,
    path: PathBuf,
    columns: usize,
}

impl Table {
    /// Opens the file; what it has of later steps than `step`, and lines that were
    /// broken off, are taken away.
    pub(super) fn open(path: &Path, columns: &[&str], step: u64) -> Result<Self, TrainError> {
        let wrong = |e: io::Error| TrainError::unwritable(path)(e);
        let kept = match fs::read_to_string(path) {
            Ok(text) => kept(&text, columns.len(), step),
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(wrong(e)),
        };
        let text = format!("{}\n{kept}", columns.join(","));
        atomic_write(path, text.as_bytes()).map_err(TrainError::unwritable(path))?;
        let file = OpenOptions::new().append(true).open(path).map_err(wrong)?;
        Ok(Self { file, path: path.to_owned(), columns: columns.len() })
    }

    /// Appends a line.
    pub(super) fn add(&mut self, step: u64, values: &[f64]) -> Result<(), TrainError> {
        debug_assert_eq!(values.len() + 1, self.columns, "a value for each column");
        let mut line = step.to_string();
        for value in values {
            let _ = write!(line, ",{value:.6e}"); // a string takes everything
        }
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(TrainError::unwritable(&self.path))
    }
}

/// The whole lines up to that step, without the head.
fn kept(text: &str, columns: usize, step: u64) -> String {
    let of = |line: &str| line.split(',').next()?.parse::<u64>().ok();
    let whole = |line: &&str| line.ends_with('\n') && line.split(',').count() == columns;
    let lines = text.split_inclusive('\n').filter(whole);
    lines.filter(|line| of(line).is_some_and(|at| at <= step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_after_the_checkpoint_and_never_after_half_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("losses.csv");
        let mut table = Table::open(&path, &["step", "a", "b"], 0).unwrap();
        for step in 1..4 {
            table.add(step, &[0.5, f64::from(step as u32)]).unwrap();
        }
        let mut text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().nth(2), Some("2,5.000000e-1,2.000000e0"));
        text.push_str("2,1.0");
        fs::write(&path, text).unwrap();
        Table::open(&path, &["step", "a", "b"], 2).unwrap().add(3, &[0.0, 0.0]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let steps: Vec<&str> = text.lines().map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(steps, ["step", "1", "2", "3"]);
    }
}
