//! A picture's own lightness in other colours, at full size and without floats of all of it.

use rayon::prelude::*;

use crate::colour::{
    Level, compressed,
    gamut::{at, greatest_chroma, in_gamut},
};
use crate::guided::{Enlarged, Line};
use crate::{Channels, Guided, Picture, Pixels};

/// Pixels computed together.
const BLOCK: usize = 128;

/// The picture's lightness with the colours of `map`, their chroma times `saturation`: of the same
/// size, depth and transparency, with the same metadata; RGB even where the picture was grey.
///
/// Where no sRGB colour has that lightness and chroma, the chroma is reduced until one
/// has; lightness and hue stay.
pub fn with_chroma(picture: &Picture, map: &Guided, saturation: f32) -> Picture {
    let map = map.over(picture.size());
    let channels = if picture.channels().has_alpha() { Channels::Rgba } else { Channels::Rgb };
    let pixels = match picture.pixels() {
        Pixels::U8(values) => Pixels::U8(recoloured(values, picture, &map, saturation)),
        Pixels::U16(values) => Pixels::U16(recoloured(values, picture, &map, saturation)),
    };
    picture.recoloured(picture.size(), channels, pixels)
}

fn recoloured<T: Level>(
    values: &[T],
    picture: &Picture,
    map: &Enlarged<'_>,
    saturation: f32,
) -> Vec<T> {
    let width = picture.width();
    match picture.channels() {
        Channels::Grey => rows::<T, 1, 3>(values, width, map, saturation),
        Channels::GreyAlpha => rows::<T, 2, 4>(values, width, map, saturation),
        Channels::Rgb => rows::<T, 3, 3>(values, width, map, saturation),
        Channels::Rgba => rows::<T, 4, 4>(values, width, map, saturation),
    }
}

fn rows<T: Level, const FROM: usize, const TO: usize>(
    values: &[T],
    width: usize,
    map: &Enlarged<'_>,
    saturation: f32,
) -> Vec<T> {
    let from = values.as_chunks::<FROM>().0;
    let mut out = vec![T::default(); from.len() * TO];
    let to = out.as_chunks_mut::<TO>().0.par_chunks_mut(width).enumerate();
    to.zip(from.par_chunks(width)).for_each_init(Vec::new, |row, ((y, to), from)| {
        map.row(y, row);
        for (i, (to, from)) in to.chunks_mut(BLOCK).zip(from.chunks(BLOCK)).enumerate() {
            block((map, row, i * BLOCK), from, to, saturation);
        }
    });
    out
}

/// Up to [`BLOCK`] pixels: looked up, computed plane by plane so that it vectorises, looked up.
fn block<T: Level, const FROM: usize, const TO: usize>(
    (map, row, start): (&Enlarged<'_>, &[Line], usize),
    from: &[[T; FROM]],
    to: &mut [[T; TO]],
    saturation: f32,
) {
    let y = compressed_lightness(from);
    let [mut lightness, mut a, mut b] = [[0.0; BLOCK]; 3];
    lightness.iter_mut().zip(&y).for_each(|(l, y)| *l = 116.0 * y - 16.0);
    let n = from.len();
    map.along(row, start, &lightness[..n], [&mut a[..n], &mut b[..n]]);
    let [mut red, mut green, mut blue] = [[0.0; BLOCK]; 3];
    for i in 0..BLOCK {
        [a[i], b[i]] = [a[i] * saturation / 500.0, b[i] * saturation / -200.0];
        [red[i], green[i], blue[i]] = at([a[i], y[i], b[i]], 1.0);
    }
    let back = T::back();
    for (i, (to, from)) in to.iter_mut().zip(from).enumerate() {
        let mut light = [red[i], green[i], blue[i]];
        if !in_gamut(light) {
            let lab = [a[i], y[i], b[i]];
            light = at(lab, greatest_chroma(lab));
        }
        for (to, light) in to.iter_mut().zip(light) {
            *to = T::of_light(back, light);
        }
        if TO == 4 {
            to[3] = from[FROM - 1];
        }
    }
}

/// `f` of CIE Lab's definition of each pixel's luminance.
#[inline(always)]
fn compressed_lightness<T: Level, const C: usize>(from: &[[T; C]]) -> [f32; BLOCK] {
    let table = T::light();
    let [g, b] = if C < 3 { [0, 0] } else { [1, 2] };
    let mut light = [[0.0; BLOCK]; 3];
    for (i, pixel) in from.iter().enumerate().take(BLOCK) {
        light[0][i] = table[pixel[0].index()];
        light[1][i] = table[pixel[g].index()];
        light[2][i] = table[pixel[b].index()];
    }
    let mut out = [0.0; BLOCK];
    for i in 0..BLOCK {
        out[i] = compressed(1, [light[0][i], light[1][i], light[2][i]]);
    }
    out
}

/// Two pictures of one size side by side, in RGB, with transparency if either has it.
/// Depth and metadata are `right`'s.
///
/// # Panics
///
/// If their sizes or depths differ, or both together are wider than `u32::MAX`.
pub fn beside(left: &Picture, right: &Picture) -> Picture {
    assert_eq!(left.size(), right.size(), "side by side they are of one size");
    let alpha = left.channels().has_alpha() || right.channels().has_alpha();
    let channels = if alpha { Channels::Rgba } else { Channels::Rgb };
    let pixels = match (left.pixels(), right.pixels()) {
        (Pixels::U8(l), Pixels::U8(r)) => Pixels::U8(joined([l, r], [left, right], channels)),
        (Pixels::U16(l), Pixels::U16(r)) => Pixels::U16(joined([l, r], [left, right], channels)),
        _ => panic!("side by side they are of one depth"),
    };
    right.recoloured([right.height(), 2 * right.width()], channels, pixels)
}

fn joined<T: Level>(values: [&[T]; 2], pictures: [&Picture; 2], to: Channels) -> Vec<T> {
    let [height, width] = pictures[0].size();
    let mut out = Vec::with_capacity(height * width * 2 * to.count());
    for y in 0..height {
        for (values, picture) in values.iter().zip(pictures) {
            let channels = picture.channels();
            let n = channels.count();
            let row = &values[y * width * n..][..width * n];
            let [g, b] = if channels.is_grey() { [0, 0] } else { [1, 2] };
            for pixel in row.chunks_exact(n) {
                out.extend([pixel[0], pixel[g], pixel[b]]);
                if to.has_alpha() {
                    out.push(if channels.has_alpha() { pixel[n - 1] } else { T::FULL });
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GuidedOptions;
    use crate::colour::Lab;
    use tensor::Tensor;

    fn every_kind() -> Vec<Picture> {
        let kinds = [Channels::Grey, Channels::GreyAlpha, Channels::Rgb, Channels::Rgba];
        let of = |channels: Channels| {
            let n = 30 * 170 * channels.count();
            let eight = Pixels::U8((0..n).map(|i| (i * 7919 % 256) as u8).collect());
            let sixteen = Pixels::U16((0..n).map(|i| (i * 7919 % 65536) as u16).collect());
            [eight, sixteen].map(|pixels| Picture::new([30, 170], channels, pixels))
        };
        kinds.into_iter().flat_map(of).collect()
    }

    /// A map that gives every lightness the same colour.
    fn constant(ab: [f32; 2]) -> Guided {
        let colour = Tensor::new([1, 2, 2, 3], ab.map(|v| [v; 6]).concat());
        let lightness = Tensor::new([1, 1, 2, 3], vec![10.0, 30.0, 50.0, 60.0, 80.0, 90.0]);
        Guided::new(&lightness, &colour, GuidedOptions::default())
    }

    /// Half a step of 8 bits moves L by 0.5 at most where it is darkest, and ab by 3.
    #[test]
    fn lightness_stays_and_colours_are_the_maps() {
        for picture in every_kind() {
            for (saturation, want) in [(1.0, [12.0, -8.0]), (0.0, [0.0; 2]), (0.5, [6.0, -4.0])] {
                let got = with_chroma(&picture, &constant([12.0, -8.0]), saturation);
                assert_eq!((got.size(), got.depth()), (picture.size(), picture.depth()));
                let [was, is] = [&picture, &got].map(|p| Lab::of_picture(p).into_tensor());
                let n = 30 * 170;
                for i in 0..n {
                    let l = was.data()[i];
                    assert!((is.data()[i] - l).abs() < 0.5, "L {l} became {}", is.data()[i]);
                    if (30.0..90.0).contains(&l) {
                        for k in 0..2 {
                            let ab = is.data()[(k + 1) * n + i];
                            assert!((ab - want[k]).abs() < 1.5, "{ab} at {l} for {}", want[k]);
                        }
                    }
                }
            }
        }
    }

    /// Out of the gamut, chroma gives way: hue stays.
    #[test]
    fn hue_stays_out_of_the_gamut() {
        let ramp = Pixels::U8((0..=255).collect());
        let picture = Picture::new([1, 256], Channels::Grey, ramp);
        let got = Lab::of_picture(&with_chroma(&picture, &constant([80.0, 60.0]), 1.0));
        let data = got.tensor().data();
        for i in 20..250 {
            let [a, b] = [data[256 + i], data[512 + i]];
            if a.hypot(b) > 10.0 {
                let turned = (b.atan2(a) - 60f32.atan2(80.0)).to_degrees().abs();
                assert!(turned < 4.0, "hue off by {turned}° at step {i}");
            }
        }
    }

    #[test]
    fn transparency_stays() {
        for picture in every_kind() {
            let got = with_chroma(&picture, &constant([5.0, 5.0]), 1.0);
            let alphas = |p: &Picture| -> Vec<u32> {
                let n = p.channels().count();
                match p.pixels() {
                    Pixels::U8(v) => v.iter().skip(n - 1).step_by(n).map(|v| (*v).into()).collect(),
                    Pixels::U16(v) => {
                        v.iter().skip(n - 1).step_by(n).map(|v| (*v).into()).collect()
                    }
                }
            };
            assert_eq!(got.channels().has_alpha(), picture.channels().has_alpha());
            if got.channels().has_alpha() {
                assert_eq!(alphas(&got), alphas(&picture));
            }
        }
    }

    #[test]
    fn two_stand_side_by_side() {
        let left = Picture::new([2, 1], Channels::GreyAlpha, Pixels::U8(vec![1, 2, 3, 4]));
        let right = Picture::new([2, 1], Channels::Rgb, Pixels::U8(vec![5, 6, 7, 8, 9, 10]));
        let both = beside(&left, &right);
        let want = vec![1, 1, 1, 2, 5, 6, 7, 255, 3, 3, 3, 4, 8, 9, 10, 255];
        assert_eq!(both, Picture::new([2, 2], Channels::Rgba, Pixels::U8(want)));
    }
}
