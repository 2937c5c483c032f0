//! Colour science held to scikit-image: `golden/colour/`.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::io::Read;
use std::process::{Command, Stdio};

use imaging::colour::{
    Lab, grey_of_srgb, lab_of_srgb, lab_of_xyz, linear_of_srgb, linear_of_xyz, srgb_of_lab,
    xyz_of_lab, xyz_of_linear,
};
use imaging::{Channels, Picture, Pixels};
use rayon::prelude::*;
use tensor::Tensor;
use testing::{Golden, golden_path};

/// What is promised.
const LAB: f32 = 1e-3;

/// Half a step of 16 bits.
const HALF_A_STEP: f32 = 0.5 / 65535.0;

fn golden(name: &str) -> Vec<f32> {
    Golden::open("colour/lab.safetensors").unwrap().get(name).unwrap().data().to_vec()
}

fn triples(values: &[f32]) -> Vec<[f32; 3]> {
    values.as_chunks::<3>().0.to_vec()
}

fn assert_close(what: &str, got: [f32; 3], want: [f32; 3], allowed: f32) {
    for (g, w) in got.into_iter().zip(want) {
        assert!((g - w).abs() <= allowed, "{what}: got {got:?}, want {want:?}");
    }
}

fn picture(bytes: &[f32]) -> Picture {
    let values: Vec<u8> = bytes.iter().map(|&v| v as u8).collect();
    Picture::new([1, values.len() / 3], Channels::Rgb, Pixels::U8(values))
}

#[test]
fn colours_are_scikit_images() {
    let srgb: Vec<[f32; 3]> =
        triples(&golden("bytes").iter().map(|v| v / 255.0).collect::<Vec<_>>());
    let (lab, xyz, grey) = (triples(&golden("lab")), triples(&golden("xyz")), golden("grey"));
    for (i, &rgb) in srgb.iter().enumerate() {
        let linear = rgb.map(linear_of_srgb);
        assert_close("Lab", lab_of_srgb(rgb), lab[i], LAB);
        // The curve is right to 2⁻¹⁹ of at most 1.09.
        assert_close("XYZ", xyz_of_linear(linear), xyz[i], 2.5e-6);
        assert_close("Lab of XYZ", lab_of_xyz(xyz[i]), lab[i], LAB);
        // Rows of the inverse hold 5.3 in all: as many roundings of at most 1.09.
        assert_close("light of XYZ", linear_of_xyz(xyz[i]), linear, 6.0 * 2.5e-6);
        assert!((grey_of_srgb(rgb) - grey[i]).abs() < 3e-7, "grey of {rgb:?}");
    }
}

#[test]
fn the_way_back_is_scikit_images_in_and_out_of_the_gamut() {
    let (xyz, rgb) = (triples(&golden("to_xyz")), triples(&golden("to_rgb")));
    for (i, lab) in triples(&golden("from_lab")).into_iter().enumerate() {
        assert_close("XYZ", xyz_of_lab(lab), xyz[i], 4e-6);
        assert_close("sRGB", srgb_of_lab(lab), rgb[i], HALF_A_STEP * 4.0);
    }
}

#[test]
fn a_picture_is_its_pixels() {
    let bytes = golden("bytes");
    let picture = picture(&bytes);
    let lab = Lab::of_picture(&picture);
    let n = bytes.len() / 3;
    let of_floats = Lab::of_rgb(&picture.to_rgb_tensor());
    for (i, want) in triples(&golden("lab")).into_iter().enumerate() {
        for lab in [&lab, &of_floats] {
            assert_close("pixel", [0, 1, 2].map(|c| lab.tensor().data()[c * n + i]), want, LAB);
        }
    }
    assert_eq!(lab.to_picture(&picture), picture);
    assert_eq!(of_floats.into_picture(imaging::Depth::Eight), picture);
}

/// Grey, alpha, 16 bits, and more pixels than one stretch.
#[test]
fn every_kind_of_picture_comes_back() {
    let n = 20_011;
    for channels in [Channels::Grey, Channels::GreyAlpha, Channels::Rgb, Channels::Rgba] {
        let count = channels.count();
        let eight = Pixels::U8((0..n * count).map(|i| (i * 7919 % 256) as u8).collect());
        let sixteen = Pixels::U16((0..n * count).map(|i| (i * 7919 % 65536) as u16).collect());
        for (pixels, allowed) in [(eight, 0.0), (sixteen, 2.1)] {
            let picture = Picture::new([1, n], channels, pixels);
            let back = Lab::of_picture(&picture).to_picture(&picture);
            let scale = if allowed > 0.0 { 65535.0 } else { 255.0 };
            let [was, is] = [&picture, &back].map(Picture::to_rgb_tensor);
            for (was, is) in was.data().iter().zip(is.data()) {
                // In 16 bits the darkest channel of a vivid colour may be two steps off.
                assert!((was - is).abs() * scale <= allowed, "{channels:?}: {is} for {was}");
            }
            assert_eq!(back.channels().has_alpha(), channels.has_alpha());
            if channels == Channels::Rgba {
                assert!(alphas(&picture) == alphas(&back));
            }
        }
    }
}

fn alphas(picture: &Picture) -> Vec<u16> {
    match picture.pixels() {
        Pixels::U8(v) => v.iter().skip(3).step_by(4).map(|&v| v.into()).collect(),
        Pixels::U16(v) => v.iter().skip(3).step_by(4).copied().collect(),
    }
}

#[test]
fn threads_change_nothing() {
    let n = 30_000;
    let values = (0..3 * n).map(|i| (i * 104_729 % 256) as u8).collect();
    let picture = Picture::new([n / 100, 100], Channels::Rgb, Pixels::U8(values));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Lab::of_picture(&picture))
    };
    assert_eq!(on(1), on(3));
}

#[test]
#[should_panic(expected = "Lab is [N, 3, H, W]")]
fn lab_has_three_planes() {
    let _ = Lab::new(Tensor::zeros([1, 2, 1, 1]));
}

/// All 16.7 million, against numbers that scikit-image computes meanwhile.
#[test]
#[ignore = "PENTIMENTO_GOLDENS_PYTHON must name a Python with scikit-image"]
fn every_colour_is_scikit_images_and_comes_back() {
    let python = std::env::var_os("PENTIMENTO_GOLDENS_PYTHON").unwrap();
    let script = golden_path("colour/every_colour.py");
    let mut child = Command::new(python).arg(script).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let [mut worst, mut worst_of_floats] = [0.0f32; 2];
    for red in 0..=255u8 {
        let mut raw = vec![0; 65536 * 12];
        out.read_exact(&mut raw).unwrap();
        let want: Vec<f32> = raw.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        let bytes: Vec<u8> =
            (0..65536u32).flat_map(|i| [red, (i >> 8) as u8, (i & 255) as u8]).collect();
        let picture = Picture::new([256, 256], Channels::Rgb, Pixels::U8(bytes.clone()));
        let lab = Lab::of_picture(&picture);
        assert!(lab.to_picture(&picture) == picture, "red {red} does not come back");
        let off = |got: &(dyn Fn(usize) -> [f32; 3] + Sync)| {
            let of = |i: usize| {
                let got = got(i);
                (0..3).map(|c| (got[c] - want[3 * i + c]).abs()).fold(0.0, f32::max)
            };
            (0..65536).into_par_iter().map(of).reduce(|| 0.0, f32::max)
        };
        worst = worst.max(off(&|i| [0, 1, 2].map(|c| lab.tensor().data()[c * 65536 + i])));
        let float = |i: usize| {
            let rgb = [0, 1, 2].map(|c| f32::from(bytes[3 * i + c]) / 255.0);
            let lab = lab_of_srgb(rgb);
            let back = srgb_of_lab(lab).map(|v| (v * 255.0 + 0.5) as u8);
            assert_eq!(back, bytes[3 * i..3 * i + 3], "through floats");
            lab
        };
        worst_of_floats = worst_of_floats.max(off(&float));
    }
    assert!(child.wait().unwrap().success());
    eprintln!("largest difference: {worst} from bytes, {worst_of_floats} from floats");
    assert!(worst <= LAB && worst_of_floats <= LAB);
}
