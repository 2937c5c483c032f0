use super::definition::Case;
use super::*;
use crate::reference::{assert_close, noise};
use crate::{Affine, Gate};
use tensor::Tensor;

/// What a gradient of weights sums over: two sides, each with its border.
struct Sums {
    windows: Case,
    pixels: Case,
}

const NO_BORDER: [[usize; 2]; 2] = [[0; 2]; 2];

/// The weights of `[o, c, kh, kw]` on planes of this size, with a border that keeps it.
fn sums(shape: [usize; 4], size: [usize; 2]) -> Sums {
    let pad = [[shape[2] / 2; 2], [shape[3] / 2; 2]];
    let border = Border::Zero;
    Sums::of(Case { images: 1, shape, size, enlarge: 1, stride: 1, dilation: 1, pad, border })
}

impl Sums {
    /// As many pixels as a convolution gives.
    fn of(windows: Case) -> Self {
        let (size, shape) = (windows.out_size(), [1, windows.shape[0], 1, 1]);
        let pixels =
            Case { shape, size, enlarge: 1, pad: NO_BORDER, border: Border::Zero, ..windows };
        Self { windows, pixels }
    }

    fn change(self, change: impl FnOnce(Case) -> Case) -> Self {
        Self::of(change(self.windows))
    }

    fn of_images(self, images: usize) -> Self {
        self.change(|w| Case { images, ..w })
    }

    fn strided(self, stride: usize) -> Self {
        self.change(|w| Case { stride, ..w })
    }

    fn dilated(self, dilation: usize) -> Self {
        self.change(|w| Case { dilation, pad: w.pad.map(|p| p.map(|p| p * dilation)), ..w })
    }

    fn bordered(self, border: Border) -> Self {
        self.change(|w| Case { border, ..w })
    }

    /// The other way around, as few channels out are summed: the pixels have the
    /// border, and the windows one of zeros that reaches over them.
    fn swapped(self) -> Self {
        let [o, c, kh, kw] = self.windows.shape;
        let pad = [[kh - 1; 2], [kw - 1; 2]];
        let pixels = Case { shape: [1, c, 1, 1], ..self.windows };
        let (shape, border) = ([c, o, kh, kw], Border::Zero);
        Self { windows: Case { shape, pad, border, ..self.pixels }, pixels }
    }
}

/// All values of a case with its border: `[N, C]` planes and their size.
fn padded(case: &Case, values: &[f64]) -> (Vec<Vec<f64>>, [usize; 2]) {
    let size = [0, 1].map(|a| case.size[a] * case.enlarge + case.pad[a].iter().sum::<usize>());
    let plane = |n: usize, c: usize| {
        let places = (0..size[0] * size[1]).map(|i| [i / size[1], i % size[1]]);
        places.map(|at| case.pixel(values, [n, c], at)).collect()
    };
    let channels = case.shape[1];
    ((0..case.images * channels).map(|i| plane(i / channels, i % channels)).collect(), size)
}

/// The definition: `[o, c, kh, kw]`.
fn definition(Sums { windows, pixels }: &Sums, seen: [&[f64]; 2]) -> Vec<f64> {
    let ([o, c, kh, kw], stride) = (windows.shape, windows.stride);
    let (left, [_, wide]) = padded(windows, seen[0]);
    let (right, [height, width]) = padded(pixels, seen[1]);
    let one = |i: usize| {
        let (out, channel, [ky, kx]) =
            (i / (c * kh * kw), i / (kh * kw) % c, [i / kw % kh, i % kw]);
        let mut sum = 0.0;
        for image in 0..windows.images {
            let (left, right) = (&left[image * c + channel], &right[image * o + out]);
            for y in 0..height {
                let row = (y * stride + ky * windows.dilation) * wide + kx * windows.dilation;
                let row = left[row..].iter().step_by(stride);
                let pixels = &right[y * width..][..width];
                sum += pixels.iter().zip(row).map(|(g, x)| g * x).sum::<f64>();
            }
        }
        sum
    };
    (0..o * c * kh * kw).map(one).collect()
}

/// The definition of a bias's gradient: each channel's sum.
fn pixel_sums(pixels: &Case, seen: &[f64]) -> Vec<f64> {
    let (planes, channels) = (padded(pixels, seen).0, pixels.shape[1]);
    let of = |c: usize| planes.iter().skip(c).step_by(channels).flatten().sum();
    (0..channels).map(of).collect()
}

/// Channels as they are, or padded to a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Channels {
    Packed,
    Padded,
}

fn plane(case: &Case, values: &[f32], channels: Channels) -> Plane {
    let shape = [case.images, case.shape[1], case.size[0], case.size[1]];
    let packed = channels == Channels::Packed;
    let mut plane = if packed { Plane::packed(shape) } else { Plane::zeros(shape) };
    plane.fill_from(&Tensor::new(shape, values.to_vec()));
    plane
}

/// Plain, then with both sides seen through an affine map and a gate.
fn check(sums: &Sums) {
    let sides = [&sums.windows, &sums.pixels];
    let count = |case: &Case| case.images * case.shape[1] * case.size[0] * case.size[1];
    // Of two lengths, so that the sides are not alike.
    let values = [noise(count(sides[0])), noise(count(sides[1]) + 1)];
    let values = [&values[0][..], &values[1][..count(sides[1])]];
    for folded in [false, true] {
        let through = |x: f64| if folded { (0.5 * x + 0.25).max(0.0) } else { x };
        let seen = values.map(|v| v.iter().map(|&x| through(f64::from(x))).collect::<Vec<_>>());
        let want = definition(sums, [&seen[0], &seen[1]]);
        let bias = pixel_sums(&sums.pixels, &seen[1]);
        let narrow = sides.iter().any(|side| side.shape[1] < 4);
        let layouts = [Channels::Padded, Channels::Packed];
        for layout in &layouts[..if narrow { 2 } else { 1 }] {
            let planes = [0, 1].map(|i| {
                let packed = *layout == Channels::Packed && sides[i].shape[1] < 4;
                let layout = if packed { Channels::Packed } else { Channels::Padded };
                plane(sides[i], values[i], layout)
            });
            run(sums, (&planes, folded), [&want, &bias]);
        }
    }
}

fn run(sums: &Sums, (planes, folded): (&[Plane; 2], bool), [want, bias]: [&[f64]; 2]) {
    let sides = [&sums.windows, &sums.pixels];
    let affines =
        [0, 1].map(|i| Affine::constant(sides[i].images, planes[i].stride(), [0.5, 0.25]));
    let sources = [0, 1].map(|i| Source {
        plane: &planes[i],
        affine: folded.then_some(&affines[i]),
        gate: if folded { Gate::Relu } else { Gate::Linear },
        enlarge: sides[i].enlarge,
        front: None,
    });
    let paddings = sides.map(|s| Padding { down: s.pad[0], across: s.pad[1], border: s.border });
    let [windows, pixels] = [0, 1].map(|i| Side { source: &sources[i], padding: &paddings[i] });
    let Case { shape, stride, dilation, .. } = sums.windows;
    let terms: usize = [0, 1].map(|a| pixels.padding.grid(pixels.source).size(a)).iter().product();
    // F(4×4)'s transforms multiply rounding errors by up to 10² of their size, as forwards.
    let transformed = [shape[2], shape[3], stride, dilation] == [3, 3, 1, 1];
    let terms = sides[0].images * terms * if transformed { 8 } else { 1 };
    for level in Level::available() {
        let gradient = WeightGradient { shape, stride, dilation };
        let [got, sums] = gradient.with_bias(level, windows, pixels);
        assert_eq!((got.len(), sums.len()), (want.len(), bias.len()));
        assert_close(&got, |i| want[i], terms, level);
        assert_close(&sums, |i| bias[i], terms, level);
    }
}

impl Grid {
    fn size(&self, axis: usize) -> usize {
        [&self.rows, &self.columns][axis].len()
    }
}

#[test]
fn every_width_of_a_panel() {
    for o in [1, 16, 17, 20, 32, 48, 64] {
        check(&sums([o, 5, 3, 3], [7, 6]));
    }
    for c in [1, 3, 7, 8, 9, 16, 33] {
        check(&sums([16, c, 3, 3], [6, 9]).of_images(2));
    }
}

#[test]
fn one_pixel_and_one_tap() {
    check(&sums([16, 16, 1, 1], [1, 1]));
    check(&sums([20, 19, 1, 1], [9, 5]).of_images(3));
    check(&sums([16, 20, 3, 3], [1, 1]));
    check(&sums([16, 3, 1, 1], [8, 8]));
    check(&sums([16, 9, 1, 7], [4, 21]));
    check(&sums([16, 3, 5, 1], [21, 4]));
}

/// Several bands in a part, and parts that end within an image.
#[test]
fn many_rows() {
    check(&sums([16, 16, 3, 3], [300, 5]));
    check(&sums([48, 20, 3, 3], [37, 40]).bordered(Border::Reflect));
    check(&sums([32, 8, 3, 3], [7, 30]).of_images(5));
    check(&sums([64, 64, 3, 3], [33, 20]));
}

/// Tiles that reach beyond the plane, chunks that end within a row of tiles and cross images.
#[test]
fn tiles_that_are_not_filled() {
    check(&sums([16, 16, 3, 3], [13, 14]).of_images(3));
    check(&sums([33, 40, 3, 3], [18, 66]).of_images(2).bordered(Border::Replicate));
    check(&sums([16, 16, 3, 3], [40, 41]).change(|w| Case { pad: NO_BORDER, ..w }));
}

/// A band of one row, which is all that fits.
#[test]
fn wide_rows() {
    check(&sums([64, 64, 3, 3], [3, 900]));
    check(&sums([16, 3, 9, 9], [5, 1500]).bordered(Border::Reflect));
}

/// More weights than sums may take memory: fewer parts, more groups.
#[test]
fn many_channels() {
    check(&sums([512, 256, 3, 3], [4, 3]).of_images(2));
    check(&sums([512, 512, 3, 3], [3, 2]));
    check(&sums([300, 512, 1, 1], [6, 5]));
}

/// Sums of tiles that do not fit a core's own cache: some positions a task, then some channels.
#[test]
fn many_channels_of_tiles() {
    check(&sums([96, 64, 3, 3], [16, 13]).of_images(2));
    check(&sums([128, 120, 3, 3], [8, 16]).bordered(Border::Reflect));
    check(&sums([272, 250, 3, 3], [8, 15]));
    check(&sums([128, 120, 3, 3], [48, 47]));
}

#[test]
fn steps_and_distant_taps() {
    for (border, stride) in [(Border::Zero, 2), (Border::Reflect, 2), (Border::Replicate, 3)] {
        check(&sums([32, 20, 3, 3], [26, 31]).bordered(border).strided(stride));
        check(&sums([32, 3, 9, 9], [26, 31]).bordered(border).strided(stride));
    }
    check(&sums([48, 3, 11, 11], [45, 62]).strided(4).of_images(2));
    check(&sums([16, 16, 3, 3], [21, 33]).dilated(2));
    check(&sums([16, 3, 3, 3], [21, 33]).dilated(4));
    check(&sums([20, 17, 3, 3], [23, 18]).dilated(2).strided(2));
    check(&sums([16, 16, 2, 2], [12, 15]).change(|w| Case { pad: NO_BORDER, ..w }).strided(2));
    check(&sums([16, 16, 3, 3], [8, 9]).change(|w| Case { pad: [[0, 1]; 2], ..w }).strided(2));
}

#[test]
fn enlarged_windows() {
    let enlarged = |sums: Sums| sums.change(|w| Case { enlarge: 2, ..w });
    check(&enlarged(sums([32, 20, 3, 3], [9, 11])).bordered(Border::Reflect));
    check(&enlarged(sums([16, 3, 9, 9], [9, 11])).of_images(2));
}

#[test]
fn few_channels_out_the_other_way_around() {
    for border in [Border::Zero, Border::Reflect, Border::Replicate] {
        check(&sums([3, 32, 9, 9], [19, 40]).bordered(border).swapped());
    }
    check(&sums([3, 64, 3, 3], [19, 40]).of_images(2).swapped());
    check(&sums([1, 16, 9, 5], [8, 9]).swapped());
    check(&sums([4, 20, 1, 1], [8, 9]).swapped());
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    for [c, o] in [[24, 32], [96, 64], [128, 120]] {
        let shape = |channels: usize| [2, channels, 41, 30];
        let of = |channels: usize| {
            let values = noise(shape(channels).iter().product());
            let mut plane = Plane::zeros(shape(channels));
            plane.fill_from(&Tensor::new(shape(channels), values));
            plane
        };
        let (x, g) = (of(c), of(o));
        let none = Padding { down: [0; 2], across: [0; 2], border: Border::Zero };
        let one = Padding { down: [1; 2], across: [1; 2], border: Border::Reflect };
        for level in Level::available() {
            let run = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let windows = Side { source: &Source::plain(&x), padding: &one };
                let pixels = Side { source: &Source::plain(&g), padding: &none };
                let gradient = WeightGradient { shape: [o, c, 3, 3], stride: 1, dilation: 1 };
                pool.install(|| gradient.with_bias(level, windows, pixels))
            };
            let single = run(1);
            assert!([2, 5].into_iter().all(|threads| run(threads) == single), "{level:?}");
        }
    }
}
