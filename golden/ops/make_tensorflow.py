"""Writes the cases and results of the paddings that TensorFlow defines: `SAME`."""

import os
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.append(str(Path(__file__).parents[1]))

import tensorflow as tf

from record import case, inputs, parameters, write


def compute(spec, x, param):
    """One layer on NHWC. `param(part, shape)` gives its parameters in PyTorch's order of axes."""
    c, kind = x.shape[3], spec["kind"]
    if kind == "pool":
        pool = {"max": tf.nn.max_pool2d, "average_inside": tf.nn.avg_pool2d}[spec["what"]]
        return pool(x, spec["kernel"], spec["stride"], "SAME")
    bias = param("bias", (spec["out"],))
    if kind == "conv_transpose":
        kernel = param("weight", (c, spec["out"], spec["kernel"], spec["kernel"])).transpose(2, 3, 1, 0)
        n, h, w = (int(size) for size in x.shape[:3])
        s = spec["stride"]
        return tf.nn.conv2d_transpose(x, kernel, [n, h * s, w * s, spec["out"]], s, "SAME") + bias
    if spec["groups"] > 1:  # depthwise
        kernel = param("weight", (c, 1, *spec["kernel"])).transpose(2, 3, 0, 1)
        strides = [1, spec["stride"], spec["stride"], 1]
        return tf.nn.depthwise_conv2d(x, kernel, strides, "SAME", dilations=[spec["dilation"]] * 2) + bias
    kernel = param("weight", (spec["out"], c, *spec["kernel"])).transpose(2, 3, 1, 0)
    return tf.nn.conv2d(x, kernel, spec["stride"], "SAME", dilations=spec["dilation"]) + bias


def run(case):
    (x,), get, (spec,) = inputs(case), parameters(case), case["layers"]
    y = compute(spec, tf.constant(x.transpose(0, 2, 3, 1)), lambda part, shape: get(0, part, shape))
    return y.numpy().transpose(0, 3, 1, 2)


def conv(out, kernel, stride=1, dilation=1, groups=1):
    kernel = [kernel, kernel] if isinstance(kernel, int) else kernel
    return dict(kind="conv", out=out, kernel=kernel, stride=stride, dilation=dilation,
                groups=groups, pad="same", by=0, bias=True)


def transposed(out, kernel, stride):
    return dict(kind="conv_transpose", out=out, kernel=kernel, stride=stride, pad="same",
                by=0, output=0, bias=True)


def pool(what, kernel, stride):
    return dict(kind="pool", what=what, kernel=kernel, stride=stride, pad="same", by=0)


def cases():
    for h, w in [(1, 1), (7, 8), (10, 11)]:
        for kernel, stride in [(3, 1), (3, 2), (2, 1), (2, 2), (4, 2), (9, 1), (5, 3), (1, 2)]:
            shape = (1, 3, h, w)
            yield case(f"{kernel}x{kernel} stride {stride}, {h}x{w}", shape, conv(17, kernel, stride))
            yield case(f"max {kernel}x{kernel} stride {stride}, {h}x{w}", shape, pool("max", kernel, stride))
            yield case(f"average {kernel}x{kernel} stride {stride}, {h}x{w}", shape, pool("average_inside", kernel, stride))
        for kernel, stride in [(3, 2), (2, 2), (4, 2), (5, 2), (3, 1), (9, 1), (5, 3), (1, 2)]:
            name = f"transposed {kernel}x{kernel} stride {stride}, {h}x{w}"
            yield case(name, (1, 18, h, w), transposed(3, kernel, stride))
    yield case("9x9, 20 to 3", (2, 20, 9, 12), conv(3, 9))
    yield case("3x3, 32 to 32", (2, 32, 9, 7), conv(32, 3))
    yield case("3x3 dilation 2", (1, 5, 9, 10), conv(17, 3, dilation=2))
    yield case("4x2", (1, 5, 9, 10), conv(6, [4, 2]))
    yield case("depthwise stride 2", (1, 18, 9, 10), conv(18, 3, 2, groups=18))
    yield case("depthwise 5x5", (1, 18, 9, 10), conv(18, 5, groups=18))


if __name__ == "__main__":
    write("tensorflow", tf.__version__, list(cases()), run)
