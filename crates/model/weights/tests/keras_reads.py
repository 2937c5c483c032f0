"""Loads with Keras what `keras_write.rs` wrote, and compares every variable.

    python keras_reads.py FOLDER     # keras 3.15.1 on tensorflow-cpu 2.21

FOLDER has a.weights.h5, a.h5 and, as the truth, truth.safetensors.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

sys.path.append(str(Path(__file__).parents[4] / "golden"))
from common import read_safetensors

L = keras.layers


def model():
    return keras.Sequential([
        L.Input((8, 8, 3)), L.Conv2D(4, 3, name="first"), L.ReLU(), L.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise"),
        L.BatchNormalization(name="norm"), L.Conv2D(6, 1, use_bias=False, name="second"),
        L.Conv2DTranspose(5, 3, strides=2, padding="same", name="up"), L.MaxPool2D(2), L.Flatten(), L.Dropout(0.5),
        L.Dense(7, activation="relu", name="dense"), L.Dense(2, name="top"),
    ])


folder = sys.argv[1]
truth = read_safetensors(os.path.join(folder, "truth.safetensors"))
for name, options in [("a.weights.h5", {}), ("a.h5", {}), ("a.h5", {"by_name": True})]:
    net = model()
    net.load_weights(os.path.join(folder, name), **options)
    loaded = {f"{layer.name}/{v.name}": v.numpy() for layer in net.layers for v in layer.weights if "seed" not in v.path}
    assert loaded.keys() == truth.keys(), (loaded.keys() ^ truth.keys())
    for variable, values in truth.items():
        assert np.array_equal(loaded[variable], values), (name, variable)
    print(f"{name} {options}: {len(loaded)} variables, all equal; keras {keras.__version__}")
