//! Everything that a change has to pass.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::{deps, shell};

/// Runs every step, also after one has failed, and says at the end which did.
pub(crate) fn run() -> Result<()> {
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        println!("── {name}");
        let start = Instant::now();
        match step() {
            Ok(()) => println!("── {name}: good, {:.0} s\n", start.elapsed().as_secs_f64()),
            Err(error) => {
                println!("── {name}: FAILED: {error:#}\n");
                failed.push(*name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} steps failed: {}", failed.len(), STEPS.len(), failed.join(", "));
    }
    println!("all {} steps are good", STEPS.len());
    Ok(())
}

type Step = fn() -> Result<()>;

/// The quick ones first.
const STEPS: &[(&str, Step)] = &[
    ("format", || shell::run(shell::cargo(&["fmt", "--all", "--check"]))),
    ("rings", deps::run),
    ("licences and bans", licences),
    ("lints", || {
        let args = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        shell::run(shell::cargo(&args))
    }),
    // without a list of targets, cargo runs the doctests too
    ("tests and doctests", || shell::run(shell::cargo(&["test", "--workspace"]))),
    ("the studio's page", page),
    ("docs", docs),
];

/// In a browser, against the program that the tests have built.
fn page() -> Result<()> {
    if !shell::is_installed("npm", &["--version"]) {
        println!("skipped: npm is not installed");
        return Ok(());
    }
    shell::run(shell::command("crates/app/studio/page/tests/run", &[]))
}

fn docs() -> Result<()> {
    let mut command: Command = shell::cargo(&["doc", "--workspace", "--no-deps", "--lib"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    shell::run(command)
}

/// Only the checks that need no download: advisories would fetch a database.
fn licences() -> Result<()> {
    if !shell::is_installed("cargo", &["deny", "--version"]) {
        println!("skipped: cargo-deny is not installed (`cargo install --locked cargo-deny`)");
        return Ok(());
    }
    shell::run(shell::cargo(&["deny", "check", "licenses", "bans", "sources"]))
}
