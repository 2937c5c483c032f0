"""Grad-CAM by pytorch-grad-cam on torchvision's VGG16, as its README does it."""

import numpy as np
import torch
import torchvision
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

CLASS = 386


def make(net, place, x):
    model = torchvision.models.vgg16().eval()
    model.load_state_dict({name: torch.from_numpy(p) for name, p in net.params.items()})
    model = model.to(memory_format=torch.channels_last if place(x).is_contiguous(
        memory_format=torch.channels_last) else torch.contiguous_format)
    cam, x = GradCAM(model=model, target_layers=[model.features[29]]), place(x)

    def run():
        # What is enlarged to the picture's size is 224 by 224; the map itself is 14 by 14.
        return cam(x, [ClassifierOutputTarget(CLASS)])

    def ten_values(_):
        scores = cam.outputs.detach().numpy()[0, ::200]
        gradients = cam.activations_and_grads.gradients[0].numpy()[0]
        activations = cam.activations_and_grads.activations[0].numpy()[0]
        small = np.maximum((gradients.mean((1, 2))[:, None, None] * activations).sum(0), 0).ravel()
        small = (small - small.min()) / (small.max() + 1e-7 - small.min())
        return [*scores, *small[:200:40]]

    return run, ten_values
