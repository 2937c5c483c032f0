//! Gradient ascent in the Fourier basis, through small changes, by Adam.

use rayon::prelude::*;
use tensor::Tensor;

use super::basis::Basis;
use super::vary::Variation;
use super::{Climb, Pattern};
use crate::plot::rgb_picture;
use crate::random::Random;

/// Deviation of the coefficients at the start.
const START: f32 = 0.01;
/// Adam's, with its usual moments.
const RATE: f32 = 0.05;
const BETA: [f32; 2] = [0.9, 0.999];

/// A picture on its way: coefficients, and Adam's two moments of each.
struct Walker {
    random: Random,
    x: Vec<f32>,
    moments: [Vec<f32>; 2],
}

/// # Source
///
/// As [`Basis`] and [`Variation`]; `render_vis` of tensorflow/lucid. There all pictures
/// of a batch are changed alike; here each has a chance of its own, so that none
/// depends on which others are made with it.
pub(super) fn climb(
    climb: &mut Climb<'_>,
    done: &mut dyn FnMut(usize) -> bool,
) -> Option<Vec<Pattern>> {
    let shape @ [_, _, size, _] = climb.shape();
    let image = 3 * size * size;
    let basis = Basis::new(size);
    let mut walkers: Vec<Walker> =
        climb.channels.iter().map(|&c| Walker::new(climb.options.seed, (c, image))).collect();
    let mut answers = vec![];
    for step in 0..climb.options.steps {
        let seen: Vec<Seen> = walkers.par_iter_mut().map(|w| w.see(&basis, size)).collect();
        let unit = seen.iter().flat_map(|s| s.varied.iter().copied()).collect();
        let (found, gradient) = climb.slope(&climb.model.encoded(&Tensor::new(shape, unit)));
        answers = found;
        let uphill = climb.model.by_picture(&gradient);
        let each = walkers.par_iter_mut().zip(seen).zip(uphill.data().par_chunks(image));
        each.for_each(|((walker, seen), gradient)| {
            walker.step(&seen.back(&basis, gradient), step);
        });
        if !done(step + 1) {
            return None;
        }
    }
    let pattern = |((walker, &channel), answer): ((&Walker, &usize), f32)| {
        let planes = squashed(&basis.forward(&walker.x));
        let level = |c: usize, p: usize| (planes[c * size * size + p] * 255.0).round() as u8;
        let pixels = (0..size * size).map(|p| [0, 1, 2].map(|c| level(c, p))).collect();
        Pattern { channel, picture: rgb_picture([size, size], pixels), answer }
    };
    Some(walkers.iter().zip(climb.channels).zip(answers).map(pattern).collect())
}

/// What a step has made of the coefficients.
struct Seen {
    vary: Variation,
    /// Between 0 and 1.
    planes: Vec<f32>,
    varied: Vec<f32>,
}

impl Seen {
    /// The gradient by the coefficients from that by the varied planes.
    fn back(&self, basis: &Basis, gradient: &[f32]) -> Vec<f32> {
        let mut gradient = self.vary.backward(gradient);
        for (g, p) in gradient.iter_mut().zip(&self.planes) {
            *g *= p * (1.0 - p);
        }
        basis.backward(&gradient)
    }
}

impl Walker {
    fn new(seed: u64, (channel, len): (usize, usize)) -> Self {
        let mut random = Random::new(seed.wrapping_add((channel as u64) << 32));
        let x = (0..len).map(|_| random.normal() * START).collect();
        Self { random, x, moments: [vec![0.0; len], vec![0.0; len]] }
    }

    fn see(&mut self, basis: &Basis, size: usize) -> Seen {
        let planes = squashed(&basis.forward(&self.x));
        let vary = Variation::draw(&mut self.random, size);
        Seen { varied: vary.forward(&planes), vary, planes }
    }

    /// One of Adam's steps, uphill. It does not depend on the gradient's size.
    fn step(&mut self, gradient: &[f32], step: usize) {
        let length = gradient.iter().map(|g| g * g).sum::<f32>().sqrt().max(1e-30);
        let scale = (gradient.len() as f32).sqrt() / length;
        let correction = BETA.map(|b| 1.0 - b.powi(step as i32 + 1));
        let [first, second] = &mut self.moments;
        let moments = first.iter_mut().zip(second);
        for ((x, g), (m, v)) in self.x.iter_mut().zip(gradient).zip(moments) {
            let g = g * scale;
            *m += (g - *m) * (1.0 - BETA[0]);
            *v += (g * g - *v) * (1.0 - BETA[1]);
            *x += RATE * (*m / correction[0]) / ((*v / correction[1]).sqrt() + 1e-8);
        }
    }
}

fn squashed(values: &[f32]) -> Vec<f32> {
    values.iter().map(|v| 1.0 / (1.0 + (-v).exp())).collect()
}
