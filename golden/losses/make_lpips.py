"""LPIPS on VGG16 and its gradient by the picture, as the package computes them.

lpips 0.1.4, torch 2.15.0, float64, on the weights and the pictures of golden/colour's
`make_quality.py`: random ones of seed 8, one picture and what is left of it halfway to another.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import lpips
import numpy as np
import safetensors.numpy
import torch

import common

SEED, SIZE, CHANNELS = 8, (1, 3, 48, 64), (64, 128, 256, 512, 512)

torch.set_num_threads(1)
truth, other = (common.smooth_picture(SIZE, SEED + i) / np.float32(255) for i in (0, 1))
picture = (truth + other) / np.float32(2)
net = lpips.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False).double().eval()
layers = [m for s in range(1, 6) for m in getattr(net.net, f"slice{s}") if hasattr(m, "weight")]
names = [f"features.{i}" for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]
with torch.no_grad():
    for name, layer in zip(names, layers, strict=True):
        for part in ("weight", "bias"):
            values = common.parameter(SEED, f"{name}.{part}", tuple(getattr(layer, part).shape))
            getattr(layer, part).copy_(torch.from_numpy(values))
    for i, n in enumerate(CHANNELS):
        head = np.abs(common.signed(common.named(SEED, f"lin{i}.weight"), (1, n, 1, 1)))
        getattr(net, f"lin{i}").model[1].weight.copy_(torch.from_numpy(head))
x = torch.from_numpy(picture.astype(np.float64)).requires_grad_()
distance = net(2 * torch.from_numpy(truth.astype(np.float64)) - 1, 2 * x - 1)
distance.backward()
stored = {"distance": np.array([distance.item()], np.float32), "gradient": x.grad.numpy().astype(np.float32)}
made_with = f"lpips 0.1.4, torch {torch.__version__}, seed {SEED}"
path = Path(__file__).parent / "lpips.safetensors"
safetensors.numpy.save_file(stored, path, {"made_with": made_with})
print(distance.item(), np.abs(stored["gradient"]).max())
