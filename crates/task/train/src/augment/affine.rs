//! One known transform of a picture, as Keras does it.

use serde::{Deserialize, Serialize};
use tensor::Tensor;

/// What to do to a picture: the parameters of Keras' `apply_transform`.
///
/// The numbers say where each *output* pixel comes *from*, so that a zoom above
/// 1 makes things smaller. The result has the picture's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    /// Rotation in degrees; what is seen turns against the clock.
    pub theta: f64,
    /// Shift in pixels **across**: what is seen moves left by as much. Keras
    /// draws it from `height_shift_range`; see [`Augmentation`](super::Augmentation).
    pub tx: f64,
    /// Shift in pixels **down**: what is seen moves up by as much.
    pub ty: f64,
    /// Shear in degrees.
    pub shear: f64,
    /// Zoom across.
    pub zx: f64,
    /// Zoom down.
    pub zy: f64,
    /// Whether left and right change places, after all else.
    pub flip_horizontal: bool,
    /// Whether top and bottom change places, after all else.
    pub flip_vertical: bool,
}

impl Default for Transform {
    /// The transform that changes nothing.
    fn default() -> Self {
        Self {
            theta: 0.0,
            tx: 0.0,
            ty: 0.0,
            shear: 0.0,
            zx: 1.0,
            zy: 1.0,
            flip_horizontal: false,
            flip_vertical: false,
        }
    }
}

/// What lies outside a picture: Keras' `fill_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// The nearest pixel: `aaaa|abcd|dddd`. Keras' default.
    #[default]
    Nearest,
    /// This value (Keras' `cval`), in the picture's own unit: `kkkk|abcd|kkkk`.
    Constant(f32),
    /// The picture mirrored, its edge twice: `dcba|abcd|dcba`.
    Reflect,
    /// The picture again and again, one pixel short: `cdbc|abcd|bcab`.
    ///
    /// So it is in `SciPy`, and so in Keras, whose documentation says otherwise.
    Wrap,
}

/// Does to every plane of `[…, H, W]` what `transform` says.
///
/// Pixels in between are interpolated linearly, in `f64`.
///
/// The rotation, shear and zoom are about the point (H/2 − ½, W/2 − ½) read as
/// (x, y), which is the centre of a square picture alone. This is Keras' own
/// mistake, kept so that training data are distributed as Keras' are.
///
/// # Panics
///
/// If the tensor's rank is below 2.
///
/// # Source
///
/// `keras.src.legacy.preprocessing.image`, Keras 3.15: `apply_affine_transform`
/// on channels first and `flip_axis`; `scipy.ndimage.affine_transform` with
/// `order=1`, `ni_support.c` and `ni_interpolation.c` of `SciPy` 1.17.
pub fn apply(picture: &Tensor, transform: &Transform, fill: Fill) -> Tensor {
    let [.., height, width] = *picture.shape() else {
        panic!("a picture is [.., H, W], not {:?}", picture.shape())
    };
    let mut out = match transform.matrix([height, width]) {
        Some(matrix) => resampled(picture, &matrix, fill),
        None => picture.clone(),
    };
    if width > 0 && transform.flip_horizontal {
        out.data_mut().chunks_exact_mut(width).for_each(<[f32]>::reverse);
    }
    if width > 0 && height > 1 && transform.flip_vertical {
        out.data_mut().chunks_exact_mut(height * width).for_each(|plane| upside_down(plane, width));
    }
    out
}

fn upside_down(plane: &mut [f32], width: usize) {
    let half = plane.len() / width / 2 * width;
    let (top, rest) = plane.split_at_mut(half);
    for (a, b) in top.chunks_exact_mut(width).zip(rest.rchunks_exact_mut(width)) {
        a.swap_with_slice(b);
    }
}

type Matrix = [[f64; 3]; 3];

impl Transform {
    /// From (row, column, 1) of the result to those of the picture; `None` if
    /// pixels stay where they are.
    #[expect(clippy::float_cmp, reason = "what is exactly nothing is left out, as Keras does it")]
    fn matrix(&self, [height, width]: [usize; 2]) -> Option<Matrix> {
        let mut parts: Vec<Matrix> = vec![];
        if self.theta != 0.0 {
            let (sin, cos) = self.theta.to_radians().sin_cos();
            parts.push([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]);
        }
        if self.tx != 0.0 || self.ty != 0.0 {
            parts.push([[1.0, 0.0, self.tx], [0.0, 1.0, self.ty], [0.0, 0.0, 1.0]]);
        }
        if self.shear != 0.0 {
            let (sin, cos) = self.shear.to_radians().sin_cos();
            parts.push([[1.0, -sin, 0.0], [0.0, cos, 0.0], [0.0, 0.0, 1.0]]);
        }
        if self.zx != 1.0 || self.zy != 1.0 {
            parts.push([[self.zx, 0.0, 0.0], [0.0, self.zy, 0.0], [0.0, 0.0, 1.0]]);
        }
        let product = parts.into_iter().reduce(|a, b| times(&a, &b))?;
        let [x, y] = [height, width].map(|side| side as f64 / 2.0 - 0.5);
        let to = [[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]];
        let back = [[1.0, 0.0, -x], [0.0, 1.0, -y], [0.0, 0.0, 1.0]];
        let [a, b, c] = times(&times(&to, &product), &back).map(|[x, y, one]| [y, x, one]);
        Some([b, a, c]) // written for (x, y), used for (row, column)
    }
}

fn times(a: &Matrix, b: &Matrix) -> Matrix {
    [0, 1, 2].map(|i| [0, 1, 2].map(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

fn resampled(picture: &Tensor, [down, across, _]: &Matrix, fill: Fill) -> Tensor {
    let rank = picture.shape().len();
    let [height, width] = [picture.shape()[rank - 2], picture.shape()[rank - 1]];
    let mut out = Tensor::zeros(picture.shape());
    let area = height * width;
    for place in 0..area {
        let (i, j) = ((place / width) as f64, (place % width) as f64);
        let at = |row: &[f64; 3], len| Taps::at(row[0] * i + row[1] * j + row[2], len, fill);
        let (y, x) = (at(down, height), at(across, width));
        let targets = out.data_mut().iter_mut().skip(place).step_by(area);
        for (target, plane) in targets.zip(picture.data().chunks_exact(area)) {
            *target = blended(plane, width, (y, x), fill);
        }
    }
    out
}

/// The two pixels around a coordinate, along one axis.
#[derive(Clone, Copy, Debug)]
struct Taps {
    index: [usize; 2],
    weight: [f64; 2],
}

impl Taps {
    /// `None` where the coordinate is outside and outside is constant.
    fn at(coordinate: f64, len: usize, fill: Fill) -> Option<Self> {
        let inside = mapped(coordinate, len, fill)?;
        let floor = inside.floor();
        // Mapped coordinates reach at most half a pixel beyond the edge, where
        // every fill that comes this far shows the edge itself.
        let index = [floor, floor + 1.0].map(|at| at.clamp(0.0, (len - 1) as f64) as usize);
        Some(Self { index, weight: [1.0 - (inside - floor), inside - floor] })
    }
}

fn blended(plane: &[f32], width: usize, at: (Option<Taps>, Option<Taps>), fill: Fill) -> f32 {
    let (Some(y), Some(x)) = at else {
        return if let Fill::Constant(value) = fill { value } else { f32::NAN };
    };
    let row = |i: usize| {
        let pixel = |j: usize| f64::from(plane[y.index[i] * width + x.index[j]]);
        y.weight[i] * (x.weight[0] * pixel(0) + x.weight[1] * pixel(1))
    };
    (row(0) + row(1)) as f32
}

/// A coordinate brought back to the picture: `SciPy`'s `map_coordinate`.
fn mapped(at: f64, len: usize, fill: Fill) -> Option<f64> {
    let last = len as f64 - 1.0;
    if (0.0..=last).contains(&at) {
        return Some(at);
    }
    match fill {
        Fill::Constant(_) => None,
        _ if len <= 1 => Some(0.0),
        Fill::Nearest => Some(at.clamp(0.0, last)),
        Fill::Wrap if at < 0.0 => Some(at + last * ((-at / last).trunc() + 1.0)),
        Fill::Wrap => Some(at - last * (at / last).trunc()),
        Fill::Reflect => Some(reflected(at, len as f64)),
    }
}

/// Into −½..len − ½, by mirrors half a pixel outside the edges.
fn reflected(at: f64, len: f64) -> f64 {
    let period = 2.0 * len;
    if at < 0.0 {
        let at = if at < -period { at + period * (-at / period).trunc() } else { at };
        return if at < -len { at + period } else { (-at).max(1e-15) - 1.0 };
    }
    let at = at - period * (at / period).trunc();
    if at >= len { period - at - 1.0 } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(shape: [usize; 3]) -> Tensor {
        Tensor::new(shape, (0..shape.iter().product()).map(|i: usize| i as f32).collect())
    }

    #[test]
    fn flips_are_exact_and_come_last() {
        let picture = counted([2, 3, 2]);
        let both = Transform { flip_horizontal: true, ..Default::default() };
        assert_eq!(apply(&picture, &both, Fill::Nearest).data()[..6], [1., 0., 3., 2., 5., 4.]);
        let down = Transform { flip_vertical: true, ..Default::default() };
        assert_eq!(apply(&picture, &down, Fill::Nearest).data()[6..], [10., 11., 8., 9., 6., 7.]);
        let moved = Transform { tx: 1.0, flip_horizontal: true, ..Default::default() };
        let got = apply(&picture, &moved, Fill::Constant(-1.0));
        assert_eq!(got.data()[..6], [-1., 1., -1., 3., -1., 5.]);
    }

    /// What the documentation draws of each fill.
    #[test]
    fn outside_is_what_the_fill_says() {
        let row = Tensor::new([1, 4], vec![1., 2., 3., 4.]);
        let cases = [
            (Fill::Nearest, [1., 1., 1., 1.], [4., 4., 4., 4.]),
            (Fill::Constant(9.0), [9., 9., 9., 9.], [9., 9., 9., 9.]),
            (Fill::Reflect, [4., 3., 2., 1.], [4., 3., 2., 1.]),
            (Fill::Wrap, [3., 4., 2., 3.], [2., 3., 1., 2.]),
        ];
        for (fill, before, after) in cases {
            let shifted = |tx| apply(&row, &Transform { tx, ..Default::default() }, fill);
            let (left, right) = (shifted(-4.0), shifted(4.0));
            assert_eq!((left.data(), right.data()), (&before[..], &after[..]), "{fill:?}");
        }
    }

    #[test]
    fn far_away_one_pixel_and_nothing_do_not_panic() {
        for fill in [Fill::Nearest, Fill::Constant(0.5), Fill::Reflect, Fill::Wrap] {
            for shape in [[1, 1, 1], [1, 1, 5], [2, 5, 1], [1, 2, 2], [1, 0, 3], [0, 3, 3]] {
                for far in [0.3, -7.7, 1e6, -1e18, f64::INFINITY, f64::NAN] {
                    let transform =
                        Transform { tx: far, ty: -far, theta: 33.0, ..Default::default() };
                    let got = apply(&counted(shape), &transform, fill);
                    assert_eq!(got.shape(), shape);
                }
            }
        }
    }
}
