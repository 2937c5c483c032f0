//! How long colour takes on a 24-megapixel picture. Said, not asserted: machines differ.
use std::time::Instant;

use imaging::colour::Lab;
use imaging::{Channels, Picture, Pixels};

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
