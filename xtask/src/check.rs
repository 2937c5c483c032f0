//! Everything that a change has to pass.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::{deps, shell};

/// How a step ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Good,
    /// What it needs is not here.
    Skipped(&'static str),
}

/// Runs every step, also after one has failed, and says at the end which did, and which could not
/// be run.
pub(crate) fn run() -> Result<()> {
    let (mut failed, mut skipped) = (vec![], vec![]);
    for (name, step) in STEPS {
        println!("── {name}");
        let start = Instant::now();
        match step() {
            Ok(Ended::Good) => {
                println!("── {name}: good, {:.0} s\n", start.elapsed().as_secs_f64());
            }
            Ok(Ended::Skipped(why)) => {
                println!("── {name}: SKIPPED: {why}\n");
                skipped.push(*name);
            }
            Err(error) => {
                println!("── {name}: FAILED: {error:#}\n");
                failed.push(*name);
            }
        }
    }
    if !skipped.is_empty() {
        println!("not run: {}", skipped.join(", "));
    }
    if !failed.is_empty() {
        bail!("{} of {} steps failed: {}", failed.len(), STEPS.len(), failed.join(", "));
    }
    println!("{} of {} steps are good", STEPS.len() - skipped.len(), STEPS.len());
    Ok(())
}

type Step = fn() -> Result<Ended>;

/// The quick ones first.
const STEPS: &[(&str, Step)] = &[
    ("format", || cargo(&["fmt", "--all", "--check"])),
    ("rings", || deps::run().map(|()| Ended::Good)),
    ("licences and bans", licences),
    ("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    // without a list of targets, cargo runs the doctests too
    ("tests and doctests", || cargo(&["test", "--workspace"])),
    ("the studio's page", page),
    ("docs", docs),
];

fn cargo(args: &[&str]) -> Result<Ended> {
    shell::run(shell::cargo(args)).map(|()| Ended::Good)
}

/// In a browser, against the program that the tests have built.
fn page() -> Result<Ended> {
    if !shell::is_installed("npm", &["--version"]) {
        return Ok(Ended::Skipped("npm is not installed"));
    }
    shell::run(shell::command("crates/app/studio/page/tests/run", &[])).map(|()| Ended::Good)
}

fn docs() -> Result<Ended> {
    let mut command: Command = shell::cargo(&["doc", "--workspace", "--no-deps", "--lib"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    shell::run(command).map(|()| Ended::Good)
}

/// Only the checks that need no download: advisories would fetch a database.
fn licences() -> Result<Ended> {
    if !shell::is_installed("cargo", &["deny", "--version"]) {
        let why = "cargo-deny is not installed (`cargo install --locked cargo-deny`)";
        return Ok(Ended::Skipped(why));
    }
    cargo(&["deny", "check", "licenses", "bans", "sources"])
}
