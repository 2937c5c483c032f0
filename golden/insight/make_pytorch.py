"""Writes the maps of pytorch-grad-cam on the small network, in float64.

grad-cam 1.5.7 with torch 2.15.0. A map is what the library gives: rectified,
scaled, enlarged to the picture's size by `cv2.resize`, scaled again. `EigenCAM`'s sign
is that of LAPACK; both are stored, and ours has to be one of them.
"""

from pathlib import Path

import torch
from pytorch_grad_cam.metrics import road
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

import grad_cams
import net
import torch_net

model, x = torch_net.model(), torch_net.picture()
tensors = {"scores": model(x).detach().numpy()}
for layer in ["relu3", "relu5"]:
    for klass in [0, 3]:
        for name in grad_cams.METHODS:
            # Ablation swaps the layer: a fresh network each time would do as well.
            found = grad_cams.found(name, model, getattr(model, layer), x, klass)
            tensors[f"{layer}/{klass}/{name}"] = found
            print(layer, klass, name, found.min(), found.max(), found.mean())
    for name, found in grad_cams.eigen_cams(model, getattr(model, layer), x).items():
        tensors[f"{layer}/{name}"] = found

target = [ClassifierOutputTarget(3)]
# A map without ties: where half of it is 0, nothing would stay known, and their system is singular.
cam = tensors["relu5/3/score-cam"]
road.NoisyLinearImputer.__init__.__defaults__ = (0.0, road.neighbors_weights)
combined = road.ROADCombined(percentiles=[20, 40, 60, 80])
tensors["road"] = combined(x.float(), cam[None], target, model.float())
model.double()
for klass in [0, 3]:
    tensors[f"guided/{klass}"] = grad_cams.guided_gradient(model, x, klass)
made_with = f"grad-cam 1.5.7, torch {torch.__version__}, seed {net.SEED}"
grad_cams.save(tensors, Path(__file__).parent / "pytorch.safetensors", {"made_with": made_with})
