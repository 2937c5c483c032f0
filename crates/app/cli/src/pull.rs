//! `pentimento weights pull`: names, then where from and where to, then the fetching.

use std::env;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pentimento::pipeline::pull::{Cache, KnownWeights, Pull, PullError, Pulled, known, named};
use serde::Serialize;

use crate::exit::Outcome;
use crate::flags;
use crate::progress::{Progress, Voice, say};

/// What is said of weights.
#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    what: &'static str,
    licence: &'static str,
    url: String,
    size: u64,
    sha256: &'static str,
    /// Where it lies, if it does.
    path: Option<PathBuf>,
}

/// Fetches what the flags name, or lists what they could name.
pub(crate) fn run(flags: &flags::Pull) -> anyhow::Result<Outcome> {
    let wanted: Vec<&KnownWeights> =
        flags.names.iter().map(|name| named(name)).collect::<Result<_, _>>()?;
    let pull = resolve(flags)?;
    if !wanted.is_empty() {
        let voice = if flags.quiet { Voice::Quiet } else { Voice::Normal };
        match fetch(&pull, &wanted, voice) {
            Err(PullError::Stopped) => {
                say(&PullError::Stopped.to_string());
                return Ok(Outcome::Interrupted);
            }
            done => done?,
        }
    }
    let shown = if wanted.is_empty() { known().iter().collect() } else { wanted };
    match (flags.json, flags.names.is_empty()) {
        (true, _) => {
            let entries: Vec<Entry> = shown.iter().map(|k| entry(&pull, k)).collect();
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&entries)?)?;
        }
        (false, true) => list(&pull, &shown)?,
        (false, false) => {}
    }
    Ok(Outcome::Done)
}

fn resolve(flags: &flags::Pull) -> Result<Pull, PullError> {
    let cache = flags.to.as_ref().map_or_else(Cache::of_user, |to| Ok(Cache::at(to)))?;
    let set = || env::var("PENTIMENTO_MIRROR").ok().filter(|mirror| !mirror.is_empty());
    Ok(Pull { mirror: flags.mirror.clone().or_else(set), ..Pull::new(cache) })
}

fn fetch(pull: &Pull, wanted: &[&KnownWeights], voice: Voice) -> Result<(), PullError> {
    let stop = stop_on_signal();
    for weights in wanted {
        let progress = Progress::of_bytes(weights.file, weights.size, voice);
        let pulled = pull.run(weights, |have| {
            progress.reach(have);
            if stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        progress.finish();
        let line = match pulled? {
            Pulled::There(path) => format!("{}: already there", path.display()),
            Pulled::Fetched(path) => format!("{}: {} bytes", path.display(), weights.size),
        };
        if voice == Voice::Normal {
            say(&line);
        }
    }
    Ok(())
}

fn list(pull: &Pull, shown: &[&KnownWeights]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for weights in shown {
        let KnownWeights { name, what, licence, size, .. } = weights;
        let mb = *size as f64 / 1e6;
        let place = match pull.cache.find(weights) {
            Some(path) => path.display().to_string(),
            None => format!("not here: {}", pull.url(weights)),
        };
        writeln!(out, "{name:8} {what}, {mb:.0} MB, {licence}\n{:8} {place}", "")?;
    }
    Ok(())
}

fn entry(pull: &Pull, weights: &KnownWeights) -> Entry {
    let KnownWeights { name, what, licence, size, sha256, .. } = *weights;
    let (url, path) = (pull.url(weights), pull.cache.find(weights));
    Entry { name, what, licence, url, size, sha256, path }
}

/// Set once somebody presses Ctrl-C or asks the process to end; the second time, it ends.
fn stop_on_signal() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let set = ctrlc::set_handler(move || {
        if told.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(e) = set {
        say(&format!("Ctrl-C will end this at once: {e}"));
    }
    stop
}
