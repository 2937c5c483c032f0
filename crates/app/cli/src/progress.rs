//! What is seen while pictures are made: on a terminal, and only if it takes over a second.

use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pentimento::pipeline::{Event, PictureReport, Report, Status};

/// Whether anything but errors is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Progress and a summary.
    Normal,
    /// Errors alone.
    Quiet,
}

/// What is over before is not worth a bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells on standard error how a job goes.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// For a job of so many pictures.
    pub(crate) fn new(pictures: usize, voice: Voice) -> Self {
        let bar =
            ProgressBar::with_draw_target(Some(pictures as u64), ProgressDrawTarget::hidden());
        let template = if pictures == 1 {
            "{spinner} {wide_msg} {elapsed}"
        } else {
            "{wide_bar} {pos}/{len} {msg}  {eta} left"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if voice == Voice::Normal && io::stderr().is_terminal() {
            let late = bar.clone();
            thread::spawn(move || {
                thread::sleep(PATIENCE);
                if !late.is_finished() {
                    late.set_draw_target(ProgressDrawTarget::stderr());
                    late.enable_steady_tick(PATIENCE / 8);
                }
            });
        }
        Self { bar }
    }

    /// To be told everything that happens.
    pub(crate) fn watch(&self, event: &Event<'_>) {
        match event {
            Event::Begun(task) => {
                let name = task.input.file_name().unwrap_or_default();
                self.bar.set_message(name.to_string_lossy().into_owned());
            }
            Event::Ended(report) => {
                if let Some(error) = &report.error {
                    self.bar.suspend(|| say(&complaint(report, error)));
                }
                self.bar.inc(1);
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn complaint(report: &PictureReport, error: &str) -> String {
    let input = report.input.display();
    let about_output =
        report.output.as_ref().is_some_and(|o| error.starts_with(&*o.to_string_lossy()));
    if about_output { error.to_owned() } else { format!("{input}: {error}") }
}

/// The last line: what became of it all.
pub(crate) fn summary(report: &Report) -> String {
    if let [one] = report.pictures.as_slice()
        && let (Some(output), Status::Done, Some([width, height])) =
            (&one.output, one.status, one.size)
    {
        return format!("{}: {width}×{height} in {:.2} s", output.display(), report.seconds);
    }
    let mut parts = vec![format!("{} done", pictures(report.done))];
    let mut others = |n: usize, what: &str| {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    };
    others(report.skipped, "already there (--overwrite makes them again)");
    others(report.failed, "failed");
    others(report.left, "left: interrupted");
    format!("{} in {:.1} s", parts.join(", "), report.seconds)
}

fn pictures(n: usize) -> String {
    format!("{n} picture{}", if n == 1 { "" } else { "s" })
}

/// A line on standard error. If even that cannot be written, nobody is there to tell.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "pentimento: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(done: usize, skipped: usize, failed: usize, left: usize) -> Report {
        Report {
            version: 1,
            style: "s".into(),
            pictures: vec![],
            done,
            skipped,
            failed,
            left,
            interrupted: left > 0,
            seconds: 1.25,
        }
    }

    #[test]
    fn the_summary_says_what_there_is_to_say() {
        assert_eq!(summary(&report(1, 0, 0, 0)), "1 picture done in 1.2 s");
        let all = summary(&report(3, 2, 1, 4));
        for part in ["3 pictures done", "2 already there", "1 failed", "4 left"] {
            assert!(all.contains(part), "{all}");
        }
    }
}
