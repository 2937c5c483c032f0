"""A batch norm while training, as Keras defines it; channels are moved last and back."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import keras
import numpy as np
import tensorflow as tf

from batch_norm import EPS, write


def last(x):
    return tf.constant(np.moveaxis(x, 1, -1))


def first(x):
    return np.moveaxis(x.numpy(), -1, 1)


def run(batches, gain, bias, mean, var, seed):
    layer = keras.layers.BatchNormalization(epsilon=EPS, dtype="float64")
    layer.build(last(batches[0]).shape)
    layer.set_weights([gain, bias, mean, var])
    layer(last(batches[0]), training=True)
    x = last(batches[1])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        loss = tf.reduce_sum(y * last(seed))
    by_x, by_gain, by_bias = tape.gradient(loss, [x, layer.gamma, layer.beta])
    _, _, mean, var = layer.get_weights()
    return [first(y), first(by_x), by_gain.numpy(), by_bias.numpy(), mean, var]


if __name__ == "__main__":
    write("keras", keras.__version__, run)
