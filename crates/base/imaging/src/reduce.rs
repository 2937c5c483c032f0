//! A picture at another size, without the whole of it in floats in between.

use rayon::prelude::*;
use tensor::Tensor;

use crate::convert::Value;
use crate::resize::{Taps, taps};
use crate::{Filter, Picture, Pixels};

impl Picture {
    /// The colours at another size, as `[1, 3, height, width]`, sRGB in 0..=1; alpha is left out.
    ///
    /// The same as [`resize_tensor`](crate::resize_tensor) of [`Picture::to_rgb_tensor`], clamped,
    /// up to rounding; but it takes no more memory than the result and a few rows, however large
    /// the picture is.
    ///
    /// # Panics
    ///
    /// If a side is 0.
    pub fn to_rgb_tensor_of(&self, size: [usize; 2], filter: Filter) -> Tensor {
        assert!(size.iter().all(|side| *side > 0), "a side of no pixels");
        let plan = Plan {
            down: taps(self.height(), size[0], filter),
            across: taps(self.width(), size[1], filter),
            channels: self.channels().count(),
            colours: if self.channels().is_grey() { 1 } else { 3 },
        };
        match self.pixels() {
            Pixels::U8(values) => plan.run(values, self.width()),
            Pixels::U16(values) => plan.run(values, self.width()),
        }
    }
}

struct Plan {
    down: Vec<Taps>,
    across: Vec<Taps>,
    /// Values a pixel, and how many of them are colours.
    channels: usize,
    colours: usize,
}

impl Plan {
    fn run<T: Value>(&self, values: &[T], width: usize) -> Tensor {
        let row = width * self.channels;
        let size = [self.down.len(), self.across.len()];
        let mut out = Tensor::zeros([1, 3, size[0], size[1]]);
        let (red, rest) = out.data_mut().split_at_mut(size[0] * size[1]);
        let (green, blue) = rest.split_at_mut(red.len());
        red.par_chunks_mut(size[1])
            .zip(green.par_chunks_mut(size[1]).zip(blue.par_chunks_mut(size[1])))
            .zip(&self.down)
            .for_each_init(
                || vec![0.0; row],
                |sums, ((red, (green, blue)), taps)| {
                    sums.fill(0.0);
                    let rows = values.chunks_exact(row).skip(taps.start);
                    for (from, weight) in rows.zip(&taps.weights) {
                        sums.iter_mut().zip(from).for_each(|(sum, v)| *sum += v.light() * weight);
                    }
                    for (c, plane) in [red, green, blue].into_iter().enumerate() {
                        self.across(sums, c.min(self.colours - 1), plane);
                    }
                },
            );
        out
    }

    /// One row of one colour.
    fn across(&self, sums: &[f32], colour: usize, out: &mut [f32]) {
        for (value, taps) in out.iter_mut().zip(&self.across) {
            let run = sums[taps.start * self.channels + colour..].iter().step_by(self.channels);
            let sum: f32 = run.zip(&taps.weights).map(|(v, weight)| v * weight).sum();
            *value = sum.clamp(0.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Channels, resize_tensor};

    /// Sums of up to a few dozen values of at most 1.
    const ROUNDING: f32 = 64.0 * f32::EPSILON;

    #[test]
    fn the_same_as_by_way_of_floats() {
        for channels in [Channels::Grey, Channels::GreyAlpha, Channels::Rgb, Channels::Rgba] {
            let n = 37 * 53 * channels.count();
            let eight = Pixels::U8((0..n).map(|i| (i * 7919 % 256) as u8).collect());
            let sixteen = Pixels::U16((0..n).map(|i| (i * 7919 % 65536) as u16).collect());
            for pixels in [eight, sixteen] {
                let picture = Picture::new([37, 53], channels, pixels);
                for size in [[37, 53], [9, 14], [80, 20], [1, 1]] {
                    for filter in [Filter::Triangle, Filter::Lanczos3] {
                        let got = picture.to_rgb_tensor_of(size, filter);
                        let want = resize_tensor(&picture.to_rgb_tensor(), size, filter);
                        assert_eq!(got.shape(), want.shape());
                        for (got, want) in got.data().iter().zip(want.data()) {
                            let want = want.clamp(0.0, 1.0);
                            assert!((got - want).abs() <= ROUNDING, "{channels:?} {size:?}");
                        }
                    }
                }
            }
        }
    }
}
