//! A step of [`Muon`]: the momentum of a matrix, made nearly orthogonal.

use kernels::{Epilogue, Level, gram, gram_gradient};
use tensor::{Plane, Tensor};

use super::rule::Muon;

/// One parameter with what belongs to it.
pub(super) struct Matrix<'a> {
    pub(super) parameter: &'a mut Tensor,
    pub(super) gradient: &'a Tensor,
    pub(super) momentum: &'a mut Tensor,
}

/// Takes a step at this learning rate.
pub(super) fn step(rule: &Muon, rate: f64, matrix: Matrix<'_>) {
    let Matrix { parameter, gradient, momentum } = matrix;
    let size = sides(parameter.shape());
    let kept = rule.momentum as f32;
    let ahead = |(b, &g): (&mut f32, &f32)| {
        *b += (1.0 - kept) * (g - *b);
        g + kept * (*b - g)
    };
    let aim = momentum.data_mut().iter_mut().zip(gradient.data()).map(ahead).collect();
    let aim = orthogonalised(Level::best(), aim, size);
    let reach = (rate * 0.2 * (size[0].max(size[1]) as f64).sqrt()) as f32;
    let keep = (1.0 - rate * rule.decay) as f32;
    for (p, u) in parameter.data_mut().iter_mut().zip(aim) {
        *p = keep * *p - reach * u;
    }
}

/// Rows and columns: a kernel `[O, I, h, w]` has a row for each output.
fn sides(shape: &[usize]) -> [usize; 2] {
    [shape[0], shape[1..].iter().product()]
}

/// Newton and Schulz's iteration, and its polynomial's coefficients.
const TURNS: usize = 5;
const POLYNOMIAL: [f32; 3] = [3.4445, -4.775, 2.0315];
/// Less is no direction.
const LEAST_NORM: f64 = 1e-7;

/// Brings every singular value of a matrix near 1 (most to 0.7 … 1.2), whatever it
/// was, and keeps its singular vectors.
///
/// With `X` the matrix over its Frobenius norm, five times `A = X·Xᵀ`,
/// `X ← (3.4445 − 4.775·A + 2.0315·A²)·X`.
fn orthogonalised(level: Level, values: Vec<f32>, size: [usize; 2]) -> Vec<f32> {
    let turned = size[0] > size[1];
    let [short, long] = if turned { [size[1], size[0]] } else { size };
    let values = if turned { transposed(&values, size[1]) } else { values };
    // The short side are channels: `gram` is X·Xᵀ, and of a symmetric matrix its
    // square; `gram_gradient` multiplies by one.
    let mut x = plane([short, long], unit(values));
    let mut next = x.clone();
    for _ in 0..TURNS {
        let a = gram(level, &x).remove(0);
        let squared = gram(level, &plane([short, short], a.clone())).remove(0);
        let by = polynomial(short, &a, &squared);
        gram_gradient(level, (&x, &[by]), &Epilogue::default(), &mut next);
        std::mem::swap(&mut x, &mut next);
    }
    let values = x.to_tensor().into_data();
    if turned { transposed(&values, long) } else { values }
}

/// The coefficients' polynomial of a symmetric matrix, given with its square.
fn polynomial(side: usize, a: &[f32], squared: &[f32]) -> Vec<f32> {
    let [constant, linear, quadratic] = POLYNOMIAL;
    let mut sum: Vec<f32> =
        a.iter().zip(squared).map(|(a, s)| linear * a + quadratic * s).collect();
    sum.iter_mut().step_by(side + 1).for_each(|diagonal| *diagonal += constant);
    sum
}

/// `[short, long]` values as `short` channels of `long` pixels.
fn plane([short, long]: [usize; 2], values: Vec<f32>) -> Plane {
    let shape = [1, short, 1, long];
    let mut plane = Plane::zeros(shape);
    plane.fill_from(&Tensor::new(shape, values));
    plane
}

fn unit(mut values: Vec<f32>) -> Vec<f32> {
    let squares = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
    let factor = 1.0 / squares.sqrt().max(LEAST_NORM);
    for v in &mut values {
        *v = (f64::from(*v) * factor) as f32;
    }
    values
}

fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| values[column..].iter().step_by(columns).copied()).collect()
}

#[cfg(test)]
mod tests {
    use testing::Random;

    use super::*;

    /// `a·b` of row-major matrices with `inner` columns and rows.
    fn product(a: &[f64], b: &[f64], inner: usize) -> Vec<f64> {
        let width = b.len() / inner;
        let at = |row: &[f64], c| (0..inner).map(|i| row[i] * b[i * width + c]).sum();
        a.chunks(inner).flat_map(|row| (0..width).map(move |c| at(row, c))).collect()
    }

    fn turned(a: &[f64], columns: usize) -> Vec<f64> {
        (0..columns).flat_map(|c| a[c..].iter().step_by(columns).copied()).collect()
    }

    /// The definition of [`orthogonalised`], for matrices that do not stand.
    fn defined(values: &[f32], columns: usize) -> Vec<f64> {
        let rows = values.len() / columns;
        let norm = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        let mut x: Vec<f64> = values.iter().map(|&v| f64::from(v) / norm).collect();
        for _ in 0..5 {
            let a = product(&x, &turned(&x, columns), columns);
            let cube = product(&a, &x, rows);
            let fifth = product(&a, &cube, rows);
            let next = x.iter().zip(&cube).zip(&fifth);
            x = next.map(|((x, cube), fifth)| 3.4445 * x - 4.775 * cube + 2.0315 * fifth).collect();
        }
        x
    }

    /// Each of five turns sums `rows`, `columns` and `rows` products and a few more, whose
    /// roundings add as their root, times coefficients that come to 10 or less; what is off
    /// grows up to 3.44 times a turn, 198 in all.
    fn allowed(rows: usize, columns: usize) -> f64 {
        let [short, long] = [rows.min(columns), rows.max(columns)];
        let turn = 10.0 * ((2 * short + long + 5) as f64).sqrt();
        198.0 * turn * f64::from(f32::EPSILON) / 2.0
    }

    #[test]
    fn matrices_become_orthogonal_as_defined() {
        for [rows, columns] in [[1, 7], [5, 5], [3, 40], [32, 27], [20, 100]] {
            let values = Random::new(7).tensor(&[rows, columns], 1.0).into_data();
            let want = if rows <= columns {
                defined(&values, columns)
            } else {
                turned(&defined(&transposed(&values, columns), rows), rows)
            };
            for level in Level::available() {
                let got = orthogonalised(level, values.clone(), [rows, columns]);
                let off = got.iter().zip(&want).map(|(&g, w)| (f64::from(g) - w).abs());
                let off = off.fold(0.0, f64::max);
                assert!(off <= allowed(rows, columns), "{rows}×{columns}, {level:?}: {off}");
            }
        }
    }

    /// What the polynomial does to singular values between 0.002 and 1 of the norm.
    #[test]
    fn singular_values_come_near_one() {
        let mut values = vec![0.0; 4 * 6];
        for (i, size) in [3.0, -0.5, 0.05, 0.01].into_iter().enumerate() {
            values[i * 6 + i] = size;
        }
        let got = orthogonalised(Level::best(), values, [4, 6]);
        for (i, &value) in got.iter().enumerate() {
            let want = if i % 7 == 0 { 1.0 } else { 0.0 };
            assert!((value.abs() - want).abs() < 0.35, "{i}: {value}");
        }
        assert!(got[7] < 0.0, "the sign stays");
    }

    #[test]
    fn no_gradient_is_no_step() {
        let mut parameter = Random::new(1).tensor(&[3, 2, 3, 3], 1.0);
        let (before, zeros) = (parameter.clone(), Tensor::zeros([3, 2, 3, 3]));
        let mut momentum = zeros.clone();
        let matrix =
            Matrix { parameter: &mut parameter, gradient: &zeros, momentum: &mut momentum };
        step(&Muon::default(), 1.0, matrix);
        assert_eq!(parameter, before);
        assert_eq!(momentum, zeros);
    }
}
