"""Small members of known families, exported by PyTorch in its ways, for looking into.

    python make_zoo.py          # torch 2.15, torchvision 0.29, onnx 1.23.2, onnxruntime 1.31.1
    python make_zoo.py DIR      # the real ones, for the test that wants PENTIMENTO_LARGE

The blocks are torchvision's, and those of the package efficientnet_lite_pytorch; only
widths and depths are small. Weights are those of common.py for the parameters' names, seed
11, batch norms by their running statistics. `zoo.safetensors` holds a picture and what ONNX
Runtime makes of it. With DIR the networks are whole, at 224 pixels, and all goes there.
"""

import os
import sys
import warnings

import numpy as np
import onnxruntime
import torch
import torchvision
from efficientnet_lite_pytorch import EfficientNet
from efficientnet_lite_pytorch.utils import BlockArgs, GlobalParams
from safetensors.numpy import save_file
from torch import nn
from torchvision.models.mobilenetv2 import InvertedResidual
from torchvision.models.resnet import BasicBlock
from torchvision.models.vgg import make_layers

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import common

SEED, CLASSES = 11, 10
# The older exporter writes what the file's name says; the newer one its own.
WAYS = {"script11": 11, "script17": 17, "dynamo": None}


def resnet18():
    down = nn.Sequential(nn.Conv2d(8, 12, 1, 2, bias=False), nn.BatchNorm2d(12))
    return nn.Sequential(
        nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        BasicBlock(8, 8), BasicBlock(8, 12, 2, down), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, CLASSES),
    )


def mobilenet_v2():
    norm = lambda i, o, k, s: torchvision.ops.Conv2dNormActivation(i, o, k, s, activation_layer=nn.ReLU6)
    blocks = [InvertedResidual(8, 6, 1, 1), InvertedResidual(6, 8, 2, 4), InvertedResidual(8, 8, 1, 4)]
    features = nn.Sequential(norm(3, 8, 3, 2), *blocks, norm(8, 24, 1, 1))
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(24, CLASSES))


def vgg16():
    features = make_layers([6, "M", 8, 8, "M"])
    top = [nn.Linear(8 * 7 * 7, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, CLASSES)]
    return nn.Sequential(features, nn.AdaptiveAvgPool2d((7, 7)), nn.Flatten(), *top)


def efficientnet_lite0(size):
    block = lambda k, i, o, s, e, r=1: BlockArgs(
        num_repeat=r, kernel_size=k, stride=[s], expand_ratio=e, input_filters=i, output_filters=o, se_ratio=None, id_skip=True)
    made = GlobalParams(
        batch_norm_momentum=0.99, batch_norm_epsilon=1e-3, dropout_rate=0.2, num_classes=CLASSES, width_coefficient=0.25,
        depth_coefficient=1.0, depth_divisor=8, min_depth=None, drop_connect_rate=0.2, image_size=size, relu_fn="relu6", fix_head_stem=False, use_se=False)
    model = EfficientNet([block(3, 32, 16, 1, 1), block(5, 16, 24, 2, 6, 2)], made)
    model._conv_head = nn.Conv2d(model._conv_head.in_channels, 24, 1, bias=False)
    model._bn1, model._fc = nn.BatchNorm2d(24, eps=1e-3), nn.Linear(24, CLASSES)
    return model


def whole(name):
    if name == "efficientnet_lite0":
        return EfficientNet.from_name("efficientnet-lite0", image_size=224)
    return torchvision.models.get_model(name, weights=None)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    is_whole, size = len(sys.argv) > 1, 224 if len(sys.argv) > 1 else 28
    small = {"resnet18": resnet18, "mobilenet_v2": mobilenet_v2, "vgg16": vgg16, "efficientnet_lite0": lambda: efficientnet_lite0(28)}
    results = {}
    for name, make in small.items():
        model = (whole(name) if is_whole else make()).eval()
        state = model.state_dict()
        for key in state:
            if not key.endswith("num_batches_tracked"):
                state[key] = torch.tensor(common.parameter(SEED, key, tuple(state[key].shape)))
        model.load_state_dict(state)
        x = common.encoded(common.smooth_picture((1, 3, size, size), SEED), 1, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        results[f"{name}/input"] = x
        with torch.no_grad():
            want = model(torch.tensor(x)).numpy()
        for way, opset in WAYS.items():
            path = os.path.join(folder, f"{name}.{way}.onnx")
            options = {"dynamo": True, "external_data": False, "verbose": False}
            if opset:
                options = {"dynamo": False, "opset_version": opset}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(model, (torch.tensor(x),), path, input_names=["picture"], output_names=["scores"], **options)
            common.forget_places(path)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            results[f"{name}/{way}"] = session.run(None, {"picture": x})[0]
            off = np.abs(results[f"{name}/{way}"] - want).max() / np.abs(want).max()
            print(name, way, f"{off:.1e}", os.path.getsize(path), flush=True)
            assert off < 1e-5, (name, way, off)
    results = {key: np.ascontiguousarray(value) for key, value in results.items()}
    save_file(results, os.path.join(folder, "zoo.safetensors"))


main()
