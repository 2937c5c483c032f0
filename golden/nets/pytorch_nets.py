"""The PyTorch references, with the parameter names of the published checkpoints.

Each forward returns a dict of every tap, last the output.
"""

import torch
import torch.nn.functional as F
import torchvision
from torch import nn


class Reflected(nn.Module):
    """pytorch/examples' ConvLayer: a border by reflection, then a convolution."""

    def __init__(self, i, o, kernel, stride=1):
        super().__init__()
        self.reflection_pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(i, o, kernel, stride)

    def forward(self, x):
        return self.conv2d(self.reflection_pad(x))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = Reflected(channels, channels, 3)
        self.in1 = nn.InstanceNorm2d(channels, affine=True)
        self.conv2 = Reflected(channels, channels, 3)
        self.in2 = nn.InstanceNorm2d(channels, affine=True)


class TransformerNet(nn.Module):
    """pytorch/examples fast_neural_style."""

    def __init__(self):
        super().__init__()
        layers = dict(conv1=(3, 32, 9), conv2=(32, 64, 3, 2), conv3=(64, 128, 3, 2))
        layers |= dict(deconv1=(128, 64, 3), deconv2=(64, 32, 3), deconv3=(32, 3, 9))
        for name, settings in layers.items():
            self.add_module(name, Reflected(*settings))
        for i, channels in enumerate([32, 64, 128, 64, 32], 1):
            self.add_module(f"in{i}", nn.InstanceNorm2d(channels, affine=True))
        for i in range(1, 6):
            self.add_module(f"res{i}", Residual(128))

    def forward(self, x):
        taps = {}

        def block(x, part, conv, norm, relu):
            y = taps[f"{conv}.conv2d"] = part.get_submodule(conv.split(".")[-1])(x)
            y = taps[norm] = part.get_submodule(norm.split(".")[-1])(y)
            y = taps[relu] = F.relu(y)
            return y

        for i in range(1, 4):
            x = block(x, self, f"conv{i}", f"in{i}", f"relu{i}")
        for i in range(1, 6):
            name, part = f"res{i}", self.get_submodule(f"res{i}")
            y = block(x, part, f"{name}.conv1", f"{name}.in1", f"{name}.relu")
            y = taps[f"{name}.conv2.conv2d"] = part.conv2(y)
            y = taps[f"{name}.in2"] = part.in2(y)
            x = taps[name] = y + x
        for i in range(1, 3):
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            taps[f"deconv{i}.upsample_layer"] = x
            x = block(x, self, f"deconv{i}", f"in{i + 3}", f"relu{i + 3}")
        taps["deconv3.conv2d"] = self.deconv3(x)
        return taps


class TutorialResidual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        conv = lambda: nn.Conv2d(channels, channels, 3, padding=1)
        self.conv = nn.Sequential(conv(), nn.ReLU(), conv())


class ImfwNet(nn.Module):
    """The tutorial's network."""

    def __init__(self):
        super().__init__()
        down, up = [], []
        for i, o, kernel, stride in [(3, 32, 9, 1), (32, 64, 3, 2), (64, 128, 3, 2)]:
            down += [nn.ReflectionPad2d(kernel // 2), nn.Conv2d(i, o, kernel, stride)]
            down += [nn.InstanceNorm2d(o, affine=True), nn.ReLU()]
        for i, o in [(128, 64), (64, 32)]:
            up += [nn.ConvTranspose2d(i, o, 3, 2, padding=1, output_padding=1)]
            up += [nn.InstanceNorm2d(o, affine=True), nn.ReLU()]
        self.downsample = nn.Sequential(*down)
        self.res_blocks = nn.Sequential(*(TutorialResidual(128) for _ in range(5)))
        self.unsample = nn.Sequential(*up, nn.ConvTranspose2d(32, 3, 9, padding=4))

    def forward(self, x):
        taps = {}

        def sequence(x, name, modules):
            for i, module in enumerate(modules):
                x = module(x)
                if not isinstance(module, nn.ReflectionPad2d):
                    taps[f"{name}.{i}"] = x
            return x

        x = sequence(x, "downsample", self.downsample)
        for i, block in enumerate(self.res_blocks):
            y = sequence(x, f"res_blocks.{i}.conv", block.conv)
            y = taps[f"res_blocks.{i}.sum"] = y + x
            x = taps[f"res_blocks.{i}"] = F.relu(y)
        sequence(x, "unsample", self.unsample)
        return taps


class Vgg(nn.Module):
    """torchvision's own stack."""

    def __init__(self, depth):
        super().__init__()
        self.features = torchvision.models.get_model(f"vgg{depth}", weights=None).features

    def forward(self, x):
        taps, block, layer = {}, 1, 1
        for module in self.features:
            module = nn.ReLU() if isinstance(module, nn.ReLU) else module  # not in place
            x = module(x)
            if isinstance(module, nn.Conv2d):
                taps[f"conv{block}_{layer}"] = x
            elif isinstance(module, nn.ReLU):
                taps[f"relu{block}_{layer}"] = x
                layer += 1
            else:
                taps[f"pool{block}"] = x
                block, layer = block + 1, 1
        return taps


class NormalisedVgg19(nn.Module):
    """AdaIN's encoder: conv0, reflection padding, poolings with ceil_mode."""

    def __init__(self, last="pool5"):
        super().__init__()
        self.last = last
        self.conv0 = nn.Conv2d(3, 3, 1)
        i = 3
        for block, (layers, o) in enumerate([(2, 64), (2, 128), (4, 256), (4, 512), (4, 512)], 1):
            for layer in range(1, layers + 1):
                self.add_module(f"conv{block}_{layer}", nn.Conv2d(i, o, 3))
                i = o
                if f"conv{block}_{layer}" == last:
                    return

    def forward(self, x):
        taps = {"conv0": self.conv0(x)}
        x = taps["conv0"]
        for block, layers in enumerate([2, 2, 4, 4, 4], 1):
            for layer in range(1, layers + 1):
                conv = self.get_submodule(f"conv{block}_{layer}")
                x = taps[f"conv{block}_{layer}"] = conv(F.pad(x, (1, 1, 1, 1), mode="reflect"))
                if f"conv{block}_{layer}" == self.last:
                    return taps
                x = taps[f"relu{block}_{layer}"] = F.relu(x)
            x = taps[f"pool{block}"] = F.max_pool2d(x, 2, 2, ceil_mode=True)
        return taps


def padded_as_tensorflow(x, kernel, stride):
    """TensorFlow's SAME: zeros for `⌈size / stride⌉` pixels, the odd one at the bottom or right."""
    sides = []
    for size in (x.shape[3], x.shape[2]):
        total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides)


class Normed(nn.Module):
    """A convolution without bias, `SAME`, and an instance norm; one of lengstrom's layers."""

    def __init__(self, i, o, kernel, stride=1, up=1):
        super().__init__()
        pair = (o, i) if up == 1 else (i, o)
        self.weight = nn.Parameter(torch.zeros(*pair, kernel, kernel))
        self.norm = nn.InstanceNorm2d(o, eps=1e-3, affine=True)
        self.stride, self.up = stride, up

    def forward(self, x):
        if self.up == 1:
            x = padded_as_tensorflow(x, self.weight.shape[-1], self.stride)
            return self.norm(F.conv2d(x, self.weight, stride=self.stride))
        n, c, h, w = x.shape
        x = F.conv_transpose2d(x, self.weight, stride=self.up)
        return self.norm(x[:, :, : h * self.up, : w * self.up])


class Lengstrom(nn.Module):
    """tensorflow_nets.py's network again, for its gradients. No taps but the output."""

    def __init__(self):
        super().__init__()
        layers = dict(conv1=(3, 32, 9), conv2=(32, 64, 3, 2), conv3=(64, 128, 3, 2))
        layers |= dict(conv_t1=(128, 64, 3, 1, 2), conv_t2=(64, 32, 3, 1, 2), conv_t3=(32, 3, 9))
        for name, settings in layers.items():
            self.add_module(name, Normed(*settings))
        for i in range(1, 6):
            self.add_module(f"resid{i}", nn.ModuleDict({f"conv{j}": Normed(128, 128, 3) for j in (1, 2)}))

    def forward(self, x):
        layer = self.get_submodule
        for i in range(1, 4):
            x = F.relu(layer(f"conv{i}")(x))
        for i in range(1, 6):
            y = F.relu(layer(f"resid{i}.conv1")(x))
            x = x + layer(f"resid{i}.conv2")(y)
        for i in range(1, 3):
            x = F.relu(layer(f"conv_t{i}")(x))
        return {"preds": torch.tanh(self.conv_t3(x)) * 150 + 127.5}
