"""Writes what captum attributes to pixels of the small network's picture, and RISE's measures.

captum 0.9.0 with torch 2.15.0, float64. Noise is that of our own generator
(crates/task/insight/src/random.rs), put in the place of captum's. Insertion and deletion are
written out here as `evaluation.py` of the authors of RISE (Petsiuk et al., 2018) has them.
"""

import math
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
from captum.attr import GuidedBackprop, IntegratedGradients, NoiseTunnel, Occlusion, Saliency
from captum.attr._core import noise_tunnel
from scipy.ndimage import gaussian_filter

import net  # which finds common
import torch_net
import common

STEPS, NOISE, SEED = 32, 0.15, 1
model, x = torch_net.model(), torch_net.picture()
mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
black = (torch.zeros_like(x) - mean) / std


def our_noise(copy):
    """Box and Muller's transform of pairs of numbers in 0..1, each of 24 bits."""
    count = x.numel()
    drawn = common.bits((SEED + (copy << 32)) & common.MASK, 2 * count) >> np.uint64(40)
    unit = drawn.astype(np.float64) / 16777216
    normal = np.sqrt(-2 * np.log(1 - unit[0::2])) * np.cos(2 * np.pi * unit[1::2])
    return torch.from_numpy(normal.astype(np.float32).astype(np.float64)).view_as(x)


def smooth_grad(klass):
    noise = torch.cat([our_noise(copy) for copy in range(STEPS)])
    own, noise_tunnel.torch.normal = torch.normal, lambda mean, std: std * noise
    deviation = NOISE * (x.max() - x.min()).item()
    tunnel = NoiseTunnel(Saliency(model))
    found = tunnel.attribute(x, nt_type="smoothgrad", nt_samples=STEPS, stdevs=deviation, target=klass, abs=False)
    noise_tunnel.torch.normal = own
    return found


def occlusion(klass, patch):
    stride = math.ceil(patch / 2)
    assert (32 - patch) % stride == 0, "captum cuts the last square short"
    means = x.mean((2, 3), keepdim=True).expand_as(x)
    found = Occlusion(model).attribute(x, (3, patch, patch), (3, stride, stride), means, klass)
    return np.maximum(found[:, :1].numpy(), 0)


def blurred():
    one = np.zeros((11, 11))
    one[5, 5] = 1
    kernel = np.zeros((3, 3, 11, 11))
    kernel[[0, 1, 2], [0, 1, 2]] = gaussian_filter(one, 5)
    return torch.nn.functional.conv2d(x, torch.from_numpy(kernel), padding=5)


def causal_metric(klass, saliency, start, finish):
    pixels = saliency.size
    step = pixels // STEPS
    order = np.flip(np.argsort(saliency.reshape(-1), kind="stable"))
    now, p = start.clone().view(1, 3, pixels), []
    for i in range(STEPS + 1):
        with torch.no_grad():
            p.append(torch.softmax(model(now.view_as(x)), 1)[0, klass].item())
        places = order[step * i : step * (i + 1)].copy()
        now[:, :, places] = finish.view(1, 3, pixels)[:, :, places]
    return (sum(p) - p[0] / 2 - p[-1] / 2) / STEPS


tensors = {}
for klass in [0, 3]:
    integrated = IntegratedGradients(model).attribute(x, black, klass, n_steps=STEPS, method="riemann_middle")
    tensors[f"integrated-gradients/{klass}"] = integrated
    tensors[f"smooth-grad/{klass}"] = smooth_grad(klass)
    tensors[f"guided-backprop/{klass}"] = GuidedBackprop(model).attribute(x.clone(), klass)
    for patch in [5, 8]:
        tensors[f"occlusion/{patch}/{klass}"] = occlusion(klass, patch)
    # No two pixels are alike, so that there is one order.
    saliency = common.signed(common.named(net.SEED, f"saliency {klass}"), (32, 32)).astype(np.float64)
    assert np.unique(saliency).size == saliency.size
    tensors[f"saliency/{klass}"] = saliency
    tensors[f"insertion/{klass}"] = [causal_metric(klass, saliency, blurred(), x)]
    tensors[f"deletion/{klass}"] = [causal_metric(klass, saliency, x, torch.zeros_like(x))]
tensors = {
    name: np.ascontiguousarray(np.asarray(value.detach() if torch.is_tensor(value) else value, np.float32))
    for name, value in tensors.items()
}
for name, value in tensors.items():
    print(name, value.shape, value.min(), value.max())
made_with = f"captum 0.9.0, torch {torch.__version__}, seed {net.SEED}"
path = Path(__file__).parent / "attribution.safetensors"
safetensors.numpy.save_file(tensors, path, {"made_with": made_with})
