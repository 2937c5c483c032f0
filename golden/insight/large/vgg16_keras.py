"""Writes the tutorial's Grad-CAM of Keras's VGG16 with its top, too large to keep.

    python vgg16_keras.py DIR
    PENTIMENTO_LARGE=DIR cargo test --release -p pentimento-insight --test large -- --ignored --nocapture

The weights and the picture are those of vgg16_pytorch.py; the map is that of make_keras.py
at `block5_conv3`, float32.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path += [str(Path(__file__).parents[2])]

import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf

import common

SEED, SIZE = 11, (1, 3, 224, 224)
CONVS = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]

model = keras.applications.VGG16(weights=None)
layers = [layer for layer in model.layers if layer.weights]
names = [f"features.{i}" for i in CONVS] + [f"classifier.{i}" for i in (0, 3, 6)]
assert len(layers) == len(names)
for layer, name in zip(layers, names):
    shape = tuple(layer.weights[0].shape)
    draw = lambda part, shape: common.parameter(SEED, f"{name}.{part}", shape)
    if len(shape) == 4:
        kernel = draw("weight", (shape[3], shape[2], *shape[:2])).transpose(2, 3, 1, 0)
    else:
        kernel = draw("weight", shape[::-1])
        if name == "classifier.0":  # Keras flattens the channels last
            kernel = kernel.reshape(-1, 512, 7, 7).transpose(0, 2, 3, 1).reshape(shape[::-1])
        kernel = kernel.T
    layer.set_weights([kernel, draw("bias", shape[-1:])])

picture = common.encoded(
    common.smooth_picture(SIZE, SEED), 1, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
).transpose(0, 2, 3, 1)
probabilities = model(picture).numpy()[0]
tensors = {"probabilities": probabilities}
both = keras.Model(model.inputs, [model.get_layer("block5_conv3").output, model.output])
tensors["classes"] = np.argsort(-probabilities)[:2]
for klass in tensors["classes"]:
    with tf.GradientTape() as tape:
        activations, outputs = both(tf.constant(picture))
        chosen = outputs[:, int(klass)]
    pooled = tf.reduce_mean(tape.gradient(chosen, activations), axis=(0, 1, 2)).numpy()
    heatmap = np.maximum(np.mean(activations[0].numpy() * pooled, axis=-1), 0)
    tensors[f"{klass}/tutorial"] = heatmap / np.max(heatmap)
    print(klass, probabilities[klass], heatmap.max())
tensors = {name: np.ascontiguousarray(np.asarray(value, np.float32)) for name, value in tensors.items()}
safetensors.numpy.save_file(tensors, Path(sys.argv[1]) / "vgg16_keras.safetensors")
