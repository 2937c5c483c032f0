use fearless_simd::prelude::*;
use tensor::Plane;

use crate::bands::{Band, Collect, for_bands};
use crate::pointwise::{Function, Input, Pointwise};
use crate::simd::at_level;
use crate::{Epilogue, Level, Source};

const BAND_ROWS: usize = 4;

/// Which of a [`Pointwise`]'s inputs a gradient is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The one it is run on.
    First,
    /// The one that is added.
    Plus,
    /// The factor: its gradient has the shape of the result, and is summed over
    /// space by whoever holds one value for a whole plane.
    Times,
}

impl Pointwise<'_> {
    /// The gradient of one operand, from that of the result. Forward values are
    /// computed again: reading is cheaper than having kept them.
    ///
    /// # Panics
    ///
    /// If shapes differ, or the operand is not there.
    pub fn gradient(
        &self,
        level: Level,
        (from, grad): (&Source, &Plane),
        operand: Operand,
        epilogue: &Epilogue,
        to: &mut Plane,
    ) {
        assert_eq!((from.plane.shape(), from.plane.stride()), (to.shape(), to.stride()));
        assert_eq!((grad.shape(), grad.stride()), (to.shape(), to.stride()), "another shape");
        let row_len = to.row_len();
        for_bands(level, to, (BAND_ROWS, Collect::Nothing), |band| {
            let job = Job { pointwise: self, from, grad, operand, epilogue };
            at_level!(level, simd => job.band(simd, band, row_len));
        });
    }
}

struct Job<'a> {
    pointwise: &'a Pointwise<'a>,
    from: &'a Source<'a>,
    grad: &'a Plane,
    operand: Operand,
    epilogue: &'a Epilogue<'a>,
}

impl Job<'_> {
    #[inline(always)]
    fn band<S: Simd>(&self, simd: S, band: &mut Band, row_len: usize) {
        let lanes = S::f32s::LEN;
        let stride = self.pointwise.run_of(self.from, band.data.len());
        let start = band.top * row_len;
        let input = |source| Input::new(source, band.image, start);
        let first = input(self.from);
        let plus = self.pointwise.plus.as_ref().map(input);
        let times = self.pointwise.times.map(|t| t.image(band.image));
        let grad = &self.grad.image(band.image)[start..];
        let finish = self.epilogue.rows(band.image, band.top);
        let whole = stride / lanes * lanes;
        for i in 0..band.data.len() / stride {
            let at = i * stride;
            let factor =
                times.map(|t| if t.len() == stride { t } else { &t[start + at..][..stride] });
            for c in (0..whole).step_by(lanes) {
                let [a, slope] = first.seen(simd, at, c);
                let [b, other] =
                    plus.as_ref().map_or([S::f32s::splat(simd, 0.0); 2], |p| p.seen(simd, at, c));
                let factor = factor.map_or(S::f32s::splat(simd, 1.0), |f| {
                    S::f32s::from_slice(simd, &f[c..c + lanes])
                });
                let g = S::f32s::from_slice(simd, &grad[at + c..at + c + lanes]);
                let g = g * self.inner(simd, (a + b) * factor);
                let y = match self.operand {
                    Operand::First => g * factor * slope,
                    Operand::Plus => g * factor * other,
                    Operand::Times => g * (a + b),
                };
                finish.store(simd, y, (&mut *band.data, at + c));
            }
            for c in whole..stride {
                let [a, slope] = first.seen_scalar(at, c);
                let [b, other] = plus.as_ref().map_or([0.0; 2], |p| p.seen_scalar(at, c));
                let factor = factor.map_or(1.0, |f| f[c]);
                let g = grad[at + c] * self.inner_scalar((a + b) * factor);
                let y = match self.operand {
                    Operand::First => g * factor * slope,
                    Operand::Plus => g * factor * other,
                    Operand::Times => g * (a + b),
                };
                finish.store_scalar(y, (&mut *band.data, at + c));
            }
        }
    }

    /// The derivative of `function(gate(x)) · scale`.
    #[inline(always)]
    fn inner<S: Simd>(&self, simd: S, x: S::f32s) -> S::f32s {
        let Pointwise { gate, function, scale, .. } = *self.pointwise;
        let one = S::f32s::splat(simd, 1.0);
        let v = gate.apply(simd, x);
        let derivative = match function {
            Function::Identity => one,
            Function::Tanh => {
                let t = function.apply(simd, v);
                one - t * t
            }
            Function::Sigmoid => {
                let s = function.apply(simd, v);
                s * (one - s)
            }
            Function::Silu => {
                let s = Function::Sigmoid.apply(simd, v);
                s * v.mul_add(one - s, one)
            }
        };
        derivative * gate.slope(simd, x) * S::f32s::splat(simd, scale[0])
    }

    fn inner_scalar(&self, x: f32) -> f32 {
        let Pointwise { gate, function, scale, .. } = *self.pointwise;
        let v = gate.apply_scalar(x);
        let derivative = match function {
            Function::Identity => 1.0,
            Function::Tanh => 1.0 - v.tanh() * v.tanh(),
            Function::Sigmoid => {
                let s = function.apply_scalar(v);
                s * (1.0 - s)
            }
            Function::Silu => {
                let s = Function::Sigmoid.apply_scalar(v);
                s * (1.0 + v * (1.0 - s))
            }
        };
        derivative * gate.slope_scalar(x) * scale[0]
    }
}
