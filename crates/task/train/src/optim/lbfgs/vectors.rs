//! Long vectors: kept as they are stored, worked on in f64, in pieces.

use rayon::prelude::*;

use crate::optim::chunks::{CHUNK, sum, sum2};

/// What [`Lbfgs`](super::Lbfgs) can optimise: f32 or f64.
pub trait Value: Copy + Default + Send + Sync + Into<f64> + sealed::Sealed {
    /// The nearest value.
    fn nearest(value: f64) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Value for f32 {
    fn nearest(value: f64) -> Self {
        value as f32
    }
}

impl Value for f64 {
    fn nearest(value: f64) -> Self {
        value
    }
}

/// The sum of products.
pub(super) fn dot<V: Value>(a: &[V], b: &[V]) -> f64 {
    sum2(a, b, |a, b| a.iter().zip(b).map(|(&a, &b)| a.into() * b.into()).sum())
}

/// The sum of magnitudes.
pub(super) fn magnitude<V: Value>(a: &[V]) -> f64 {
    sum(a, |a| a.iter().map(|&a| a.into().abs()).sum())
}

/// The largest magnitude; NaN if there is one.
pub(super) fn largest<V: Value>(a: &[V]) -> f64 {
    a.iter().fold(0.0, |most: f64, &v| {
        let v = v.into().abs();
        if v > most || v.is_nan() { v } else { most }
    })
}

/// `x ← x + factor·d`.
pub(super) fn add<V: Value>(x: &mut [V], factor: f64, d: &[V]) {
    x.par_chunks_mut(CHUNK).zip(d.par_chunks(CHUNK)).for_each(|(x, d)| {
        for (x, &d) in x.iter_mut().zip(d) {
            *x = V::nearest((*x).into() + factor * d.into());
        }
    });
}

/// `factor·a`.
pub(super) fn scaled<V: Value>(a: &[V], factor: f64) -> Vec<V> {
    let mut b = a.to_vec();
    b.par_chunks_mut(CHUNK).for_each(|b| {
        for b in b {
            *b = V::nearest((*b).into() * factor);
        }
    });
    b
}
