//! What is written comes back: pixels, depth, alpha, metadata, and a tag that says sRGB.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::PathBuf, process};

use imaging::{
    Channels, Depth, EncodeOptions, Format, ImagingError, Limits, Picture, Pixels, decode, encode,
    encode_file,
};

fn sample(name: &str) -> Picture {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../../../golden/imaging", name].iter().collect();
    decode(&fs::read(path).unwrap(), &Limits::default()).unwrap()
}

fn again(picture: &Picture, format: Format) -> Picture {
    let bytes = encode(picture, format, &EncodeOptions::default()).unwrap();
    decode(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{format}: {e}"))
}

const ALL: [Format; 5] = [Format::Jpeg, Format::Png, Format::WebP, Format::Tiff, Format::Bmp];

#[test]
fn lossless_formats_keep_pixels_depth_and_alpha() {
    for name in [
        "plain.png",
        "alpha.png",
        "deep.png",
        "deep_alpha.png",
        "grey.png",
        "deep_grey.png",
        "grey_alpha.png",
    ] {
        let picture = sample(name);
        for format in [Format::Png, Format::Tiff] {
            let back = again(&picture, format);
            assert_eq!(back.channels(), picture.channels(), "{name} as {format}");
            assert_eq!(back.pixels(), picture.pixels(), "{name} as {format}");
        }
    }
    for name in ["plain.png", "alpha.png"] {
        let picture = sample(name);
        for format in [Format::WebP, Format::Bmp] {
            assert_eq!(again(&picture, format).pixels(), picture.pixels(), "{name} as {format}");
        }
    }
}

#[test]
fn eight_bit_formats_take_everything() {
    for name in ["deep_alpha.png", "deep_grey.png", "grey_alpha.png", "grey.jpg", "cmyk.jpg"] {
        let picture = sample(name);
        for format in ALL {
            assert_eq!(again(&picture, format).size(), picture.size(), "{name} as {format}");
        }
    }
}

/// Quality 92 quantises to steps of at most 16 (chroma's coarsest), so a smooth picture is
/// off by at most half a step of a few coefficients.
#[test]
fn jpeg_is_close_and_grey_stays_grey() {
    let picture = sample("plain.png");
    let back = again(&picture, Format::Jpeg);
    let (Pixels::U8(a), Pixels::U8(b)) = (picture.pixels(), back.pixels()) else { panic!("depth") };
    let off = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(off <= Some(8), "off by {off:?}");
    assert_eq!(again(&sample("grey.png"), Format::Jpeg).channels(), Channels::Grey);
}

#[test]
fn metadata_comes_back() {
    for name in ["metadata.jpg", "metadata.png", "metadata.webp"] {
        let picture = sample(name);
        for format in [Format::Jpeg, Format::Png, Format::WebP, Format::Tiff] {
            let back = again(&picture, format);
            let (got, want) = (back.metadata(), picture.metadata());
            assert_eq!(got.xmp, want.xmp, "{name} as {format}");
            if format == Format::Tiff {
                let exif = got.exif.as_deref().expect("EXIF");
                // Rewritten, with the exposure time (two SHORTs) in a directory of its own.
                assert!(exif.windows(12).any(|w| w == b"Sample Maker"), "{name} as {format}");
                let exposure = [1u16.to_ne_bytes(), 50u16.to_ne_bytes()].concat();
                assert!(exif.windows(4).any(|w| w == exposure), "{name} as {format}");
            } else {
                assert_eq!(got.exif, want.exif, "{name} as {format}");
            }
        }
    }
    let tiff = sample("metadata.tif");
    let once = again(&tiff, Format::Tiff); // gains a resolution, then stays as it is
    assert_eq!(again(&once, Format::Tiff).metadata(), once.metadata());
}

#[test]
fn the_output_says_that_it_is_srgb() {
    for picture in [sample("p3.png"), sample("grey.png")] {
        for format in [Format::Jpeg, Format::Tiff, Format::WebP] {
            assert!(again(&picture, format).metadata().source_icc.is_some(), "{format}");
        }
        let png = encode(&picture, Format::Png, &EncodeOptions::default()).unwrap();
        assert!(png.windows(4).any(|w| w == b"sRGB"));
    }
    // Tagged or not, the same colours come back: nothing is converted twice.
    let picture = sample("p3.png");
    assert_eq!(again(&again(&picture, Format::Tiff), Format::Png).pixels(), picture.pixels());
}

#[test]
fn transparent_pixels_become_white_in_jpeg() {
    let clear = Picture::new([8, 8], Channels::Rgba, Pixels::U8([200, 0, 0, 0].repeat(64)));
    let Pixels::U8(values) = again(&clear, Format::Jpeg).pixels().clone() else { panic!("depth") };
    assert!(values.iter().all(|&v| v >= 254), "{values:?}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let wide = Picture::new([1, 70_000], Channels::Grey, Pixels::U8(vec![0; 70_000]));
    for format in [Format::Jpeg, Format::WebP] {
        let error = encode(&wide, format, &EncodeOptions::default()).unwrap_err();
        assert!(matches!(error, ImagingError::DoesNotFit { .. }), "{error}");
    }
    assert!(encode(&wide, Format::Png, &EncodeOptions::default()).is_ok());
    assert!(encode(&wide, Format::Gif, &EncodeOptions::default()).is_err());
}

#[test]
fn files_are_written_by_their_ending() {
    let folder = std::env::temp_dir().join(format!("imaging-{}-endings", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let picture = sample("deep_alpha.png");
    for (name, format) in
        [("a.JPG", Format::Jpeg), ("a.png", Format::Png), ("a.tiff", Format::Tiff)]
    {
        encode_file(&picture, &folder.join(name), &EncodeOptions::default()).unwrap();
        assert_eq!(imaging::identify_file(&folder.join(name)).unwrap().format, format);
    }
    let back = imaging::decode_file(&folder.join("a.tiff"), &Limits::default()).unwrap();
    assert_eq!((back.depth(), back.pixels()), (Depth::Sixteen, picture.pixels()));
    let error =
        encode_file(&picture, &folder.join("a.xyz"), &EncodeOptions::default()).unwrap_err();
    assert!(error.to_string().contains(".png"), "{error}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    fs::remove_dir_all(folder).unwrap();
}
