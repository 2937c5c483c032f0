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

/// What a convolution does to its sums before writing them:
/// `gate(sum + bias + residual)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// Added at each pixel; of the output's shape.
    pub residual: Option<&'a Plane>,
    /// Applied last.
    pub gate: Gate,
}

impl<'a> Epilogue<'a> {
    /// The residual's rows that belong to a band starting at row `top` of `image`.
    pub(crate) fn residual_rows(&self, image: usize, top: usize) -> Option<&'a [f32]> {
        self.residual.map(|plane| &plane.image(image)[top * plane.row_len()..])
    }
}
