//! Real photographs through a real network, where the folder `PENTIMENTO_MATERIAL` names has them.

mod support;

use std::path::PathBuf;

use pentimento::imaging::{Channels, Depth, Filter, Limits, Picture, decode_file, resize_tensor};
use pentimento::tensor::Tensor;
use support::Place;

/// `[1, 3, H, W]` with this many mirrored pixels all round.
fn surrounded(rgb: &Tensor, by: usize) -> Tensor {
    let [_, _, height, width] = rgb.shape4();
    let from = |i: usize, size: usize| match i {
        _ if i < by => by - i,
        _ if i < by + size => i - by,
        _ => 2 * (size - 1) - (i - by),
    };
    let (tall, wide) = (height + 2 * by, width + 2 * by);
    let value = |i: usize| {
        let (plane, y, x) = (i / (tall * wide), i / wide % tall, i % wide);
        rgb.data()[(plane * height + from(y, height)) * width + from(x, width)]
    };
    Tensor::new([1, 3, tall, wide], (0..3 * tall * wide).map(value).collect())
}

/// Mean of `rows` rows from row `y` on, between columns `x` and `-x`, in steps of 1/255.
fn mean(picture: &Picture, [y, x]: [usize; 2], rows: usize) -> f32 {
    let (rgb, [height, width]) = (picture.to_rgb_tensor(), picture.size());
    let row = |i: usize| {
        let (plane, y) = (i / rows, y + i % rows);
        &rgb.data()[(plane * height + y) * width..][x..width - x]
    };
    let sum: f32 = (0..3 * rows).flat_map(row).sum();
    sum / (3 * rows * (width - 2 * x)) as f32 * 255.0
}

#[test]
fn a_published_network_styles_a_photograph_up_to_its_edge() {
    const SURROUNDINGS: usize = 96;
    // Measured: 6 and 9 steps with the border that the command adds, 30 without one.
    const UNSEEN: f32 = 12.0;
    let Some(material) = std::env::var_os("PENTIMENTO_MATERIAL").map(PathBuf::from) else {
        eprintln!("skipped: PENTIMENTO_MATERIAL is not set");
        return;
    };
    let place = Place::new();
    let photo = material.join("photos/mixed/bsds_00001.jpg");
    let photo = decode_file(&photo, &Limits::default()).unwrap().to_rgb_tensor();
    let style = |rgb: &Tensor| {
        place.picture("in.png", &Picture::from_rgb_tensor(rgb, Depth::Eight));
        let words = ["stylize", "in.png", "-o", "out.png", "--overwrite", "--quiet", "--style"];
        let mut command = place.command(&words);
        assert!(
            command.arg(material.join("weights/lengstrom_wave.npz")).status().unwrap().success()
        );
        place.read("out.png")
    };
    for size in [[256, 256], [677, 1023]] {
        let photo = resize_tensor(&photo, size, Filter::default());
        let styled = style(&photo);
        assert_eq!((styled.size(), styled.channels()), (size, Channels::Rgb));
        let free = style(&surrounded(&photo, SURROUNDINGS));
        let edges = [mean(&styled, [0, 0], 4), mean(&free, [SURROUNDINGS; 2], 4)];
        assert!((edges[0] - edges[1]).abs() < UNSEEN, "{size:?}: {edges:?}");
    }
}
