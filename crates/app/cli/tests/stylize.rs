//! What `pentimento stylize` makes of good pictures.

mod support;

use pentimento::imaging::{Channels, Depth, Picture, Pixels};
use support::{Place, picture};

fn rgb(picture: &Picture) -> Vec<f32> {
    picture.to_rgb_tensor().into_data()
}

/// Mean difference, in steps of 1/255.
fn distance(a: &Picture, b: &Picture) -> f32 {
    let (a, b) = (rgb(a), rgb(b));
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32 * 255.0
}

#[test]
fn every_size_comes_back_at_its_own() {
    let place = Place::new();
    for size in [[1, 1], [1, 7], [3, 50], [16, 16], [33, 47], [67, 101]] {
        place.photo("in.png", size);
        place.stylize("in.png -o out.png --overwrite").ended(0, &["out.png"]);
        assert_eq!(place.read("out.png").size(), size);
    }
}

#[test]
fn every_network_does_it() {
    let place = Place::new();
    let photo = place.read(place.photo("in.png", [45, 62]).to_str().unwrap());
    for name in ["transformer_net", "imfw_net", "lengstrom"] {
        place.network("net.safetensors", name);
        let words = ["stylize", "in.png", "--style", "net.safetensors", "-o", "out.png"];
        place.run(&[&words[..], &["--overwrite"]].concat()).ended(0, &[]);
        let styled = place.read("out.png");
        assert_eq!(styled.size(), photo.size(), "{name}");
        assert!(distance(&styled, &photo) > 4.0, "{name} did nothing");
    }
}

#[test]
fn transparency_and_depth_stay() {
    let place = Place::new();
    let shape = picture([20, 30], Channels::Rgba);
    place.picture("in.png", &shape);
    place.stylize("in.png -o out.png").ended(0, &[]);
    let styled = place.read("out.png");
    let alpha = |p: &Picture| match p.pixels() {
        Pixels::U8(v) => v.iter().skip(3).step_by(4).copied().collect::<Vec<u8>>(),
        Pixels::U16(_) => panic!("8 bits became 16"),
    };
    assert_eq!(alpha(&styled), alpha(&shape));

    let values = (0..20 * 30 * 3u16).map(|i| i * 30).collect();
    place.picture("deep.png", &Picture::new([20, 30], Channels::Rgb, Pixels::U16(values)));
    place.stylize("deep.png -o deep-out.png").ended(0, &[]);
    assert_eq!(place.read("deep-out.png").depth(), Depth::Sixteen);
    place.picture("grey.png", &picture([20, 30], Channels::Grey));
    place.stylize("grey.png -o grey-out.png").ended(0, &[]);
    assert_eq!(place.read("grey-out.png").channels(), Channels::Rgb);
}

#[test]
fn metadata_is_carried_over() {
    let place = Place::new();
    // A TIFF header and one directory: ImageDescription, "Pic".
    let exif = b"II\x2a\0\x08\0\0\0\x01\0\x0e\x01\x02\0\x04\0\0\0Pic\0\0\0\0\0";
    let mut metadata = pentimento::imaging::Metadata::default();
    metadata.exif = Some(exif.to_vec());
    metadata.xmp = Some(b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>".to_vec());
    let photo = picture([20, 30], Channels::Rgb).with_metadata(metadata);
    for name in ["in.jpg", "in.png"] {
        place.picture(name, &photo);
        let out = name.replace("in", "out");
        place.stylize(&format!("{name} -o {out}")).ended(0, &[]);
        let styled = place.read(&out);
        let exif = styled.metadata().exif.clone().unwrap_or_default();
        assert!(exif.windows(3).any(|w| w == b"Pic"), "{name}: EXIF lost");
        assert!(styled.metadata().xmp.is_some(), "{name}: XMP lost");
    }
}

#[test]
fn strength_goes_from_the_photograph_to_the_style() {
    let place = Place::new();
    let photo = place.read(place.photo("in.png", [40, 56]).to_str().unwrap());
    let at = |strength: &str| {
        place.stylize(&format!("in.png -o {strength}.png --strength {strength}")).ended(0, &[]);
        place.read(&format!("{strength}.png"))
    };
    let (none, half, full) = (at("0"), at("0.5"), at("1"));
    assert_eq!(none.pixels(), photo.pixels());
    let (near, far) = (distance(&half, &photo), distance(&full, &photo));
    // Rounding moves each value by at most half a step in either picture.
    assert!((near * 2.0 - far).abs() <= 2.0, "{near} is not half of {far}");
}

#[test]
fn strokes_can_be_larger_in_a_picture_of_the_same_size() {
    let place = Place::new();
    let photo = place.read(place.photo("in.png", [60, 84]).to_str().unwrap());
    let with = |strokes: &str| {
        place.stylize(&format!("in.png -o {strokes}.png --strokes {strokes}")).ended(0, &[]);
        place.read(&format!("{strokes}.png"))
    };
    place.stylize("in.png -o once.png").ended(0, &[]);
    let (once, fine, large) = (place.read("once.png"), with("1"), with("3"));
    assert_eq!(once.pixels(), fine.pixels());
    assert_eq!(large.size(), photo.size());
    assert!(distance(&large, &fine) > 1.0, "painted over, and it is the same");
}

#[test]
fn what_a_network_from_elsewhere_is_shown_is_only_changed_on_request() {
    let place = Place::new();
    place.photo("in.jpg", [60, 84]);
    let with = |flags: &str| {
        place.stylize(&format!("in.jpg -o out.png --overwrite {flags}")).ended(0, &[]);
        place.read("out.png")
    };
    let own = with("");
    let none = with("--strokes 1 --margin 0 --deblock 0 --grain 0");
    assert_eq!(own.pixels(), none.pixels());
    for flag in ["--margin 8", "--deblock 8", "--grain 4"] {
        assert_ne!(with(flag).pixels(), own.pixels(), "{flag} changed nothing");
    }
}

#[test]
fn kept_colours_leave_a_grey_photograph_grey() {
    let place = Place::new();
    place.picture("in.png", &picture([40, 56], Channels::Grey));
    place.stylize("in.png -o out.png --keep-colors").ended(0, &[]);
    let styled = place.read("out.png");
    for v in match styled.pixels() {
        Pixels::U8(v) => v.chunks_exact(3),
        Pixels::U16(_) => panic!("8 bits became 16"),
    } {
        let spread = v.iter().max().unwrap() - v.iter().min().unwrap();
        assert!(spread <= 1, "{v:?} is not grey");
    }
}

#[test]
fn size_is_the_longer_side() {
    let place = Place::with_photo("wide.png", [30, 60]);
    place.photo("tall.png", [60, 45]);
    place.stylize("wide.png tall.png -o out --size 40").ended(0, &[]);
    assert_eq!(place.read("out/wide.png").size(), [20, 40]);
    assert_eq!(place.read("out/tall.png").size(), [40, 30]);
    place.stylize("wide.png -o large.png --size 90").ended(0, &[]);
    assert_eq!(place.read("large.png").size(), [45, 90]);
}

#[test]
fn threads_do_not_change_a_bit() {
    let place = Place::with_photo("in.png", [70, 90]);
    for n in 1..=3 {
        place.stylize(&format!("in.png -o {n}.png --threads {n}")).ended(0, &[]);
    }
    let bytes = |n: &str| std::fs::read(place.path(n)).unwrap();
    assert_eq!(bytes("1.png"), bytes("2.png"));
    assert_eq!(bytes("1.png"), bytes("3.png"));
}

#[test]
fn formats_follow_the_name_or_the_flag() {
    let place = Place::with_photo("in.png", [20, 30]);
    for (name, magic) in
        [("a.jpg", &b"\xff\xd8"[..]), ("a.webp", b"RIFF"), ("a.tif", b"II"), ("a.bmp", b"BM")]
    {
        place.stylize(&format!("in.png -o {name}")).ended(0, &[]);
        assert!(std::fs::read(place.path(name)).unwrap().starts_with(magic), "{name}");
    }
    place.stylize("in.png -o folder --format jpeg --quality 30").ended(0, &[]);
    place.stylize("in.png -o better/ --format jpg --quality 95").ended(0, &[]);
    let size = |n: &str| std::fs::metadata(place.path(n)).unwrap().len();
    assert!(size("folder/in.jpg") < size("better/in.jpg"));
}

#[test]
fn a_folder_is_mirrored_and_gone_on_with() {
    let place = Place::new();
    for name in ["in/a.png", "in/deep/er/b.jpg", "in/.hidden/c.png"] {
        place.photo(name, [20, 30]);
    }
    place.file("in/notes.txt", b"no picture");
    place.stylize("in -o out").ended(0, &["out/a.png: 30×20"]);
    assert_eq!(place.files("out"), ["a.png"]);
    let before = std::fs::metadata(place.path("out/a.png")).unwrap().modified().unwrap();
    place.stylize("in -o out -r").ended(0, &["1 picture done", "1 already there"]);
    assert_eq!(place.files("out"), ["a.png", "deep/er/b.jpg"]);
    let after = std::fs::metadata(place.path("out/a.png")).unwrap().modified().unwrap();
    assert_eq!(before, after);
    place.stylize("in -o out -r --overwrite").ended(0, &["2 pictures done"]);
}

#[test]
fn the_report_has_every_picture() {
    let place = Place::with_photo("in/a.png", [20, 30]);
    place.file("in/b.png", b"not a picture");
    place.photo("in/c.png", [20, 30]);
    place.photo("out/c.png", [20, 30]);
    let ran = place.stylize("in -o out --json --quiet").ended(1, &["b.png"]);
    let report = ran.json();
    for (key, want) in [("version", 1), ("done", 1), ("skipped", 1), ("failed", 1), ("left", 0)] {
        assert_eq!(report[key], want, "{key}");
    }
    assert_eq!(report["interrupted"], false);
    assert!(report["seconds"].as_f64().unwrap() > 0.0);
    let pictures = report["pictures"].as_array().unwrap();
    let column = |key: &str| pictures.iter().map(|p| p[key].to_string()).collect::<Vec<_>>();
    assert_eq!(column("status"), [r#""done""#, r#""failed""#, r#""skipped""#]);
    assert_eq!(column("input"), [r#""in/a.png""#, r#""in/b.png""#, r#""in/c.png""#]);
    assert_eq!(column("output"), [r#""out/a.png""#, r#""out/b.png""#, r#""out/c.png""#]);
    assert_eq!(column("size"), ["[30,20]", "null", "null"]);
    assert!(pictures[0]["ms"].is_u64() && pictures[0]["error"].is_null());
    assert!(pictures[1]["error"].as_str().unwrap().contains("not a picture"));
}

#[test]
fn quiet_is_quiet() {
    let place = Place::with_photo("in.png", [20, 30]);
    let ran = place.stylize("in.png -o out.png --quiet").ended(0, &[]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
}
