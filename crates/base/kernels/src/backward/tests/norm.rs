use super::*;
use crate::{AffineGradient, GradientSums, Moments};

/// Values summed in `f32` before the sum moves to `f64`.
const RUN: f64 = 64.0;
const EPS: f32 = 1e-5;

/// Of several tasks of 2048 pixels; of one pixel; packed.
const SHAPES: [([usize; 4], Channels); 4] = [
    ([2, 20, 70, 81], Channels::Padded),
    ([3, 48, 5, 7], Channels::Padded),
    ([2, 16, 1, 1], Channels::Padded),
    ([2, 3, 61, 70], Channels::Packed),
];

/// `offset + noise / 2`, a plane that is far from zero.
fn values(shape: [usize; 4], channels: Channels, offset: f32) -> Values {
    let near = noise(shape.iter().product()).into_iter().map(|v| v * 0.5 + offset).collect();
    Values::of(shape, channels, near)
}

#[test]
fn sums_are_those_of_the_definition() {
    for (shape, channels) in SHAPES {
        let [images, count, h, w] = shape;
        let (x, grad) = (values(shape, channels, 3.0), Values::noise(shape, channels, 1));
        let stride = x.plane.stride();
        let centres: Vec<f32> = (0..images * stride).map(|i| 3.0 + i as f32 / 64.0).collect();
        for level in Level::available() {
            let got = GradientSums::of(level, &grad.plane, Some((&x.plane, &centres)));
            for (n, c) in (0..images * count).map(|i| (i / count, i % count)) {
                let pixels = || (0..h * w).map(|i| [n, c, i / w, i % w]);
                let centre = f64::from(centres[n * stride + c]);
                let plain: f64 = pixels().map(|at| grad.at(at)).sum();
                let away: f64 = pixels().map(|at| grad.at(at) * (x.at(at) - centre)).sum();
                let allowed = rounded(h * w);
                for (got, want, size) in
                    [(got[n].plain[c], plain, 1.0), (got[n].centred[c], away, 3.0)]
                {
                    assert!((got - want).abs() <= allowed * size, "{level:?} {shape:?} {n} {c}");
                }
            }
        }
    }
}

/// What is wanted of one channel.
struct Gradients {
    values: Vec<f64>,
    /// Of the gain and the bias.
    parameters: [f64; 2],
    /// Size of the terms that make up a value, and may cancel.
    terms: f64,
}

fn definition(x: &[f64], g: &[f64], gain: f64) -> Gradients {
    let count = x.len() as f64;
    let mean = x.iter().sum::<f64>() / count;
    let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    let deviation = (variance + f64::from(EPS)).sqrt();
    let normed: Vec<f64> = x.iter().map(|v| (v - mean) / deviation).collect();
    let total: f64 = g.iter().sum();
    let along: f64 = g.iter().zip(&normed).map(|(g, x)| g * x).sum();
    let one = |(g, x): (&f64, &f64)| gain / deviation * (g - total / count - x * along / count);
    let values = g.iter().zip(&normed).map(one).collect();
    Gradients { values, parameters: [along, total], terms: gain / deviation }
}

#[test]
fn instance_norms_gradient_is_that_of_the_definition() {
    for (shape, channels) in SHAPES {
        let [images, count, h, w] = shape;
        let (x, grad) = (values(shape, channels, 3.0), Values::noise(shape, channels, 1));
        let gains: Vec<f32> = noise(count).into_iter().map(|v| v + 1.5).collect();
        let mut want = vec![];
        let (mut of_parameters, mut terms) = (vec![[0.0; 2]; count], 0.0f64);
        for i in 0..images * count {
            let plane = i * h * w..(i + 1) * h * w;
            let gain = f64::from(gains[i % count]);
            let made = definition(&x.exact[plane.clone()], &grad.exact[plane], gain);
            want.extend(made.values);
            terms = terms.max(made.terms);
            for part in 0..2 {
                of_parameters[i % count][part] += made.parameters[part];
            }
        }
        let tolerance = f64::from(f32::EPSILON) * RUN * terms;
        let wanted = Wanted { shape, channels, values: &want, tolerance };
        check(&wanted, |level, epilogue, to| {
            let images = 0..images;
            let of = |n| Moments::of(level, x.plane.image(n), x.plane.stride());
            let moments: Vec<Moments> = images.map(of).collect();
            let map = Affine::instance_norm(&moments, &gains, &vec![0.0; count], EPS);
            let sums = GradientSums::of(level, &grad.plane, Some((&x.plane, map.centres())));
            let (gradient, [gain, bias]) =
                AffineGradient::instance_norm(&map, (&moments, &sums), (count, EPS));
            gradient.run(level, [&grad.plane, &x.plane], epilogue, to);
            // Sums over all pixels of values of up to one, and √3 for what is normed.
            let allowed = rounded(shape[0] * h * w) * 3.0f64.sqrt();
            assert_near(&gain, |c| of_parameters[c][0], allowed, level);
            assert_near(&bias, |c| of_parameters[c][1], allowed, level);
        });
    }
}

#[test]
fn a_constant_map_scales() {
    for (shape, channels) in SHAPES {
        let (x, grad) = (Values::noise(shape, channels, 1), Values::noise(shape, channels, 2));
        let want: Vec<f64> = grad.exact.iter().map(|g| 0.5 * g).collect();
        let wanted = Wanted { shape, channels, values: &want, tolerance: 0.0 };
        check(&wanted, |level, epilogue, to| {
            let map = affine_of(&x.plane);
            AffineGradient::constant(&map).run(level, [&grad.plane, &x.plane], epilogue, to);
        });
    }
}
