"""The network that ships, and the guided filter behind it, in PyTorch and NumPy: for measurements.

Written from `nets::colorizer`, `nets::efficientnet_lite0` and `imaging::guided`.
"""

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F
from PIL import Image
from skimage.color import rgb2lab

TEMPERATURE, NETWORK, FITTED = 0.38, 256, 768
STAGES = [(1, 1, 16), (2, 2, 24), (2, 2, 40), (3, 2, 80), (3, 1, 112), (4, 2, 192), (1, 1, 320)]


class Colorizer:
    def __init__(self, weights, bins):
        self.weights = {name: value.float() for name, value in safetensors.torch.load_file(weights).items()}
        self.bins = torch.from_numpy(np.loadtxt(bins, dtype=np.float32))

    def conv(self, x, name, stride=1, replicate=False):
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        kernel, sides = weight.shape[2], []
        for size in (x.shape[3], x.shape[2]):  # TensorFlow's SAME; alike for stride 1
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            sides += [total // 2, total - total // 2]
        x = F.pad(x, sides, "replicate" if replicate else "constant")
        return F.conv2d(x, weight, bias, stride, groups=x.shape[1] // weight.shape[1])

    def block(self, x, name, stride):
        y = x
        if f"{name}._expand_conv.weight" in self.weights:
            y = F.relu6(self.conv(y, f"{name}._expand_conv"))
        y = F.relu6(self.conv(y, f"{name}._depthwise_conv", stride))
        y = self.conv(y, f"{name}._project_conv")
        return x + y if stride == 1 and x.shape == y.shape else y

    def encoder(self, x):
        x, index, scales = F.relu6(self.conv(x, "_conv_stem", 2)), 0, []
        for blocks, stride, _ in STAGES:
            if stride == 2:
                scales.append(x)
            for i in range(blocks):
                x = self.block(x, f"_blocks.{index}", stride if i == 0 else 1)
                index += 1
        return [*scales, x]

    @torch.no_grad()
    def logits(self, x):
        up = lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        convolved = lambda x, name: F.relu(self.conv(x, f"{name}.conv", replicate=True))
        _, at4, at8, at16, at32 = self.encoder(x)
        y = convolved(at32, "decoder.32")
        y = convolved(torch.cat([up(y), at16], 1), "decoder.16")
        y = convolved(convolved(torch.cat([up(y), at8], 1), "decoder.8a"), "decoder.8")
        y = torch.cat([up(y), at4, self.conv(x, "hints", 4)], 1)
        return self.conv(convolved(convolved(y, "decoder.4a"), "decoder.4"), "colours")

    def ab(self, lightness):
        """From lightness `[h, w]` to ab `[h / 4, w / 4, 2]`: the annealed mean."""
        x = torch.zeros(1, 4, *lightness.shape)
        x[0, 0] = torch.from_numpy((lightness - 50) / 50)
        shares = torch.softmax(self.logits(x)[0] / TEMPERATURE, 0)
        return torch.einsum("qhw,qc->hwc", shares, self.bins).numpy()


def resized(planes, size, method=Image.BILINEAR):
    """Planes `[h, w, n]` at another size."""
    return np.stack([np.asarray(Image.fromarray(p).resize(size[::-1], method)) for p in np.moveaxis(np.float32(planes), 2, 0)], 2)


def fitted_size(size):
    scale = min(1, FITTED / max(size))
    return [max(1, round(s * scale)) for s in size]


def network_size(size):
    scale = min(NETWORK / min(size), 2 * NETWORK / max(size))
    return [max(1, int(s * scale + 16) // 32) * 32 for s in size]


def lab(rgb):
    return np.float32(rgb2lab(np.clip(rgb, 0, 1)))


def box(planes, radius):
    """The mean over windows cut off at the border."""
    for axis in (0, 1):
        n = planes.shape[axis]
        sums = np.insert(np.cumsum(planes, axis), 0, 0, axis)
        last, first = np.minimum(np.arange(n) + radius + 1, n), np.maximum(np.arange(n) - radius, 0)
        shape = [-1 if a == axis else 1 for a in range(3)]
        planes = (sums.take(last, axis) - sums.take(first, axis)) / (last - first).reshape(shape)
    return planes


def guided(small_l, small_ab, lightness, radius, flats):
    """ab along the edges of `lightness`, for each flatness: He & Sun's fast guided filter."""
    l, ab = np.float64(small_l)[..., None], np.float64(small_ab)
    mean, mean_ab = box(l, radius), box(ab, radius)
    shared, variance = box(l * ab, radius) - mean * mean_ab, np.maximum(box(l * l, radius) - mean**2, 0)
    for flat in flats:
        slope = shared / (variance + flat)
        maps = box(np.concatenate([slope, mean_ab - slope * mean], 2), radius)
        maps = torch.from_numpy(np.float32(maps)).permute(2, 0, 1)[None]
        maps = F.interpolate(maps, lightness.shape, mode="bilinear", align_corners=False)[0].permute(1, 2, 0).numpy()
        yield maps[..., :2] * lightness[..., None] + maps[..., 2:]
