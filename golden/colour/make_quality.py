"""Measures of quality of one pair of pictures: quality.safetensors.

scikit-image's PSNR and SSIM, the package lpips with random VGG16 and random heads, the formula
of Hasler and Süsstrunk in NumPy. Computed in float64. `material_lpips` is lpips with the real
weights, where PENTIMENTO_MATERIAL names a folder that has them; else it is kept as it is.
"""

import os
import pathlib
import sys

import lpips
import numpy as np
import safetensors.numpy
import skimage
import torch
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

HERE = pathlib.Path(__file__).parent
FILE = HERE / "quality.safetensors"
sys.path.append(str(HERE.parent))
import common

SEED = 8
CHANNELS = [64, 128, 256, 512, 512]

truth, other = (common.smooth_picture((1, 3, 48, 64), SEED + i) / np.float32(255) for i in (0, 1))
picture = (truth + other) / np.float32(2)
t, p = (np.moveaxis(x[0].astype(np.float64), 0, -1) for x in (truth, picture))
rg, yb = 255 * (p[..., 0] - p[..., 1]), 255 * ((p[..., 0] + p[..., 1]) / 2 - p[..., 2])


def ab(x):
    return rgb2lab(x)[..., 1:]


def distance(features, heads):
    """lpips' own code around these weights."""
    net = lpips.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False).double().eval()
    layers = [m for s in range(1, 6) for m in getattr(net.net, f"slice{s}") if hasattr(m, "weight")]
    names = [f"features.{i}" for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]
    with torch.no_grad():
        for name, layer in zip(names, layers, strict=True):
            layer.weight.copy_(torch.from_numpy(features(f"{name}.weight", layer.weight.shape)))
            layer.bias.copy_(torch.from_numpy(features(f"{name}.bias", layer.bias.shape)))
        for i, n in enumerate(CHANNELS):
            getattr(net, f"lin{i}").model[1].weight.copy_(torch.from_numpy(heads(i, n)))
        a, b = (2 * torch.from_numpy(x.astype(np.float64)) - 1 for x in (truth, picture))
        return net(a, b).item()


random = distance(
    lambda name, shape: common.parameter(SEED, name, tuple(shape)),
    lambda i, n: np.abs(common.signed(common.named(SEED, f"lin{i}.weight"), (1, n, 1, 1))),
)
results = {
    "psnr": peak_signal_noise_ratio(t, p, data_range=1),
    "psnr_ab": peak_signal_noise_ratio(ab(t), ab(p), data_range=255),
    "ssim": structural_similarity(
        t, p, channel_axis=-1, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    ),
    "colorfulness": np.sqrt(rg.var() + yb.var()) + 0.3 * np.hypot(rg.mean(), yb.mean()),
    "lpips": random,
}
results = {name: np.array([value], np.float32) for name, value in results.items()}
if material := os.environ.get("PENTIMENTO_MATERIAL"):
    folder = pathlib.Path(material) / "weights"
    vgg = safetensors.numpy.load_file(folder / "vgg16_features.f16.safetensors")
    lin = safetensors.numpy.load_file(folder / "lpips_vgg16_lin.safetensors")
    real = distance(lambda name, _: vgg[name], lambda i, _: lin[f"lin{i}.weight"])
    results["material_lpips"] = np.array([real], np.float32)
else:
    results["material_lpips"] = safetensors.numpy.load_file(FILE)["material_lpips"]
made = f"scikit-image {skimage.__version__}, lpips 0.1.4, torch {torch.__version__}, seed {SEED}"
safetensors.numpy.save_file(results, FILE, {"made_with": made})
