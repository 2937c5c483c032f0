//! `pentimento optimize`: one picture, changed until it has another's style.

pub(crate) mod flags;

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use pentimento::cpu::Threads;
use pentimento::imaging::{EncodeOptions, Format, Limits, Picture, decode_file, encode_file};
use pentimento::pipeline::PipelineError;
use pentimento::train::TrainError;
use pentimento::train::losses::Losses;
use pentimento::train::style::{
    Canvas, Go, Iteration, LossFile, Method, OptimizeOptions, Optimized, Painting,
    WeightedPainting, optimize,
};
use serde::Serialize;

use crate::exit::Outcome;
use crate::interrupt::stop_on_signal;
use crate::progress::{Progress, Voice, say};
use crate::train::live;

/// A job that can be carried out.
#[derive(Debug)]
struct Resolved<'a> {
    flags: &'a flags::Optimize,
    content: Picture,
    paintings: Vec<WeightedPainting>,
    loss_network: LossFile,
    options: OptimizeOptions,
    threads: Threads,
    voice: Voice,
}

/// What became of it, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: u32,
    output: &'a Path,
    seconds: f64,
    interrupted: bool,
    /// Of the result.
    losses: Losses,
    iterations: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    scale: usize,
    iteration: usize,
    losses: Losses,
}

/// Optimises what the flags say.
pub(crate) fn run(flags: &flags::Optimize) -> anyhow::Result<Outcome> {
    Resolved::new(flags)?.run()
}

/// The first scale's longer side, at least.
const COARSEST: usize = 128;

impl<'a> Resolved<'a> {
    fn new(flags: &'a flags::Optimize) -> anyhow::Result<Self> {
        check_output(flags)?;
        let mut recipe = flags.losses.recipe()?;
        let loss_network = flags.losses.network(&mut recipe)?;
        let content = decoded(&flags.content)?;
        let method = match flags.method {
            flags::Method::Lbfgs => Method::Lbfgs,
            flags::Method::Adam => Method::Adam { rate: flags.rate },
        };
        let from = match flags.from.to_str() {
            Some("content") => Canvas::Content,
            Some("noise") => Canvas::Noise(flags.seed),
            _ => Canvas::Picture(decoded(Path::new(&flags.from))?.to_rgb_tensor()),
        };
        let options = OptimizeOptions {
            objective: recipe.objective,
            iterations: flags.iterations,
            method,
            from,
            scales: scales(flags, content.size()),
            style_size: flags.losses.style_size,
            style_degrain: recipe.style_degrain,
        };
        let paintings: Result<_, TrainError> = flags.styles.iter().map(|s| painting(s)).collect();
        let threads = Threads::new(flags.threads.map(Into::into))?;
        let voice = if flags.quiet { Voice::Quiet } else { Voice::Normal };
        Ok(Self { flags, content, paintings: paintings?, loss_network, options, threads, voice })
    }

    fn run(self) -> anyhow::Result<Outcome> {
        let began = Instant::now();
        let stop = stop_on_signal("writing the picture as it is; once more to stop at once");
        let done = self.optimized(&stop).map_err(|e| *e)?;
        let picture = self.content.with_rgb_tensor(&done.rgb);
        let output = &self.flags.output;
        encode_file(&picture, output, &EncodeOptions::default())
            .map_err(|e| anyhow::Error::new(e).context(format!("{}", output.display())))?;
        let (seconds, interrupted) = (began.elapsed(), stop.load(Ordering::Relaxed));
        if self.voice == Voice::Normal {
            let ([height, width], losses) = (picture.size(), live::losses(&done.losses));
            let (path, time) = (output.display(), live::time(seconds));
            say(&format!("{path}: {width}×{height} in {time}; {losses}"));
        }
        if self.flags.json {
            let line = |i: Iteration| {
                let Iteration { scale, iteration, losses } = i;
                Line { scale, iteration, losses }
            };
            let iterations = done.iterations.into_iter().map(line).collect();
            let (seconds, losses) = (seconds.as_secs_f64(), done.losses);
            let report = Report { version: 1, output, seconds, interrupted, losses, iterations };
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
        }
        Ok(if interrupted { Outcome::Interrupted } else { Outcome::Done })
    }

    fn optimized(&self, stop: &AtomicBool) -> Result<Optimized, Box<TrainError>> {
        let (scales, iterations) = (self.options.scales.len(), self.options.iterations);
        let progress = Progress::of_steps((scales * iterations) as u64, 0, self.voice);
        let watch = |i: &Iteration| {
            let done = i.scale * iterations + i.iteration;
            progress.step(done as u64, live::losses(&i.losses));
            if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On }
        };
        let pictures = (&self.content.to_rgb_tensor(), self.paintings.as_slice());
        let network = &self.loss_network.network;
        let run = || optimize(network, pictures, &self.options, watch).map_err(Box::new);
        let done = self.threads.run(run);
        progress.finish();
        done
    }
}

fn decoded(path: &Path) -> Result<Picture, TrainError> {
    decode_file(path, &Limits::default())
        .map_err(|source| TrainError::Picture { path: path.to_owned(), source })
}

/// From coarse to fine, each twice the one before.
fn scales(flags: &flags::Optimize, [height, width]: [usize; 2]) -> Vec<usize> {
    let last = flags.size.unwrap_or_else(|| height.max(width).min(512));
    let coarse = |i: u32| last.checked_shr(i).filter(|side| *side >= COARSEST.min(last));
    let count = flags.scales.map_or(u32::MAX, |n| n.get() as u32);
    let mut sides: Vec<usize> = (0..count).map_while(coarse).take(16).collect();
    sides.dedup();
    sides.reverse();
    sides
}

/// `PICTURE` or `PICTURE:WEIGHT`.
fn painting(text: &OsStr) -> Result<WeightedPainting, TrainError> {
    let (path, weight) = match text.to_str().and_then(|t| t.rsplit_once(':')) {
        Some((path, weight)) if !Path::new(text).exists() => {
            weight.parse().map_or((PathBuf::from(text), 1.0), |w: f64| (PathBuf::from(path), w))
        }
        _ => (PathBuf::from(text), 1.0),
    };
    Ok(WeightedPainting { rgb: Painting::open(&path)?.rgb, weight })
}

/// Refuses an output that could not be written minutes later.
fn check_output(flags: &flags::Optimize) -> Result<(), PipelineError> {
    let path = &flags.output;
    let refuse = |what: String| PipelineError::Output { path: path.clone(), what };
    Format::for_path(path).map_err(|e| refuse(e.to_string()))?;
    if path.exists() && !flags.overwrite {
        return Err(refuse("is there already: --overwrite replaces it".to_owned()));
    }
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), std::fs::create_dir_all);
    made.map_err(|source| PipelineError::Unwritable { path: path.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn scales_go_from_coarse_to_fine() {
        let of = |more: &[&str], size| {
            let words = ["pentimento", "optimize", "a.jpg", "b.jpg", "-o", "c.jpg"];
            let flags = crate::flags::Flags::parse_from(words.iter().chain(more));
            let crate::flags::Command::Optimize(flags) = flags.command else {
                panic!("another command")
            };
            scales(&flags, size)
        };
        assert_eq!(of(&[], [300, 1000]), [128, 256, 512]);
        assert_eq!(of(&[], [300, 200]), [150, 300]);
        assert_eq!(of(&[], [50, 60]), [60]);
        assert_eq!(of(&["--size", "1000", "--scales", "2"], [50, 60]), [500, 1000]);
    }
}
