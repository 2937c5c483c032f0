//! `pentimento studio`: flags, then settings, then the server.

pub(crate) mod flags;

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use studio::{Limits, Server, Settings, StudioError};

use crate::allocator;
use crate::exit::Outcome;
use crate::interrupt::stop_on_signal;
use crate::progress::say;

/// Where it listens if nothing else is said, and nothing else does.
const PORT: u16 = 7878;

/// Serves the page until somebody stops it.
pub(crate) fn run(flags: &flags::Studio) -> anyhow::Result<Outcome> {
    allocator::give_back_at_once();
    let server = bind(flags)?;
    let url = server.url();
    let mut out = io::stdout().lock();
    writeln!(out, "{url}")?;
    out.flush()?;
    drop(out);
    if !flags.quiet {
        say("the studio is at this address; Ctrl-C ends it");
    }
    if !flags.no_open {
        open(&url);
    }
    let stop = stop_on_signal("ending; once more to end at once");
    server.run(|| stop.load(Ordering::Relaxed))?;
    Ok(Outcome::Done)
}

/// At the port that is named; or else at the usual one, or a free one.
fn bind(flags: &flags::Studio) -> Result<Server, StudioError> {
    let at = |port| Server::bind(settings(flags, port));
    match flags.port {
        Some(port) => at(port),
        None => match at(PORT) {
            Err(StudioError::Listen { .. }) => at(0),
            bound => bound,
        },
    }
}

fn settings(flags: &flags::Studio, port: u16) -> Settings {
    let usual = Limits::default();
    let limits = Limits {
        memory: flags.memory.unwrap_or(usual.memory),
        upload: flags.max_upload.unwrap_or(usual.upload),
        pixels: flags.max_pixels.unwrap_or(usual.pixels),
        queue: flags.queue.map_or(usual.queue, Into::into),
        age: flags.keep.map_or(usual.age, |n| Duration::from_secs(60 * n.get() as u64)),
        ..usual
    };
    Settings {
        host: flags.host,
        port,
        token: flags.token.clone(),
        names: flags.allow_host.clone(),
        photos: flags.photos.clone(),
        styles: flags.styles.clone(),
        threads: flags.threads.map(Into::into),
        limits,
        ..Settings::default()
    }
}

/// Opens the browser, if there is one; the address is printed anyway.
fn open(url: &str) {
    let (program, before): (_, &[&str]) = if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(before).arg(url);
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}
