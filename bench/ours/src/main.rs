//! Our side of the benchmark, kept running so that turns can alternate.
//!
//! ```text
//! pentimento-bench levels                    the CPU levels, slowest first
//! pentimento-bench engine LEVEL THREADS      answers `run CASE` and `check CASE`
//! pentimento-bench command FILE PROGRAM ARGS…
//!                                            answers `run command`: milliseconds and KiB of
//!                                            the program that writes FILE
//! ```
//!
//! The protocol is `bench/peers/worker.py`'s, and so are the networks and the numbers in them.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program: its output is its purpose")]

mod classifier;
mod colour;
mod command;
mod engine;
mod look;
mod made;
mod step;
mod style;

use std::io::{self, BufRead, Write};

use anyhow::{Result, bail};
use kernels::Level;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match *args {
        ["levels"] => {
            for level in Level::available() {
                println!("{}", level.name());
            }
            Ok(())
        }
        ["engine", level, threads] => {
            let Some(level) = Level::available().into_iter().find(|l| l.name() == level) else {
                bail!("this CPU has no level {level:?}");
            };
            let mut engine = engine::Engine::new(level, threads.parse()?)?;
            serve(|what, case| engine.answer(what, case))
        }
        ["command", file, program, ref args @ ..] => {
            serve(|_, _| command::run(file.as_ref(), program, args))
        }
        _ => bail!("see the top of bench/ours/src/main.rs"),
    }
}

/// Answers each line of standard input by one of standard output.
fn serve(mut answer: impl FnMut(&str, &str) -> Result<String>) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "ready Pentimento {}", env!("CARGO_PKG_VERSION"))?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (what, case) = line.split_once(' ').unwrap_or((&line, ""));
        match answer(what, case) {
            Ok(text) => writeln!(out, "{text}")?,
            Err(error) => writeln!(out, "error {error:#}")?,
        }
        out.flush()?;
    }
    Ok(())
}
