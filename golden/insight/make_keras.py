"""Writes the tutorial's Grad-CAM by Keras on the small network, with a softmax after it.

Chollet, "Deep Learning with Python" (2018), listings 5.42 and 5.43, with
`GradientTape` in place of `K.gradients`: the gradient of the class's probability by the
layer, its mean over space, the mean over channels of the activations so weighted,
negative values cut, divided by the maximum. tensorflow-cpu 2.21.0, float64.
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf
from keras import layers

import net

keras.backend.set_floatx("float64")
values = net.parameters()


def conv(name, x, **settings):
    filters = values[f"{name}.weight"].shape[0]
    return layers.Conv2D(filters, 3, name=name, **settings)(x)


inputs = keras.Input((32, 32, 3))
x = layers.ReLU()(conv("conv1", inputs, padding="same"))
x = conv("conv2", layers.ZeroPadding2D(1)(x), strides=2)
kept = layers.ReLU()(layers.BatchNormalization(epsilon=1e-5, name="bn2")(x))
x = layers.ReLU(name="relu3")(conv("conv3", kept, padding="same"))
x = layers.ReLU()(layers.Add()([kept, conv("conv4", x, padding="same")]))
x = layers.MaxPooling2D(2)(x)
x = layers.ReLU(name="relu5")(conv("conv5", x, padding="same"))
x = layers.MaxPooling2D(2)(x)
x = layers.Flatten()(layers.Permute((3, 1, 2))(x))
x = layers.ReLU()(layers.Dense(20, name="fc1")(x))
outputs = layers.Softmax()(layers.Dense(5, name="fc2")(x))
model = keras.Model(inputs, outputs)
for name in ["conv1", "conv2", "conv3", "conv4", "conv5", "fc1", "fc2"]:
    weight, bias = values[f"{name}.weight"], values[f"{name}.bias"]
    turned = weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.T
    model.get_layer(name).set_weights([turned, bias])
model.get_layer("bn2").set_weights(
    [values[f"bn2.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
)

picture = net.picture().astype(np.float64).transpose(0, 2, 3, 1)
tensors = {"probabilities": model(picture).numpy()}
for layer in ["relu3", "relu5"]:
    both = keras.Model(inputs, [model.get_layer(layer).output, model.output])
    for klass in [0, 3]:
        with tf.GradientTape() as tape:
            activations, probabilities = both(tf.constant(picture))
            chosen = probabilities[:, klass]
        pooled = tf.reduce_mean(tape.gradient(chosen, activations), axis=(0, 1, 2)).numpy()
        weighted = activations[0].numpy() * pooled
        heatmap = np.maximum(np.mean(weighted, axis=-1), 0)
        tensors[f"{layer}/{klass}/raw"] = heatmap
        tensors[f"{layer}/{klass}/tutorial"] = heatmap / np.max(heatmap)
        print(layer, klass, heatmap.shape, heatmap.max())
tensors = {name: np.ascontiguousarray(np.asarray(v, np.float32)) for name, v in tensors.items()}
made_with = f"Keras {keras.__version__}, TensorFlow {tf.__version__}, seed {net.SEED}"
safetensors.numpy.save_file(tensors, Path(__file__).parent / "keras.safetensors", {"made_with": made_with})
