//! Fetching weights from a server on this machine.
#![allow(clippy::unwrap_used, reason = "a test's own helpers")]

mod support;

use std::fmt::Write;
use std::fs::{self, File};
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::path::PathBuf;

use pipeline::pull::{Cache, KnownWeights, Pull, PullError, Pulled, named};
use sha2::{Digest, Sha256};
use support::{Server, cut, reply, rest, whole};
use tempfile::TempDir;

const FILE: &str = "net-1234.pth";
const TAG: &str = "\"v1\"";

/// A file of several pieces, and what would be known of it.
fn file() -> (Vec<u8>, KnownWeights) {
    let body: Vec<u8> = (0..300_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
    let hash = Sha256::digest(&body).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let known = KnownWeights {
        name: "net",
        network: "vgg",
        config: "{}",
        what: "a test",
        file: FILE,
        url: "https://invalid.invalid/net-1234.pth",
        size: body.len() as u64,
        sha256: hash.leak(),
        licence: "CC0-1.0",
    };
    (body, known)
}

/// A cache, and a server as its mirror.
struct Place {
    folder: TempDir,
    server: Server,
    pull: Pull,
}

impl Place {
    fn new(replies: Vec<Vec<u8>>) -> Self {
        let (folder, server) = (TempDir::new().unwrap(), Server::new(replies));
        let mirror = Some(format!("{}/files/", server.url));
        let cache = Cache::at(folder.path().join("new/folder"));
        let pull = Pull { mirror, retries: 0, ..Pull::new(cache) };
        Self { folder, server, pull }
    }

    fn run(&self) -> Result<Pulled, PullError> {
        self.pull.run(&file().1, |_| ControlFlow::Continue(()))
    }

    fn path(&self) -> PathBuf {
        self.pull.cache.path(&file().1)
    }

    /// The names in the cache.
    fn names(&self) -> Vec<String> {
        let name = |e: std::io::Result<fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
        let entries = fs::read_dir(self.pull.cache.folder()).into_iter().flatten();
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    #[track_caller]
    fn has_the_file(&self, result: Result<Pulled, PullError>) {
        assert_eq!(result.unwrap(), Pulled::Fetched(self.path()));
        assert_eq!(self.names(), [FILE]);
        assert_eq!(fs::read(self.path()).unwrap(), file().0);
    }
}

#[test]
fn a_file_is_fetched_once() {
    let (body, known) = file();
    let place = Place::new(vec![whole(&body, TAG)]);
    assert_eq!(place.pull.cache.find(&known), None);
    let mut seen = vec![];
    let result = place.pull.run(&known, |have| {
        seen.push(have);
        ControlFlow::Continue(())
    });
    place.has_the_file(result);
    assert!(seen.is_sorted() && seen[0] == 0 && seen.last() == Some(&known.size), "{seen:?}");
    assert_eq!(place.run().unwrap(), Pulled::There(place.path()));
    assert_eq!(place.pull.cache.find(&known), Some(place.path()));
    let asked = place.server.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("get /files/net-1234.pth "), "{asked:?}");
}

#[test]
fn a_broken_connection_goes_on_where_it_was() {
    let (body, _) = file();
    let mut place = Place::new(vec![
        cut(&whole(&body, TAG), 100_000),
        cut(&rest(&body, 200_000, TAG), 1),
        rest(&body, 299_999, TAG),
    ]);
    place.pull.retries = 2;
    place.has_the_file(place.run());
    let asked = place.server.asked();
    assert!(!asked[0].contains("range"), "{asked:?}");
    for (asked, from) in asked[1..].iter().zip(["200000", "299999"]) {
        assert!(asked.contains(&format!("\nrange: bytes={from}-")), "{asked}");
        assert!(asked.contains("\nif-range: \"v1\""), "{asked}");
    }
}

#[test]
fn what_came_is_kept_for_the_next_time() {
    let (body, known) = file();
    let place = Place::new(vec![cut(&whole(&body, TAG), 5), rest(&body, 299_995, TAG)]);
    let error = place.run().unwrap_err();
    assert!(matches!(error, PullError::Cut { have: 299_995, size: 300_000, .. }), "{error}");
    assert_eq!(place.names(), [format!("{FILE}.part"), format!("{FILE}.part.tag")]);
    assert_eq!(place.pull.cache.find(&known), None);
    place.has_the_file(place.run());
}

#[test]
fn stopping_keeps_what_came() {
    let (body, known) = file();
    let place = Place::new(vec![whole(&body, TAG)]);
    let stop = |have| if have > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let error = place.pull.run(&known, stop).unwrap_err();
    assert!(matches!(error, PullError::Stopped), "{error}");
    let kept = fs::read(place.pull.cache.folder().join(format!("{FILE}.part"))).unwrap();
    assert!(!kept.is_empty() && body.starts_with(&kept));

    let replies = vec![rest(&body, kept.len(), TAG)];
    let again = Place { server: Server::new(replies), ..place };
    let pull = Pull { mirror: Some(again.server.url.clone()), ..again.pull.clone() };
    again.has_the_file(pull.run(&known, |_| ControlFlow::Continue(())));
}

#[test]
fn another_version_on_the_server_is_begun_anew() {
    let (body, _) = file();
    let older: Vec<u8> = body.iter().map(|b| !b).collect();
    let place = Place::new(vec![cut(&whole(&older, "\"v0\""), 10), whole(&body, TAG)]);
    place.run().unwrap_err();
    place.has_the_file(place.run());
    assert!(place.server.asked()[1].contains("if-range: \"v0\""));
}

#[test]
fn without_a_firm_tag_there_is_no_going_on() {
    let (body, _) = file();
    let length = format!("content-length: {}", body.len());
    for tag in ["x-other: 1", "etag: W/\"weak\""] {
        let first = cut(&reply("200 OK", &[length.clone(), tag.into()], &body), 10);
        let place = Place::new(vec![first, whole(&body, TAG)]);
        place.run().unwrap_err();
        place.has_the_file(place.run());
        assert!(!place.server.asked()[1].contains("range"), "{tag}");
    }
}

#[test]
fn a_date_is_as_good_as_a_tag() {
    let (body, _) = file();
    let date = "Sat, 21 Nov 2026 10:00:00 GMT";
    let headers = [format!("content-length: {}", body.len()), format!("last-modified: {date}")];
    let first = cut(&reply("200 OK", &headers, &body), 10);
    let place = Place::new(vec![first, rest(&body, 299_990, TAG)]);
    place.run().unwrap_err();
    place.has_the_file(place.run());
    assert!(place.server.asked()[1].contains(&format!("if-range: {}", date.to_lowercase())));
}

#[test]
fn a_server_that_goes_on_elsewhere_is_not_believed() {
    let (body, _) = file();
    let place =
        Place::new(vec![cut(&whole(&body, TAG), 10), rest(&body, 100, TAG), whole(&body, TAG)]);
    place.run().unwrap_err();
    assert!(matches!(place.run(), Err(PullError::Unreachable { .. })));
    place.has_the_file(place.run());
}

#[test]
fn another_file_is_not_kept() {
    let (mut body, known) = file();
    body[123_456] ^= 1;
    let place = Place::new(vec![whole(&body, TAG)]);
    let error = place.run().unwrap_err();
    assert!(matches!(error, PullError::Hash { .. }), "{error}");
    assert!(
        error.to_string().contains(known.sha256) && error.to_string().contains(&place.server.url)
    );
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn another_size_is_not_even_fetched() {
    let (body, _) = file();
    let longer = [&body[..], b"more"].concat();
    let unsaid = reply("200 OK", &[], &longer);
    for (what, got) in [(whole(&longer, TAG), 300_004), (whole(&body[..9], TAG), 9), (unsaid, 0)] {
        let place = Place::new(vec![what]);
        match place.run().unwrap_err() {
            PullError::Size { got: found, size: 300_000, .. } if got == 0 => {
                assert!(found > 300_000);
            }
            PullError::Size { got: found, size: 300_000, .. } => assert_eq!(found, got),
            error => panic!("{error}"),
        }
        assert_eq!(place.names(), [""; 0]);
    }
}

#[test]
fn a_redirection_is_followed() {
    let (body, _) = file();
    let there = Server::new(vec![whole(&body, TAG)]);
    let place = Place::new(vec![reply("302 Found", &[format!("location: {}/x", there.url)], b"")]);
    place.has_the_file(place.run());
    assert!(there.asked()[0].starts_with("get /x "));
}

#[track_caller]
fn says_what_to_do(place: &Place, words: &str) {
    let error = place.run().unwrap_err();
    assert!(matches!(error, PullError::Unreachable { .. }), "{error}");
    let (message, path) = (error.to_string(), place.path().display().to_string());
    for part in [words, "/files/net-1234.pth", "put it at", &path] {
        assert!(message.contains(part), "no {part:?} in {message}");
    }
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_missing() {
    says_what_to_do(&Place::new(vec![reply("404 Not Found", &[], b"no")]), "404");
}

#[test]
fn without_a_network_it_says_what_to_put_where() {
    let mut place = Place::new(vec![]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    place.pull.mirror = Some(format!("http://{closed}/files"));
    says_what_to_do(&place, "refused");
}

#[test]
fn a_wrong_file_in_the_cache_is_told_and_left_alone() {
    let place = Place::new(vec![]);
    fs::create_dir_all(place.pull.cache.folder()).unwrap();
    fs::write(place.path(), b"something else").unwrap();
    let error = place.run().unwrap_err();
    assert!(error.to_string().contains("take the file away"), "{error}");
    assert_eq!(fs::read(place.path()).unwrap(), b"something else");
    assert!(place.server.asked().is_empty());
}

#[test]
fn two_do_not_fetch_the_same_file() {
    let place = Place::new(vec![]);
    fs::create_dir_all(place.pull.cache.folder()).unwrap();
    let part = File::create(place.pull.cache.folder().join(format!("{FILE}.part"))).unwrap();
    part.lock().unwrap();
    assert!(matches!(place.run(), Err(PullError::Busy { .. })));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let place = Place::new(vec![]);
    fs::write(place.folder.path().join("new"), b"").unwrap();
    let error = place.run().unwrap_err();
    assert!(matches!(error, PullError::Io { .. }) && error.to_string().contains("new"), "{error}");
}

#[test]
fn without_a_mirror_the_publisher_is_asked() {
    let vgg16 = named("vgg16").unwrap();
    assert_eq!(Pull::new(Cache::at("c")).url(vgg16), vgg16.url);
}
