//! Other programs, started from the workspace's root.

use std::borrow::BorrowMut;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The workspace's root. Cargo says it when it runs this program; what was true when it was
/// built is the second choice, because a target folder may be shared by two checkouts.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let manifest = manifest.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    manifest.parent().unwrap_or(&manifest).to_owned()
}

/// Where this build puts its files: `target/`, or what the environment says.
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A program with its arguments, to be run in the workspace's root.
pub(crate) fn command(program: impl AsRef<Path>, args: &[&str]) -> Command {
    let mut command = Command::new(program.as_ref());
    command.args(args).current_dir(root());
    command
}

/// The cargo that runs this program, with its arguments.
pub(crate) fn cargo(args: &[&str]) -> Command {
    command(std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from), args)
}

/// Runs to the end; the program's output goes to the terminal.
pub(crate) fn run(mut command: impl BorrowMut<Command>) -> Result<()> {
    let command = command.borrow_mut();
    let shown = shown(command);
    let status = command.status().with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// Runs to the end and gives back what it wrote to its standard output.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let shown = shown(&command);
    let out = command.output().with_context(|| format!("could not start `{shown}`"))?;
    if !out.status.success() {
        bail!("`{shown}` failed: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    String::from_utf8(out.stdout).with_context(|| format!("what `{shown}` wrote is not text"))
}

/// Whether a program of that name can be started.
pub(crate) fn is_installed(program: &str, args: &[&str]) -> bool {
    command(program, args).output().is_ok_and(|out| out.status.success())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|w| w.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
