use rayon::prelude::*;
use tensor::Tensor;

use super::{Level, compressed, lab_of_compressed, lab_of_srgb, linear_of_lab, srgb_of_lab};
use crate::{Channels, Depth, Picture, Pixels};

/// Pictures in CIE Lab (D65, 2°): L in 0..=100, then a and b, about −110..=110.
///
/// A type of its own, so that nobody takes it for RGB.
///
/// ```
/// use imaging::{Channels, Picture, Pixels, colour::Lab};
///
/// let red = Picture::new([1, 1], Channels::Rgb, Pixels::U8(vec![255, 0, 0]));
/// let lab = Lab::of_picture(&red);
/// assert_eq!(lab.tensor().data().iter().map(|v| v.round()).collect::<Vec<_>>(), [53.0, 80.0, 67.0]);
/// assert_eq!(lab.to_picture(&red), red);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Lab(Tensor);

/// Pixels handled as one piece of parallel work.
const STRETCH: usize = 1 << 13;

/// Pixels whose light is looked up before any is computed with: looking up does not
/// vectorise, computing does.
const BLOCK: usize = 128;

impl Lab {
    /// Takes planes that hold Lab already.
    ///
    /// # Panics
    ///
    /// If they are not `[N, 3, H, W]`.
    pub fn new(planes: Tensor) -> Self {
        let [_, 3, ..] = planes.shape4() else {
            panic!("Lab is [N, 3, H, W], not {:?}", planes.shape());
        };
        Self(planes)
    }

    /// The picture's colours, `[1, 3, H, W]`; alpha is left out. Right to 10⁻³ in each
    /// value (a few 10⁻⁴), and [`Lab::to_picture`] gives 8-bit pictures back exactly.
    pub fn of_picture(picture: &Picture) -> Self {
        let [height, width] = picture.size();
        let mut planes = vec![0.0; 3 * height * width];
        match picture.pixels() {
            Pixels::U8(values) => of_values(values, picture.channels(), &mut planes),
            Pixels::U16(values) => of_values(values, picture.channels(), &mut planes),
        }
        Self(Tensor::new([1, 3, height, width], planes))
    }

    /// From `[N, 3, H, W]`, sRGB in 0..=1 (values beyond are clamped); right to 10⁻³.
    ///
    /// # Panics
    ///
    /// If `rgb` has another shape.
    pub fn of_rgb(rgb: &Tensor) -> Self {
        Self(mapped(rgb, |rgb| lab_of_srgb(rgb.map(|v| v.clamp(0.0, 1.0)))))
    }

    /// `[N, 3, H, W]`, sRGB, clamped to 0..=1.
    pub fn to_rgb(&self) -> Tensor {
        mapped(&self.0, srgb_of_lab)
    }

    /// The first of these pictures with `like`'s transparency, depth and metadata; rounded
    /// and clamped as in [`Picture::with_rgb_tensor`].
    ///
    /// # Panics
    ///
    /// If it is not of `like`'s size.
    #[must_use]
    pub fn to_picture(&self, like: &Picture) -> Picture {
        assert_eq!(self.0.shape()[2..], like.size(), "Lab and picture are of one size");
        let planes = split3(self.0.data(), like.width() * like.height());
        let channels = if like.channels().has_alpha() { Channels::Rgba } else { Channels::Rgb };
        let pixels = match like.pixels() {
            Pixels::U8(values) => Pixels::U8(to_values(planes, values, like.channels())),
            Pixels::U16(values) => Pixels::U16(to_values(planes, values, like.channels())),
        };
        like.recoloured(like.size(), channels, pixels)
    }

    /// An opaque picture without metadata of the first of these.
    pub fn into_picture(self, depth: Depth) -> Picture {
        Picture::from_rgb_tensor(&self.to_rgb(), depth)
    }

    /// `[N, 3, H, W]`: L, a, b.
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }

    /// Gives up the type.
    pub fn into_tensor(self) -> Tensor {
        self.0
    }
}

/// Three planes of one picture.
fn split3(data: &[f32], area: usize) -> [&[f32]; 3] {
    [&data[..area], &data[area..2 * area], &data[2 * area..3 * area]]
}

fn split3_mut(data: &mut [f32]) -> [&mut [f32]; 3] {
    let (first, rest) = data.split_at_mut(data.len() / 3);
    let (second, third) = rest.split_at_mut(first.len());
    [first, second, third]
}

/// `map` of every pixel of `[N, 3, H, W]`.
fn mapped(from: &Tensor, map: impl Fn([f32; 3]) -> [f32; 3] + Sync) -> Tensor {
    let [_, 3, height, width] = from.shape4() else {
        panic!("colours are [N, 3, H, W], not {:?}", from.shape());
    };
    let area = height * width;
    let mut to = Tensor::zeros(from.shape());
    for (from, to) in from.data().chunks(3 * area).zip(to.data_mut().chunks_mut(3 * area)) {
        let (from, [x, y, z]) = (split3(from, area), split3_mut(to));
        x.par_chunks_mut(STRETCH)
            .zip(y.par_chunks_mut(STRETCH).zip(z.par_chunks_mut(STRETCH)))
            .enumerate()
            .for_each(|(i, (x, (y, z)))| {
                let from = from.map(|plane| &plane[i * STRETCH..][..x.len()]);
                for i in 0..x.len() {
                    [x[i], y[i], z[i]] = map(from.map(|plane| plane[i]));
                }
            });
    }
    to
}

fn of_values<T: Level>(values: &[T], channels: Channels, planes: &mut [f32]) {
    match channels {
        Channels::Grey => of_pixels::<T, 1>(values, planes),
        Channels::GreyAlpha => of_pixels::<T, 2>(values, planes),
        Channels::Rgb => of_pixels::<T, 3>(values, planes),
        Channels::Rgba => of_pixels::<T, 4>(values, planes),
    }
}

fn of_pixels<T: Level, const C: usize>(values: &[T], planes: &mut [f32]) {
    let [l, a, b] = split3_mut(planes);
    values
        .as_chunks::<C>()
        .0
        .par_chunks(STRETCH)
        .zip(l.par_chunks_mut(STRETCH))
        .zip(a.par_chunks_mut(STRETCH).zip(b.par_chunks_mut(STRETCH)))
        .for_each(|((pixels, l), (a, b))| {
            let blocks = l.chunks_mut(BLOCK).zip(a.chunks_mut(BLOCK).zip(b.chunks_mut(BLOCK)));
            for (pixels, (l, (a, b))) in pixels.chunks(BLOCK).zip(blocks) {
                let [x, y, z] = compressed_lights(&lights(pixels));
                let f = x.iter().zip(&y).zip(&z);
                for (((l, a), b), ((&x, &y), &z)) in l.iter_mut().zip(a).zip(b).zip(f) {
                    [*l, *a, *b] = lab_of_compressed([x, y, z]);
                }
            }
        });
}

/// Linear light of up to [`BLOCK`] pixels; grey is all three.
#[inline(always)]
fn lights<T: Level, const C: usize>(pixels: &[[T; C]]) -> [[f32; BLOCK]; 3] {
    let table = T::light();
    let [g, b] = if C < 3 { [0, 0] } else { [1, 2] };
    let mut out = [[0.0; BLOCK]; 3];
    for (i, pixel) in pixels.iter().enumerate().take(BLOCK) {
        out[0][i] = table[pixel[0].index()];
        out[1][i] = table[pixel[g].index()];
        out[2][i] = table[pixel[b].index()];
    }
    out
}

/// `f` of X, Y and Z over white, plane by plane over whole blocks: so it vectorises.
#[inline(always)]
fn compressed_lights([red, green, blue]: &[[f32; BLOCK]; 3]) -> [[f32; BLOCK]; 3] {
    [0, 1, 2].map(|axis| {
        let mut out = [0.0; BLOCK];
        for i in 0..BLOCK {
            out[i] = compressed(axis, [red[i], green[i], blue[i]]);
        }
        out
    })
}

/// RGB, or RGBA where `original` has alpha.
fn to_values<T: Level>(planes: [&[f32]; 3], original: &[T], channels: Channels) -> Vec<T> {
    let alpha = |i: usize| original[i * channels.count() + channels.count() - 1];
    if channels.has_alpha() {
        to_pixels::<T, 4>(planes, alpha)
    } else {
        to_pixels::<T, 3>(planes, alpha)
    }
}

fn to_pixels<T: Level, const C: usize>(
    planes: [&[f32]; 3],
    alpha: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let mut values = vec![T::default(); planes[0].len() * C];
    let stretches = values.as_chunks_mut::<C>().0.par_chunks_mut(STRETCH).enumerate();
    stretches.for_each(|(i, pixels)| {
        let back = T::back();
        for (j, pixels) in pixels.chunks_mut(BLOCK).enumerate() {
            let from = i * STRETCH + j * BLOCK;
            let light = lights_of_lab(planes.map(|plane| &plane[from..][..pixels.len()]));
            for (k, pixel) in pixels.iter_mut().enumerate() {
                for c in 0..3 {
                    pixel[c] = T::of_light(back, light[c][k]);
                }
                if C == 4 {
                    pixel[3] = alpha(from + k);
                }
            }
        }
    });
    values
}

#[inline(always)]
fn lights_of_lab([l, a, b]: [&[f32]; 3]) -> [[f32; BLOCK]; 3] {
    let [mut red, mut green, mut blue] = [[0.0; BLOCK]; 3];
    let light = red.iter_mut().zip(&mut green).zip(&mut blue);
    for ((((r, g), b), (&l, &a)), &lab_b) in light.zip(l.iter().zip(a)).zip(b) {
        [*r, *g, *b] = linear_of_lab([l, a, lab_b]);
    }
    [red, green, blue]
}
