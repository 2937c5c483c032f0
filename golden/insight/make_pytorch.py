"""Writes the maps of pytorch-grad-cam on the small network, in float64.

grad-cam 1.5.7 with torch 2.15.0. A map is what the library gives: rectified,
scaled, enlarged to the picture's size by `cv2.resize`, scaled again. `EigenCAM`'s sign
is that of LAPACK; both are stored, and ours has to be one of them.
"""

from pathlib import Path

import numpy as np
import pytorch_grad_cam as cams
import safetensors.numpy
import torch
from pytorch_grad_cam.metrics import road
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection

import net
import torch_net


METHODS = {
    "grad-cam": cams.GradCAM,
    "grad-cam++": cams.GradCAMPlusPlus,
    "hires-cam": cams.HiResCAM,
    "layer-cam": cams.LayerCAM,
    "xgrad-cam": cams.XGradCAM,
    "score-cam": cams.ScoreCAM,
    "ablation-cam": cams.AblationCAM,
}

model, x = torch_net.model(), torch_net.picture()
tensors = {"scores": model(x).detach().numpy()}
for layer in ["relu3", "relu5"]:
    for klass in [0, 3]:
        for name, method in METHODS.items():
            # Ablation swaps the layer: a fresh network each time would do as well.
            with method(model=model, target_layers=[getattr(model, layer)]) as cam:
                found = cam(x, [ClassifierOutputTarget(klass)])[0]
            tensors[f"{layer}/{klass}/{name}"] = found
            print(layer, klass, name, found.min(), found.max(), found.mean())
    held = {}
    handle = getattr(model, layer).register_forward_hook(lambda m, i, o: held.update(o=o.detach().numpy()))
    model(x)
    handle.remove()
    flat = get_2d_projection(held["o"])
    for sign, projection in [("+", flat), ("-", -flat)]:
        tensors[f"{layer}/eigen-cam{sign}"] = scale_cam_image(
            np.maximum(scale_cam_image(np.maximum(projection, 0), (32, 32)), 0)
        )[0]

target = [ClassifierOutputTarget(3)]
# A map without ties: where half of it is 0, nothing would stay known, and their system is singular.
cam = tensors["relu5/3/score-cam"]
road.NoisyLinearImputer.__init__.__defaults__ = (0.0, road.neighbors_weights)
combined = road.ROADCombined(percentiles=[20, 40, 60, 80])
tensors["road"] = combined(x.float(), cam[None], target, model.float())
model.double()
guided = cams.GuidedBackpropReLUModel(model=model)
for klass in [0, 3]:
    tensors[f"guided/{klass}"] = guided(x.clone(), target_category=klass).transpose(2, 0, 1)
tensors = {name: np.ascontiguousarray(np.asarray(value, np.float32)) for name, value in tensors.items()}
made_with = f"grad-cam 1.5.7, torch {torch.__version__}, seed {net.SEED}"
path = Path(__file__).parent / "pytorch.safetensors"
safetensors.numpy.save_file(tensors, path, {"made_with": made_with})
