//! Where a picture goes, and whether it can.

use std::fs;
use std::path::{Path, PathBuf};

use imaging::Format;

use crate::{PipelineError, Task};

/// Whether `output` stands for a folder: it is one, ends in a slash, or has no
/// ending at all.
pub(crate) fn is_folder(output: &Path) -> bool {
    let slash = output.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
    output.is_dir() || slash || output.extension().is_none()
}

/// One picture, to a file of a given name.
pub(crate) fn single(
    input: &Path,
    output: &Path,
    format: Option<Format>,
) -> Result<Task, PipelineError> {
    let named = Format::for_path(output);
    let format = match (format, named) {
        (Some(format), Ok(named)) if format != named => {
            let what = format!("the name says {named}, --format says {format}");
            return Err(PipelineError::Output { path: output.to_owned(), what });
        }
        (Some(format), _) | (None, Ok(format)) => format,
        (None, Err(e)) => {
            let what = format!("{e}, or say --format");
            return Err(PipelineError::Output { path: output.to_owned(), what });
        }
    };
    Ok(Task { input: input.to_owned(), output: output.to_owned(), format })
}

/// Refuses a folder that is a file, or is named like a picture.
pub(crate) fn check_folder(output: &Path) -> Result<(), PipelineError> {
    let refuse =
        |what: &str| Err(PipelineError::Output { path: output.to_owned(), what: what.to_owned() });
    if output.is_dir() {
        Ok(())
    } else if output.is_file() {
        refuse("is a file, but several pictures need a folder")
    } else if !is_folder(output) && Format::for_path(output).is_ok() {
        refuse(
            "is named like a picture, but several pictures need a folder; end it with / if it is one",
        )
    } else {
        Ok(())
    }
}

/// Refuses to write over the picture that is read.
pub(crate) fn check_distinct(task: &Task) -> Result<(), PipelineError> {
    let (Ok(input), Ok(output)) = (task.input.canonicalize(), task.output.canonicalize()) else {
        return Ok(()); // the output is not there, so it is not the input
    };
    if input != output {
        return Ok(());
    }
    let what = "is the input itself, which is never written over; name another output".to_owned();
    Err(PipelineError::Output { path: task.output.clone(), what })
}

/// The format a picture is written in if nothing is said: its own, or PNG.
pub(crate) fn format_like(input: &Path) -> Format {
    let by_content = || imaging::identify_file(input).ok().map(|p| p.format);
    let by_name = Format::for_path(input).ok();
    let known = match by_name {
        None if input.extension().is_none() => by_content(),
        known => known,
    };
    known.filter(|f| f.can_write()).unwrap_or(Format::Png)
}

/// The same name with an ending for `format`; an ending that already means it stays.
pub(crate) fn renamed(name: &Path, format: Format) -> PathBuf {
    match Format::for_path(name) {
        Ok(named) if named == format => name.to_owned(),
        _ => name.with_extension(format.extension()),
    }
}

/// Makes sure of the folder that `task` writes to, before time is spent on it.
///
/// # Errors
///
/// [`PipelineError::Unwritable`], naming the output.
pub(crate) fn prepare(output: &Path) -> Result<(), PipelineError> {
    let folder = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let unwritable = |source| PipelineError::Unwritable { path: output.to_owned(), source };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let trial = folder.join(format!(".pentimento-{}.tmp", std::process::id()));
    fs::write(&trial, b"").map_err(unwritable)?;
    fs::remove_file(&trial).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Existing, Job, JobOptions, Recursion};

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    /// Outputs, relative to the tree.
    fn outputs(dir: &Path, inputs: &[&str], out: &str, options: JobOptions) -> Vec<String> {
        let inputs: Vec<PathBuf> = inputs.iter().map(|i| dir.join(i)).collect();
        let job = Job::plan(&inputs, &dir.join(out), &options).unwrap();
        let names = job.tasks.iter().map(|t| t.output.strip_prefix(dir).unwrap());
        names.map(|p| p.to_str().unwrap().to_owned()).collect()
    }

    fn refusal(dir: &Path, inputs: &[&str], out: &str, options: JobOptions) -> String {
        let inputs: Vec<PathBuf> = inputs.iter().map(|i| dir.join(i)).collect();
        Job::plan(&inputs, &dir.join(out), &options).unwrap_err().to_string()
    }

    const PLAIN: JobOptions =
        JobOptions { recursion: Recursion::Flat, existing: Existing::Skip, format: None };
    const DEEP: JobOptions = JobOptions { recursion: Recursion::Deep, ..PLAIN };

    #[test]
    fn one_picture_goes_to_a_file_or_into_a_folder() {
        let dir = tree(&["a.jpg", "there/x"]);
        let d = dir.path();
        assert_eq!(outputs(d, &["a.jpg"], "b.png", PLAIN), ["b.png"]);
        assert_eq!(outputs(d, &["a.jpg"], "there", PLAIN), ["there/a.jpg"]);
        assert_eq!(outputs(d, &["a.jpg"], "new", PLAIN), ["new/a.jpg"]);
        assert_eq!(outputs(d, &["a.jpg"], "new.d/", PLAIN), ["new.d/a.jpg"]);
        let png = JobOptions { format: Some(Format::Png), ..PLAIN };
        assert_eq!(outputs(d, &["a.jpg"], "b.odd", png), ["b.odd"]);
        assert_eq!(outputs(d, &["a.jpg"], "new", png), ["new/a.png"]);
    }

    #[test]
    fn a_folder_is_mirrored_and_several_keep_their_names() {
        let dir = tree(&["in/a.jpg", "in/b/c.png", "in/b/d.gif", "two/a.jpg"]);
        let d = dir.path();
        assert_eq!(outputs(d, &["in"], "out", PLAIN), ["out/a.jpg"]);
        assert_eq!(outputs(d, &["in"], "out", DEEP), ["out/a.jpg", "out/b/c.png", "out/b/d.png"]);
        assert_eq!(outputs(d, &["in", "two"], "out", PLAIN), ["out/in/a.jpg", "out/two/a.jpg"]);
        // The output folder inside the input is not read again.
        fs::create_dir(d.join("in/out")).unwrap();
        fs::write(d.join("in/out/a.jpg"), "").unwrap();
        assert_eq!(outputs(d, &["in"], "in/out", DEEP), ["in/out/b/c.png", "in/out/b/d.png"]);
    }

    #[test]
    fn two_pictures_never_share_an_output() {
        let dir = tree(&["in/a.jpg", "in/a.gif", "x/b.jpg", "y/b.jpg"]);
        let d = dir.path();
        let png = JobOptions { format: Some(Format::Png), ..PLAIN };
        assert_eq!(outputs(d, &["in"], "out", png), ["out/a.gif.png", "out/a.jpg.png"]);
        let same = outputs(d, &["x/b.jpg", "y/b.jpg", "x/b.jpg"], "out", PLAIN);
        assert_eq!(same, ["out/b.jpg", "out/b-2.jpg"]);
    }

    #[test]
    fn what_is_there_is_skipped_unless_asked() {
        let dir = tree(&["in/a.jpg", "in/b.jpg", "out/a.jpg"]);
        let d = dir.path();
        assert_eq!(outputs(d, &["in"], "out", PLAIN), ["out/b.jpg"]);
        let again = JobOptions { existing: Existing::Overwrite, ..PLAIN };
        assert_eq!(outputs(d, &["in"], "out", again).len(), 2);
    }

    #[test]
    fn outputs_that_cannot_be_are_refused() {
        let dir = tree(&["in/a.jpg", "in/b.jpg", "file"]);
        let d = dir.path();
        assert!(refusal(d, &["in"], "out.png", PLAIN).contains("need a folder"));
        assert!(refusal(d, &["in"], "file", PLAIN).contains("is a file"));
        assert!(refusal(d, &["in"], "in", PLAIN).contains("the input itself"));
        assert!(refusal(d, &["in/a.jpg"], "in/a.jpg", PLAIN).contains("the input itself"));
        assert!(refusal(d, &["in/a.jpg"], "in/../in/a.jpg", PLAIN).contains("the input itself"));
        assert!(refusal(d, &["in/a.jpg"], "b.odd", PLAIN).contains("odd"));
        let png = JobOptions { format: Some(Format::Png), ..PLAIN };
        assert!(refusal(d, &["in/a.jpg"], "b.jpg", png).contains("--format says PNG"));
        assert!(refusal(d, &["in/none.jpg"], "b.jpg", PLAIN).contains("no such file"));
        fs::create_dir(d.join("empty")).unwrap();
        assert!(refusal(d, &["empty"], "out", PLAIN).contains("--recursive"));
    }

    #[test]
    fn a_missing_picture_among_others_is_reported_not_fatal() {
        let dir = tree(&["a.jpg"]);
        let inputs = ["a.jpg", "none.jpg"].map(|n| dir.path().join(n));
        let job = Job::plan(&inputs, &dir.path().join("out"), &PLAIN).unwrap();
        assert_eq!((job.tasks.len(), job.unreadable.len()), (1, 1));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_found_out_early() {
        let dir = tree(&["file"]);
        let error = prepare(&dir.path().join("file/out/a.png")).unwrap_err();
        assert!(matches!(error, PipelineError::Unwritable { .. }), "{error}");
        prepare(&dir.path().join("new/a.png")).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 0);
    }
}
