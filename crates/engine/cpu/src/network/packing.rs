//! Weights as kernels want them, for either way through a layer.

use std::borrow::Cow;

use graph::Op;
use kernels::{
    Conv, ConvSpec, Depthwise, Direct, Few, Level, Linear, Narrow, Shallow, Transposed, Winograd,
};

use super::{Algorithm, Key, Network, Role};

/// Packs a convolution with this weight and bias as `key` says.
pub(super) fn conv(network: &Network, key: Key, (weight, bias): (&[f32], &[f32])) -> Conv {
    let level = network.level();
    let (weight, shape) = of_channels(weight, network.weight_shape(key.node), key.channels);
    let (weight, bias) = (&*weight, if key.channels.is_some() { &[] } else { bias });
    let spec = ConvSpec { weight, bias, shape, in_stride: key.in_stride, stride: 1, dilation: 1 };
    match (&network.graph().node(key.node).op, key.role) {
        (Op::Conv(c), Role::Forward) => {
            let spec = ConvSpec { stride: c.stride, dilation: c.dilation, ..spec };
            if key.algorithm == Algorithm::Depthwise {
                return Conv::Depthwise(Depthwise::new(&spec));
            }
            let (weight, shape) = dense(weight, shape, c.groups);
            pack_as(level, key.algorithm, &ConvSpec { weight: &weight, shape, ..spec })
        }
        (Op::Conv(c), Role::Backward { cut }) => {
            backward(level, (key, cut), c, ConvSpec { bias: &[], dilation: c.dilation, ..spec })
        }
        (Op::ConvTranspose(t), Role::Forward) if key.algorithm == Algorithm::Transposed => {
            let cut = t.extent(1).1;
            Conv::Transposed(Transposed::new(level, &spec.strided(t.stride), cut))
        }
        (Op::ConvTranspose(_), Role::Forward) => {
            // At stride 1 it is a convolution with the kernel turned around.
            let [i, o, kh, kw] = shape;
            let weight = turned(weight, shape);
            let spec = ConvSpec { weight: &weight, shape: [o, i, kh, kw], ..spec };
            pack_as(level, key.algorithm, &spec)
        }
        (Op::ConvTranspose(t), Role::Backward { .. }) => {
            let spec = ConvSpec { bias: &[], ..spec.strided(t.stride) };
            pack_as(level, key.algorithm, &spec)
        }
        (other, _) => unreachable!("{} has nothing to pack", other.kind()),
    }
}

/// Packs a convolution of few values, at stride 1.
pub(super) fn few(network: &Network, key: Key, (weight, bias): (&[f32], &[f32])) -> Few {
    let (shape, in_stride) = (network.weight_shape(key.node), key.in_stride);
    let spec = ConvSpec { weight, bias, shape, in_stride, stride: 1, dilation: 1 };
    Few::new(network.level(), &spec)
}

/// Packs a fully connected layer, or the part of a 1×1 convolution that is one for being given
/// the same values at every pixel. Of a convolution in two parts it is this one that has the bias.
pub(super) fn linear(network: &Network, key: Key, (weight, bias): (&[f32], &[f32])) -> Linear {
    let Some(channels) = key.channels else { return Linear::new(weight, bias) };
    let shape = network.weight_shape(key.node);
    let (weight, [out, ..]) = of_channels(weight, shape, Some(channels));
    let mut bias = bias.to_vec();
    bias.resize(out, 0.0);
    Linear::new(&weight, &bias)
}

/// The weights of some input channels.
fn of_channels(
    weight: &[f32],
    [o, i, kh, kw]: [usize; 4],
    channels: Option<[usize; 2]>,
) -> (Cow<'_, [f32]>, [usize; 4]) {
    let Some([from, to]) = channels else { return (weight.into(), [o, i, kh, kw]) };
    let rows = weight.chunks_exact(i * kh * kw);
    let part: Vec<f32> = rows.flat_map(|row| &row[from * kh * kw..to * kh * kw]).copied().collect();
    (part.into(), [o, to - from, kh, kw])
}

/// The convolution that takes the gradient of another's output to that of its input.
fn backward(level: Level, (key, cut): (Key, usize), c: &graph::Conv, spec: ConvSpec) -> Conv {
    if key.algorithm == Algorithm::Transposed {
        let (weight, shape) = dense_square(&spec, c.groups);
        let spec = ConvSpec { weight: &weight, shape, dilation: 1, ..spec };
        return Conv::Transposed(Transposed::new(level, &spec.strided(c.stride), cut));
    }
    let (weight, [o, i, kh, kw]) = dense(spec.weight, spec.shape, c.groups);
    let weight = turned(&weight, [o, i, kh, kw]);
    pack_as(level, key.algorithm, &ConvSpec { weight: &weight, shape: [i, o, kh, kw], ..spec })
}

fn pack_as(level: Level, algorithm: Algorithm, spec: &ConvSpec) -> Conv {
    match algorithm {
        Algorithm::Winograd(size) => Conv::Winograd(Winograd::new(level, spec, size)),
        Algorithm::Shallow => Conv::Shallow(Shallow::new(level, spec)),
        Algorithm::Narrow => Conv::Narrow(Narrow::new(level, spec)),
        _ => Conv::Direct(Direct::new(level, spec)),
    }
}

/// The weights of a grouped convolution as those of one without groups: zero
/// between groups. Wasteful, but no network here has groups other than depthwise.
fn dense(
    weight: &[f32],
    [o, i, kh, kw]: [usize; 4],
    groups: usize,
) -> (Cow<'_, [f32]>, [usize; 4]) {
    if groups == 1 {
        return (Cow::Borrowed(weight), [o, i, kh, kw]);
    }
    let mut dense = vec![0.0; o * i * groups * kh * kw];
    let filter = i * kh * kw;
    for (out, values) in weight.chunks_exact(filter).enumerate() {
        let group = out / (o / groups);
        dense[(out * groups + group) * filter..][..filter].copy_from_slice(values);
    }
    (Cow::Owned(dense), [o, i * groups, kh, kw])
}

/// Weights without groups, and with a square kernel whose taps lie side by side:
/// zeros fill the gaps. For what strided layers with neither are rare.
fn dense_square(spec: &ConvSpec, groups: usize) -> (Vec<f32>, [usize; 4]) {
    let (weight, [o, i, kh, kw]) = dense(spec.weight, spec.shape, groups);
    let side = spec.dilation * (kh.max(kw) - 1) + 1;
    let mut square = vec![0.0; o * i * side * side];
    for (from, to) in weight.chunks_exact(kh * kw).zip(square.chunks_exact_mut(side * side)) {
        for (tap, &value) in from.iter().enumerate() {
            to[(tap / kw * side + tap % kw) * spec.dilation] = value;
        }
    }
    (square, [o, i, side, side])
}

/// `[a, b, kh, kw]` to `[b, a, kh, kw]` with both kernel axes reversed.
fn turned(weight: &[f32], [a, b, kh, kw]: [usize; 4]) -> Vec<f32> {
    let mut out = vec![0.0; weight.len()];
    for (index, values) in weight.chunks_exact(kh * kw).enumerate() {
        let (c, d) = (index / b, index % b);
        debug_assert!(c < a);
        for (to, &value) in
            out[(d * a + c) * kh * kw..][..kh * kw].iter_mut().zip(values.iter().rev())
        {
            *to = value;
        }
    }
    out
}
