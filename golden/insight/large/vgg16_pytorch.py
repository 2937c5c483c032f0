"""Writes maps of VGG16 with its top on a picture of 224 pixels a side, too large to keep.

    python vgg16_pytorch.py DIR
    PENTIMENTO_LARGE=DIR cargo test --release -p pentimento-insight --test large -- --ignored --nocapture

torchvision's VGG16 with the random weights of common.py, pytorch-grad-cam's maps at the
last rectifier (`features.29`), ScoreCAM's and AblationCAM's at `features.8`, whose 128 channels
take a quarter of the time, and captum's gradients by pixels; float32. Some minutes on two cores.
"""

import sys
import time
from pathlib import Path

sys.path += [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

import numpy as np
import pytorch_grad_cam as cams
import safetensors.numpy
import torch
import torchvision
from captum.attr import IntegratedGradients
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection
from pytorch_grad_cam.utils.image import scale_cam_image

import common

SEED, SIZE = 11, (1, 3, 224, 224)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
METHODS = {
    "grad-cam": cams.GradCAM,
    "grad-cam++": cams.GradCAMPlusPlus,
    "hires-cam": cams.HiResCAM,
    "layer-cam": cams.LayerCAM,
    "xgrad-cam": cams.XGradCAM,
    "score-cam": cams.ScoreCAM,
    "ablation-cam": cams.AblationCAM,
}
SLOW = {"score-cam", "ablation-cam"}

model = torchvision.models.vgg16(weights=None).eval()
for module in model.modules():
    if hasattr(module, "inplace"):
        module.inplace = False
model.load_state_dict({
    name: torch.from_numpy(common.parameter(SEED, name, tuple(value.shape)))
    for name, value in model.state_dict().items()
})
x = torch.from_numpy(common.encoded(common.smooth_picture(SIZE, SEED), 1, *IMAGENET))
with torch.no_grad():
    tensors = {"scores": model(x).numpy()}
best = int(tensors["scores"].argmax())
tensors["classes"] = np.array([best, 386])


class Cut(torch.nn.Module):
    """With the layer that is looked at under a name of its own: AblationCAM puts another in its place."""

    def __init__(self, layer):
        super().__init__()
        self.before, self.looked_at, self.after = model.features[:layer], model.features[layer], model.features[layer + 1 :]
        self.avgpool, self.classifier = model.avgpool, model.classifier

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.after(self.looked_at(self.before(x)))), 1))


def found(klass, name, layer):
    start, cut = time.time(), Cut(layer)
    with METHODS[name](model=cut, target_layers=[cut.looked_at]) as cam:
        cam.batch_size = 16
        tensors[f"{klass}/{name}"] = cam(x, [ClassifierOutputTarget(int(klass))])[0]
    print(klass, name, f"{time.time() - start:.1f} s", flush=True)


def save():
    ready = {name: np.ascontiguousarray(np.asarray(value, np.float32)) for name, value in tensors.items()}
    safetensors.numpy.save_file(ready, Path(sys.argv[1]) / "vgg16_pytorch.safetensors")


for klass in tensors["classes"]:
    for name in sorted(METHODS.keys() - SLOW):
        found(klass, name, 29)
held = {}
handle = model.features[29].register_forward_hook(lambda m, i, o: held.update(o=o.detach().numpy()))
model(x)
handle.remove()
flat = get_2d_projection(held["o"])
for sign, projection in [("+", flat), ("-", -flat)]:
    small = scale_cam_image(np.maximum(projection, 0), (224, 224))
    tensors[f"eigen-cam{sign}"] = scale_cam_image(np.maximum(small, 0))[0]
tensors["guided-backprop"] = cams.GuidedBackpropReLUModel(model=model)(x.clone(), target_category=best).transpose(2, 0, 1)


def integrated(dtype):
    """Each step's gradient jumps where a rectifier or a pooling decides otherwise: what
    float32 loses by that is told by float64."""
    mean, std = (torch.tensor(v, dtype=dtype).view(1, 3, 1, 1) for v in IMAGENET)
    black = ((torch.zeros(SIZE, dtype=dtype) - mean) / std).expand(SIZE)
    way = IntegratedGradients(model.to(dtype))
    found = way.attribute(x.to(dtype), black, best, n_steps=32, method="riemann_middle", internal_batch_size=4)
    return found.detach().numpy()


tensors["integrated-gradients/32"] = integrated(torch.float32)
for name in sorted(SLOW):
    found(best, name, 8)
tensors["integrated-gradients/64"] = integrated(torch.float64)
save()
