"""Writes the goldens of the network that TensorFlow is the reference for."""

import os
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.append(str(Path(__file__).parents[1]))

import numpy as np
import tensorflow as tf

import record as r
import tensorflow_nets as nets


def make(name, weights, sizes):
    run = lambda picture: nets.lengstrom(weights, picture)
    r.record(name, run, r.UNIT, sizes, f"tensorflow {tf.__version__}")


make("lengstrom", r.random_weights(nets.shapes()), r.SIZES)

if folder := os.environ.get("PENTIMENTO_MATERIAL"):
    wave = nets.from_variables(np.load(Path(folder) / "weights" / "lengstrom_wave.npz"))
    make("material_lengstrom_wave", wave, r.MATERIAL_SIZES)
