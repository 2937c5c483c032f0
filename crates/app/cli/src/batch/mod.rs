//! What every command that turns pictures into pictures has in common: the job, its progress,
//! its report.

pub(crate) mod flags;

use std::io::{self, Write};

use pentimento::cpu::Threads;
use pentimento::imaging::{self, EncodeOptions, Limits, Picture};
use pentimento::pipeline::{
    Batch, Event, Existing, FileOptions, Job, JobOptions, Maker, PipelineError, Recursion, Report,
    default_memory_limit,
};

use crate::exit::Outcome;
use crate::interrupt::stop_on_signal;
use crate::progress::{Progress, Voice, say, summary};
use flags::{Format, Handling, Places};

/// Whether a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reporting {
    None,
    Json,
}

/// A job that can be carried out.
#[derive(Debug)]
pub(crate) struct Pictures {
    pub(crate) job: Job,
    pub(crate) files: FileOptions,
    threads: Threads,
    voice: Voice,
    reporting: Reporting,
}

impl Pictures {
    pub(crate) fn new(places: &Places, handling: &Handling) -> anyhow::Result<Self> {
        Ok(Self {
            job: Job::plan(&places.inputs, &places.output, &handling.job())?,
            files: handling.files(),
            threads: Threads::new(handling.threads.map(Into::into))?,
            voice: if handling.quiet { Voice::Quiet } else { Voice::Normal },
            reporting: if handling.json { Reporting::Json } else { Reporting::None },
        })
    }

    /// Makes each picture by `make`, for a report that names who made it.
    pub(crate) fn run(
        self,
        maker: Maker,
        mut make: impl FnMut(&Picture, &Progress) -> Result<Picture, PipelineError> + Send,
    ) -> anyhow::Result<Outcome> {
        let Self { job, files, threads, voice, reporting } = self;
        let stop = stop_on_signal("finishing the picture in work; once more to stop at once");
        let progress = Progress::new(job.tasks.len() + job.unreadable.len(), voice);
        let watch = |event: &Event<'_>| progress.watch(event);
        let batch = Batch { job: &job, files: &files, stop: &stop, watch: &watch };
        let report = batch.run(maker, |picture| threads.run(|| make(picture, &progress)));
        progress.finish();
        if voice == Voice::Normal {
            say(&summary(&report));
        }
        if reporting == Reporting::Json {
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
        }
        Ok(outcome(&report))
    }
}

fn outcome(report: &Report) -> Outcome {
    match report {
        _ if report.interrupted => Outcome::Interrupted,
        _ if report.failed > 0 => Outcome::SomeFailed,
        _ => Outcome::Done,
    }
}

impl Handling {
    /// Bytes that one picture may take.
    pub(crate) fn memory(&self) -> u64 {
        self.max_memory.unwrap_or_else(default_memory_limit)
    }

    fn job(&self) -> JobOptions {
        JobOptions {
            recursion: if self.recursive { Recursion::Deep } else { Recursion::Flat },
            existing: if self.overwrite { Existing::Overwrite } else { Existing::Skip },
            format: self.format.map(format),
        }
    }

    fn files(&self) -> FileOptions {
        let Limits { pixels, bytes } = Limits::default();
        let limits = Limits {
            pixels: self.max_pixels.unwrap_or(pixels),
            bytes: self.max_memory.map_or(bytes, |memory| memory.min(bytes)),
        };
        let mut encode = EncodeOptions::default();
        encode.quality = self.quality.unwrap_or(encode.quality);
        FileOptions { limits, encode }
    }
}

fn format(format: Format) -> imaging::Format {
    match format {
        Format::Jpeg => imaging::Format::Jpeg,
        Format::Png => imaging::Format::Png,
        Format::Webp => imaging::Format::WebP,
        Format::Tiff => imaging::Format::Tiff,
        Format::Bmp => imaging::Format::Bmp,
    }
}
