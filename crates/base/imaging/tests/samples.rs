//! Every sample in `golden/imaging`, against what Pillow and `LittleCMS` make of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use imaging::{Channels, Depth, Format, Limits, Picture, Pixels, decode, identify};

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../../golden/imaging"].iter().collect()
}

/// All samples but the bombs, by name.
fn samples() -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let samples: BTreeMap<_, _> = files
        .filter(|path| !["raw", "py"].contains(&path.extension().unwrap().to_str().unwrap()))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| !name.starts_with("bomb"))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    assert!(samples.len() >= 50, "only {} samples", samples.len());
    samples
}

struct Answer {
    size: [usize; 2],
    channels: usize,
    depth: Depth,
    values: Vec<u16>,
}

fn answer(name: &str) -> Answer {
    let bytes = fs::read(folder().join(format!("{name}.raw"))).unwrap();
    let head: Vec<usize> =
        bytes[..16].chunks(4).map(|c| u32::from_le_bytes(c.try_into().unwrap()) as usize).collect();
    let body = &bytes[16..];
    let (depth, values) = match head[3] {
        1 => (Depth::Eight, body.iter().copied().map(u16::from).collect()),
        _ => (
            Depth::Sixteen,
            body.chunks(2).map(|c| u16::from_le_bytes(c.try_into().unwrap())).collect(),
        ),
    };
    Answer { size: [head[1], head[0]], channels: head[2], depth, values }
}

fn values(picture: &Picture) -> Vec<u16> {
    match picture.pixels() {
        Pixels::U8(values) => values.iter().copied().map(u16::from).collect(),
        Pixels::U16(values) => values.clone(),
    }
}

/// How far a value may be from Pillow's, in its own steps. What is stored without loss
/// and needs no conversion must be equal.
fn tolerance(name: &str) -> u16 {
    /// Two inverse DCTs may round a sample differently by 1; YCbCr to RGB multiplies
    /// that by at most 1.772 and rounds again.
    const DCT: u16 = 3;
    /// Chroma is interpolated by other weights (up to an eighth of the step between
    /// samples, which is under 24 in this smooth picture).
    const CHROMA: u16 = 3;
    /// Each colour library converts through rounded tables of its own, and 8 bits are
    /// rounded once more.
    const PROFILE: u16 = 2;
    match name {
        "subsampled.jpg" | "lossy.webp" => DCT + CHROMA,
        "p3.jpg" => DCT + PROFILE,
        // One library interpolates its four-dimensional table by tetrahedra, the
        // other in each direction: 1 more at seven points a side.
        "cmyk_profile.jpg" => DCT + PROFILE + 1,
        "p3.png" | "grey_profile.png" | "linear.png" => PROFILE,
        _ if name.split('.').next_back() == Some("jpg") => DCT,
        _ => 0,
    }
}

#[test]
fn every_sample_is_what_pillow_sees() {
    let mut wrong = Vec::new();
    for (name, bytes) in samples() {
        let picture = match decode(&bytes, &Limits::default()) {
            Ok(picture) => picture,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let want = answer(&name);
        let got = (picture.size(), picture.channels().count(), picture.depth());
        if got != (want.size, want.channels, want.depth) {
            let want = (want.size, want.channels, want.depth);
            wrong.push(format!("{name}: got {got:?}, want {want:?}"));
            continue;
        }
        let pairs = || values(&picture).into_iter().zip(want.values.iter().copied());
        // Colour under full transparency means nothing to some codecs: all keep it here.
        let off = pairs().map(|(a, b)| a.abs_diff(b)).max().unwrap();
        if off > tolerance(&name) {
            let at = pairs().position(|(a, b)| a.abs_diff(b) == off).unwrap();
            let (a, b) = pairs().nth(at).unwrap();
            wrong.push(format!("{name}: off by {off} at value {at}: got {a}, want {b}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn headers_say_format_and_stored_size() {
    for (name, bytes) in samples() {
        let probe = identify(&bytes).unwrap();
        assert_eq!([probe.width, probe.height], [23, 17], "{name}");
        let ending = name.rsplit('.').next().unwrap();
        assert_eq!(probe.format.extension(), ending, "{name}");
        assert_eq!(decode(&bytes, &Limits::default()).unwrap().source(), Some(probe.format));
    }
}

#[test]
fn content_decides_and_not_the_name() {
    assert_eq!(Format::of(b"GIF89a..."), Some(Format::Gif));
    assert!(decode(b"", &Limits::default()).is_err());
    let error = decode(b"not a picture at all", &Limits::default()).unwrap_err();
    assert!(error.to_string().starts_with("not a picture"), "{error}");
}

#[test]
fn metadata_tells_the_truth() {
    let samples = samples();
    for name in ["metadata.jpg", "metadata.png", "metadata.webp", "metadata.tif"] {
        let picture = decode(&samples[name], &Limits::default()).unwrap();
        let exif = picture.metadata().exif.as_deref().expect(name);
        assert!(exif.windows(12).any(|w| w == b"Sample Maker"), "{name}");
        assert_eq!(short(exif, 0x0112), Some(1), "{name}: orientation");
        if name != "metadata.tif" {
            let sides = [picture.width(), picture.height()].map(|side| Some(side as u16));
            assert_eq!([short(exif, 0xa002), short(exif, 0xa003)], sides, "{name}: dimensions");
            let xmp = String::from_utf8(picture.metadata().xmp.clone().expect(name)).unwrap();
            assert!(xmp.contains("tiff:Orientation=\"1\""), "{name}: {xmp}");
        }
    }
}

/// The first little- or big-endian SHORT under a tag, wherever it stands.
fn short(exif: &[u8], tag: u16) -> Option<u16> {
    let big = exif.starts_with(b"MM");
    let number = |b: &[u8]| {
        let b = [b[0], b[1]];
        if big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) }
    };
    exif.windows(12).find(|w| number(w) == tag && number(&w[2..]) == 3).map(|w| number(&w[8..]))
}

#[test]
fn grey_stays_grey() {
    let samples = samples();
    for (name, want) in [
        ("grey.jpg", Channels::Grey),
        ("grey.tif", Channels::Grey),
        ("grey_alpha.png", Channels::GreyAlpha),
        ("bilevel.tif", Channels::Grey),
    ] {
        assert_eq!(decode(&samples[name], &Limits::default()).unwrap().channels(), want, "{name}");
    }
}
