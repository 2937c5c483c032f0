//! How long colour takes on a 24-megapixel picture. Said, not asserted: machines differ.
use std::time::Instant;

use imaging::colour::Lab;
use imaging::{Channels, Filter, Guided, GuidedOptions, Picture, Pixels, with_chroma};
use tensor::Tensor;

const SIZE: [usize; 2] = [4000, 6000];

#[test]
#[ignore = "a measurement: run it alone, with --release, on a quiet machine"]
fn lab_and_back() {
    let values = (0..SIZE[0] * SIZE[1] * 3).map(|i| (i * 7919 % 256) as u8).collect();
    let picture = Picture::new(SIZE, Channels::Rgb, Pixels::U8(values));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        for _ in 0..3 {
            let start = Instant::now();
            let lab = Lab::of_picture(&picture);
            let there = start.elapsed();
            let back = lab.to_picture(&picture);
            eprintln!("to Lab {there:?}, and back {:?}", start.elapsed());
            assert!(back == picture);
        }
    });
}

#[test]
#[ignore = "a measurement: run it alone, with --release, on a quiet machine"]
fn enlarged_colours() {
    let values = (0..SIZE[0] * SIZE[1]).map(|i| (i / 6000 / 32 + i % 6000 / 48) as u8).collect();
    let picture = Picture::new(SIZE, Channels::Grey, Pixels::U8(values));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        for _ in 0..3 {
            let start = Instant::now();
            let small = picture.to_rgb_tensor_of([512, 768], Filter::Triangle);
            let reduced = start.elapsed();
            let lightness = Lab::of_rgb(&small).into_tensor().into_data();
            let lightness = Tensor::new([1, 1, 512, 768], lightness[..512 * 768].to_vec());
            let ab = (0..2 * 512 * 768).map(|i| (i % 60) as f32 - 30.0).collect();
            let ab = Tensor::new([1, 2, 512, 768], ab);
            let map = Guided::new(&lightness, &ab, GuidedOptions::default());
            let guided = start.elapsed();
            let coloured = with_chroma(&picture, &map, 1.0);
            eprintln!("reduced {reduced:?}, guided {guided:?}, coloured {:?}", start.elapsed());
            assert_eq!(coloured.size(), SIZE);
        }
    });
}
