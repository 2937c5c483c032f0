//! The folder in which a run lives.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use pentimento::imaging::{Depth, EncodeOptions, Picture, encode_file};
use pentimento::pipeline::PipelineError;
use pentimento::tensor::Tensor;
use pentimento::train::events::{EventWriter, Moment};
use pentimento::train::losses::Losses;
use pentimento::train::style::{StepReport, StyleRun};

use super::table::Table;

/// Whether a run begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// Where there is none.
    New,
    /// Where there may be one, which is thrown away.
    Anew,
    /// From its checkpoint.
    Resume,
}

/// A run's folder, which is this process's alone.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

const CHECKPOINT: &str = "checkpoint.safetensors";
const LOSSES: &str = "losses.csv";
const VALIDATION: &str = "validation.csv";
const PREVIEW: &str = "preview-";
const EVENTS: &str = "events.out.tfevents.";
/// What a process that was killed may have left half written.
const TEMPORARY: &str = ".pentimento-";

impl RunFolder {
    /// Takes the folder, which is made if it is not there.
    pub(super) fn open(path: &Path, begin: Begin) -> Result<Self, PipelineError> {
        let refuse = |what: &str| PipelineError::Output { path: path.into(), what: what.into() };
        let unwritable = |source| PipelineError::Unwritable { path: path.into(), source };
        let has_run = path.join(CHECKPOINT).exists();
        match begin {
            Begin::New if has_run => {
                return Err(refuse("there is a run already: --resume goes on with it"));
            }
            Begin::Resume if !has_run => {
                return Err(refuse("there is no run with a checkpoint to go on with"));
            }
            _ => {}
        }
        fs::create_dir_all(path).map_err(unwritable)?;
        let lock = File::create(path.join(".lock")).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(refuse("another process trains in it")),
            Err(TryLockError::Error(e)) => return Err(unwritable(e)),
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.tidy(begin).map_err(unwritable)?;
        Ok(folder)
    }

    /// Takes away what is half written, and what is of a run that is not wanted.
    fn tidy(&self, begin: Begin) -> io::Result<()> {
        let old = [CHECKPOINT, LOSSES, VALIDATION, PREVIEW, EVENTS];
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_old = begin != Begin::Resume && old.iter().any(|o| name.starts_with(o));
            if is_old || name.starts_with(TEMPORARY) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn checkpoint(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }
}

/// What is written down while a run goes.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    events: EventWriter,
    losses: Table,
    validation: Table,
}

const LOSSES_COLUMNS: [&str; 8] =
    ["step", "content", "style", "variation", "total", "gradient", "rate", "seconds"];
const VALIDATION_COLUMNS: [&str; 5] = ["step", "content", "style", "variation", "total"];

impl Journal {
    /// Begins to write, or goes on after a checkpoint at that step.
    pub(super) fn open(folder: &RunFolder, step: u64) -> anyhow::Result<Self> {
        let table =
            |name: &str, columns: &[&str]| Table::open(&folder.path.join(name), columns, step);
        Ok(Self {
            folder: folder.path.clone(),
            events: EventWriter::create(&folder.path, "pentimento", Moment::now(step))?,
            losses: table(LOSSES, &LOSSES_COLUMNS)?,
            validation: table(VALIDATION, &VALIDATION_COLUMNS)?,
        })
    }

    /// Writes down a step.
    pub(super) fn step(&mut self, run: &StyleRun, report: &StepReport) -> anyhow::Result<()> {
        let StepReport { losses, gradient, rate, .. } = report;
        let (step, pace) = (run.steps(), run.pace());
        let [content, style, variation, total] = parts(losses);
        let seconds = run.time().as_secs_f64();
        self.losses.add(step, &[content, style, variation, total, *gradient, *rate, seconds])?;
        let scalars = [
            ("loss/content", content),
            ("loss/style", style),
            ("loss/variation", variation),
            ("loss/total", total),
            ("step/gradient", *gradient),
            ("step/rate", *rate),
            ("speed/steps_per_second", pace.steps_per_second),
            ("speed/waiting", pace.waiting),
        ];
        Ok(self.events.scalars(Moment::now(step), &scalars.map(|(name, v)| (name, v as f32)))?)
    }

    /// Writes down a look at the photographs kept out.
    pub(super) fn validation(&mut self, step: u64, losses: &Losses) -> anyhow::Result<()> {
        let [content, style, variation, total] = parts(losses);
        self.validation.add(step, &[content, style, variation, total])?;
        let scalars = [
            ("validation/content", content),
            ("validation/style", style),
            ("validation/variation", variation),
            ("validation/total", total),
        ];
        Ok(self.events.scalars(Moment::now(step), &scalars.map(|(name, v)| (name, v as f32)))?)
    }

    /// Keeps a preview.
    pub(super) fn preview(&mut self, step: u64, name: &str, rgb: &Tensor) -> anyhow::Result<()> {
        let picture = Picture::from_rgb_tensor(rgb, Depth::Eight);
        let path = self.folder.join(format!("{PREVIEW}{step:06}-{name}.png"));
        encode_file(&picture, &path, &EncodeOptions::default())
            .map_err(|e| anyhow::Error::new(e).context(format!("{}", path.display())))?;
        Ok(self.events.image(Moment::now(step), &format!("preview/{name}"), rgb)?)
    }
}

fn parts(losses: &Losses) -> [f64; 4] {
    [losses.content, losses.style, losses.variation, losses.total()]
}
