use tensor::{Plane, Tensor};

use crate::reference::{assert_near, noise};
use crate::{Affine, Epilogue, Gate, Level, Mask, Onto, Source};

mod depthwise;
mod moves;
mod norm;
mod pointwise;
mod pool;
mod spread;

/// How channels lie: padded to whole vectors, or as they are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Channels {
    Padded,
    Packed,
}

/// A plane's values, in the order of tensors, and the plane.
struct Values {
    plane: Plane,
    exact: Vec<f64>,
}

impl Values {
    /// Noise; another `salt` gives other values.
    fn noise(shape: [usize; 4], channels: Channels, salt: usize) -> Self {
        let count: usize = shape.iter().product();
        let mut values = noise(count + salt);
        values.truncate(count);
        Self::of(shape, channels, values)
    }

    fn of(shape: [usize; 4], channels: Channels, values: Vec<f32>) -> Self {
        let exact = values.iter().copied().map(f64::from).collect();
        let mut plane = empty(shape, channels);
        plane.fill_from(&Tensor::new(shape, values));
        Self { plane, exact }
    }

    fn at(&self, [n, c, y, x]: [usize; 4]) -> f64 {
        let [_, channels, h, w] = self.plane.shape();
        self.exact[((n * channels + c) * h + y) * w + x]
    }
}

fn empty(shape: [usize; 4], channels: Channels) -> Plane {
    match channels {
        Channels::Padded => Plane::zeros(shape),
        Channels::Packed => Plane::packed(shape),
    }
}

/// `[n, c, y, x]` of each value of a tensor of this shape, in its order.
fn places([n, c, h, w]: [usize; 4]) -> impl Iterator<Item = [usize; 4]> {
    (0..n * c * h * w).map(move |i| [i / (c * h * w), i / (h * w) % c, i / w % h, i % w])
}

/// Seen through `0.5 · x + 0.25` and a `ReLU`: what is seen, and the slope of the gate.
fn through(x: f64) -> [f64; 2] {
    let y = 0.5 * x + 0.25;
    [y.max(0.0), f64::from(u8::from(y > 0.0))]
}

fn seen<'a>(plane: &'a Plane, affine: &'a Affine) -> Source<'a> {
    Source { plane, affine: Some(affine), gate: Gate::Relu, enlarge: 1, front: None }
}

fn affine_of(plane: &Plane) -> Affine {
    Affine::constant(plane.shape()[0], plane.stride(), [0.5, 0.25])
}

/// A gradient as it should be, and how far each value may be from it.
struct Wanted<'a> {
    shape: [usize; 4],
    channels: Channels,
    values: &'a [f64],
    tolerance: f64,
}

/// Holds a kernel to a gradient at every level: written where anything was, then
/// added to what was there and masked.
fn check(wanted: &Wanted, run: impl Fn(Level, &Epilogue, &mut Plane)) {
    let Wanted { shape, channels, values, tolerance } = *wanted;
    let before = Values::noise(shape, channels, 7);
    let gate = Values::noise(shape, channels, 8);
    let mask = Mask { values: &gate.plane, gate: Gate::Leaky(0.25) };
    let slope = |i: usize| if gate.exact[i] > 0.0 { 1.0 } else { 0.25 };
    for level in Level::available() {
        let mut to = empty(shape, channels);
        to.data_mut().fill(f32::NAN);
        run(level, &Epilogue::default(), &mut to);
        assert_near(to.to_tensor().data(), |i| values[i], tolerance, level);
        assert!(to.data().iter().all(|v| v.is_finite()), "{level:?}: something is left as it was");

        let mut to = before.plane.clone();
        let epilogue = Epilogue { onto: Onto::Itself, mask: Some(mask), ..Epilogue::default() };
        run(level, &epilogue, &mut to);
        let want = |i: usize| (values[i] + before.exact[i]) * slope(i);
        // The sum is rounded once more.
        let tolerance = tolerance + f64::from(f32::EPSILON) * largest(values).max(1.0);
        assert_near(to.to_tensor().data(), want, tolerance, level);
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m, v| m.max(v.abs()))
}

/// What the sum of `terms` products of numbers in −1..1 may lose: see `assert_close`.
fn rounded(terms: usize) -> f64 {
    8.0 * terms as f64 * f64::from(f32::EPSILON)
}
