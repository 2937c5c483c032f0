//! Replaces pixels by what their surroundings suggest.

use tensor::Tensor;

/// The neighbours and their weights: direct ones twice the diagonal ones'.
const NEIGHBOURS: [([isize; 2], f64); 8] = [
    ([1, 1], 1.0 / 12.0),
    ([0, 1], 1.0 / 6.0),
    ([-1, 1], 1.0 / 12.0),
    ([1, -1], 1.0 / 12.0),
    ([0, -1], 1.0 / 6.0),
    ([-1, -1], 1.0 / 12.0),
    ([1, 0], 1.0 / 6.0),
    ([-1, 0], 1.0 / 6.0),
];

/// A picture `[1, C, H, W]` in which each pixel that is not known is the weighted
/// mean of its neighbours, known or not. Where nothing is known, all is 0.
///
/// # Source
///
/// Rong et al., "A Consistent and Efficient Evaluation Strategy for Attribution
/// Methods" (2022), section 4.1, without the noise. The linear system is symmetric
/// and positive, and solved by conjugate gradients.
pub(super) fn impute(picture: &Tensor, known: &[bool]) -> Tensor {
    let [_, _, h, w] = picture.shape4();
    let mut out = picture.clone();
    let holes: Vec<usize> = (0..h * w).filter(|&p| !known[p]).collect();
    let mut place = vec![usize::MAX; h * w];
    holes.iter().enumerate().for_each(|(i, &p)| place[p] = i);
    let system = System::new(&holes, &place, [h, w]);
    for plane in out.data_mut().chunks_exact_mut(h * w) {
        let right = system.right(plane);
        let found = system.solve(&right);
        holes.iter().zip(found).for_each(|(&p, v)| plane[p] = v as f32);
    }
    out
}

struct System {
    diagonal: Vec<f64>,
    /// For each hole, the holes beside it.
    holes: Vec<Vec<(usize, f64)>>,
    /// For each hole, the known pixels beside it.
    known: Vec<Vec<(usize, f64)>>,
}

impl System {
    fn new(holes: &[usize], place: &[usize], [h, w]: [usize; 2]) -> Self {
        let count = holes.len();
        let mut system = Self {
            diagonal: vec![0.0; count],
            holes: vec![vec![]; count],
            known: vec![vec![]; count],
        };
        for (index, &pixel) in holes.iter().enumerate() {
            let (y, x) = (pixel / w, pixel % w);
            for ([dy, dx], weight) in NEIGHBOURS {
                let inside =
                    |v: usize, d: isize, n: usize| v.checked_add_signed(d).filter(|v| *v < n);
                let (Some(y), Some(x)) = (inside(y, dy, h), inside(x, dx, w)) else { continue };
                system.diagonal[index] += weight;
                let beside = y * w + x;
                if place[beside] == usize::MAX {
                    system.known[index].push((beside, weight));
                } else {
                    system.holes[index].push((place[beside], weight));
                }
            }
        }
        system
    }

    fn right(&self, plane: &[f32]) -> Vec<f64> {
        let sum = |near: &Vec<(usize, f64)>| {
            near.iter().map(|&(p, weight)| weight * f64::from(plane[p])).sum()
        };
        self.known.iter().map(sum).collect()
    }

    fn times(&self, x: &[f64]) -> Vec<f64> {
        let row = |i: usize| {
            let near = self.holes[i].iter().map(|&(j, weight)| weight * x[j]);
            self.diagonal[i] * x[i] - near.sum::<f64>()
        };
        (0..x.len()).map(row).collect()
    }

    /// Conjugate gradients, scaled by the diagonal.
    fn solve(&self, right: &[f64]) -> Vec<f64> {
        const EXACT: f64 = 1e-20;
        const MOST_TURNS: usize = 4000;
        let mut x = vec![0.0; right.len()];
        let mut rest = right.to_vec();
        let scaled = |rest: &[f64]| -> Vec<f64> {
            rest.iter().zip(&self.diagonal).map(|(r, d)| r / d.max(1e-12)).collect()
        };
        let mut z = scaled(&rest);
        let mut way = z.clone();
        let mut size = dot(&rest, &z);
        let goal = size * EXACT;
        for _ in 0..MOST_TURNS {
            if size <= goal || !size.is_normal() {
                break;
            }
            let pushed = self.times(&way);
            let step = size / dot(&way, &pushed);
            x.iter_mut().zip(&way).for_each(|(x, d)| *x += step * d);
            rest.iter_mut().zip(&pushed).for_each(|(r, q)| *r -= step * q);
            z = scaled(&rest);
            let next = dot(&rest, &z);
            let keep = next / size;
            way.iter_mut().zip(&z).for_each(|(d, z)| *d = z + keep * *d);
            size = next;
        }
        x
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ramp is its own weighted mean, so a hole inside one is filled exactly.
    #[test]
    fn a_hole_in_a_ramp_is_filled_with_the_ramp() {
        let (h, w) = (12, 15);
        let ramp = (0..h * w).map(|p| (p % w) as f32 * 0.5 + (p / w) as f32).collect();
        let picture = Tensor::new([1, 1, h, w], ramp);
        let known: Vec<bool> = (0..h * w)
            .map(|p| !((3..9).contains(&(p / w)) && (2..13).contains(&(p % w))))
            .collect();
        let mut broken = picture.clone();
        (0..h * w).filter(|&p| !known[p]).for_each(|p| broken.data_mut()[p] = 99.0);
        let filled = impute(&broken, &known);
        for (f, p) in filled.data().iter().zip(picture.data()) {
            assert!((f - p).abs() < 1e-5, "{f}, {p}");
        }
        assert!(impute(&broken, &vec![false; h * w]).data().iter().all(|v| *v == 0.0));
    }
}
