"""Writes the goldens of the networks that Keras is the reference for."""

import os
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.append(str(Path(__file__).parents[1]))

import keras
import numpy as np

import common
import keras_nets as nets
import record as r


def make(name, model, encoding, sizes, samples=r.SAMPLES):
    nets.parameters(model, r.SEED)
    run = lambda picture: nets.run(model, [picture])
    r.record(name, run, encoding, sizes, f"keras {keras.__version__}", samples)


def make_colour(name, model, sizes):
    """Fed with lightness, here in 0..=1, since random weights make no use of 0..=100 but to
    saturate the tanh, and, the full version, with probabilities of classes."""
    tensors = {}
    for size in sizes:
        built = model(*size[2:]) if name == "colour_full" else model()
        nets.parameters(built, r.SEED)
        picture = common.smooth_picture(size, r.SEED) / np.float32(255)
        inputs = [picture, r.classes(size[0], 1000)][: len(built.inputs)]
        print(name, built.count_params(), "parameters")
        tensors |= r.stored(nets.run(built, inputs), size, name)
    r.save(name, tensors, f"keras {keras.__version__}")


make("cats_and_dogs", nets.cats_and_dogs(), r.UNIT, [(2, 3, 150, 150)])
COLOUR_SIZES = [(1, 1, 37, 51), (2, 1, 32, 48)]
make_colour("colour_alpha", nets.colour_alpha, COLOUR_SIZES)
make_colour("colour_beta", nets.colour_beta, COLOUR_SIZES)
make_colour("colour_full", nets.colour_full, COLOUR_SIZES)

CENTRED = dict(scale=1, mean=(0.5,) * 3, std=(0.5,) * 3)
inception = nets.inception_resnet_v2(107)
make("inception_resnet_v2", inception, CENTRED, [(1, 3, 107, 107)], samples=16)


def make_vgg(size):
    """Keras's VGG16 on the weights of torchvision's golden, under Keras's names."""
    model, names = nets.vgg16()
    nets.parameters(model, r.SEED, names)
    taps = nets.run(model, [common.encoded(common.smooth_picture(size, r.SEED), **r.IMAGENET)])
    tensors = r.stored(taps, size, "vgg16_keras", samples=32)
    r.save("vgg16_keras", tensors, f"keras {keras.__version__}")


make_vgg((1, 3, 224, 224))
