"""Writes the cases and results of the operations that PyTorch defines."""

import itertools
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import numpy as np
import torch
import torch.nn.functional as F

from record import case, inputs, parameters, seed_gradient, write

PAD = {"zero": "constant", "reflect": "reflect", "replicate": "replicate"}


def conv(out, kernel, stride=1, dilation=1, groups=1, pad="zero", by=0, bias=True):
    kernel = [kernel, kernel] if isinstance(kernel, int) else kernel
    return dict(kind="conv", out=out, kernel=kernel, stride=stride, dilation=dilation,
                groups=groups, pad=pad, by=by, bias=bias)


def transposed(out, kernel, stride, padding, output, bias=True):
    return dict(kind="conv_transpose", out=out, kernel=kernel, stride=stride, pad="torch",
                by=padding, output=output, bias=bias)


def pool(what, kernel, stride, by=0):
    return dict(kind="pool", what=what, kernel=kernel, stride=stride, pad="zero", by=by)


def layer(kind, **settings):
    return dict(kind=kind, **settings)


def activation(name, slope=0.0):
    return layer("activation", name=name, slope=slope)


def compute(spec, xs, param):
    """One layer. `param(part, shape)` gives its parameters."""
    x, kind = xs[0], spec["kind"]
    n, c, h, w = x.shape
    if kind == "conv":
        weight = param("weight", (spec["out"], c // spec["groups"], *spec["kernel"]))
        bias = param("bias", (spec["out"],)) if spec["bias"] else None
        x = F.pad(x, (spec["by"],) * 4, mode=PAD[spec["pad"]])
        return F.conv2d(x, weight, bias, spec["stride"], 0, spec["dilation"], spec["groups"])
    if kind == "conv_transpose":
        weight = param("weight", (c, spec["out"], spec["kernel"], spec["kernel"]))
        bias = param("bias", (spec["out"],)) if spec["bias"] else None
        return F.conv_transpose2d(x, weight, bias, spec["stride"], spec["by"], spec["output"])
    if kind == "linear":
        y = F.linear(x.flatten(1), param("weight", (spec["out"], c)), param("bias", (spec["out"],)))
        return y[:, :, None, None]
    if kind == "instance_norm":
        mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), unbiased=False, keepdim=True)
        gain, shift = (param(p, (c,)).view(1, c, 1, 1) for p in ("weight", "bias"))
        return (x - mean) / (var + spec["eps"]).sqrt() * gain + shift
    if kind == "batch_norm":
        gain, shift, mean, var = (param(p, (c,)) for p in ("weight", "bias", "running_mean", "running_var"))
        return F.batch_norm(x, mean, var, gain, shift, eps=spec["eps"])
    if kind == "activation":
        functions = dict(relu=F.relu, relu6=F.relu6, tanh=torch.tanh, sigmoid=torch.sigmoid, silu=F.silu)
        functions["leaky_relu"] = lambda x: F.leaky_relu(x, spec["slope"])
        return functions[spec["name"]](x)
    if kind == "softmax":
        return x.softmax(1)
    if kind == "pool":
        args = (x, spec["kernel"], spec["stride"], spec["by"])
        if spec["what"] == "max":
            return F.max_pool2d(*args)
        return F.avg_pool2d(*args, count_include_pad=spec["what"] == "average")
    if kind == "adaptive_avg_pool":
        return F.adaptive_avg_pool2d(x, (spec["height"], spec["width"]))
    if kind == "resize":
        align = {} if spec["filter"] == "nearest" else dict(align_corners=False)
        return F.interpolate(x, scale_factor=spec["factor"], mode=spec["filter"], **align)
    if kind == "pad":
        top, bottom, left, right = spec["sides"]
        return F.pad(x, (left, right, top, bottom), mode=PAD[spec["pad"]])
    if kind == "crop":
        top, bottom, left, right = spec["sides"]
        return x[:, :, top : h - bottom, left : w - right]
    if kind == "scale":
        # Constants are float32 in the graph.
        return x * float(np.float32(spec["scale"])) + float(np.float32(spec["shift"]))
    if kind == "broadcast_space":
        return x.expand(-1, -1, *xs[1].shape[2:])
    if kind == "flatten":
        return x.flatten(1)[:, :, None, None]
    return dict(add=lambda: x + xs[1], mul=lambda: x * xs[1], concat=lambda: torch.cat(xs, 1),
                dropout=lambda: x)[kind]()


def run(case):
    """The result, and the gradients of its sum with random weights by input and parameter."""
    values, get = [torch.from_numpy(x).requires_grad_() for x in inputs(case)], parameters(case)
    leaves = {f"x{i}": x for i, x in enumerate(values)}

    def param(i, part, shape):
        value = torch.from_numpy(get(i, part, shape))
        if part.startswith("running"):
            return value
        leaves[f"l{i}.{part}"] = value.requires_grad_()
        return value

    for i, spec in enumerate(case["layers"]):
        values.append(compute(spec, [values[r] for r in spec["reads"]], lambda *a: param(i, *a)))
    result = values[-1]
    result.backward(torch.from_numpy(seed_gradient(case, result.shape)))
    by_name = {name: x.grad.numpy() for name, x in leaves.items() if x.grad is not None}
    return result.detach().numpy(), by_name


def convolutions():
    # Output sizes around the 2x2 and 4x4 tiles, channels around a vector of 16.
    for hw, (i, o) in zip([(1, 1), (2, 3), (4, 4), (5, 9), (7, 6), (8, 13)],
                          [(1, 1), (3, 5), (16, 16), (17, 15), (33, 20), (5, 35)]):
        yield case(f"3x3, {i} to {o}, {hw}", (2, i, *hw), conv(o, 3, by=1))
    for pad, (k, by) in itertools.product(["reflect", "replicate"], [(3, 1), (5, 2), (9, 4), (3, 3)]):
        yield case(f"{k}x{k} {pad} {by}", (1, 5, 6, 11), conv(7, k, pad=pad, by=by))
    for stride, pad in itertools.product([2, 3], ["zero", "reflect", "replicate"]):
        for h, w in [(7, 8), (10, 5)]:
            yield case(f"3x3 stride {stride} {pad} {h}x{w}", (1, 6, h, w), conv(18, 3, stride=stride, pad=pad, by=1))
    for h, w in [(9, 10), (12, 17)]:
        yield case(f"9x9, 3 to 8, {h}x{w}", (1, 3, h, w), conv(8, 9, pad="reflect", by=4))
        yield case(f"9x9, 20 to 3, {h}x{w}", (1, 20, h, w), conv(3, 9, pad="reflect", by=4))
    yield case("11x11 stride 4, 3 to 9", (1, 3, 25, 30), conv(9, 11, stride=4, by=2))
    yield case("7x7 stride 2, 3 to 17", (2, 3, 15, 18), conv(17, 7, stride=2, by=3))
    yield case("1x1", (2, 19, 5, 7), conv(34, 1))
    yield case("1x1 stride 2", (1, 19, 5, 7), conv(34, 1, stride=2))
    yield case("1x1 one pixel no bias", (1, 40, 1, 1), conv(10, 1, bias=False))
    yield case("1x7", (1, 9, 6, 12), conv(11, [1, 7]))
    yield case("5x1", (1, 9, 8, 6), conv(11, [5, 1]))
    yield case("2x2 stride 2", (1, 6, 7, 9), conv(20, 2, stride=2))
    yield case("4x4 stride 2", (1, 6, 9, 12), conv(20, 4, stride=2, by=1))
    yield case("3x3 no border", (1, 18, 6, 9), conv(16, 3, bias=False))
    for d, pad in itertools.product([2, 4], ["zero", "reflect"]):
        yield case(f"3x3 dilation {d} {pad}", (1, 6, 11, 9), conv(17, 3, dilation=d, pad=pad, by=d))
    yield case("3x3 dilation 2 stride 2", (1, 6, 11, 9), conv(9, 3, stride=2, dilation=2, by=2))
    for groups, i, o in [(2, 6, 10), (4, 32, 64), (3, 9, 3), (8, 16, 16)]:
        yield case(f"3x3 groups {groups}, {i} to {o}", (1, i, 7, 9), conv(o, 3, groups=groups, by=1))
    yield case("1x1 groups 3 stride 2", (2, 9, 5, 6), conv(12, 1, stride=2, groups=3))
    for c, k, stride, pad in [(5, 3, 1, "zero"), (21, 3, 2, "zero"), (16, 5, 1, "reflect"), (33, 7, 2, "replicate")]:
        yield case(f"depthwise {k}x{k} stride {stride}, {c}", (2, c, 9, 10), conv(c, k, stride=stride, groups=c, pad=pad, by=k // 2))
    yield case("depthwise dilation 2", (1, 17, 9, 10), conv(17, 3, groups=17, dilation=2, by=2, bias=False))
    yield case("depthwise times two", (1, 6, 7, 8), conv(12, 3, groups=6, by=1))
    yield case("wide 3x3", (1, 4, 3, 70), conv(16, 3, by=1))
    yield case("tall 3x3", (1, 4, 70, 3), conv(16, 3, by=1))


def transposes():
    for k, s, p, o in [(3, 2, 1, 1), (3, 2, 1, 0), (2, 2, 0, 0), (4, 2, 1, 0), (3, 1, 1, 0), (9, 1, 4, 0), (5, 3, 2, 2), (2, 3, 0, 0), (3, 2, 2, 1)]:
        for i, out, h, w in [(3, 18, 4, 5), (20, 3, 5, 3)]:
            yield case(f"transposed {k}x{k} stride {s} {p} {o}, {i} to {out}", (1, i, h, w), transposed(out, k, s, p, o))
    yield case("transposed one pixel", (2, 17, 1, 1), transposed(9, 3, 2, 1, 1, bias=False))


def pools():
    for what, (k, s, by) in itertools.product(["max", "average", "average_inside"], [(2, 2, 0), (3, 2, 1), (3, 1, 1), (5, 3, 2)]):
        yield case(f"{what} {k}x{k} stride {s} by {by}", (2, 18, 8, 11), pool(what, k, s, by))
    yield case("max of negatives at a border", (1, 3, 5, 5), layer("scale", scale=0.5, shift=-2.0), pool("max", 3, 2, 1))
    for h, w in [(1, 1), (7, 7), (3, 5), (6, 2)]:
        yield case(f"adaptive {h}x{w}", (2, 17, 6, 10), layer("adaptive_avg_pool", height=h, width=w))


def others():
    norm = layer("instance_norm", eps=1e-5)
    for h, w in [(1, 1), (1, 7), (9, 13), (21, 26)]:
        yield case(f"instance norm {h}x{w}", (2, 5, h, w), dict(norm))
    # Deviation: 0.01 / sqrt(3) of a uniform variable, and epsilon.
    yield case("instance norm far from zero", (1, 17, 9, 13), layer("scale", scale=0.01, shift=100.0), dict(norm),
               condition=100 / (1e-4 / 3 + 1e-5) ** 0.5)
    yield case("instance norm eps 1e-3", (2, 20, 5, 6), layer("instance_norm", eps=1e-3), amplitude=0.05)
    yield case("batch norm", (2, 19, 5, 6), layer("batch_norm", eps=1e-5))
    for name in ["relu", "relu6", "leaky_relu", "tanh", "sigmoid", "silu"]:
        for amplitude in [1.0, 12.0, 120.0]:
            yield case(f"{name} {amplitude}", (1, 5, 6, 7), activation(name, 0.2), amplitude=amplitude)
        yield case(f"{name} nan", (2, 5, 3, 3), activation(name, 0.2), nan=True)
    yield case("softmax", (2, 37, 3, 4), layer("softmax"), amplitude=8.0)
    yield case("softmax of large values", (1, 5, 3, 4), layer("softmax"), amplitude=200.0)
    for mode, factor in itertools.product(["nearest", "bilinear"], [2, 3, 4]):
        yield case(f"{mode} x{factor}", (1, 17, 4, 5), layer("resize", filter=mode, factor=factor))
        yield case(f"{mode} x{factor} one pixel", (1, 3, 1, 1), layer("resize", filter=mode, factor=factor))
    for mode in ["zero", "reflect", "replicate"]:
        yield case(f"pad {mode}", (2, 3, 5, 6), layer("pad", pad=mode, sides=[0, 4, 2, 3]))
    yield case("crop", (2, 17, 9, 8), layer("crop", sides=[1, 2, 3, 0]))
    two = [(2, 18, 4, 5)] * 2
    yield case("add", two, layer("add", reads=[0, 1]))
    yield case("mul", two, layer("mul", reads=[0, 1]))
    yield case("mul by one a channel", [(2, 18, 4, 5), (2, 18, 1, 1)], layer("mul", reads=[0, 1]))
    yield case("scale", (2, 3, 4, 5), layer("scale", scale=150.0, shift=127.5))
    yield case("concat", [(2, 3, 4, 5), (2, 17, 4, 5), (2, 1, 4, 5)], layer("concat", reads=[0, 1, 2]))
    yield case("broadcast over space", [(2, 18, 1, 1), (2, 3, 4, 5)], layer("broadcast_space", reads=[0, 1]))
    yield case("flatten and linear", (2, 6, 3, 4), layer("flatten"), layer("linear", features=72, out=21))
    yield case("linear", (3, 50, 1, 1), layer("linear", features=50, out=10))
    yield case("dropout", (1, 3, 4, 5), layer("dropout", share=0.5))


def chains():
    """What an engine fuses."""
    norm, relu = lambda: layer("instance_norm", eps=1e-5), lambda: activation("relu")
    near = lambda: layer("resize", filter="nearest", factor=2)
    yield case("conv norm relu conv", (2, 3, 10, 13), conv(18, 9, pad="reflect", by=4), norm(), relu(), conv(20, 3, stride=2, pad="reflect", by=1))
    yield case("conv norm relu conv zero border", (2, 5, 7, 9), conv(18, 3, by=1), norm(), relu(), conv(20, 3, by=1))
    yield case("upsample, reflected conv, norm", (1, 17, 4, 5), near(), conv(9, 3, pad="reflect", by=1), norm())
    yield case("norm relu upsample conv", (2, 17, 4, 5), norm(), relu(), near(), conv(9, 3, pad="reflect", by=1))
    yield case("norm relu transposed conv", (2, 17, 4, 5), norm(), relu(), transposed(9, 3, 2, 1, 1))
    yield case("conv batch norm relu6", (2, 9, 7, 8), conv(17, 3, by=1), layer("batch_norm", eps=1e-3), activation("relu6"))
    yield case("depthwise batch norm silu", (2, 17, 7, 8), conv(17, 3, groups=17, by=1, bias=False), layer("batch_norm", eps=1e-3), activation("silu"))
    yield case("transposed batch norm tanh", (1, 9, 4, 5), transposed(5, 4, 2, 1, 0), layer("batch_norm", eps=1e-5), activation("tanh"))
    yield case("residual with norms", (2, 18, 8, 9), conv(18, 3, pad="reflect", by=1), norm(), relu(),
               conv(18, 3, pad="reflect", by=1), norm(), layer("add", reads=[5, 0]))
    yield case("residual, relu after", (1, 18, 8, 9), conv(18, 3, by=1), relu(), conv(18, 3, by=1), layer("add", reads=[3, 0]), relu())
    yield case("both arms of a sum are convolutions", (1, 18, 8, 9), conv(20, 3, by=1, ), conv(20, 1) | dict(reads=[0]), layer("add", reads=[1, 2]), relu())
    yield case("an activation read twice", (1, 18, 6, 7), conv(18, 3, by=1), relu(), conv(18, 3, by=1), layer("concat", reads=[2, 3, 0]), conv(5, 1))
    yield case("a norm read twice", (1, 18, 6, 7), norm(), conv(18, 3, by=1), layer("add", reads=[1, 2]))
    yield case("relu after the sum of a value with itself", (1, 5, 4, 4), layer("add", reads=[0, 0]), relu())
    yield case("squeeze and excitation", (2, 20, 6, 7), layer("adaptive_avg_pool", height=1, width=1), conv(5, 1), activation("silu"),
               conv(20, 1), activation("sigmoid"), layer("mul", reads=[0, 5]))
    yield case("global features beside local ones", (2, 20, 5, 6), conv(7, 3, stride=2, by=1), layer("adaptive_avg_pool", height=1, width=1),
               layer("broadcast_space", reads=[2, 0]), layer("concat", reads=[0, 3]), conv(9, 1), relu())
    yield case("pad, conv, crop", (1, 5, 6, 7), layer("pad", pad="reflect", sides=[2, 3, 1, 4]), conv(17, 3, by=1), layer("crop", sides=[2, 3, 1, 4]))
    yield case("conv relu pool", (2, 5, 9, 11), conv(17, 3, by=1), relu(), pool("max", 2, 2))
    yield case("tanh and scale after a norm", (1, 5, 8, 9), conv(3, 9, by=4, bias=False), norm(), activation("tanh"), layer("scale", scale=150.0, shift=127.5))
    yield case("two activations", (1, 5, 4, 5), conv(6, 1), activation("leaky_relu", 0.1), activation("sigmoid"))
    yield case("bilinear before a conv", (1, 17, 4, 5), layer("resize", filter="bilinear", factor=2), conv(9, 3, by=1))


def poisoned():
    """NaN in the first image reaches every result that it should, and not the second image."""
    for spec in [conv(18, 3, by=1), conv(18, 1), conv(3, 9, by=4), conv(6, 3, stride=2, by=1), conv(5, 3, groups=5, by=1),
                 transposed(4, 3, 2, 1, 1), pool("max", 3, 2, 1), pool("average", 2, 2), layer("instance_norm", eps=1e-5),
                 layer("batch_norm", eps=1e-5), layer("softmax"), layer("adaptive_avg_pool", height=1, width=1),
                 layer("resize", filter="bilinear", factor=2), layer("resize", filter="nearest", factor=2),
                 layer("scale", scale=0.0, shift=1.0)]:
        name = " ".join(str(v) for v in spec.values())
        yield case(f"nan {name}", (2, 5, 9, 8), spec, nan=True)
    yield case("nan linear", (2, 30, 1, 1), layer("linear", features=30, out=7), nan=True)
    yield case("nan conv relu pool", (2, 5, 9, 8), conv(6, 3, by=1), activation("relu"), pool("max", 2, 2), nan=True)


if __name__ == "__main__":
    cases = [*convolutions(), *transposes(), *pools(), *others(), *chains(), *poisoned()]
    write("pytorch", torch.__version__, cases, run)
