//! Which pictures are to be made of which.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use imaging::Format;

use crate::discover::{Recursion, Unreadable, pictures};
use crate::{PipelineError, output};

/// What happens to an output that is already there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It stays: a batch that was broken off goes on where it was.
    #[default]
    Skip,
    /// It is made again.
    Overwrite,
}

/// How a [`Job`] is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobOptions {
    /// Whether folders are searched to the bottom. Default: no.
    pub recursion: Recursion,
    /// What happens to outputs that are already there. Default: they stay.
    pub existing: Existing,
    /// The outputs' format. Default: by the output's name, else the input's own.
    pub format: Option<Format>,
}

/// One picture to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The picture to read.
    pub input: PathBuf,
    /// The file to write.
    pub output: PathBuf,
    /// Its format.
    pub format: Format,
}

/// Every picture to make, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// To be made.
    pub tasks: Vec<Task>,
    /// Already there.
    pub done: Vec<Task>,
    /// Inputs that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// An input picture and its output's place below the output folder.
struct Found {
    input: PathBuf,
    below: PathBuf,
}

impl Job {
    /// Lays out the outputs for `inputs`, which are pictures and folders.
    ///
    /// A single picture goes to the file `output`, if that is named like a
    /// picture; otherwise `output` is a folder. One input folder is mirrored
    /// below it; of several, each below its own name. Creates nothing.
    ///
    /// # Errors
    ///
    /// - [`PipelineError::NoPictures`] if there is nothing to do.
    /// - [`PipelineError::Output`] if `output` cannot serve, or is one of the inputs.
    pub fn plan(
        inputs: &[PathBuf],
        output: &Path,
        options: &JobOptions,
    ) -> Result<Self, PipelineError> {
        if let Some(format) = options.format.filter(|f| !f.can_write()) {
            let what = format!("{format} pictures cannot be written");
            return Err(PipelineError::Output { path: output.to_owned(), what });
        }
        let mut job = Self::default();
        let tasks = match inputs {
            [input] if !input.is_dir() && !output::is_folder(output) => {
                vec![output::single(input, output, options.format)?]
            }
            _ => {
                output::check_folder(output)?;
                let found = find(inputs, output, options.recursion, &mut job.unreadable);
                spread(found, output, options.format)
            }
        };
        let (there, missing): (Vec<Task>, Vec<Task>) =
            tasks.into_iter().partition(|t| t.input.is_file());
        job.unreadable.extend(missing.into_iter().map(|t| t.input).map(no_file));
        if there.is_empty() {
            return Err(nothing(inputs, &job.unreadable, options.recursion));
        }
        for task in there {
            output::check_distinct(&task)?;
            let skip = options.existing == Existing::Skip && task.output.is_file();
            if skip { &mut job.done } else { &mut job.tasks }.push(task);
        }
        Ok(job)
    }

    /// Makes the folder of the first output and tries to write there, so that
    /// no time is lost on what cannot be saved.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Unwritable`].
    pub fn prepare(&self) -> Result<(), PipelineError> {
        self.tasks.first().map_or(Ok(()), |task| output::prepare(&task.output))
    }
}

fn no_file(path: PathBuf) -> Unreadable {
    let error = if path.exists() { "is no file" } else { "no such file or folder" };
    Unreadable { path, error: error.to_owned() }
}

fn nothing(inputs: &[PathBuf], unreadable: &[Unreadable], recursion: Recursion) -> PipelineError {
    let folders = inputs.iter().any(|i| i.is_dir());
    let hint = match recursion {
        Recursion::Flat if folders => "; --recursive searches the folders inside too",
        _ if folders || unreadable.is_empty() => "",
        _ => ": no such file or folder",
    };
    PipelineError::NoPictures { places: inputs.to_vec(), hint }
}

fn find(
    inputs: &[PathBuf],
    output: &Path,
    recursion: Recursion,
    unreadable: &mut Vec<Unreadable>,
) -> Vec<Found> {
    let mut seen = BTreeSet::new();
    let mut all = vec![];
    for input in inputs {
        if input.is_dir() {
            let (found, bad) = pictures(input, recursion, output);
            unreadable.extend(bad);
            let top = if inputs.len() == 1 { PathBuf::new() } else { own_name(input) };
            for path in found {
                let below = top.join(path.strip_prefix(input).unwrap_or(&path));
                all.push(Found { input: path, below });
            }
        } else {
            let below = own_name(input);
            all.push(Found { input: input.clone(), below });
        }
    }
    all.retain(|f| seen.insert(f.input.clone()));
    all
}

/// A path's last part, `.` and `..` resolved.
fn own_name(path: &Path) -> PathBuf {
    let resolved = path.file_name().is_none().then(|| path.canonicalize().ok()).flatten();
    let name = resolved.as_deref().unwrap_or(path).file_name().map(OsString::from);
    PathBuf::from(name.unwrap_or_default())
}

/// Gives each picture its output. Where two would have the same (`a.jpg` and
/// `a.gif` as PNG), each keeps its own ending before the new one: `a.jpg.png`, `a.gif.png`.
fn spread(found: Vec<Found>, folder: &Path, format: Option<Format>) -> Vec<Task> {
    let tasks: Vec<Task> = found
        .iter()
        .map(|f| {
            let format = format.unwrap_or_else(|| output::format_like(&f.input));
            let output = folder.join(output::renamed(&f.below, format));
            Task { input: f.input.clone(), output, format }
        })
        .collect();
    let mut times: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for task in &tasks {
        *times.entry(task.output.clone()).or_default() += 1;
    }
    let mut spread: Vec<Task> = tasks
        .into_iter()
        .zip(found)
        .map(|(mut task, f)| {
            if times[&task.output] > 1 && task.output != folder.join(&f.below) {
                let mut name = f.below.into_os_string();
                name.push(".");
                name.push(task.format.extension());
                task.output = folder.join(name);
            }
            task
        })
        .collect();
    number_the_rest(&mut spread);
    spread
}

/// `x/a.jpg` and `y/a.jpg`, both given by name, would still meet: the later
/// ones are numbered.
fn number_the_rest(tasks: &mut [Task]) {
    let mut taken = BTreeSet::new();
    for task in tasks {
        let wanted = task.output.clone();
        let mut number = 2;
        while !taken.insert(task.output.clone()) {
            let stem = wanted.file_stem().unwrap_or_default().to_string_lossy();
            let ending = wanted.extension().unwrap_or_default().to_string_lossy();
            task.output = wanted.with_file_name(format!("{stem}-{number}.{ending}"));
            number += 1;
        }
    }
}
