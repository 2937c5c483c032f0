use super::*;
use crate::pointwise::{Function, Pointwise};
use crate::{Operand, Source};

/// Value and slope of a gate.
fn gate(gate: Gate, x: f64) -> [f64; 2] {
    match gate {
        Gate::Linear => [x, 1.0],
        Gate::Relu => [x.max(0.0), f64::from(u8::from(x > 0.0))],
        Gate::Relu6 => [x.clamp(0.0, 6.0), f64::from(u8::from(x > 0.0 && x < 6.0))],
        Gate::Leaky(slope) if x > 0.0 => [x, f64::from(slope).max(1.0)],
        Gate::Leaky(slope) => [x * f64::from(slope), f64::from(slope)],
    }
}

fn slope(function: Function, x: f64) -> f64 {
    let s = 1.0 / (1.0 + (-x).exp());
    match function {
        Function::Identity => 1.0,
        Function::Tanh => 1.0 - x.tanh().powi(2),
        Function::Sigmoid => s * (1.0 - s),
        Function::Silu => s * (1.0 + x * (1.0 - s)),
    }
}

/// Inputs are seen through `8 · x + 0.25`, so that functions saturate and gates close.
const MAP: [f32; 2] = [8.0, 0.25];
/// The largest sum of both.
const REACH: f64 = 2.0 * 8.25;
const SCALE: f32 = 1.5;

/// What an operation does, but for its operands' values.
#[derive(Clone, Copy, Debug)]
struct Settings {
    function: Function,
    /// Of the operands, and of the result.
    gates: [Gate; 2],
    /// Whether one factor belongs to a whole plane.
    times: Times,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Times {
    Each,
    Plane,
}

fn hold(shape: [usize; 4], channels: Channels, settings: Settings) {
    let Settings { function, gates: [inner, outer], times } = settings;
    let [images, count, ..] = shape;
    let single = if times == Times::Plane { [images, count, 1, 1] } else { shape };
    let [a, b] = [1, 2].map(|salt| Values::noise(shape, channels, salt));
    let (factors, grad) = (Values::noise(single, channels, 3), Values::noise(shape, channels, 4));
    let map = Affine::constant(images, a.plane.stride(), MAP);
    let source = |plane| Source { plane, affine: Some(&map), gate: inner, enlarge: 1, front: None };
    let [from, plus] = [&a.plane, &b.plane].map(source);
    let pointwise = Pointwise {
        plus: Some(plus),
        times: Some(&factors.plane),
        gate: outer,
        function,
        scale: [SCALE, -2.0],
    };
    for operand in [Operand::First, Operand::Plus, Operand::Times] {
        let value = |at: [usize; 4]| {
            let of = |v: &Values| gate(inner, v.at(at) * f64::from(MAP[0]) + f64::from(MAP[1]));
            let [[a, of_a], [b, of_b]] = [of(&a), of(&b)];
            let [n, c, y, x] = at;
            let factor =
                factors.at(if times == Times::Plane { [n, c, 0, 0] } else { [n, c, y, x] });
            let [v, open] = gate(outer, (a + b) * factor);
            let g = grad.at(at) * f64::from(SCALE) * slope(function, v) * open;
            match operand {
                Operand::First => g * factor * of_a,
                Operand::Plus => g * factor * of_b,
                Operand::Times => g * (a + b),
            }
        };
        let want: Vec<f64> = places(shape).map(value).collect();
        // A slope is made from values that are a few ulp off, of up to REACH, and may be
        // multiplied by as much again.
        let tolerance = 16.0 * f64::from(f32::EPSILON) * REACH * f64::from(SCALE);
        check(&Wanted { shape, channels, values: &want, tolerance }, |level, epilogue, to| {
            pointwise.gradient(level, (&from, &grad.plane), operand, epilogue, to);
        });
    }
}

#[test]
fn every_function_and_gate() {
    let shapes = [
        ([2, 20, 9, 13], Channels::Padded),
        ([1, 33, 5, 4], Channels::Padded),
        ([2, 3, 11, 7], Channels::Packed),
    ];
    let functions = [Function::Identity, Function::Tanh, Function::Sigmoid, Function::Silu];
    let gates = [Gate::Linear, Gate::Relu, Gate::Relu6, Gate::Leaky(0.25)];
    for (shape, channels) in shapes {
        for (function, outer) in functions.into_iter().flat_map(|f| gates.map(|g| (f, g))) {
            for (inner, times) in gates.into_iter().zip([Times::Each, Times::Plane].repeat(2)) {
                hold(shape, channels, Settings { function, gates: [inner, outer], times });
            }
        }
    }
}
