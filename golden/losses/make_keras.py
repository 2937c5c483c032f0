"""Losses and their gradients, as Keras defines them; channels are moved last and back."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import keras
import numpy as np
import tensorflow as tf

from record import SMOOTHING, draw, targets, write


def judged(loss, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_mean(loss(x))
    return float(value), tape.gradient(value, x).numpy()


if __name__ == "__main__":
    results, target, other = {}, tf.constant(targets()), tf.constant(draw("other"))
    binary = keras.losses.binary_crossentropy
    for smoothing in SMOOTHING:
        results[f"binary {smoothing}"] = judged(
            lambda x: binary(target, x, from_logits=True, label_smoothing=smoothing), draw("logits"))
    # Some are cut: beyond 17 the sigmoid is closer to 0 or 1 than Keras's epsilon.
    shares = tf.sigmoid(draw("logits") * 6).numpy().astype(np.float32)
    results["binary of probabilities"] = judged(lambda p: binary(target, p), shares.astype(np.float64))
    results["absolute"] = judged(lambda x: keras.losses.mean_absolute_error(other, x), draw("logits"))
    results["squared"] = judged(lambda x: keras.losses.mean_squared_error(other, x), draw("logits"))
    write("keras", keras.__version__, results, probabilities=shares)
