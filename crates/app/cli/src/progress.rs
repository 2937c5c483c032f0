//! What is seen while pictures are made, files fetched or networks trained: on a terminal, and only if it takes over a second.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
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

const ONE: &str = "{spinner} {wide_msg} {elapsed}  {left}";
const BYTES: &str = "{wide_msg} {bytes}/{total_bytes} {bytes_per_sec}  {eta} left";
const STEPS: &str = "{pos}/{len} {wide_msg}";
const SEVERAL: &str = "{wide_bar} {pos}/{len} {msg}  {eta} left";

/// Tells on standard error how a job goes.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// For a picture that is alone: milliseconds from the start to its expected end, or 0.
    end: Option<Arc<AtomicU64>>,
}

impl Progress {
    /// For a job of so many pictures.
    pub(crate) fn new(pictures: usize, voice: Voice) -> Self {
        let bar =
            ProgressBar::with_draw_target(Some(pictures as u64), ProgressDrawTarget::hidden());
        let template = if pictures == 1 { ONE } else { SEVERAL };
        let end = Arc::new(AtomicU64::new(0));
        if let Ok(style) = ProgressStyle::with_template(template) {
            let end = Arc::clone(&end);
            bar.set_style(style.with_key(
                "left",
                move |state: &ProgressState, to: &mut dyn fmt::Write| {
                    let _ = to.write_str(&left(end.load(Ordering::Relaxed), state.elapsed()));
                },
            ));
        }
        let shown = show_late(&bar, voice);
        Self { bar, end: (shown && pictures == 1).then_some(end) }
    }

    /// For a file of so many bytes.
    pub(crate) fn of_bytes(name: &str, size: u64, voice: Voice) -> Self {
        let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(BYTES) {
            bar.set_style(style);
        }
        bar.set_message(name.to_owned());
        show_late(&bar, voice);
        Self { bar, end: None }
    }

    /// For so many steps, of which `done` are.
    pub(crate) fn of_steps(total: u64, done: u64, voice: Voice) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(STEPS) {
            bar.set_style(style);
        }
        bar.set_position(done);
        show_late(&bar, voice);
        Self { bar, end: None }
    }

    /// To be told how many steps are done, and how it goes.
    pub(crate) fn step(&self, done: u64, words: String) {
        self.bar.set_message(words);
        self.bar.set_position(done);
    }

    /// A line that stays, above the bar.
    pub(crate) fn note(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    /// To be told how many bytes are there.
    pub(crate) fn reach(&self, have: u64) {
        if self.bar.position() == 0 {
            self.bar.set_position(have);
            self.bar.reset_eta(); // what was there before says nothing of the speed
        }
        self.bar.set_position(have);
    }

    /// Whether the time for one picture is worth guessing.
    pub(crate) fn wants_a_guess(&self) -> bool {
        self.end.is_some()
    }

    /// To be told how long the picture in work will take from now.
    pub(crate) fn expect(&self, time: Duration) {
        if let Some(end) = &self.end {
            let end_ms = (self.bar.elapsed() + time).as_millis() as u64;
            end.store(end_ms, Ordering::Relaxed);
        }
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

/// Shows a bar once it has run for a while, if anybody can see it: whether it will.
fn show_late(bar: &ProgressBar, voice: Voice) -> bool {
    let shown = voice == Voice::Normal && io::stderr().is_terminal();
    if shown {
        let late = bar.clone();
        thread::spawn(move || {
            thread::sleep(PATIENCE);
            if !late.is_finished() {
                late.set_draw_target(ProgressDrawTarget::stderr());
                late.enable_steady_tick(PATIENCE / 8);
            }
        });
    }
    shown
}

/// What is left until `end` milliseconds, in words; nothing if that is not known.
fn left(end: u64, now: Duration) -> String {
    match Duration::from_millis(end).saturating_sub(now).as_secs() {
        _ if end == 0 => String::new(),
        0 => "almost done".to_owned(),
        s if s < 100 => format!("about {s} s left"),
        s => format!("about {} min left", s / 60),
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
            maker: pentimento::pipeline::Maker::Style("s".into()),
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
    fn time_left_is_in_round_words() {
        let now = Duration::from_millis(1500);
        assert_eq!(left(0, now), "");
        assert_eq!(left(1400, now), "almost done");
        assert_eq!(left(7600, now), "about 6 s left");
        assert_eq!(left(601_500, now), "about 10 min left");
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
