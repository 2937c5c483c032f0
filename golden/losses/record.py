"""What the losses are given: `common`'s random numbers, so that only results are stored."""

from pathlib import Path

import numpy as np
import safetensors.numpy

import common

SEED = 6
SHAPE = (3, 5, 2, 4)
SMOOTHING = [0.0, 0.1]


def draw(name, shape=SHAPE, amplitude=4.0):
    return common.signed(common.named(SEED, name), shape, amplitude).astype(np.float64)


def labels():
    """A class for each pixel of each image."""
    n, c, h, w = SHAPE
    return (np.arange(n * h * w) * 7 % c).reshape(n, h, w)


def targets():
    """Zeros and ones, and some in between."""
    return (np.arange(np.prod(SHAPE)) % 5 / 4.0).reshape(SHAPE)


def write(framework, version, results, **inputs):
    """`results` are a loss and its gradient by name; `inputs` what is not `common`'s."""
    stored = dict(inputs)
    for name, (loss, gradient) in results.items():
        stored[f"{name}/loss"] = np.array([loss], np.float32)
        stored[f"{name}/gradient"] = np.ascontiguousarray(gradient, np.float32)
    path = Path(__file__).parent / f"{framework}.safetensors"
    safetensors.numpy.save_file(stored, path, {"made_with": f"{framework} {version}, seed {SEED}"})
    path.chmod(0o644)
    print(len(results), "losses")
