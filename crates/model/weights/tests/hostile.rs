//! Damaged and hostile files give an error, never a panic, a hang or much memory.
//!
//! The fuzz targets in `fuzz/` go further; this is what every test run does.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::path::{Path, PathBuf};

use weights::{Checkpoint, Format, Limits, WeightsError, onnx, read_bundle, read_bytes};

/// Small, so that a claim which gets through would show as a large checkpoint.
const LIMITS: Limits = Limits { bytes: 1 << 20, entries: 64, header: 1 << 16 };

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_none_or(|e| e != "py") && !is_bomb(p));
    paths.sort();
    assert!(paths.len() > 30, "the samples are there");
    paths
}

/// Samples that are whole, and too large for [`LIMITS`].
fn is_bomb(path: &Path) -> bool {
    path.ends_with("bomb.npz") || path.ends_with("bomb.keras")
}

/// Reads a sample, and as the index of a bundle or a data file of it if it is one.
fn attempt(path: &Path, bytes: &[u8]) -> Result<Checkpoint, WeightsError> {
    let name = path.to_str().unwrap();
    let result = if let Some(prefix) = name.strip_suffix(".index") {
        let shards = shards(prefix);
        read_bundle(bytes, &shards.iter().map(Vec::as_slice).collect::<Vec<_>>(), &LIMITS)
    } else if let Some((prefix, _)) = name.split_once(".data-") {
        let index = std::fs::read(format!("{prefix}.index")).unwrap();
        let mut shards = shards(prefix);
        let number: usize = name[prefix.len() + 6..][..5].parse().unwrap();
        shards[number] = bytes.to_vec();
        read_bundle(&index, &shards.iter().map(Vec::as_slice).collect::<Vec<_>>(), &LIMITS)
    } else if path.extension().is_some_and(|e| e == "onnx") {
        // Both ways; the stricter one answers.
        let _ = read_bytes(bytes, &LIMITS);
        onnx::read_bytes(bytes, &LIMITS).map(|model| Checkpoint {
            tensors: model.weights,
            metadata: model.metadata,
            format: Format::Onnx,
        })
    } else {
        read_bytes(bytes, &LIMITS)
    };
    if let Ok(checkpoint) = &result {
        let values: usize = checkpoint.tensors.values().map(|t| t.data().len()).sum();
        assert!(values * 4 <= 1 << 20 && checkpoint.tensors.len() <= 64, "{name}: over the limits");
    }
    result
}

fn shards(prefix: &str) -> Vec<Vec<u8>> {
    let count = if prefix.ends_with("sharded.ckpt") { 2 } else { 1 };
    (0..count)
        .map(|i| std::fs::read(format!("{prefix}.data-{i:05}-of-{count:05}")).unwrap())
        .collect()
}

/// Samples that are refused even when whole.
fn is_refused(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.starts_with("evil") || name.starts_with("sliced") || name.starts_with("beside")
}

#[test]
fn every_truncation_is_an_error() {
    for path in samples() {
        let bytes = std::fs::read(&path).unwrap();
        let whole = attempt(&path, &bytes);
        assert_eq!(whole.is_ok(), !is_refused(&path), "{}: {:?}", path.display(), whole.err());
        for end in 0..bytes.len() {
            let error = attempt(&path, &bytes[..end]);
            assert!(error.is_err(), "{} cut at {end} is read", path.display());
        }
    }
}

#[test]
fn a_changed_value_is_noticed_where_the_format_has_checksums() {
    let values: Vec<u8> =
        (0..24u8).flat_map(|i| (f32::from(i) / 4.0 - 3.0).to_le_bytes()).collect();
    let named = |end: &str| samples().into_iter().find(|p| p.ends_with(end)).unwrap();
    for name in ["stored.npz", "plain.zip.pth", "v1.ckpt", "v2.ckpt.data-00000-of-00001"] {
        let path = named(name);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(values.len()).position(|w| w == values).unwrap();
        bytes[at + 50] ^= 1;
        let message = attempt(&path, &bytes).unwrap_err().to_string();
        assert!(message.contains("checksum is wrong"), "{name}: {message}");
    }
}

/// A small generator of bits (xorshift64*): the same mutations in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(high).unwrap() % n
    }
}

/// Changes bytes, puts in runs of extreme ones, cuts pieces out and doubles them.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const EXTREMES: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let len = (1 + random.below(8)).min(bytes.len() - at);
        match random.below(5) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            2 => bytes[at..at + len].fill(EXTREMES[random.below(EXTREMES.len())]),
            3 if bytes.len() > len => drop(bytes.drain(at..at + len)),
            _ => {
                let piece = bytes[at..at + len].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
}

#[test]
fn mutations_never_panic() {
    const ROUNDS: usize = 1500;
    for (seed, path) in (1u64..).zip(samples()) {
        let good = std::fs::read(&path).unwrap();
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..ROUNDS {
            let mut bytes = good.clone();
            mutate(&mut bytes, &mut random);
            let _ = attempt(&path, &bytes);
        }
    }
    #[cfg(target_os = "linux")]
    assert!(peak_address_space() < 2 << 30, "a claim was believed");
}

/// Bytes of memory that this process ever asked for, used or not: most of it what the
/// allocator sets aside for each thread.
#[cfg(target_os = "linux")]
fn peak_address_space() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Checksums guard the tables of TensorFlow; here they are made right again, so that
/// what lies behind them is reached.
#[test]
fn mutated_tables_with_sound_checksums_never_panic() {
    const ROUNDS: usize = 3000;
    let tables = samples().into_iter().filter(|p| {
        let name = p.to_str().unwrap();
        p.extension().is_some_and(|e| e == "index") || name.ends_with("v1.ckpt")
    });
    for (seed, path) in (1u64..).zip(tables) {
        let good = std::fs::read(&path).unwrap();
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (mut read, mut refused) = (0, 0);
        for _ in 0..ROUNDS {
            let mut bytes = good.clone();
            let blocks = blocks(&good);
            let (start, end) = blocks[random.below(blocks.len())];
            for _ in 0..=random.below(3) {
                let at = start + random.below(end - start);
                bytes[at] = u8::try_from(random.below(256)).unwrap();
            }
            let crc = crc32c::crc32c(&bytes[start..=end]);
            let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
            bytes[end + 1..end + 5].copy_from_slice(&masked.to_le_bytes());
            match attempt(&path, &bytes) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 0 && (read > 0 || is_refused(&path)), "{}", path.display());
    }
}

/// Start and end (without compression and checksum) of the blocks of a table: every
/// range whose checksum is right.
fn blocks(table: &[u8]) -> Vec<(usize, usize)> {
    let mut found = vec![];
    let mut start = 0;
    while start < table.len() {
        let end = (start + 1..table.len().saturating_sub(4)).find(|&end| {
            let crc = crc32c::crc32c(&table[start..=end]);
            crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes() == table[end + 1..end + 5]
        });
        let Some(end) = end else { break };
        found.push((start, end));
        start = end + 5;
    }
    assert!(found.len() >= 2);
    found
}
