use imaging::{Channels, Depth, EncodeOptions, Format, Limits, Pixels};

use super::*;

const HALF: [usize; 2] = [24, 36];
const WHOLE: [usize; 2] = [48, 72];

fn passes(sizes: &[[usize; 2]]) -> Passes {
    Passes { sizes: sizes.to_vec(), margin: 8, grain: 0.0 }
}

fn stylizer() -> Stylizer {
    Stylizer::new(Style::open("udnie").unwrap())
}

/// Soft waves, so that something is left of it at half the size.
fn photograph([height, width]: [usize; 2]) -> Tensor {
    let value = |i: usize| ((i % width) as f32 / 7.0).sin() * ((i / width) as f32 / 9.0).cos();
    let values = (0..3 * height * width).map(|i| 0.5 + 0.4 * value(i)).collect();
    Tensor::new([1, 3, height, width], values)
}

#[test]
fn larger_strokes_are_a_painting_of_a_smaller_painting() {
    let (mut stylizer, rgb) = (stylizer(), photograph(WHOLE));
    let mut paint = |sizes: &[[usize; 2]], rgb: &Tensor| {
        stylizer.coarse_to_fine(rgb, &passes(sizes), &mut |_| true).unwrap()
    };
    let small = paint(&[HALF], &resize_tensor(&rgb, HALF, Filter::default()));
    let over = paint(&[WHOLE], &resize_tensor(&small, WHOLE, Filter::CatmullRom));
    assert_eq!(paint(&[HALF, WHOLE], &rgb), over);
    assert_ne!(paint(&[WHOLE], &rgb), over);
}

/// Later passes paint over a painting, which has strokes.
#[test]
fn grain_is_in_what_the_first_painting_is_made_from() {
    let (mut stylizer, rgb) = (stylizer(), photograph(WHOLE));
    let mut paint = |sizes: &[[usize; 2]], grain, rgb: &Tensor| {
        let passes = Passes { grain, ..passes(sizes) };
        stylizer.coarse_to_fine(rgb, &passes, &mut |_| true).unwrap()
    };
    let mut small = resize_tensor(&rgb, HALF, Filter::default());
    let plain = paint(&[HALF], 0.0, &small);
    add_grain(&mut small, 3.0);
    let grained = paint(&[HALF], 0.0, &small);
    assert_ne!(grained, plain);
    let over = paint(&[WHOLE], 0.0, &resize_tensor(&grained, WHOLE, Filter::CatmullRom));
    assert_eq!(paint(&[HALF, WHOLE], 3.0, &rgb), over);
    let mut whole = rgb.clone();
    add_grain(&mut whole, 3.0);
    assert_eq!(paint(&[WHOLE], 3.0, &rgb), paint(&[WHOLE], 0.0, &whole));
}

/// The line along the edge is in the margin, which is cut off.
#[test]
fn what_is_painted_over_is_painted_with_a_margin() {
    let (mut stylizer, rgb) = (stylizer(), photograph(WHOLE));
    let (of, around) = (stylizer.style.fit, [WHOLE[0] + 16, WHOLE[1] + 16]);
    let wide = of.frame(WHOLE, 8).fill(&rgb, &graph::Encoding::UNIT);
    let mut paint = |sizes, margin, rgb: &Tensor| {
        let sizes = vec![sizes];
        let passes = Passes { sizes, margin, grain: 0.0 };
        stylizer.coarse_to_fine(rgb, &passes, &mut |_| true).unwrap()
    };
    let (whole, within) = (paint(around, 0, &wide), paint(WHOLE, 8, &rgb));
    let line = |t: &Tensor, [height, width]: [usize; 2], y: usize, x: usize| {
        t.data()[..height * width][y * width + x..][..WHOLE[1]].to_vec()
    };
    for y in 0..WHOLE[0] {
        assert_eq!(line(&within, WHOLE, y, 0), line(&whole, around, y + 8, 8), "row {y}");
    }
}

#[test]
fn a_style_that_ships_sees_a_jpeg_without_its_blocks_and_strength_is_of_the_picture() {
    let picture = Picture::from_rgb_tensor(&photograph(WHOLE), Depth::Eight);
    let file = imaging::encode(&picture, Format::Jpeg, &EncodeOptions::default()).unwrap();
    let picture = imaging::decode(&file, &Limits::default()).unwrap();
    let (mut stylizer, rgb) = (stylizer(), picture.to_rgb_tensor());
    let smooth = deblock(&rgb, 4.0);
    let own = StylizeOptions::default();
    assert_eq!(stylizer.deblocked(&picture, &rgb, &own), Some(smooth.clone()));
    let none = StylizeOptions { deblock: Some(0.0), ..own };
    assert_eq!(stylizer.deblocked(&picture, &rgb, &none), None);
    let large = StylizeOptions { size: Some(2 * WHOLE[1]), ..own };
    let seen = stylizer.deblocked(&picture, &scaled(&picture, [96, 144]), &large).unwrap();
    assert_eq!(seen, resize_tensor(&smooth, [96, 144], Filter::default()));

    let painted = stylizer.stylize(&picture, &own).unwrap();
    let passes = Passes { sizes: vec![WHOLE], margin: 24, grain: 1.0 };
    let want = stylizer.coarse_to_fine(&smooth, &passes, &mut |_| true).unwrap();
    assert_eq!(painted, picture.with_rgb_tensor(&want));
    let weak = StylizeOptions { strength: 0.0, ..own };
    assert_eq!(stylizer.stylize(&picture, &weak).unwrap(), picture);
}

#[test]
fn progress_goes_through_all_sizes_once() {
    let (mut stylizer, rgb) = (stylizer(), photograph(WHOLE));
    let mut told = vec![];
    let mut watch = |done| {
        told.push(done);
        true
    };
    stylizer.coarse_to_fine(&rgb, &passes(&[HALF, WHOLE]), &mut watch).unwrap();
    let near = |done: f64, what: f64| (done - what).abs() < 1e-9;
    assert!(told.is_sorted() && near(*told.last().unwrap(), 1.0), "{told:?}");
    // the first size is a quarter of the second, a fifth of both
    assert!(told.iter().any(|done| near(*done, 0.2)), "{told:?}");
    let mut watch = |done| done < 0.5;
    let stopped = stylizer.coarse_to_fine(&rgb, &passes(&[HALF, WHOLE]), &mut watch);
    assert!(matches!(stopped, Err(PipelineError::Stopped)), "{stopped:?}");
}

#[test]
fn strokes_without_end_are_refused_before_they_are_counted() {
    let stylizer = stylizer();
    let options = StylizeOptions { strokes: Some(f32::INFINITY), ..StylizeOptions::default() };
    let values = Pixels::U8(vec![0; 3 * 8 * 8]);
    let picture = Picture::new([8, 8], Channels::Rgb, values);
    let wrong = |e: &PipelineError| matches!(e, PipelineError::Option { option: "strokes", .. });
    assert!(stylizer.expect(&picture, &options).is_err_and(|e| wrong(&e)));
    assert!(stylizer.memory([8, 8], &options).is_err_and(|e| wrong(&e)));
}

#[test]
fn memory_is_that_of_the_last_size_and_a_painting() {
    let stylizer = stylizer();
    let of = |strokes, memory| StylizeOptions {
        strokes: Some(strokes),
        memory,
        ..StylizeOptions::default()
    };
    let once = stylizer.memory([400, 600], &of(1.0, u64::MAX)).unwrap();
    let twice = stylizer.memory([400, 600], &of(2.0, u64::MAX)).unwrap();
    assert!(twice - once >= 400 * 600 * OVER_A_PAINTING, "{once} {twice}");
    let refused = stylizer.memory([400, 600], &of(2.0, once));
    let Err(PipelineError::Memory { need, limit, size: Some(size), .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!([need, limit], [twice, once]);
    let fitting = StylizeOptions { size: Some(size), ..of(2.0, once) };
    assert!(size < 600 && stylizer.memory([400, 600], &fitting).is_ok(), "{size}");
}
