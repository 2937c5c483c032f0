use fearless_simd::prelude::*;
use tensor::Plane;

use crate::affine::Map;
use crate::bands::{Band, Collect, for_bands};
use crate::simd::at_level;
use crate::{Gate, Level, Source};

/// A function of each value that needs an exponential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Function {
    /// The value itself.
    #[default]
    Identity,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `x · sigmoid(x)`.
    Silu,
}

/// `function(gate(a ⋄ b)) · scale + shift`, where `⋄` adds or multiplies a
/// second operand, if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Pointwise<'a> {
    /// Added.
    pub plus: Option<Source<'a>>,
    /// Multiplied; of the same shape, or one pixel for the whole plane.
    pub times: Option<&'a Plane>,
    /// Applied first.
    pub gate: Gate,
    /// Applied second.
    pub function: Function,
    /// Factor and summand, applied last.
    pub scale: [f32; 2],
}

impl Default for Pointwise<'_> {
    fn default() -> Self {
        let (gate, function) = (Gate::Linear, Function::Identity);
        Self { plus: None, times: None, gate, function, scale: [1.0, 0.0] }
    }
}

const BAND_ROWS: usize = 8;

impl Pointwise<'_> {
    /// Computes `to` from `from`.
    ///
    /// # Panics
    ///
    /// If shapes differ, or a source is enlarged.
    pub fn run(&self, level: Level, from: &Source, to: &mut Plane) {
        assert_eq!(from.plane.shape(), to.shape(), "another shape");
        assert_eq!(from.plane.stride(), to.stride(), "channels are padded differently");
        assert!(from.enlarge == 1 && self.plus.is_none_or(|p| p.enlarge == 1));
        let row_len = to.row_len();
        for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
            at_level!(level, simd => self.band(simd, from, band, row_len));
        });
    }

    #[inline(always)]
    fn band<S: Simd>(&self, simd: S, from: &Source, band: &mut Band, row_len: usize) {
        let start = band.top * row_len;
        let stride = self.run_of(from, band.data.len());
        let first = Input::new(from, band.image, start);
        let plus = self.plus.as_ref().map(|p| Input::new(p, band.image, start));
        let times = self.times.map(|t| t.image(band.image));
        for (i, pixel) in band.data.chunks_exact_mut(stride).enumerate() {
            let at = i * stride;
            let factor =
                times.map(|t| if t.len() == stride { t } else { &t[start + at..][..stride] });
            let lanes = S::f32s::LEN;
            let whole = stride / lanes * lanes;
            for c in (0..whole).step_by(lanes) {
                let mut x = first.vector(simd, at, c);
                if let Some(plus) = &plus {
                    x += plus.vector(simd, at, c);
                }
                if let Some(factor) = factor {
                    x *= S::f32s::from_slice(simd, &factor[c..c + lanes]);
                }
                let y = self.function.apply(simd, self.gate.apply(simd, x));
                let [scale, shift] = self.scale.map(|s| S::f32s::splat(simd, s));
                y.mul_add(scale, shift).store_slice(&mut pixel[c..c + lanes]);
            }
            for c in whole..stride {
                let mut x = first.value(at, c) + plus.as_ref().map_or(0.0, |p| p.value(at, c));
                x *= factor.map_or(1.0, |f| f[c]);
                let y = self.function.apply_scalar(self.gate.apply_scalar(x));
                pixel[c] = y * self.scale[0] + self.scale[1];
            }
        }
    }
}

impl Pointwise<'_> {
    /// How many values in a row, of `len`, are handled alike: all where nothing depends on the
    /// channel, so that few channels fill whole vectors too, and else those of a pixel.
    pub(crate) fn run_of(&self, from: &Source, len: usize) -> usize {
        let sources = [Some(from), self.plus.as_ref()];
        let by_channel = sources.into_iter().flatten().any(|source| source.affine.is_some());
        if by_channel || self.times.is_some() { from.plane.stride() } else { len }
    }
}

/// Some rows of a source.
pub(crate) struct Input<'a> {
    data: &'a [f32],
    map: Option<Map<'a>>,
    gate: Gate,
}

impl<'a> Input<'a> {
    /// From value `start` of an image on.
    #[inline(always)]
    pub(crate) fn new(source: &Source<'a>, image: usize, start: usize) -> Self {
        let data = &source.plane.image(image)[start..];
        Self { data, map: source.affine.map(|a| a.image(image)), gate: source.gate }
    }

    /// A vector before the gate.
    #[inline(always)]
    pub(crate) fn ungated<S: Simd>(&self, simd: S, at: usize, c: usize) -> S::f32s {
        let x = S::f32s::from_slice(simd, &self.data[at + c..at + c + S::f32s::LEN]);
        self.map.as_ref().map_or(x, |map| map.lanes(simd, c).apply(x))
    }

    #[inline(always)]
    fn vector<S: Simd>(&self, simd: S, at: usize, c: usize) -> S::f32s {
        self.gate.apply(simd, self.ungated(simd, at, c))
    }

    fn ungated_scalar(&self, at: usize, c: usize) -> f32 {
        let x = self.data[at + c];
        self.map.map_or(x, |m| m.value(x, c))
    }

    fn value(&self, at: usize, c: usize) -> f32 {
        self.gate.apply_scalar(self.ungated_scalar(at, c))
    }

    /// A vector, and the gate's derivative there.
    #[inline(always)]
    pub(crate) fn seen<S: Simd>(&self, simd: S, at: usize, c: usize) -> [S::f32s; 2] {
        let x = self.ungated(simd, at, c);
        [self.gate.apply(simd, x), self.gate.slope(simd, x)]
    }

    /// [`Input::seen`] for one value.
    pub(crate) fn seen_scalar(&self, at: usize, c: usize) -> [f32; 2] {
        let x = self.ungated_scalar(at, c);
        [self.gate.apply_scalar(x), self.gate.slope_scalar(x)]
    }

    /// The gate's derivative.
    #[inline(always)]
    pub(crate) fn slope<S: Simd>(&self, simd: S, at: usize, c: usize) -> S::f32s {
        self.gate.slope(simd, self.ungated(simd, at, c))
    }

    /// [`Input::slope`] for one value.
    pub(crate) fn slope_scalar(&self, at: usize, c: usize) -> f32 {
        self.gate.slope_scalar(self.ungated_scalar(at, c))
    }
}

impl Function {
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        let one = S::f32s::splat(simd, 1.0);
        match self {
            Self::Identity => x,
            Self::Tanh => tanh(simd, x),
            Self::Sigmoid => one / (one + exp(simd, S::f32s::splat(simd, 0.0) - x)),
            Self::Silu => x / (one + exp(simd, S::f32s::splat(simd, 0.0) - x)),
        }
    }

    pub(crate) fn apply_scalar(self, x: f32) -> f32 {
        match self {
            Self::Identity => x,
            Self::Tanh => x.tanh(),
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Silu => x / (1.0 + (-x).exp()),
        }
    }
}

/// `eˣ` within 2 ulp, saturating at `e^±87`; NaN stays NaN.
///
/// Source: Cephes `expf`: `x = n·ln 2 + r` with `ln 2` in two parts, a
/// polynomial of degree 5 on `r`, and `2ⁿ` put together from its bits.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let k = |v: f32| S::f32s::splat(simd, v);
    let x = k(87.0).min(k(-87.0).max(x));
    // Adding and taking off 1.5·2²³ rounds to the nearest whole number.
    let round = k(12_582_912.0);
    let shifted = x.mul_add(k(std::f32::consts::LOG2_E), round);
    let n = shifted - round;
    let r = n.mul_add(k(-0.693_359_4), x);
    let r = n.mul_add(k(2.121_944_4e-4), r);
    let mut p = k(1.987_569_1e-4);
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p.mul_add(r, k(c));
    }
    let y = (r * r).mul_add(p, r + k(1.0));
    // n is whole and in −126..=126, so 2ⁿ is a normal number with these exponent bits.
    let mut power = k(0.0);
    for (power, n) in power.as_mut_slice().iter_mut().zip(n.as_slice()) {
        *power = f32::from_bits(((*n as i32 + 127) as u32) << 23);
    }
    y * power
}

/// Within 2 ulp of 1; small arguments keep their relative precision.
///
/// `tanh x = sign(x) · (1 − 2 / (e^{2|x|} + 1))`, and a polynomial below 0.625.
/// Source: Cephes `tanhf`.
#[inline(always)]
fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let k = |v: f32| S::f32s::splat(simd, v);
    let size = x.abs();
    let far = k(1.0) - k(2.0) / (exp(simd, size + size) + k(1.0));
    let square = x * x;
    let mut p = k(-5.704_988_7e-3);
    for c in [2.063_909_e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = p.mul_add(square, k(c));
    }
    let near = (p * square).mul_add(x, x);
    size.simd_lt(k(0.625)).select(near, far.copysign(x))
}

/// Softmax over the channels of each pixel, in place.
pub fn softmax(level: Level, plane: &mut Plane) {
    let (stride, [_, channels, ..]) = (plane.stride(), plane.shape());
    for_bands(level, plane, (BAND_ROWS, Collect::Nothing), |band| {
        for pixel in band.data.chunks_exact_mut(stride) {
            let pixel = &mut pixel[..channels];
            let most = pixel.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for x in &mut *pixel {
                *x = (*x - most).exp();
                sum += *x;
            }
            for x in pixel {
                *x /= sum;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{assert_near, noise};
    use crate::{Affine, Moments};
    use tensor::Tensor;

    fn plane(values: &[f32], shape: [usize; 4]) -> Plane {
        let mut p = Plane::zeros(shape);
        p.fill_from(&Tensor::new(shape, values.to_vec()));
        p
    }

    #[test]
    fn functions_match_their_definition_over_their_range() {
        let mut values: Vec<f32> = (-4000..4000).map(|i| i as f32 * 0.005).collect();
        values.extend([0.0, -0.0, 1e-6, -1e-6, 1e30, -1e30, f32::NAN, f32::INFINITY, 80.0]);
        let definition = |f: Function, x: f64| match f {
            Function::Identity => x,
            Function::Tanh => x.tanh(),
            Function::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Function::Silu if x == f64::NEG_INFINITY => 0.0,
            Function::Silu => x / (1.0 + (-x).exp()),
        };
        let shape = [1, 16, 1, values.len().div_ceil(16)];
        values.resize(16 * shape[3], 0.5);
        let from = plane(&values, shape);
        for level in Level::available() {
            for function in [Function::Tanh, Function::Sigmoid, Function::Silu] {
                let mut to = Plane::zeros(shape);
                Pointwise { function, ..Pointwise::default() }.run(
                    level,
                    &Source::plain(&from),
                    &mut to,
                );
                for (&x, &y) in values.iter().zip(to.to_tensor().data()) {
                    let want = definition(function, f64::from(x));
                    // 4 ulp; e⁻ˣ saturates at e⁸⁷, which leaves x · e⁻⁸⁷ of a SiLU.
                    let saturated = 2.0 * f64::from(x.abs()) * (-87f64).exp();
                    let tolerance = 4.0 * f64::from(f32::EPSILON) * want.abs() + saturated;
                    let error = (f64::from(y) - want).abs();
                    let same = error <= tolerance
                        || y.to_bits() == (want as f32).to_bits()
                        || (y.is_nan() && want.is_nan());
                    assert!(same, "{function:?}({x}) = {y}, not {want}, {}", level.name());
                }
            }
        }
    }

    #[test]
    fn an_instance_norm_with_a_residual_matches_its_definition() {
        for stride_one in [3, 20] {
            let shape = [2, stride_one, 5, 7];
            let (a, b) = (noise(70 * stride_one), noise(70 * stride_one + 1));
            let (x, r) = (plane(&a, shape), plane(&b[1..], shape));
            let (gain, bias) = (noise(stride_one), noise(stride_one + 1));
            for level in Level::available() {
                let parts =
                    (0..2).map(|n| (n, Moments::of(level, x.image(n), x.stride()))).collect();
                let moments = Moments::merge_images(parts);
                let affine = Affine::instance_norm(&moments, &gain, &bias[1..], 1e-5);
                let from = Source { affine: Some(&affine), ..Source::plain(&x) };
                let mut to = Plane::zeros(shape);
                let plus = Some(Source::plain(&r));
                Pointwise { plus, gate: Gate::Relu, ..Pointwise::default() }
                    .run(level, &from, &mut to);
                let want = |i: usize| {
                    let (plane, c) = (i / 35, i / 35 % stride_one);
                    let values: Vec<f64> =
                        a[plane * 35..][..35].iter().map(|&v| f64::from(v)).collect();
                    let mean = values.iter().sum::<f64>() / 35.0;
                    let var = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 35.0;
                    let y = (f64::from(a[i]) - mean) / (var + 1e-5).sqrt();
                    (y * f64::from(gain[c]) + f64::from(bias[c + 1]) + f64::from(b[i + 1])).max(0.0)
                };
                // Values of a few units, five roundings.
                assert_near(to.to_tensor().data(), want, 32.0 * f64::from(f32::EPSILON), level);
            }
        }
    }

    #[test]
    fn softmax_sums_to_one_even_for_large_logits() {
        let mut p = plane(&[1000.0, 1001.0, 999.0], [1, 3, 1, 1]);
        softmax(Level::best(), &mut p);
        let total = 1.0 + 1f64.exp() + (-1f64).exp();
        let want = |i: usize| [1.0, 1f64.exp(), (-1f64).exp()][i] / total;
        assert_near(p.to_tensor().data(), want, 4.0 * f64::from(f32::EPSILON), Level::best());
    }
}
