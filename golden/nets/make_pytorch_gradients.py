"""Writes the gradients of whole networks: by the picture and by every parameter.

The loss is the sum of the output times random numbers. Computed in float64.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import numpy as np
import safetensors.numpy
import torch

import common
import pytorch_nets as nets
import record as r

SIZE = (2, 3, 36, 28)
LENGSTROM_SIZE = (1, 3, 33, 45)
SAMPLES = 64


def vgg16_to_relu3_3():
    module = nets.Vgg(16)
    module.features = module.features[:16]
    return module


def with_weights(module):
    shapes = ((k, v.shape) for k, v in module.state_dict().items())
    module.load_state_dict({k: torch.from_numpy(v) for k, v in r.random_weights(shapes).items()})
    return module.double().eval()


def picture_of(size, encoding):
    return torch.from_numpy(common.encoded(common.smooth_picture(size, r.SEED), **encoding)).double()


def is_tensorflows(module):
    """PyTorch's lengstrom network gives what make_tensorflow.py stored."""
    with torch.no_grad():
        output = module(picture_of(LENGSTROM_SIZE, r.UNIT))["preds"].numpy()
    case = "x".join(map(str, LENGSTROM_SIZE))
    stored = safetensors.numpy.load_file(Path(__file__).parent / "lengstrom.safetensors")
    want = stored[f"{case}/preds"]
    got = common.stored("preds", output, len(want) - 2)
    assert np.abs(got - want).max() <= 1e-6 * np.abs(want).max(), np.abs(got - want).max()
    return module


def make(name, module, encoding):
    picture = picture_of(SIZE, encoding).requires_grad_()
    taps = module(picture)
    output = list(taps)[-1]
    result = taps[output]
    factors = common.signed(common.named(r.SEED, "gradient"), tuple(result.shape))
    result.backward(torch.from_numpy(factors).double())
    gradients = {"rgb": picture.grad}
    gradients |= {k: p.grad for k, p in module.named_parameters() if p.grad is not None}
    case = "x".join(map(str, SIZE))
    tensors = {
        f"{case}/{k}": common.stored(k, g.numpy(), SAMPLES) for k, g in gradients.items()
    }
    path = Path(__file__).parent / f"{name}_gradients.safetensors"
    made = {"made_with": f"torch {torch.__version__}, seed {r.SEED}"}
    safetensors.numpy.save_file(tensors, path, made)
    print(name, output, tuple(result.shape), len(tensors), "gradients", path.stat().st_size, "bytes")


make("transformer_net", with_weights(nets.TransformerNet()), r.BYTES)
make("imfw_net", with_weights(nets.ImfwNet()), r.IMAGENET)
make("lengstrom", is_tensorflows(with_weights(nets.Lengstrom())), r.UNIT)
make("vgg16", with_weights(vgg16_to_relu3_3()), r.IMAGENET)
make("vgg19_normalised", with_weights(nets.NormalisedVgg19("conv4_1")), r.UNIT)
