//! `pentimento stylize`: flags, then a job with every check made, then the run.

use std::io::{self, Write};

use pentimento::cpu::Threads;
use pentimento::imaging::{self, EncodeOptions, Limits, Picture};
use pentimento::pipeline::{
    Batch, Colors, Event, Existing, FileOptions, Job, JobOptions, Recursion, Report, Style,
    StylizeOptions, Stylizer, default_memory_limit,
};

use crate::exit::Outcome;
use crate::flags::{self, Format};
use crate::interrupt::stop_on_signal;
use crate::progress::{Progress, Voice, say, summary};

/// Whether a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reporting {
    None,
    Json,
}

/// A job that can be carried out.
#[derive(Debug)]
struct Resolved {
    job: Job,
    style: Style,
    options: StylizeOptions,
    files: FileOptions,
    threads: Threads,
    voice: Voice,
    reporting: Reporting,
}

/// Pixels from which on a picture may take over a second, and a guess how long is worth its while.
const LONG_WORK: usize = 2_000_000;

/// Stylizes what the flags say.
pub(crate) fn run(flags: &flags::Stylize) -> anyhow::Result<Outcome> {
    Resolved::new(flags)?.run()
}

impl Resolved {
    fn new(flags: &flags::Stylize) -> anyhow::Result<Self> {
        let job = Job::plan(&flags.inputs, &flags.output, &job_options(flags))?;
        let style = Style::open(&flags.style)?;
        job.prepare()?;
        Ok(Self {
            job,
            style,
            options: stylize_options(flags),
            files: file_options(flags),
            threads: Threads::new(flags.threads.map(Into::into))?,
            voice: if flags.quiet { Voice::Quiet } else { Voice::Normal },
            reporting: if flags.json { Reporting::Json } else { Reporting::None },
        })
    }

    fn run(self) -> anyhow::Result<Outcome> {
        let Self { job, style, options, files, threads, voice, reporting } = self;
        let stop = stop_on_signal("finishing the picture in work; once more to stop at once");
        let progress = Progress::new(job.tasks.len() + job.unreadable.len(), voice);
        let name = style.name().to_owned();
        let mut stylizer = Stylizer::new(style);
        let watch = |event: &Event<'_>| progress.watch(event);
        let batch = Batch { job: &job, files: &files, stop: &stop, watch: &watch };
        let mut make = |picture: &Picture| {
            let pixels = picture.width() * picture.height();
            if progress.wants_a_guess() && pixels >= LONG_WORK {
                progress.expect(stylizer.expect(picture, &options)?);
            }
            stylizer.stylize(picture, &options)
        };
        let report = batch.run(&name, |picture| threads.run(|| make(picture)));
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

fn job_options(flags: &flags::Stylize) -> JobOptions {
    JobOptions {
        recursion: if flags.recursive { Recursion::Deep } else { Recursion::Flat },
        existing: if flags.overwrite { Existing::Overwrite } else { Existing::Skip },
        format: flags.format.map(format),
    }
}

fn stylize_options(flags: &flags::Stylize) -> StylizeOptions {
    StylizeOptions {
        strength: flags.strength,
        colors: if flags.keep_colors { Colors::Picture } else { Colors::Style },
        size: flags.size,
        memory: flags.max_memory.unwrap_or_else(default_memory_limit),
    }
}

fn file_options(flags: &flags::Stylize) -> FileOptions {
    let Limits { pixels, bytes } = Limits::default();
    let limits = Limits {
        pixels: flags.max_pixels.unwrap_or(pixels),
        bytes: flags.max_memory.map_or(bytes, |memory| memory.min(bytes)),
    };
    let mut encode = EncodeOptions::default();
    encode.quality = flags.quality.unwrap_or(encode.quality);
    FileOptions { limits, encode }
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
