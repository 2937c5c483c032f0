//! The table against the peers: everybody computes the same networks in one run, turn by turn.

mod cases;
mod machine;
mod options;
mod table;
mod turns;
mod worker;

use std::fs::{self, OpenOptions};
use std::io::Write;

use anyhow::{Context, Result, bail};

use crate::shell;
use cases::Case;
use options::{Options, Peers};
use turns::Measured;
use worker::Worker;

/// Measures, prints the table and appends the record.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    let cases = cases::matching(&options.only);
    if cases.is_empty() {
        bail!("no case is called {:?}; there are {}", options.only, cases::names());
    }
    build(&cases)?;
    let mut field = field(&options, &cases)?;
    let mut notes = field.notes;
    notes.extend(machine::warnings());
    turns::check(&mut field.workers, &cases)?;
    let measured = turns::take(&mut field.workers, &cases, options.rounds)?;
    let report = report(&options, &field.workers, &measured, &notes)?;
    println!("\n{report}");
    if options.record {
        let file = append(&report)?;
        println!("appended to {}", file.display());
    }
    Ok(())
}

fn build(cases: &[Case]) -> Result<()> {
    let mut args = vec!["build", "--release", "--package", "pentimento-bench"];
    if has_command(cases) {
        args.extend(["--package", "pentimento-cli"]);
    }
    shell::run(shell::cargo(&args))
}

fn has_command(cases: &[Case]) -> bool {
    cases.iter().any(|c| c.name == cases::COMMAND)
}

/// Everybody who takes part, and why the others do not.
struct Field {
    workers: Vec<Worker>,
    notes: Vec<String>,
}

fn field(options: &Options, cases: &[Case]) -> Result<Field> {
    let (mut workers, mut notes) = (Vec::new(), Vec::new());
    let mut join = |label: String, started: Result<Worker>| match started {
        Ok(worker) => workers.push(worker),
        Err(why) => notes.push(format!("{label} takes no part: {why:#}")),
    };
    for level in worker::our_levels()?.iter().rev() {
        join(format!("ours, {level}"), Worker::ours(level, options.threads));
    }
    if has_command(cases) {
        join("the command".into(), Worker::command(options.threads));
    }
    if options.peers == Peers::Run {
        let python = worker::peers_python()?;
        for (backend, label) in cases::PEERS {
            join((*label).into(), Worker::peer(&python, backend, label, options.threads));
        }
    }
    Ok(Field { workers, notes })
}

fn report(
    options: &Options,
    workers: &[Worker],
    measured: &[Measured],
    notes: &[String],
) -> Result<String> {
    let versions: Vec<&str> = workers.iter().filter_map(Worker::peer_version).collect();
    let mut list = machine::facts(options.threads)?;
    if !versions.is_empty() {
        list.push(format!("peers: {}", table::without_repeats(&versions).join(", ")));
    }
    list.push(format!(
        "{} turns each, alternating; medians in milliseconds, in brackets how many times our \
         best level's time",
        options.rounds
    ));
    list.extend_from_slice(notes);
    let parts = [
        format!("## {}", machine::now()?),
        format!("- {}", list.join("\n- ")),
        table::medians(measured),
        table::command(measured),
        table::spread(measured),
    ];
    let parts = parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty());
    let text = parts.collect::<Vec<_>>().join("\n\n") + "\n";
    Ok(text)
}

/// One file for each day and CPU; later runs of the day are added below.
fn append(report: &str) -> Result<std::path::PathBuf> {
    let folder = shell::root().join("bench/records");
    fs::create_dir_all(&folder).context("could not make bench/records")?;
    let file = folder.join(format!("{}-{}.md", machine::today()?, machine::cpu_slug()));
    let head = if file.exists() { String::from("\n") } else { format!("# {}\n\n", machine::cpu()) };
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut f| write!(f, "{head}{report}"))
        .with_context(|| format!("could not write {}", file.display()))?;
    Ok(file)
}
