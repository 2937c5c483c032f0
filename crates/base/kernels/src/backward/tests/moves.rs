use super::*;
use crate::{Dropout, LinearGradient, join_gradient, mask_gradient, softmax_gradient, unflatten};

#[test]
fn a_part_gets_its_channels() {
    for (channels, layout) in [(20, Channels::Padded), (3, Channels::Packed), (1, Channels::Padded)]
    {
        let whole = Values::noise([2, 40, 19, 5], Channels::Padded, 1);
        for first in [0, 5, 40 - channels] {
            let shape = [2, channels, 19, 5];
            let want: Vec<f64> =
                places(shape).map(|[n, c, y, x]| whole.at([n, first + c, y, x])).collect();
            let wanted = Wanted { shape, channels: layout, values: &want, tolerance: 0.0 };
            check(&wanted, |level, epilogue, to| {
                join_gradient(level, (&whole.plane, first), epilogue, to);
            });
        }
    }
}

#[test]
fn features_go_back_to_their_pixels() {
    for (shape, channels) in [([2, 20, 11, 3], Channels::Padded), ([1, 3, 9, 10], Channels::Packed)]
    {
        let [n, c, h, w] = shape;
        let grad = Values::noise([n, c * h * w, 1, 1], Channels::Padded, 1);
        let wanted = Wanted { shape, channels, values: &grad.exact, tolerance: 0.0 };
        check(&wanted, |level, epilogue, to| unflatten(level, &grad.plane, epilogue, to));
    }
}

#[test]
fn softmax() {
    for (shape, channels) in [([2, 37, 9, 8], Channels::Padded), ([1, 3, 7, 5], Channels::Packed)] {
        let [_, count, ..] = shape;
        // What a softmax gives: positive, of sum one.
        let raw = Values::noise(shape, channels, 1);
        let sum =
            |[n, _, y, x]: [usize; 4]| (0..count).map(|c| raw.at([n, c, y, x]).abs()).sum::<f64>();
        let values = places(shape).map(|at| (raw.at(at).abs() / sum(at)) as f32).collect();
        let (y, grad) = (Values::of(shape, channels, values), Values::noise(shape, channels, 2));
        let want = |[n, c, row, x]: [usize; 4]| {
            let dot = |k: usize| y.at([n, k, row, x]) * grad.at([n, k, row, x]);
            let own = [n, c, row, x];
            y.at(own) * (grad.at(own) - (0..count).map(dot).sum::<f64>())
        };
        let want: Vec<f64> = places(shape).map(want).collect();
        let mut got = grad.plane.clone();
        softmax_gradient(&y.plane, &mut got);
        assert_near(got.to_tensor().data(), |i| want[i], rounded(2), Level::best());
    }
}

#[test]
fn a_mask_is_the_gates_slope() {
    let shape = [2, 20, 31, 17];
    let (values, grad) =
        (Values::noise(shape, Channels::Padded, 1), { Values::noise(shape, Channels::Padded, 2) });
    for (gate, closed) in [(Gate::Relu, 0.0), (Gate::Leaky(0.25), 0.25), (Gate::Linear, 1.0)] {
        let mut got = grad.plane.clone();
        mask_gradient(Mask { values: &values.plane, gate }, &mut got);
        let open = |i: usize| if values.exact[i] > 0.0 { 1.0 } else { closed };
        assert_near(got.to_tensor().data(), |i| grad.exact[i] * open(i), 0.0, Level::best());
    }
}

#[test]
fn dropout_multiplies_values_and_gradients_by_the_same() {
    let (shape, dropout) = ([2, 20, 23, 17], Dropout { seed: 5, share: 0.25 });
    let ones = Values::of(shape, Channels::Padded, vec![1.0; shape.iter().product()]);
    let mut mask = empty(shape, Channels::Padded);
    dropout.run(Level::best(), &ones.plane, &Epilogue::default(), &mut mask);
    let mask = mask.to_tensor();
    let grad = Values::noise(shape, Channels::Padded, 1);
    let want: Vec<f64> =
        grad.exact.iter().zip(mask.data()).map(|(g, m)| g * f64::from(*m)).collect();
    let wanted = Wanted { shape, channels: Channels::Padded, values: &want, tolerance: rounded(1) };
    check(&wanted, |level, epilogue, to| dropout.run(level, &grad.plane, epilogue, to));
}

/// More features than a task has, and a tail.
#[test]
fn linear() {
    for [images, features, outs] in [[3, 2500, 37], [1, 1, 1], [2, 16, 1030], [9, 170, 21]] {
        let x = Values::noise([images, features, 1, 1], Channels::Padded, 1);
        let grad = Values::noise([images, outs, 1, 1], Channels::Padded, 2);
        let weight = noise(outs * features);
        let gradient = LinearGradient { weight: &weight, grad: &grad.plane };
        let of_weights = |i: usize| {
            let (o, f) = (i / features, i % features);
            (0..images).map(|n| grad.exact[n * outs + o] * x.exact[n * features + f]).sum::<f64>()
        };
        for level in Level::available() {
            let mut got = vec![f32::NAN; weight.len()];
            gradient.weights(level, &x.plane, &mut got);
            assert_near(&got, of_weights, rounded(images), level);
        }
        let of_input = |i: usize| {
            let (n, f) = (i / features, i % features);
            let one = |o| grad.exact[n * outs + o] * f64::from(weight[o * features + f]);
            (0..outs).map(one).sum::<f64>()
        };
        let want: Vec<f64> = (0..images * features).map(of_input).collect();
        let (shape, tolerance) = ([images, features, 1, 1], rounded(outs));
        let wanted = Wanted { shape, channels: Channels::Padded, values: &want, tolerance };
        check(&wanted, |level, epilogue, to| gradient.input(level, epilogue, to));
    }
}
