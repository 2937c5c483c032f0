"""Writes the goldens of the networks that PyTorch is the reference for."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import numpy as np
import safetensors.numpy
import torch

import pytorch_nets as nets
import record as r


def network(module, weights=None):
    """In float64 on float32 weights, bound strictly: names and shapes are the reference's own."""
    weights = weights or r.random_weights((k, v.shape) for k, v in module.state_dict().items())
    module = module.double().eval()
    module.load_state_dict({k: torch.from_numpy(v.astype(np.float64)) for k, v in weights.items()})

    def run(picture):
        with torch.no_grad():
            taps = module(torch.from_numpy(picture.astype(np.float64)))
        return {k: v.numpy() for k, v in taps.items()}

    return run


def make(name, run, encoding, sizes=r.SIZES):
    r.record(name, run, encoding, sizes, f"torch {torch.__version__}")


make("transformer_net", network(nets.TransformerNet()), r.BYTES)
make("imfw_net", network(nets.ImfwNet()), r.IMAGENET)
make("vgg16", network(nets.Vgg(16)), r.IMAGENET)
make("vgg19", network(nets.Vgg(19)), r.IMAGENET)
make("vgg19_normalised", network(nets.NormalisedVgg19()), r.UNIT)

if folder := os.environ.get("PENTIMENTO_MATERIAL"):
    weights = Path(folder) / "weights"
    vgg16 = safetensors.numpy.load_file(weights / "vgg16_features.f16.safetensors")
    make("material_vgg16", network(nets.Vgg(16), vgg16), r.IMAGENET, r.MATERIAL_SIZES)
    vgg19 = safetensors.numpy.load_file(weights / "vgg19_normalised_to_conv5_1.f16.safetensors")
    encoder = network(nets.NormalisedVgg19("conv5_1"), vgg19)
    make("material_vgg19_normalised", encoder, r.UNIT, r.MATERIAL_SIZES)
