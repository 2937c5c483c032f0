//! Between integer pixels and planes of floats.

use rayon::prelude::*;
use tensor::Tensor;

use crate::{Channels, Depth, Filter, Picture, Pixels, resize_tensor};

/// Pixels handled as one piece of parallel work: enough to be worth a thread's while.
const STRETCH: usize = 1 << 15;

impl Picture {
    /// The colours as `[1, 3, H, W]`, sRGB in 0..=1.
    ///
    /// Grey fills all three planes. Alpha is left out, and the colour under
    /// transparent pixels is taken as it is stored.
    pub fn to_rgb_tensor(&self) -> Tensor {
        let [height, width] = self.size();
        let mut data = vec![0.0; 3 * height * width];
        match self.pixels() {
            Pixels::U8(values) => split(values, self.channels(), &mut data),
            Pixels::U16(values) => split(values, self.channels(), &mut data),
        }
        Tensor::new([1, 3, height, width], data)
    }

    /// This picture with other colours: same alpha, depth, metadata and source.
    ///
    /// `rgb` is `[1, 3, H, W]`, sRGB in 0..=1, of any size; where its size is not
    /// the picture's, alpha is resampled to it and the EXIF block's pixel
    /// dimensions follow. The result is [`Rgb`](Channels::Rgb) or
    /// [`Rgba`](Channels::Rgba) even where the picture was grey. Values are
    /// clamped, then rounded to the nearest step, halves away from zero; NaN
    /// becomes 0.
    ///
    /// # Panics
    ///
    /// If `rgb` is not `[1, 3, H, W]` with `H` and `W` at least 1.
    #[must_use]
    pub fn with_rgb_tensor(&self, rgb: &Tensor) -> Self {
        let size = picture_size(rgb);
        let channels = if self.channels().has_alpha() { Channels::Rgba } else { Channels::Rgb };
        let mut pixels = match self.pixels() {
            Pixels::U8(_) => Pixels::U8(joined(rgb.data(), channels)),
            Pixels::U16(_) => Pixels::U16(joined(rgb.data(), channels)),
        };
        match (&mut pixels, self.pixels()) {
            (Pixels::U8(to), Pixels::U8(from)) => self.put_alpha(from, to, size),
            (Pixels::U16(to), Pixels::U16(from)) => self.put_alpha(from, to, size),
            _ => {}
        }
        self.recoloured(size, channels, pixels)
    }

    /// A picture without alpha or metadata, from `[1, 3, H, W]` sRGB in 0..=1;
    /// values are rounded as in [`with_rgb_tensor`](Self::with_rgb_tensor).
    ///
    /// # Panics
    ///
    /// As [`with_rgb_tensor`](Self::with_rgb_tensor).
    pub fn from_rgb_tensor(rgb: &Tensor, depth: Depth) -> Self {
        let pixels = match depth {
            Depth::Eight => Pixels::U8(joined(rgb.data(), Channels::Rgb)),
            Depth::Sixteen => Pixels::U16(joined(rgb.data(), Channels::Rgb)),
        };
        Self::new(picture_size(rgb), Channels::Rgb, pixels)
    }

    /// Writes this picture's alpha, from its values `from`, into the RGBA values `to`.
    fn put_alpha<T: Value>(&self, from: &[T], to: &mut [T], size: [usize; 2]) {
        if !self.channels().has_alpha() {
            return;
        }
        let channels = self.channels().count();
        let alphas = from.iter().skip(channels - 1).step_by(channels);
        let targets = to.iter_mut().skip(3).step_by(4);
        if size == self.size() {
            targets.zip(alphas).for_each(|(to, &from)| *to = from);
        } else {
            let [height, width] = self.size();
            let alpha = Tensor::new([1, 1, height, width], alphas.map(|v| v.light()).collect());
            let alpha = resize_tensor(&alpha, size, Filter::Triangle);
            targets.zip(alpha.data()).for_each(|(to, &from)| *to = T::of_light(from));
        }
    }
}

/// Height and width of `[1, 3, H, W]`.
fn picture_size(rgb: &Tensor) -> [usize; 2] {
    let [1, 3, height, width] = *rgb.shape() else {
        panic!("a picture is [1, 3, H, W], not {:?}", rgb.shape())
    };
    [height, width]
}

/// One channel of a pixel.
pub(crate) trait Value: Copy + Default + Send + Sync {
    /// To 0..=1.
    fn light(self) -> f32;
    /// From 0..=1: clamped, nearest, NaN to 0 (a cast to integer does that).
    fn of_light(light: f32) -> Self;
}

impl Value for u8 {
    #[inline(always)]
    fn light(self) -> f32 {
        f32::from(self) / 255.0
    }
    #[inline(always)]
    fn of_light(light: f32) -> Self {
        (light.clamp(0.0, 1.0) * 255.0 + 0.5) as Self
    }
}

impl Value for u16 {
    #[inline(always)]
    fn light(self) -> f32 {
        f32::from(self) / 65535.0
    }
    #[inline(always)]
    fn of_light(light: f32) -> Self {
        (light.clamp(0.0, 1.0) * 65535.0 + 0.5) as Self
    }
}

/// Pixels to three planes, which lie one after the other in `planes`.
fn split<T: Value>(values: &[T], channels: Channels, planes: &mut [f32]) {
    match channels {
        Channels::Grey => split_pixels::<T, 1>(values, planes),
        Channels::GreyAlpha => split_pixels::<T, 2>(values, planes),
        Channels::Rgb => split_pixels::<T, 3>(values, planes),
        Channels::Rgba => split_pixels::<T, 4>(values, planes),
    }
}

fn split_pixels<T: Value, const C: usize>(values: &[T], planes: &mut [f32]) {
    let pixels = values.as_chunks::<C>().0;
    let (red, rest) = planes.split_at_mut(pixels.len());
    let (green, blue) = rest.split_at_mut(pixels.len());
    let [g, b] = if C < 3 { [0, 0] } else { [1, 2] };
    pixels
        .par_chunks(STRETCH)
        .zip(red.par_chunks_mut(STRETCH))
        .zip(green.par_chunks_mut(STRETCH).zip(blue.par_chunks_mut(STRETCH)))
        .for_each(|((pixels, red), (green, blue))| {
            for (((pixel, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
                *red = pixel[0].light();
                *green = pixel[g].light();
                *blue = pixel[b].light();
            }
        });
}

/// Three planes to pixels; alpha, if `channels` has it, is full.
fn joined<T: Value>(planes: &[f32], channels: Channels) -> Vec<T> {
    let mut values = vec![T::default(); planes.len() / 3 * channels.count()];
    if channels.has_alpha() {
        join_pixels::<T, 4>(planes, &mut values);
    } else {
        join_pixels::<T, 3>(planes, &mut values);
    }
    values
}

fn join_pixels<T: Value, const C: usize>(planes: &[f32], values: &mut [T]) {
    let pixels = values.as_chunks_mut::<C>().0;
    let (red, rest) = planes.split_at(pixels.len());
    let (green, blue) = rest.split_at(pixels.len());
    pixels
        .par_chunks_mut(STRETCH)
        .zip(red.par_chunks(STRETCH))
        .zip(green.par_chunks(STRETCH).zip(blue.par_chunks(STRETCH)))
        .for_each(|((pixels, red), (green, blue))| {
            for (((pixel, &red), &green), &blue) in pixels.iter_mut().zip(red).zip(green).zip(blue)
            {
                let colour = [red, green, blue].map(T::of_light);
                pixel[..3].copy_from_slice(&colour);
                if C == 4 {
                    pixel[3] = T::of_light(1.0);
                }
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_survives_the_way_through_floats() {
        let eight = Pixels::U8((0..=255).flat_map(|v| [v, 255 - v, v]).collect());
        let picture = Picture::new([16, 16], Channels::Rgb, eight);
        assert_eq!(picture.with_rgb_tensor(&picture.to_rgb_tensor()), picture);
        let sixteen = Pixels::U16((0..=65535).flat_map(|v| [v, 65535 - v, v]).collect());
        let picture = Picture::new([256, 256], Channels::Rgb, sixteen);
        assert_eq!(picture.with_rgb_tensor(&picture.to_rgb_tensor()), picture);
    }

    #[test]
    fn values_are_clamped_rounded_and_never_nan() {
        let rgb = [-1.0, f32::NAN, 2.0, 127.4 / 255.0, 127.5 / 255.0, 0.999];
        let rgb = Tensor::new([1, 3, 1, 2], rgb.to_vec());
        let picture = Picture::from_rgb_tensor(&rgb, Depth::Eight);
        assert_eq!(picture.pixels(), &Pixels::U8(vec![0, 255, 128, 0, 127, 255]));
    }

    #[test]
    fn grey_fills_three_planes_and_alpha_stays_beside() {
        let picture = Picture::new([1, 2], Channels::GreyAlpha, Pixels::U8(vec![51, 7, 255, 0]));
        let rgb = picture.to_rgb_tensor();
        assert_eq!(rgb.data(), [0.2, 1.0, 0.2, 1.0, 0.2, 1.0]);
        let back = picture.with_rgb_tensor(&rgb);
        assert_eq!(back.channels(), Channels::Rgba);
        assert_eq!(back.pixels(), &Pixels::U8(vec![51, 51, 51, 7, 255, 255, 255, 0]));
    }

    #[test]
    fn alpha_follows_another_size() {
        let alphas = [0, 0, 65535, 65535].map(|a| [9, 9, 9, a]);
        let picture = Picture::new([2, 2], Channels::Rgba, Pixels::U16(alphas.concat()));
        let large = picture.with_rgb_tensor(&Tensor::zeros([1, 3, 4, 2]));
        let Pixels::U16(values) = large.pixels() else { panic!("depth changed") };
        let alphas: Vec<u16> = values.iter().skip(3).step_by(4).copied().collect();
        assert_eq!((large.size(), large.depth()), ([4, 2], Depth::Sixteen));
        assert_eq!(alphas, [0, 0, 16384, 16384, 49151, 49151, 65535, 65535]);
    }

    /// More than one stretch, and a last one that is short.
    #[test]
    fn stretches_join() {
        let n = 2 * STRETCH + 7;
        let values: Vec<u8> = (0..3 * n).map(|i| (i * 31 % 251) as u8).collect();
        let picture = Picture::new([1, n], Channels::Rgb, Pixels::U8(values.clone()));
        let rgb = picture.to_rgb_tensor();
        for (i, v) in values.iter().enumerate().step_by(97) {
            let got = rgb.data()[i % 3 * n + i / 3];
            assert_eq!(got.to_bits(), (f32::from(*v) / 255.0).to_bits(), "value {i}");
        }
        assert_eq!(picture.with_rgb_tensor(&rgb), picture);
    }
}
