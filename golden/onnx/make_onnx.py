"""Small models exported by PyTorch, in both its ways, and what ONNX Runtime makes of them.

    python make_onnx.py     # torch 2.15, onnx 1.23.2, onnxscript, onnxruntime 1.31.1

Weights are those of common.py for the parameters' names, seed 11. `results.safetensors`
holds an input and the output of each model, in float32 as ONNX Runtime computes them.
"""

import os
import sys
import warnings

import numpy as np
import onnxruntime
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import common

SEED = 11


class Residual(nn.Module):
    """Batch norms that cannot be folded, a block around which its input goes, a stride."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(8), nn.BatchNorm2d(8)
        self.conv1 = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.down = nn.Conv2d(8, 8, 1, stride=2)
        self.top = nn.Linear(8, 5)

    def forward(self, x):
        x = self.norm1(F.relu(self.stem(x)))
        y = self.conv2(self.norm2(F.relu(self.conv1(x))))
        x = F.relu(y + self.down(x))
        x = F.max_pool2d(x, 3, 2, 1)
        return F.softmax(self.top(F.adaptive_avg_pool2d(x, 1).flatten(1)), 1)


class Depthwise(nn.Module):
    """As MobileNets and EfficientNets are: depthwise, squeeze and excitation, ReLU6, SiLU."""

    def __init__(self):
        super().__init__()
        self.expand = nn.Conv2d(3, 12, 1)
        self.norm = nn.BatchNorm2d(12)
        self.depthwise = nn.Conv2d(12, 12, 5, stride=2, padding=2, groups=12)
        self.squeeze, self.excite = nn.Conv2d(12, 3, 1), nn.Conv2d(3, 12, 1)
        self.project = nn.Conv2d(12, 6, 1, groups=3)
        self.top = nn.Sequential(nn.Dropout(0.2), nn.Linear(6, 4))

    def forward(self, x):
        x = self.norm(F.relu6(self.expand(x)))
        x = F.silu(self.depthwise(x))
        gate = torch.sigmoid(self.excite(F.silu(self.squeeze(x.mean((2, 3), keepdim=True)))))
        return self.top(self.project(gate * x).mean((2, 3)))


class Vgg(nn.Module):
    """Convolutions, poolings, a flattening and dense layers, in torchvision's names."""

    def __init__(self):
        super().__init__()
        conv = lambda i, o: [nn.Conv2d(i, o, 3, padding=1), nn.ReLU()]
        self.features = nn.Sequential(*conv(3, 6), nn.MaxPool2d(2), *conv(6, 8), *conv(8, 8), nn.AvgPool2d(2))
        self.classifier = nn.Sequential(nn.Linear(8 * 4 * 4, 10), nn.ReLU(), nn.Dropout(), nn.Linear(10, 3))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


class Style(nn.Module):
    """Picture to picture: the picture normalised inside, every border, norm and enlargement."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.down = nn.Conv2d(3, 6, 3, stride=2)
        self.norm = nn.InstanceNorm2d(6, affine=True)
        self.up = nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1)
        self.mix = nn.Conv2d(13, 3, 3)

    def forward(self, x):
        x = (x - self.mean) / self.std
        y = F.leaky_relu(self.norm(self.down(F.pad(x, (1, 1, 1, 1), mode="reflect"))), 0.2)
        wide = F.interpolate(y, scale_factor=2, mode="nearest")
        soft = F.interpolate(x[:, :, ::1, ::1] * 0.5, scale_factor=2, mode="bilinear", align_corners=False)
        soft = F.avg_pool2d(soft, 2)
        y = torch.cat([self.up(y), wide, soft], 1)
        y = self.mix(F.pad(F.pad(y, (1, 2, 0, 1)), (0, 0, 1, 0), mode="replicate"))
        return 1 - (torch.tanh(F.pad(y, (0, -1, 0, 0))) * 0.5 + 0.5)


def main():
    results = {}
    for name, model in {"residual": Residual(), "depthwise": Depthwise(), "vgg": Vgg(), "style": Style()}.items():
        model.eval()
        state = model.state_dict()
        for key in state:
            if key in ("mean", "std") or key.endswith("num_batches_tracked"):
                continue
            state[key] = torch.tensor(common.parameter(SEED, key, tuple(state[key].shape)))
        model.load_state_dict(state)
        x = common.signed(common.named(SEED, name), (1, 3, 16, 16))
        results[f"{name}/input"] = x
        for way in ("script", "dynamo"):
            path = os.path.join(HERE, f"{name}.{way}.onnx")
            options = {"dynamo": False, "opset_version": 13} if way == "script" else {"dynamo": True, "external_data": False, "verbose": False}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(model, (torch.tensor(x),), path, input_names=["picture"], output_names=["result"], **options)
            common.forget_places(path)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            results[f"{name}/{way}"] = session.run(None, {"picture": x})[0]
        with torch.no_grad():
            off = max(np.abs(results[f"{name}/{way}"] - model(torch.tensor(x)).numpy()).max() for way in ("script", "dynamo"))
        assert off < 1e-5, (name, off)
    save_file({key: np.ascontiguousarray(value) for key, value in results.items()}, os.path.join(HERE, "results.safetensors"))


main()
