//! The studio as a process: it starts, answers, ends; and, when asked for (`--ignored`), it bears
//! a crowd.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]
#![cfg(unix)]

mod http;
mod load;
#[path = "../support/mod.rs"]
mod support;
mod training;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http::{Asked, ask};

/// A studio that runs until this is dropped.
pub(crate) struct Studio {
    child: Child,
    pub(crate) host: String,
    pub(crate) began: Instant,
    /// Gone when the studio is.
    folder: Option<tempfile::TempDir>,
}

impl Studio {
    pub(crate) fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut studio = Self::start_in(folder.path(), flags);
        studio.folder = Some(folder);
        studio
    }

    pub(crate) fn start_in(folder: &Path, flags: &[&str]) -> Self {
        let began = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pentimento"));
        command.args(["studio", "--no-open", "--quiet", "--port", "0"]).args(flags);
        command.env("XDG_CACHE_HOME", folder.join("cache"));
        command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let host = host.unwrap_or_else(|| panic!("no address in {line:?}")).to_owned();
        Self { child, host, began, folder: None }
    }

    /// Resident memory, bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        1024 * line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_prints_its_address_answers_and_ends_on_a_signal() {
    let mut studio = Studio::start(&["--memory", "500M"]);
    let page = ask(&studio.host, &Asked::get("/"));
    assert_eq!(page.status, 200);
    let took = studio.began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(page.text().contains("<title>"));
    let about = ask(&studio.host, &Asked::get("/api/about")).json();
    assert_eq!(about["limits"]["memory_bytes"], 500_000_000);
    let foreign = Asked { host: Some("evil.example"), ..Asked::get("/api/about") };
    assert_eq!(ask(&studio.host, &foreign).status, 421);
    let id = studio.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let until = Instant::now() + Duration::from_secs(30);
    while studio.is_alive() {
        assert!(Instant::now() < until, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(studio.child.wait().unwrap().success());
}

#[test]
fn flags_that_cannot_be_are_told() {
    let run = |flags: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_pentimento"))
            .args(["studio", "--no-open"])
            .args(flags)
            .output()
            .unwrap();
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    for (flags, status, words) in [
        (&["--host", "0.0.0.0", "--port", "0"][..], 2, "--token"),
        (&["--token", "short", "--port", "0"], 2, "16 characters"),
        (&["--photos", "/no/such/folder", "--port", "0"], 2, "/no/such/folder"),
        (&["--port", "99999"], 2, "99999"),
    ] {
        let (code, said) = run(flags);
        assert_eq!(code, Some(status), "{flags:?}: {said}");
        assert!(said.contains(words), "{flags:?}: {said}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, said) = run(&["--port", &port]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--port"), "{said}");
}
