"""Writes the losses of 200 steps of style training, in float64.

The network is pytorch/examples' at an eighth of its size, the loss network VGG16 to relu2_2
with random weights; weights, painting and photographs are made by common.py. One step is
pytorch/examples' `neural_style.py`, with the total variation of the PyTorch tutorial.
"""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "nets")]

import numpy as np
import safetensors.numpy
import torch
import torch.nn.functional as F
from torch import nn

import common
from pytorch_nets import Reflected, Residual, Vgg

SEED = 9
STEPS, BATCH, SIZE, WIDTH, RATE = 200, 2, 48, 8, 3e-4
PAINTING = (1, 3, 56, 64)
CONTENT, STYLE, VARIATION = 1e5, 1e9, 1e-2
MEAN = torch.tensor([0.485, 0.456, 0.406]).double().view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).double().view(3, 1, 1)


class Small(nn.Module):
    """pytorch/examples' TransformerNet with one residual block."""

    def __init__(self, w):
        super().__init__()
        layers = dict(conv1=(3, w, 9), conv2=(w, 2 * w, 3, 2), conv3=(2 * w, 4 * w, 3, 2))
        layers |= dict(deconv1=(4 * w, 2 * w, 3), deconv2=(2 * w, w, 3), deconv3=(w, 3, 9))
        for name, settings in layers.items():
            self.add_module(name, Reflected(*settings))
        for i, channels in enumerate([w, 2 * w, 4 * w, 2 * w, w], 1):
            self.add_module(f"in{i}", nn.InstanceNorm2d(channels, affine=True))
        self.res1 = Residual(4 * w)

    def forward(self, x):
        x = F.relu(self.in1(self.conv1(x)))
        x = F.relu(self.in2(self.conv2(x)))
        x = F.relu(self.in3(self.conv3(x)))
        y = F.relu(self.res1.in1(self.res1.conv1(x)))
        x = x + self.res1.in2(self.res1.conv2(y))
        x = F.relu(self.in4(self.deconv1(F.interpolate(x, scale_factor=2, mode="nearest"))))
        x = F.relu(self.in5(self.deconv2(F.interpolate(x, scale_factor=2, mode="nearest"))))
        return self.deconv3(x)


def with_weights(module):
    parameters = {k: common.parameter(SEED, k, tuple(v.shape)) for k, v in module.state_dict().items()}
    module.load_state_dict({k: torch.from_numpy(v) for k, v in parameters.items()})
    return module.double()


def picture(shape, seed):
    return torch.from_numpy(common.smooth_picture(shape, seed)).double()


def gram(features):
    n, c, h, w = features.shape
    flat = features.view(n, c, h * w)
    return flat.bmm(flat.transpose(1, 2)) / (c * h * w)


def main():
    net = with_weights(Small(WIDTH))
    vgg = Vgg(16)
    vgg.features = vgg.features[:9]  # to relu2_2
    vgg = with_weights(vgg).requires_grad_(False)
    look = lambda x: vgg((x / 255 - MEAN) / STD)
    style = ["relu1_2", "relu2_2"]
    painting = look(picture(PAINTING, SEED))
    targets = [gram(painting[tap]).expand(BATCH, -1, -1) for tap in style]
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    losses = []
    for step in range(STEPS):
        x = picture((BATCH, 3, SIZE, SIZE), 1000 + step)
        optimizer.zero_grad()
        y = net(x)
        seen, wanted = look(y), look(x)
        content = CONTENT * F.mse_loss(seen["relu2_2"], wanted["relu2_2"])
        painted = sum(F.mse_loss(gram(seen[tap]), t) for tap, t in zip(style, targets)) * STYLE
        smooth = (y[..., 1:, :] - y[..., :-1, :]).abs().sum() + (y[..., 1:] - y[..., :-1]).abs().sum()
        smooth = VARIATION * smooth
        (content + painted + smooth).backward()
        optimizer.step()
        losses.append([part.item() for part in (content, painted, smooth)])
        if step % 20 == 0 or step == STEPS - 1:
            print(step, *(f"{part:.4e}" for part in losses[-1]))
    path = Path(__file__).parent / "pytorch.safetensors"
    made = {"made_with": f"torch {torch.__version__}, seed {SEED}"}
    safetensors.numpy.save_file({"losses": np.array(losses, np.float32)}, path, made)


main()
