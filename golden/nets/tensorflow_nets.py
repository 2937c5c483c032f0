"""The TensorFlow reference: lengstrom/fast-style-transfer's transform network."""

import numpy as np
import tensorflow as tf

LAYERS = ["conv1", "conv2", "conv3"]
LAYERS += [f"resid{i}.conv{j}" for i in range(1, 6) for j in (1, 2)]
LAYERS += ["conv_t1", "conv_t2", "conv_t3"]
CHANNELS = [(3, 32), (32, 64), (64, 128), *[(128, 128)] * 10, (128, 64), (64, 32), (32, 3)]


def shapes():
    """Names and shapes of the parameters, PyTorch's order of axes."""
    for layer, (i, o) in zip(LAYERS, CHANNELS):
        kernel = 9 if i == 3 or o == 3 else 3
        pair = (i, o) if layer in ("conv_t1", "conv_t2") else (o, i)
        yield f"{layer}.weight", (*pair, kernel, kernel)
        yield f"{layer}.norm.weight", (o,)
        yield f"{layer}.norm.bias", (o,)


def from_variables(npz):
    """The checkpoint's `Variable`, `Variable_1`, … under our names: kernel, shift, scale."""
    weights = {}
    for i, layer in enumerate(LAYERS):
        kernel, shift, scale = (
            npz[f"Variable_{n}" if n else "Variable"] for n in range(3 * i, 3 * i + 3)
        )
        weights[f"{layer}.weight"] = kernel.transpose(3, 2, 0, 1)  # both kinds
        weights[f"{layer}.norm.weight"], weights[f"{layer}.norm.bias"] = scale, shift
    return weights


def lengstrom(weights, picture):
    """Every tap, `[N, C, H, W]`; `picture` is NCHW in 0..=1. Computed in float64."""
    taps = {}
    weights = {k: np.asarray(v, np.float64) for k, v in weights.items()}

    def keep(name, x):
        taps[name] = x.numpy().transpose(0, 3, 1, 2)
        return x

    def kernel(name):
        return weights[f"{name}.weight"].transpose(2, 3, 1, 0)  # HWIO; HWOI if transposed

    def norm(name, x):
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        x = (x - mean) / (variance + 1e-3) ** 0.5
        return keep(f"{name}.norm", weights[f"{name}.norm.weight"] * x + weights[f"{name}.norm.bias"])

    def conv(name, x, stride=1):
        x = keep(name, tf.nn.conv2d(x, kernel(name), stride, "SAME"))
        return norm(name, x)

    def relu(name, x):
        return keep(f"{name}.relu", tf.nn.relu(x))

    x = tf.constant(picture.transpose(0, 2, 3, 1), tf.float64)
    for name, stride in [("conv1", 1), ("conv2", 2), ("conv3", 2)]:
        x = relu(name, conv(name, x, stride))
    for i in range(1, 6):
        y = relu(f"resid{i}.conv1", conv(f"resid{i}.conv1", x))
        x = keep(f"resid{i}", x + conv(f"resid{i}.conv2", y))
    for name, out in [("conv_t1", 64), ("conv_t2", 32)]:
        n, h, w, _ = x.shape
        y = tf.nn.conv2d_transpose(x, kernel(name), [n, 2 * h, 2 * w, out], 2, "SAME")
        x = relu(name, norm(name, keep(name, y)))
    x = keep("tanh", tf.nn.tanh(conv("conv_t3", x)))
    keep("preds", x * 150 + 255.0 / 2)
    return taps
