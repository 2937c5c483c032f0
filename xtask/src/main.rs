//! The project's chores: `cargo xtask check | deps | goldens | bench`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program: its output is its purpose")]

mod bench;
mod check;
mod deps;
mod goldens;
mod python;
mod shell;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  check              format, lints, tests, docs, rings, licences: what CI asks for
  deps               the rings' directions and the homes of foreign crates
  goldens [TEXT]     makes the goldens again with their scripts (those whose path contains
                     TEXT); fails if any changed
  bench [OPTIONS]    the table against the peers, and a dated record

  bench options:
    --rounds N       turns that each row gets (default 7; the medians are printed)
    --threads N      threads that everyone may use (default 2)
    --only TEXT      only the cases whose name contains TEXT
    --no-peers       our own rows alone: needs no Python
    --no-record      print, and write no file under bench/records/
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let result = match command {
        "check" => check::run(),
        "deps" => deps::run(),
        "goldens" => goldens::run(rest.first().map(String::as_str)),
        "bench" => bench::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(anyhow::anyhow!("no chore is called {other:?}\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
