//! A whole program: from its start to its end.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Runs the program once: milliseconds, and KiB of memory at its peak. It has to write `file`.
///
/// The peak is the largest of all children so far, which for the same program
/// again and again is what one wants to know. This program stays small, because
/// a child's peak starts from what its parent held.
pub(crate) fn run(file: &Path, program: &str, args: &[&str]) -> Result<String> {
    if file.exists() {
        fs::remove_file(file).with_context(|| format!("could not remove {}", file.display()))?;
    }
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let out = command.output().with_context(|| format!("could not start {program}"))?;
    let time = start.elapsed();
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr).replace('\n', " ");
        bail!("{program} failed ({}): {said}", out.status);
    }
    if !file.is_file() {
        bail!("{program} ended well and has not written {}", file.display());
    }
    Ok(format!("{:.2} {}", time.as_secs_f64() * 1e3, peak()?))
}

/// KiB.
#[cfg(unix)]
fn peak() -> Result<i64> {
    use nix::sys::resource::{UsageWho, getrusage};
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    Ok(if cfg!(target_os = "macos") { used / 1024 } else { used })
}

#[cfg(not(unix))]
fn peak() -> Result<i64> {
    bail!("peak memory is read on Unix only")
}
