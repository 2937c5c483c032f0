"""Writes the goldens of the classifiers that PyTorch is the reference for."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import torch

import classifiers as c
import record as r

EFFICIENTNET = dict(scale=255, mean=(127,) * 3, std=(128,) * 3)
SIZES = [(1, 3, 65, 97), (2, 3, 64, 96)]


def make(name, reference, encoding, sizes):
    run = c.network(*reference)
    r.record(name, run, encoding, sizes, f"torch {torch.__version__}", samples=48)


make("efficientnet_lite0", c.efficientnet_lite0(), EFFICIENTNET, SIZES)
for name in ["resnet18", "resnet50", "mobilenet_v2"]:
    make(name, c.torchvisions(name), r.IMAGENET, SIZES)
make("vgg16_classifier", c.vgg(16), r.IMAGENET, SIZES)
make("vgg19_classifier", c.vgg(19), r.IMAGENET, SIZES[:1])
