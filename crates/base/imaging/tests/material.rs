//! Real pictures, where a folder of them is at hand: `PENTIMENTO_MATERIAL`.
//!
//! `cargo test -p pentimento-imaging --test material -- --ignored --nocapture` prints
//! timings as well, and leaves what it wrote in the folder `IMAGING_OUT`, to be looked at.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "skips and timings are to be read")]

use std::{env, fs, path::PathBuf, time::Instant};

use imaging::{
    Effort, EncodeOptions, Filter, Fit, Format, Limits, Picture, decode, decode_file, encode,
    keep_colours, resize_tensor,
};

fn material() -> Option<PathBuf> {
    let folder = env::var_os("PENTIMENTO_MATERIAL").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: PENTIMENTO_MATERIAL is not set");
    }
    folder
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn real_pictures_decode_and_come_back() {
    let Some(folder) = material() else { return };
    let folders = ["pictures", "styles", "photos/mixed"].map(|name| folder.join(name));
    let paths = folders.into_iter().flat_map(|f| files(f).into_iter().take(40));
    for path in paths.filter(|p| p.extension().is_some_and(|e| e == "jpg" || e == "png")) {
        let picture = decode_file(&path, &Limits::default())
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let png = encode(
            &picture,
            Format::Png,
            &EncodeOptions { effort: Effort::Fast, ..EncodeOptions::default() },
        );
        let back = decode(&png.unwrap(), &Limits::default()).unwrap();
        assert_eq!(back.pixels(), picture.pixels(), "{}", path.display());
    }
}

/// Time on a CPU of all threads together: what a busy machine still measures well.
fn cpu_time() -> f64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|line| line.split(' ').next()?.parse::<f64>().ok())
        .sum::<f64>()
        * 1e-6
}

fn timed<T>(what: &str, op: impl Fn() -> T) -> T {
    let (mut wall, mut cpu) = (f64::INFINITY, f64::INFINITY);
    let mut result = None;
    for _ in 0..5 {
        let (start, used) = (Instant::now(), cpu_time());
        result = Some(op());
        wall = wall.min(start.elapsed().as_secs_f64() * 1e3);
        cpu = cpu.min(cpu_time() - used);
    }
    println!("{what:<20} {wall:8.2} ms, {cpu:8.2} ms of CPU");
    result.unwrap()
}

fn timings(picture: &Picture, label: &str) {
    println!("── {label}");
    let options = EncodeOptions::default();
    let jpeg = timed("encode JPEG", || encode(picture, Format::Jpeg, &options).unwrap());
    timed("decode JPEG", || decode(&jpeg, &Limits::default()).unwrap());
    let fast = EncodeOptions { effort: Effort::Fast, ..options };
    let options = EncodeOptions { effort: Effort::Balanced, ..options };
    let png = timed("encode PNG", || encode(picture, Format::Png, &options).unwrap());
    let quick = timed("encode PNG, fast", || encode(picture, Format::Png, &fast).unwrap());
    println!("JPEG {} PNG {} fast {} bytes", jpeg.len(), png.len(), quick.len());
    timed("decode PNG", || decode(&png, &Limits::default()).unwrap());
    let rgb = timed("to tensor", || picture.to_rgb_tensor());
    timed("from tensor", || picture.with_rgb_tensor(&rgb));
    timed("keep colours", || keep_colours(&rgb, &rgb));
    timed("half, Lanczos", || resize_tensor(&rgb, picture.size().map(|s| s / 2), Filter::Lanczos3));
}

#[test]
#[ignore = "prints timings and writes pictures to be looked at"]
fn timings_and_looks() {
    let Some(folder) = material() else { return };
    let photo =
        decode_file(&folder.join("pictures/creative_commons_elephant.jpg"), &Limits::default())
            .unwrap();
    let rgb = photo.to_rgb_tensor();
    for (size, label) in [([680, 1024], "1024×680"), ([3000, 4000], "4000×3000")] {
        timings(&photo.with_rgb_tensor(&resize_tensor(&rgb, size, Filter::CatmullRom)), label);
    }
    let Some(out) = env::var_os("IMAGING_OUT").map(PathBuf::from) else { return };
    let style = files(folder.join("styles"))[0].clone();
    let style = decode_file(&style, &Limits::default()).unwrap().to_rgb_tensor();
    let small = Fit::Long(640).size(photo.size());
    let style = resize_tensor(&style, small, Filter::Lanczos3);
    let content = resize_tensor(&rgb, small, Filter::Lanczos3);
    for (name, picture) in [
        ("content.jpg", photo.with_rgb_tensor(&content)),
        ("style.png", photo.with_rgb_tensor(&style)),
        ("kept.png", photo.with_rgb_tensor(&keep_colours(&style, &content))),
        ("kept_other_way.png", photo.with_rgb_tensor(&keep_colours(&content, &style))),
    ] {
        imaging::encode_file(&picture, &out.join(name), &EncodeOptions::default()).unwrap();
    }
}
