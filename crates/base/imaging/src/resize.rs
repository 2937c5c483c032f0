use rayon::prelude::*;
use tensor::Tensor;

/// How samples are weighed when the size changes. All are widened when
/// shrinking, so that nothing aliases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Linear interpolation; never overshoots.
    Triangle,
    /// Cubic with a = −½: sharp, with hardly any ringing.
    CatmullRom,
    /// Windowed sinc over three lobes: sharpest; the default.
    #[default]
    Lanczos3,
}

/// A size to scale a picture to, its proportions kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The shorter side becomes this many pixels.
    Short(usize),
    /// The longer side becomes this many pixels.
    Long(usize),
}

impl Fit {
    /// `[height, width]` of a picture of that size after scaling, rounded, at least 1.
    ///
    /// ```
    /// use imaging::Fit;
    /// assert_eq!(Fit::Long(512).size([680, 1024]), [340, 512]);
    /// assert_eq!(Fit::Short(256).size([680, 1024]), [256, 386]);
    /// ```
    pub fn size(self, [height, width]: [usize; 2]) -> [usize; 2] {
        let (target, reference) = match self {
            Self::Short(target) => (target, height.min(width)),
            Self::Long(target) => (target, height.max(width)),
        };
        let scale = target as f64 / reference.max(1) as f64;
        [height, width].map(|side| ((side as f64 * scale).round() as usize).max(1))
    }
}

/// Resamples every plane of `[N, C, H, W]` to `[height, width]`, antialiased.
///
/// Pixel centres are at half integers, and weights that would fall outside the
/// picture are left out and the rest made to sum to 1, as in Pillow. Lanczos and
/// Catmull-Rom may overshoot the range of the input by a little. Weights are
/// computed in `f64`, sums in `f32`. Rows are shared among threads; how many
/// there are does not change a bit.
///
/// # Panics
///
/// If a side is 0 or the rank is not 4.
pub fn resize_tensor(source: &Tensor, [height, width]: [usize; 2], filter: Filter) -> Tensor {
    let [n, c, h, w] = source.shape4();
    assert!([h, w, height, width].iter().all(|side| *side > 0), "a side of no pixels");
    if [h, w] == [height, width] {
        return source.clone();
    }
    let (down, across) = (taps(h, height, filter), taps(w, width, filter));
    let mut out = Tensor::zeros([n, c, height, width]);
    out.data_mut().par_chunks_mut(width).enumerate().for_each_init(
        || vec![0.0; w],
        |row, (i, target)| {
            let plane = &source.data()[i / height * h * w..][..h * w];
            sum_rows(plane, &down[i % height], row);
            for (value, taps) in target.iter_mut().zip(&across) {
                let run = &row[taps.start..][..taps.weights.len()];
                *value = run.iter().zip(&taps.weights).map(|(v, weight)| v * weight).sum();
            }
        },
    );
    out
}

/// The weights of one output position, along one axis.
pub(crate) struct Taps {
    /// The first input position that counts.
    pub(crate) start: usize,
    pub(crate) weights: Vec<f32>,
}

/// The weighted sum of whole rows: the pass that vectorises.
fn sum_rows(plane: &[f32], taps: &Taps, out: &mut [f32]) {
    out.fill(0.0);
    let rows = plane.chunks_exact(out.len()).skip(taps.start);
    for (row, weight) in rows.zip(&taps.weights) {
        out.iter_mut().zip(row).for_each(|(sum, v)| *sum += v * weight);
    }
}

/// The taps of every output position.
///
/// # Source
///
/// Pillow, `src/libImaging/Resample.c`, `precompute_coeffs`.
pub(crate) fn taps(from: usize, to: usize, filter: Filter) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let widened = scale.max(1.0);
    let support = filter.support() * widened;
    let tap = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let start = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).clamp(start + 1, from);
        let weights: Vec<f64> = (start.min(from - 1)..end)
            .map(|j| filter.weight((j as f64 + 0.5 - centre) / widened))
            .collect();
        let sum: f64 = weights.iter().sum();
        let weights = weights.iter().map(|weight| (weight / sum) as f32).collect();
        Taps { start: start.min(from - 1), weights }
    };
    (0..to).map(tap).collect()
}

impl Filter {
    /// How far from its centre it reaches, in pixels.
    fn support(self) -> f64 {
        match self {
            Self::Triangle => 1.0,
            Self::CatmullRom => 2.0,
            Self::Lanczos3 => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let x = x.abs();
        if x >= self.support() {
            return 0.0;
        }
        match self {
            Self::Triangle => 1.0 - x,
            Self::CatmullRom if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::CatmullRom => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Self::Lanczos3 => sinc(x) * sinc(x / 3.0),
        }
    }
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pillow's definition, one axis, in f64: weights of the filter widened by the
    /// scale when shrinking, over the pixels within its support.
    fn weights(from: usize, to: usize, filter: Filter) -> Vec<Vec<f64>> {
        let scale = from as f64 / to as f64;
        let widened = scale.max(1.0);
        let support = widened
            * match filter {
                Filter::Triangle => 1.0,
                Filter::CatmullRom => 2.0,
                Filter::Lanczos3 => 3.0,
            };
        let row = |i: usize| {
            let centre = (i as f64 + 0.5) * scale;
            let weight = |j: usize| {
                let x = (j as f64 + 0.5 - centre) / widened;
                if x.abs() * widened >= support { 0.0 } else { kernel(x.abs(), filter) }
            };
            let row: Vec<f64> = (0..from).map(weight).collect();
            let sum: f64 = row.iter().sum();
            row.into_iter().map(|w| w / sum).collect()
        };
        (0..to).map(row).collect()
    }

    fn kernel(x: f64, filter: Filter) -> f64 {
        let sinc = |x: f64| {
            let x = x * std::f64::consts::PI;
            if x == 0.0 { 1.0 } else { x.sin() / x }
        };
        match filter {
            Filter::Triangle => 1.0 - x,
            Filter::CatmullRom if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Filter::CatmullRom => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Filter::Lanczos3 => sinc(x) * sinc(x / 3.0),
        }
    }

    /// Sums of `n` products in f32 lose about n/2 roundings of 2⁻²⁴; both axes
    /// together take fewer than 64 products here, of values up to 1 and weights
    /// whose magnitudes sum to less than 2.
    const TOLERANCE: f64 = 64.0 * 2.0 * 6.0e-8;

    #[test]
    fn matches_the_definition_for_every_filter_and_scale() {
        let cases = [([7, 9], [14, 5]), ([1, 1], [3, 4]), ([20, 31], [3, 2]), ([5, 5], [1, 11])];
        for filter in [Filter::Triangle, Filter::CatmullRom, Filter::Lanczos3] {
            for ([h, w], [to_h, to_w]) in cases {
                let data = (0..2 * h * w).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
                let source = Tensor::new([1, 2, h, w], data);
                let got = resize_tensor(&source, [to_h, to_w], filter);
                let (down, across) = (weights(h, to_h, filter), weights(w, to_w, filter));
                for (i, &got) in got.data().iter().enumerate() {
                    let (c, y, x) = (i / (to_h * to_w), i / to_w % to_h, i % to_w);
                    let mut want = 0.0;
                    for (j, wy) in down[y].iter().enumerate() {
                        for (k, wx) in across[x].iter().enumerate() {
                            want += wy * wx * f64::from(source.data()[(c * h + j) * w + k]);
                        }
                    }
                    let off = (f64::from(got) - want).abs();
                    assert!(off <= TOLERANCE, "{filter:?} {h}×{w}→{to_h}×{to_w} [{i}]: off {off}");
                }
            }
        }
    }

    #[test]
    fn sides_never_vanish() {
        assert_eq!(Fit::Long(10).size([1, 1000]), [1, 10]);
        assert_eq!(Fit::Short(3).size([5, 5]), [3, 3]);
    }
}
