//! Operations without windows.

use graph::{Activation, Shape4};

use super::Array;

pub(super) fn linear(shape: Shape4, x: &Array, params: &[&[f64]]) -> Array {
    let features = x.shape[1];
    Array::of(shape, |[n, o, ..]| {
        let sum: f64 =
            (0..features).map(|f| x.at([n, f, 0, 0]) * params[0][o * features + f]).sum();
        sum + params[1][o]
    })
}

pub(super) fn instance_norm(eps: f64, x: &Array, params: &[&[f64]]) -> Array {
    let [_, channels, h, w] = x.shape;
    let planes = x.data.chunks_exact(h * w).enumerate();
    let data = planes.flat_map(|(i, plane)| {
        let count = plane.len() as f64;
        let mean = plane.iter().sum::<f64>() / count;
        let variance = plane.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        let of = |part: usize, other: f64| params.get(part).map_or(other, |p| p[i % channels]);
        let (gain, shift) = (of(0, 1.0), of(1, 0.0));
        plane.iter().map(move |v| (v - mean) / (variance + eps).sqrt() * gain + shift)
    });
    Array { shape: x.shape, data: data.collect() }
}

pub(super) fn batch_norm(eps: f64, x: &Array, params: &[&[f64]]) -> Array {
    Array::of(x.shape, |[n, c, y, z]| {
        let [gain, shift, mean, variance] = [0, 1, 2, 3].map(|part: usize| params[part][c]);
        (x.at([n, c, y, z]) - mean) / (variance + eps).sqrt() * gain + shift
    })
}

pub(super) fn activation(function: Activation, x: &Array, branches: &mut Vec<usize>) -> Array {
    let corners: &[f64] = match function {
        Activation::Relu | Activation::LeakyRelu(_) => &[0.0],
        Activation::Relu6 => &[0.0, 6.0],
        Activation::Tanh | Activation::Sigmoid | Activation::Silu => &[],
    };
    branches.extend(x.data.iter().map(|v| corners.iter().filter(|corner| v > *corner).count()));
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    Array::of(x.shape, |at| {
        let v = x.at(at);
        match function {
            Activation::Relu => v.max(0.0),
            Activation::Relu6 => v.clamp(0.0, 6.0),
            Activation::LeakyRelu(slope) if v < 0.0 => v * f64::from(slope),
            Activation::LeakyRelu(_) => v,
            Activation::Tanh => v.tanh(),
            Activation::Sigmoid => sigmoid(v),
            Activation::Silu => v * sigmoid(v),
        }
    })
}

pub(super) fn softmax(x: &Array) -> Array {
    let channels = x.shape[1];
    Array::of(x.shape, |[n, c, y, z]| {
        // Relative to this channel, so that what overflows is a share of zero.
        let own = x.at([n, c, y, z]);
        1.0 / (0..channels).map(|k| (x.at([n, k, y, z]) - own).exp()).sum::<f64>()
    })
}

pub(super) fn concat(shape: Shape4, xs: &[&Array]) -> Array {
    Array::of(shape, |[n, mut c, y, z]| {
        for x in xs {
            if c < x.shape[1] {
                return x.at([n, c, y, z]);
            }
            c -= x.shape[1];
        }
        unreachable!("more channels than the parts have")
    })
}
