//! Bytes from strangers: no panic, no hang, no memory beyond the limit.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use imaging::{ImagingError, Limits, decode, identify};

/// Enough for any sample, little enough that a bomb is felt.
const LIMITS: Limits = Limits { pixels: 1 << 16, bytes: 4 << 20 };

fn files() -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../../golden/imaging"].iter().collect();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !["raw", "py"].contains(&path.extension().unwrap().to_str().unwrap()))
        .map(|path| (name(&path), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Longest any one damaged sample may take, with much room for a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

fn survive(bytes: &[u8], what: &str) -> Result<(), ImagingError> {
    let start = Instant::now();
    let result = decode(bytes, &LIMITS).map(|picture| {
        assert!(picture.width() as u64 * picture.height() as u64 <= LIMITS.pixels, "{what}");
    });
    assert!(start.elapsed() < PATIENCE, "{what} took {:?}", start.elapsed());
    result
}

#[test]
fn bombs_are_refused_by_their_header() {
    let mut seen = 0;
    for (name, bytes) in files().iter().filter(|(name, _)| name.starts_with("bomb")) {
        let error = decode(bytes, &Limits::default()).unwrap_err();
        assert!(matches!(error, ImagingError::TooLarge { .. }), "{name}: {error}");
        assert!(identify(bytes).is_ok(), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn the_byte_limit_counts_too() {
    let (_, bytes) = files().into_iter().find(|(name, _)| name == "deep.png").unwrap();
    let exact = 23 * 17 * 6;
    assert!(decode(&bytes, &Limits { bytes: exact.max(bytes.len() as u64), ..LIMITS }).is_ok());
    let error = decode(&bytes, &Limits { bytes: 100, ..LIMITS }).unwrap_err();
    assert!(matches!(error, ImagingError::TooManyBytes { .. }), "{error}");
}

/// Cut anywhere, a file gives an error or, where only metadata or padding was
/// lost, a picture; cut in half, it gives an error that says so.
#[test]
fn every_truncation_is_survived() {
    for (name, bytes) in files() {
        for len in 0..bytes.len() {
            let _ = survive(&bytes[..len], &format!("{name} cut to {len}"));
        }
        // Half of the animation still holds its first frame.
        if !name.starts_with("bomb") && name != "animated.gif" {
            let half = survive(&bytes[..bytes.len() / 2], &name);
            assert!(half.is_err(), "{name} cut in half was taken");
        }
    }
}

/// Linear congruential generator; constants of Knuth's MMIX.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

/// How many damaged versions of each sample are tried, unless `IMAGING_MUTATIONS` says.
const MUTATIONS: usize = 300;

#[test]
fn mutations_are_survived() {
    let mutations = std::env::var("IMAGING_MUTATIONS").ok().and_then(|n| n.parse().ok());
    let mut random = Random(mutations.unwrap_or(7) as u64);
    for (name, bytes) in files() {
        for round in 0..mutations.unwrap_or(MUTATIONS) {
            let mut damaged = bytes.clone();
            for _ in 0..=random.next(4) {
                let at = random.next(damaged.len());
                match random.next(4) {
                    0 => damaged[at] ^= 1 << random.next(8),
                    1 => damaged[at] = [0, 0xff, 0x7f, 0x80][random.next(4)],
                    2 => damaged[at] = random.next(256) as u8,
                    _ => {
                        let end = (at + random.next(16)).min(damaged.len());
                        damaged.drain(at..end);
                        damaged.push(0);
                    }
                }
            }
            let _ = survive(&damaged, &format!("{name}, mutation {round}"));
            let _ = identify(&damaged);
        }
    }
}
