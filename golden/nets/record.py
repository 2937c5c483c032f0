"""Runs a reference network on its pictures and stores what every tap gave."""

from pathlib import Path

import numpy as np
import safetensors.numpy

import common

SEED = 2
SIZES = [(1, 3, 33, 45), (2, 3, 32, 44), (1, 3, 131, 197)]
MATERIAL_SIZES = [(1, 3, 132, 196)]
SAMPLES, OUTPUT_SAMPLES = 192, 4096
UNIT = dict(scale=1)
BYTES = dict(scale=255)
IMAGENET = dict(scale=1, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def random_weights(shapes):
    return {name: common.parameter(SEED, name, tuple(shape)) for name, shape in shapes}


def classes(n, count):
    """Made-up probabilities of classes, `[n, count]`; only nearly of sum 1."""
    drawn = common.signed(common.named(SEED, "classes"), (n, count))
    return (drawn + np.float32(1)) / np.float32(count)


def record(name, run, encoding, sizes, made_with, samples=SAMPLES):
    """`run` maps a float32 picture in the network's numbers to a dict of taps, the output last."""
    tensors = {}
    for size in sizes:
        taps = run(common.encoded(common.smooth_picture(size, SEED), **encoding))
        tensors |= stored(taps, size, name, samples)
    save(name, tensors, made_with)


def stored(taps, size, name, samples=SAMPLES):
    """What is kept of a run on a picture of this size."""
    case, output = "x".join(map(str, size)), list(taps)[-1]
    count = lambda tap: OUTPUT_SAMPLES if tap == output else samples
    kept = {f"{case}/{tap}": common.stored(tap, full, count(tap)) for tap, full in taps.items()}
    print(name, case, output, taps[output].shape, kept[f"{case}/{output}"][:2])
    return kept


def save(name, tensors, made_with):
    # One entry: several would come in any order.
    path = Path(__file__).parent / f"{name}.safetensors"
    safetensors.numpy.save_file(tensors, path, {"made_with": f"{made_with}, seed {SEED}"})
