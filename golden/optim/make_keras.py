"""Writes what Keras's optimisers and schedules do, in float64."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from keras import optimizers as o

from record import run, write

keras.config.set_floatx("float64")

RULES = {
    "adam": lambda: o.Adam(),
    "adam fast": lambda: o.Adam(0.01, beta_1=0.5, beta_2=0.9),
    "adamw": lambda: o.AdamW(),
    "adamw strong": lambda: o.AdamW(0.01, weight_decay=0.5),
    "rmsprop": lambda: o.RMSprop(),
    "rmsprop momentum": lambda: o.RMSprop(momentum=0.9, weight_decay=0.01),
    "sgd": lambda: o.SGD(),
    "sgd momentum": lambda: o.SGD(momentum=0.9, weight_decay=0.1),
    "sgd nesterov": lambda: o.SGD(momentum=0.9, nesterov=True),
    "sgd momentum staircase": lambda: o.SGD(
        o.schedules.ExponentialDecay(0.01, 30, 0.5, staircase=True), momentum=0.9),
}


def rule(make):
    def start(values):
        variables = [keras.Variable(v, dtype="float64") for v in values]
        optimizer = make()
        optimizer.build(variables)
        return optimizer, variables

    def step(state, gradients, _):
        optimizer, variables = state
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
        return [keras.ops.convert_to_numpy(v) for v in variables]

    return run(start, step)


def schedule(rates):
    return np.array([float(rates(keras.ops.cast(step, "float64"))) for step in range(70)])


results = {name: rule(make) for name, make in RULES.items()}
results["schedule cosine"] = schedule(
    o.schedules.CosineDecay(0.01, 40, alpha=0.1, warmup_target=0.2, warmup_steps=20))
results["schedule staircase"] = schedule(
    o.schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True))
write("keras", keras.__version__, results)
