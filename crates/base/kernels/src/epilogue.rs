use fearless_simd::prelude::*;
use tensor::Plane;

/// A cheap function of each value, applied while the value is in a register.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Gate {
    /// The value itself.
    #[default]
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x` where positive, `slope · x` elsewhere.
    Leaky(f32),
}

impl Gate {
    /// NaN stays NaN: `max` and `min` yield their second operand for it.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        let splat = |v: f32| S::f32s::splat(simd, v);
        match self {
            Self::Linear => x,
            Self::Relu => splat(0.0).max(x),
            Self::Relu6 => splat(6.0).min(splat(0.0).max(x)),
            Self::Leaky(slope) => splat(slope).mul_add(splat(0.0).min(x), splat(0.0).max(x)),
        }
    }

    /// The derivative, from an argument or a result; 0 or the slope at the corners,
    /// as in PyTorch.
    #[inline(always)]
    pub(crate) fn slope<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        let [zero, one] = [0.0, 1.0].map(|v| S::f32s::splat(simd, v));
        match self {
            Self::Linear => one,
            Self::Relu => x.simd_gt(zero).select(one, zero),
            Self::Relu6 => {
                let below = x.simd_lt(S::f32s::splat(simd, 6.0)).select(one, zero);
                x.simd_gt(zero).select(below, zero)
            }
            Self::Leaky(slope) => x.simd_gt(zero).select(one, S::f32s::splat(simd, slope)),
        }
    }

    /// [`Gate::slope`] of one value.
    pub(crate) fn slope_scalar(self, x: f32) -> f32 {
        match self {
            Self::Linear => 1.0,
            Self::Relu => f32::from(x > 0.0),
            Self::Relu6 => f32::from(x > 0.0 && x < 6.0),
            Self::Leaky(_) if x > 0.0 => 1.0,
            Self::Leaky(slope) => slope,
        }
    }

    /// [`Gate::apply`] on one value.
    pub(crate) fn apply_scalar(self, x: f32) -> f32 {
        let relu = |x: f32| if x < 0.0 { 0.0 } else { x };
        match self {
            Self::Linear => x,
            Self::Relu => relu(x),
            Self::Relu6 => {
                if x > 6.0 {
                    6.0
                } else {
                    relu(x)
                }
            }
            Self::Leaky(slope) => {
                if x < 0.0 {
                    slope * x
                } else {
                    x
                }
            }
        }
    }
}

/// The derivative of a gate, as a factor: for a gradient that goes back through it.
#[derive(Clone, Copy, Debug)]
pub struct Mask<'a> {
    /// The gate's results, or its arguments: both tell on which side they lie.
    pub values: &'a Plane,
    /// The gate.
    pub gate: Gate,
}

/// What a convolution does to its sums before writing them:
/// `gate(sum + bias + residual) · mask`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// Added at each pixel; of the output's shape.
    pub residual: Option<&'a Plane>,
    /// What is there already is added, as a residual.
    pub onto: Onto,
    /// Applied to the sum.
    pub gate: Gate,
    /// Multiplied last; of the output's shape.
    pub mask: Option<Mask<'a>>,
}

/// Whether a kernel replaces what its output held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Onto {
    /// Yes.
    #[default]
    Nothing,
    /// No: it adds to it.
    Itself,
}

/// An [`Epilogue`]'s planes, from the first value of a band on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    residual: Option<&'a [f32]>,
    onto: Onto,
    gate: Gate,
    mask: Option<(&'a [f32], Gate)>,
}

impl<'a> Epilogue<'a> {
    /// Whether sums are written as they are.
    pub(crate) fn is_plain(&self) -> bool {
        let Self { residual, onto, gate, mask } = self;
        residual.is_none() && mask.is_none() && *onto == Onto::Nothing && *gate == Gate::Linear
    }

    /// The rows that belong to a band starting at row `top` of `image`.
    pub(crate) fn rows(&self, image: usize, top: usize) -> Rows<'a> {
        let from = |plane: &'a Plane| &plane.image(image)[top * plane.row_len()..];
        let mask = self.mask.map(|m| (from(m.values), m.gate));
        Rows { residual: self.residual.map(from), onto: self.onto, gate: self.gate, mask }
    }
}

impl Rows<'_> {
    /// The same from value `at` of the band on.
    #[inline(always)]
    pub(crate) fn from(&self, at: usize) -> Self {
        let residual = self.residual.map(|r| &r[at..]);
        Self { residual, mask: self.mask.map(|(m, gate)| (&m[at..], gate)), ..*self }
    }

    /// Finishes a vector of sums and stores it at `out[at..]`.
    #[inline(always)]
    pub(crate) fn store<S: Simd>(&self, simd: S, mut y: S::f32s, (out, at): (&mut [f32], usize)) {
        let range = at..at + S::f32s::LEN;
        if let Some(residual) = self.residual {
            y += S::f32s::from_slice(simd, &residual[range.clone()]);
        }
        let out = &mut out[range.clone()];
        if self.onto == Onto::Itself {
            y += S::f32s::from_slice(simd, out);
        }
        y = self.gate.apply(simd, y);
        if let Some((values, gate)) = self.mask {
            y *= gate.slope(simd, S::f32s::from_slice(simd, &values[range]));
        }
        y.store_slice(out);
    }

    /// [`Rows::store`] for one value.
    pub(crate) fn store_scalar(&self, y: f32, (out, at): (&mut [f32], usize)) {
        let before = if self.onto == Onto::Itself { out[at] } else { 0.0 };
        let y = self.gate.apply_scalar(y + self.residual.map_or(0.0, |r| r[at]) + before);
        out[at] = y * self.mask.map_or(1.0, |(values, gate)| gate.slope_scalar(values[at]));
    }
}
