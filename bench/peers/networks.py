"""The benchmarked networks as data: a list of steps that PyTorch runs and that becomes ONNX.

Weights and pictures are made from seeds by golden/common.py, which the Rust side's
`testing` makes alike: everybody computes the same numbers, and `check` can show it.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "golden"))

import common

SEED = 2
NORM = ["weight", "bias", "running_mean", "running_var"]


class Network:
    """Steps `(kind, …)` and parameters, under the names that the Rust side has."""

    def __init__(self):
        self.steps, self.params, self.is_classifier = [], {}, False
        self.is_told = False  # a second input, the probabilities of classes

    def param(self, name, *shape):
        self.params[name] = common.parameter(SEED, name, shape)
        return name

    def conv(self, name, cin, cout, kernel, stride=1, pad="zero"):
        w = self.param(f"{name}.weight", cout, cin, kernel, kernel)
        b = self.param(f"{name}.bias", cout)
        if pad == "reflect":
            self.steps.append(("reflect", kernel // 2))
        self.steps.append(("conv", w, b, stride, kernel // 2 if pad == "zero" else 0))

    def conv_same(self, name, cin, cout, kernel, stride=1, groups=1, bias=True):
        w = self.param(f"{name}.weight", cout, cin // groups, kernel, kernel)
        if bias:
            self.param(f"{name}.bias", cout)
        self.steps.append(("conv same", w, groups, stride))

    def batch_norm(self, name, c):
        for part in NORM:
            self.param(f"{name}.{part}", c)
        self.steps.append(("batch norm", name))

    def norm(self, name, c):
        w, b = self.param(f"{name}.weight", c), self.param(f"{name}.bias", c)
        self.steps.append(("norm", w, b))

    def plain(self, *kinds):
        self.steps.extend((kind,) for kind in kinds)


def transformer():
    """pytorch/examples `fast_neural_style`: 1,679,235 parameters."""
    net = Network()

    def block(conv, norm, cin, cout, kernel, stride=1):
        net.conv(f"{conv}.conv2d", cin, cout, kernel, stride, "reflect")
        net.norm(norm, cout)

    for i, (cin, cout, kernel, stride) in enumerate([(3, 32, 9, 1), (32, 64, 3, 2), (64, 128, 3, 2)]):
        block(f"conv{i + 1}", f"in{i + 1}", cin, cout, kernel, stride)
        net.plain("relu")
    for i in range(1, 6):
        net.plain("keep")
        block(f"res{i}.conv1", f"res{i}.in1", 128, 128, 3)
        net.plain("relu")
        block(f"res{i}.conv2", f"res{i}.in2", 128, 128, 3)
        net.plain("add")
    for i, (cin, cout) in enumerate([(128, 64), (64, 32)]):
        net.plain("double")
        block(f"deconv{i + 1}", f"in{i + 4}", cin, cout, 3)
        net.plain("relu")
    net.conv("deconv3.conv2d", 32, 3, 9, 1, "reflect")
    assert sum(p.size for p in net.params.values()) == 1_679_235
    return net


VGG16_TO_4 = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512]


def vgg16_224():
    """torchvision's `features` to relu5_3."""
    return vgg16([*VGG16_TO_4, "pool", 512, 512, 512])


def vgg16(layers=VGG16_TO_4):
    """torchvision's `features` to relu4_3."""
    net, cin, index = Network(), 3, 0
    for layer in layers:
        if layer == "pool":
            net.plain("pool")
            index += 1
        else:
            net.conv(f"features.{index}", cin, layer, 3)
            net.plain("relu")
            cin, index = layer, index + 2
    return net


class WholeVgg16:
    """The whole classifier, for what looks into it: see cam.py."""

    def __init__(self):
        self.params = vgg16_224().params
        for index, shape in [(0, (4096, 25088)), (3, (4096, 4096)), (6, (1000, 4096))]:
            for part, axes in [("weight", shape), ("bias", shape[:1])]:
                name = f"classifier.{index}.{part}"
                self.params[name] = common.parameter(SEED, name, axes)


def one_conv():
    """A single 3×3 convolution, 128 to 128 channels."""
    net = Network()
    net.conv("conv", 128, 128, 3)
    return net


def cats_and_dogs():
    """The tutorial's: 3,453,121 parameters. Its dense layers see the channels first."""
    net, cin = Network(), 3
    net.is_classifier = True
    for i, cout in enumerate([32, 64, 128, 128]):
        net.conv("conv2d" if i == 0 else f"conv2d_{i}", cin, cout, 3, pad="none")
        net.plain("relu", "pool")
        cin = cout
    net.plain("flatten", "dropout")
    for name, cin, cout in [("dense", 6272, 512), ("dense_1", 512, 1)]:
        w, b = net.param(f"{name}.weight", cout, cin), net.param(f"{name}.bias", cout)
        net.steps.append(("linear", w, b))
        if name == "dense":
            net.plain("relu")
    assert sum(p.size for p in net.params.values()) == 3_453_121
    return net


def colour(down, up, told=None):
    """The colouring tutorial's: rows of channels, `(channels, 2)` at stride 2, "double".

    `told` is how many channels the classes, repeated over the plane, and what is there before
    are brought to.
    """
    net, cin, index = Network(), 1, 0
    net.is_told = told is not None
    fusion = [("classes",)] if net.is_told else []
    for row in [*down, *fusion, *up]:
        if row == "double":
            net.plain("double")
            continue
        if row == ("classes",):
            net.plain("classes")
            cin, cout, kernel, stride = cin + 1000, told, 1, 1
        else:
            (cout, stride), kernel = row if isinstance(row, tuple) else (row, 1), 3
        net.conv_same("conv2d" if index == 0 else f"conv2d_{index}", cin, cout, kernel, stride)
        net.plain("tanh" if cout == 2 else "relu")
        cin, index = cout, index + 1
    return net


def colour_alpha():
    net = colour([(8, 2), 8, 16, (16, 2), 32, (32, 2)], ["double", 32, "double", 16, "double", 2])
    assert sum(p.size for p in net.params.values()) == 32_202
    return net


def colour_beta():
    down = [64, (64, 2), 128, (128, 2), 256, (256, 2), 512, 256, 128]
    net = colour(down, ["double", 64, "double", 32, 2, "double"])
    assert sum(p.size for p in net.params.values()) == 3_892_194
    return net


def colour_full():
    down = [(64, 2), 128, (128, 2), 256, (256, 2), 512, 512, 256]
    net = colour(down, [128, "double", 64, "double", 32, 16, 2, "double"], told=256)
    assert sum(p.size for p in net.params.values()) == 6_541_202
    return net


def efficientnet_lite0():
    """The PyTorch package efficientnet_lite_pytorch's: 4,652,008 parameters and statistics."""
    net, cin, index = Network(), 32, 0
    net.conv_same("_conv_stem", 3, 32, 3, 2, bias=False)
    net.batch_norm("_bn0", 32)
    net.plain("relu6")
    stages = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80)]
    for blocks, kernel, stride, expand, cout in [*stages, (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]:
        for block in range(blocks):
            name, inside = f"_blocks.{index}", cin * expand
            step = stride if block == 0 else 1
            is_residual = step == 1 and cin == cout
            if is_residual:
                net.plain("keep")
            if expand > 1:
                net.conv_same(f"{name}._expand_conv", cin, inside, 1, bias=False)
                net.batch_norm(f"{name}._bn0", inside)
                net.plain("relu6")
            net.conv_same(f"{name}._depthwise_conv", inside, inside, kernel, step, inside, bias=False)
            net.batch_norm(f"{name}._bn1", inside)
            net.plain("relu6")
            net.conv_same(f"{name}._project_conv", inside, cout, 1, bias=False)
            net.batch_norm(f"{name}._bn2", cout)
            if is_residual:
                net.plain("add")
            cin, index = cout, index + 1
    net.conv_same("_conv_head", 320, 1280, 1, bias=False)
    net.batch_norm("_bn1", 1280)
    net.plain("relu6", "mean")
    net.steps.append(("linear", net.param("_fc.weight", 1000, 1280), net.param("_fc.bias", 1000)))
    learnt = sum(p.size for name, p in net.params.items() if ".running" not in name)
    assert learnt == 4_652_008, learnt
    return net


# name: network, input shape; the names are xtask's
CASES = {
    "transformer-256": (transformer, (1, 3, 256, 256)),
    "transformer-512": (transformer, (1, 3, 512, 512)),
    "transformer-1024": (transformer, (1, 3, 1024, 1024)),
    "vgg16-batch1": (vgg16, (1, 3, 256, 256)),
    "vgg16-batch4": (vgg16, (4, 3, 256, 256)),
    "vgg16-224": (vgg16_224, (1, 3, 224, 224)),
    "grad-cam": (WholeVgg16, (1, 3, 224, 224)),
    "conv3x3": (one_conv, (1, 128, 64, 64)),
    "classifier-step": (cats_and_dogs, (20, 3, 150, 150)),
    "colour-alpha-400": (colour_alpha, (1, 1, 400, 400)),
    "colour-beta-256": (colour_beta, (1, 1, 256, 256)),
    "colour-full-256": (colour_full, (1, 1, 256, 256)),
    "colour-full-step": (lambda: (colour_full(), efficientnet_lite0()), (20, 3, 256, 256)),
    "style-step": (lambda: (transformer(), vgg16()), (4, 3, 256, 256)),
}


def picture(shape):
    """The input in -1..1: the same values for everybody."""
    return common.signed(common.named(SEED, "input"), shape)


def classes(count):
    """The second input of a network that is told what is seen."""
    return common.signed(common.named(SEED, "classes"), (count, 1000, 1, 1))


def to_onnx(net, shape):
    """The same steps as an ONNX model, opset 17."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, x, kept = [], "input", None
    consts = [numpy_helper.from_array(p, name) for name, p in net.params.items()]

    def const(name, array):
        consts.append(numpy_helper.from_array(array, name))
        return name

    for i, (kind, *args) in enumerate(net.steps):
        y, inputs, attributes = f"x{i}", [x], {}
        if kind == "keep":
            kept = x
            continue
        if kind == "conv":
            w, b, stride, pad = args
            op, inputs = "Conv", [x, w, b]
            attributes = {"strides": [stride] * 2, "pads": [pad] * 4}
        elif kind == "conv same":
            w, groups, stride = args
            bias, size = w.replace("weight", "bias"), list(net.params[w].shape[2:])
            op, inputs = "Conv", [x, w, *([bias] if bias in net.params else [])]
            attributes = {"strides": [stride] * 2, "auto_pad": "SAME_UPPER", "group": groups, "kernel_shape": size}
        elif kind == "classes":
            like, eighth = f"like{i}", [side // 8 for side in shape[2:]]
            plane = const(f"plane{i}", np.array([1, 1, *eighth], np.int64))
            nodes.append(helper.make_node("Expand", ["classes", plane], [like]))
            op, inputs, attributes = "Concat", [x, like], {"axis": 1}
        elif kind == "reflect":
            n = args[0]
            pads = const(f"pads{i}", np.array([0, 0, n, n, 0, 0, n, n], np.int64))
            op, inputs, attributes = "Pad", [x, pads], {"mode": "reflect"}
        elif kind == "norm":
            op, inputs, attributes = "InstanceNormalization", [x, *args], {"epsilon": 1e-5}
        elif kind == "double":
            scales = const(f"scales{i}", np.array([1, 1, 2, 2], np.float32))
            op, inputs = "Resize", [x, "", scales]
            attributes = {
                "mode": "nearest",
                "coordinate_transformation_mode": "asymmetric",
                "nearest_mode": "floor",
            }
        elif kind == "pool":
            op, attributes = "MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}
        elif kind == "add":
            op, inputs = "Add", [x, kept]
        else:
            op = {"relu": "Relu", "tanh": "Tanh"}[kind]
        nodes.append(helper.make_node(op, inputs, [y], **attributes))
        x = y
    graph = helper.make_graph(
        nodes,
        "bench",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, size)
            for name, size in [("input", shape), ("classes", (shape[0], 1000, 1, 1))][: 1 + net.is_told]
        ],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, None)],
        consts,
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
