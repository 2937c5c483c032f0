//! Every kind of bad input: its exit status, and a message that names the place and the remedy.

mod support;

use std::fs;

use support::Place;

#[test]
fn bad_pictures_fail_alone() {
    let place = Place::with_photo("in/good1.jpg", [40, 50]);
    let jpeg = fs::read(place.photo("in/good2.jpg", [40, 50])).unwrap();
    place.file("in/bad-cut.jpg", &jpeg[..jpeg.len() / 2]);
    place.file("in/bad-empty.png", b"");
    place.file("in/bad-text.png", b"hello, this is no picture at all");
    place.photo("in/bad-large.png", [60, 70]);
    let ran = place.stylize("in -o out --max-pixels 3000").ended(
        1,
        &[
            "bad-cut.jpg: truncated JPEG",
            "bad-empty.png: not a picture",
            "bad-text.png: not a picture",
            "bad-large.png: 70×60 pixels",
            "2 pictures done, 4 failed",
        ],
    );
    assert_eq!(place.files("out"), ["good1.jpg", "good2.jpg"], "{ran:?}");
}

#[test]
fn one_bad_picture_is_a_failure_too() {
    let place = Place::new();
    place.file("in.jpg", b"no");
    place.stylize("in.jpg -o out.jpg").ended(1, &["in.jpg: not a picture"]);
    assert!(!place.path("out.jpg").exists());
}

#[test]
fn too_little_memory_is_said_before_it_is_taken() {
    let place = Place::with_photo("in.png", [300, 400]);
    let ran = place.stylize("in.png -o out.png --max-memory 3M");
    let ran = ran.ended(1, &["400×300 pixels need about", "the limit is 3 MB", "--size"]);
    // The remedy that the message names does work.
    let size = ran.err.split("--size ").nth(1).unwrap().split(',').next().unwrap();
    place.stylize(&format!("in.png -o out.png --max-memory 3M --size {size}")).ended(0, &[]);
}

#[test]
fn wrong_flags_are_usage_errors() {
    let place = Place::with_photo("in.png", [20, 30]);
    place.photo("two.png", [20, 30]);
    for (words, message) in [
        ("in.png -o out.png --strength 1.5", "from 0 to 1"),
        ("in.png -o out.png --strokes 0.5", "from 1 to 16"),
        ("in.png -o out.png --strokes NaN", "from 1 to 16"),
        ("in.png -o out.png --margin 257", "from 0 to 256"),
        ("in.png -o out.png --deblock=-1", "from 0 to 64"),
        ("in.png -o out.png --grain 17", "from 0 to 16"),
        ("in.png -o out.png --size 0", "from 1 to 65535"),
        ("in.png -o out.png --threads 0", "--threads"),
        ("in.png -o out.png --quality 101", "--quality"),
        ("in.png -o out.png --format gif", "--format"),
        ("in.png -o out.png --max-memory lots", "such as 800M"),
        ("in.png -o out.png --colour", "--colour"),
        ("in.png", "--output"),
        ("-o out.png", "PICTURE|FOLDER"),
        ("in.png -o out.xyz", "xyz"),
        ("in.png -o out.png --format jpeg", "--format says JPEG"),
        ("in.png two.png -o out.png", "need a folder"),
        ("in.png -o in.png", "the input itself"),
        ("in.png two.png -o .", "the input itself"),
    ] {
        let ran = place.stylize(words).ended(2, &[message]);
        assert_eq!(ran.out, "", "{words}");
    }
}

#[test]
fn nothing_to_do_is_said() {
    let place = Place::new();
    place.file("in/notes.txt", b"no picture");
    place.photo("deep/er/a.png", [20, 30]);
    place.stylize("none.png -o out.png").ended(3, &["none.png", "no such file"]);
    place.stylize("none/ -o out").ended(3, &["none/", "no such file"]);
    place.stylize("in -o out").ended(3, &["no pictures found in in"]);
    place.stylize("deep -o out").ended(3, &["--recursive"]);
    assert!(!place.path("out").exists());
}

#[test]
fn a_missing_picture_does_not_stop_the_others() {
    let place = Place::with_photo("in.png", [20, 30]);
    place.stylize("in.png none.png -o out").ended(1, &["none.png: no such file", "1 picture done"]);
}

#[test]
fn styles_that_cannot_be_used() {
    let place = Place::with_photo("in.png", [20, 30]);
    let whole = fs::read(place.path("tiny.safetensors")).unwrap();
    place.file("cut.safetensors", &whole[..whole.len() - 100]);
    place.file("text.pth", b"hello, these are no weights");
    place.network("claims.safetensors", "lengstrom");
    for (style, message) in [
        ("no-such-style", "`pentimento styles`"),
        ("cut.safetensors", "cut.safetensors: "),
        ("text.pth", "text.pth: not a checkpoint"),
        ("in.png", "in.png: not a checkpoint"),
    ] {
        let words = ["stylize", "in.png", "-o", "out.png", "--style", style];
        place.run(&words).ended(4, &[message]);
    }
    assert!(!place.path("out.png").exists());
}

#[test]
fn a_mistyped_style_is_recognised() {
    let place = Place::with_photo("in.png", [20, 30]);
    let Some(style) = pentimento::pipeline::shipped().next() else { return };
    let mistyped = format!("{}x", style.name);
    let words = ["stylize", "in.png", "-o", "out.png", "--style", &mistyped];
    place.run(&words).ended(4, &["did you mean", style.name]);
}

#[test]
fn outputs_that_cannot_be_written() {
    let place = Place::with_photo("in.png", [20, 30]);
    place.file("file", b"");
    place.stylize("in.png -o file/out.png").ended(5, &["file/out.png", "cannot be written"]);
    place.stylize("in.png in.png -o file/out").ended(5, &["file/out", "cannot be written"]);
    place.stylize("in.png tiny.safetensors -o file").ended(2, &["is a file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    // /dev/full takes nothing; the report cannot be written to it.
    let place = Place::with_photo("in.png", [20, 30]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let words = ["stylize", "in.png", "-o", "out.png", "--style", "tiny.safetensors", "--json"];
    let output = place.command(&words).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
}
