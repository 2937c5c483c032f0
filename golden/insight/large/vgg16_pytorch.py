"""Writes maps of VGG16 with its top on a picture of 224 pixels a side, too large to keep.

    python vgg16_pytorch.py DIR
    PENTIMENTO_LARGE=DIR cargo test --release -p pentimento-insight --test large -- --ignored --nocapture

torchvision's VGG16 with the random weights of common.py, pytorch-grad-cam's maps at the
last rectifier, ScoreCAM's and AblationCAM's of one class at `relu2_2` too, whose 128 channels
take a quarter of the time, and captum's gradients by pixels; float32. Some minutes on two cores.
"""

import sys
import time
from pathlib import Path

sys.path += [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

import numpy as np
import torch
import torchvision
from captum.attr import IntegratedGradients

import common
import grad_cams

SEED, SIZE = 11, (1, 3, 224, 224)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LAYERS = {"relu2_2": 8, "relu5_3": 29}
SLOW = ["ablation-cam", "score-cam"]

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
        one = (x == x[:1]).all()  # AblationCAM shows the same picture for every channel
        seen = self.before(x[:1]).expand(len(x), -1, -1, -1) if one else self.before(x)
        return self.classifier(torch.flatten(self.avgpool(self.after(self.looked_at(seen))), 1))


def find(klass, name, layer):
    start, cut = time.time(), Cut(LAYERS[layer])
    tensors[f"{layer}/{klass}/{name}"] = grad_cams.found(name, cut, cut.looked_at, x, klass)
    print(layer, klass, name, f"{time.time() - start:.1f} s", flush=True)


def integrated(dtype):
    """Each step's gradient jumps where a rectifier or a pooling decides otherwise: what
    float32 loses by that is told by float64."""
    mean, std = (torch.tensor(v, dtype=dtype).view(1, 3, 1, 1) for v in IMAGENET)
    black = ((torch.zeros(SIZE, dtype=dtype) - mean) / std).expand(SIZE)
    way = IntegratedGradients(model.to(dtype))
    found = way.attribute(x.to(dtype), black, best, n_steps=32, method="riemann_middle", internal_batch_size=4)
    return found.detach().numpy()


for klass in tensors["classes"]:
    for name in sorted(grad_cams.METHODS.keys() - set(SLOW)):
        find(klass, name, "relu5_3")
for layer in LAYERS:
    for name in SLOW:
        find(best, name, layer)
for name, found in grad_cams.eigen_cams(model, model.features[29], x).items():
    tensors[f"relu5_3/{name}"] = found
tensors["guided-backprop"] = grad_cams.guided_gradient(model, x, best)
tensors["integrated-gradients/32"] = integrated(torch.float32)
tensors["integrated-gradients/64"] = integrated(torch.float64)
grad_cams.save(tensors, Path(sys.argv[1]) / "vgg16_pytorch.safetensors")
