//! Programs that are kept running and answer one line for each line that they are sent.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::cases;
use crate::{python, shell};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Our engine at one level.
    Ours,
    /// Our command, as a whole.
    Command,
    /// Somebody else's engine.
    Peer,
}

/// A running program of the table's.
pub(super) struct Worker {
    /// The row's name.
    pub(super) label: String,
    pub(super) side: Side,
    /// Whether it can take a step of training.
    trains: bool,
    version: String,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Worker {
    /// Our engine, forced to `level`.
    pub(super) fn ours(level: &str, threads: usize) -> Result<Self> {
        let command = shell::command(our_program(), &["engine", level, &threads.to_string()]);
        let mut worker = Self::start(format!("**ours, {level}**"), Side::Ours, command)?;
        worker.trains = our_levels()?.last().is_some_and(|best| best == level);
        Ok(worker)
    }

    /// Our command, as a person would run it.
    pub(super) fn command(threads: usize) -> Result<Self> {
        let threads = threads.to_string();
        let program = shell::target_dir().join("release/pentimento");
        let program = program.to_string_lossy();
        let out = shell::target_dir().join("bench-command.jpg");
        let out = out.to_string_lossy();
        let picture = "examples/pictures/mountains.jpg";
        let line = ["command", &out, &program, "stylize", picture, "--style", "starry-night"];
        let line = [&line[..], &["--threads", &threads, "--overwrite", "-o", &out]].concat();
        Self::start("**ours**".into(), Side::Command, shell::command(our_program(), &line))
    }

    /// A peer behind `bench/peers/worker.py`.
    pub(super) fn peer(python: &Path, name: &str, label: &str, threads: usize) -> Result<Self> {
        let threads = threads.to_string();
        let mut command = shell::command(python, &["bench/peers/worker.py", name, &threads]);
        command.env("PYTHONDONTWRITEBYTECODE", "1").stderr(Stdio::null());
        let mut worker = Self::start(label.into(), Side::Peer, command)?;
        worker.trains = name.starts_with("torch");
        Ok(worker)
    }

    fn start(label: String, side: Side, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("could not start {label}"))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{label} has no pipes");
        };
        let (version, from) = (String::new(), BufReader::new(from));
        let mut worker = Self { label, side, trains: false, version, child, to, from };
        let first = worker.line()?;
        match first.split_once(' ') {
            Some(("ready", version)) => version.clone_into(&mut worker.version),
            Some(("unavailable", why)) => bail!("{why}"),
            _ => bail!("it said {first:?} and not \"ready\""),
        }
        Ok(worker)
    }

    /// Whether this row has that case.
    pub(super) fn has(&self, case: &str) -> bool {
        if cases::BACKWARDS.contains(&case) {
            let is_theirs = !cases::OURS_ALONE.contains(&case)
                && (case != cases::GRAD_CAM || !self.label.contains("bf16"));
            return self.trains && (is_theirs || self.side != Side::Peer);
        }
        (case == cases::COMMAND) == (self.side == Side::Command)
    }

    /// A peer's name and version.
    pub(super) fn peer_version(&self) -> Option<&str> {
        (self.side == Side::Peer).then_some(&*self.version)
    }

    /// The numbers that the program answers.
    pub(super) fn ask(&mut self, what: &str, case: &str) -> Result<Vec<f64>> {
        let sent = writeln!(self.to, "{what} {case}").and_then(|()| self.to.flush());
        sent.with_context(|| format!("{} has ended", self.label))?;
        let answer = self.line()?;
        let numbers: Result<Vec<f64>, _> = answer.split_whitespace().map(str::parse).collect();
        numbers.map_err(|_e| anyhow::anyhow!("{}: {case}: {answer}", self.label))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.from.read_line(&mut line);
        if read.with_context(|| format!("could not read from {}", self.label))? == 0 {
            bail!("{} ended without an answer", self.label);
        }
        Ok(line.trim().to_owned())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended already
        let _ = self.child.wait();
    }
}

fn our_program() -> PathBuf {
    shell::target_dir().join("release/pentimento-bench")
}

/// The levels that this CPU can run, slowest first.
pub(super) fn our_levels() -> Result<Vec<String>> {
    let text = shell::output(shell::command(our_program(), &["levels"]))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The interpreter that has the peers.
pub(super) fn peers_python() -> Result<PathBuf> {
    python::environment("peers", &shell::root().join("bench/peers/requirements.txt"))
}
