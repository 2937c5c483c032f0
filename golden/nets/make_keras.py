"""Writes the goldens of the networks that Keras is the reference for."""

import os
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.append(str(Path(__file__).parents[1]))

import keras

import keras_nets as nets
import record as r


def make(name, model, encoding, sizes):
    nets.parameters(model, r.SEED)
    run = lambda picture: nets.run(model, [picture])
    r.record(name, run, encoding, sizes, f"keras {keras.__version__}")


make("cats_and_dogs", nets.cats_and_dogs(), r.UNIT, [(2, 3, 150, 150)])
