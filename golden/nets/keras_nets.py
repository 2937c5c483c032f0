"""The Keras references, as the tutorials write them down, and how to run one.

Everything is computed in float64. Taps bear the layers' names; where Keras has
fused an activation into a layer, `name.linear` is what the layer gives before it.
"""

import keras
import numpy as np
from keras import layers as L

import common

keras.config.set_floatx("float64")


def cats_and_dogs():
    """Chollet, "Deep Learning with Python", 5.2."""
    model = keras.Sequential([L.Input((150, 150, 3), name="conv2d_input")])
    for i, channels in enumerate([32, 64, 128, 128]):
        suffix = f"_{i}" if i else ""
        model.add(L.Conv2D(channels, (3, 3), activation="relu", name=f"conv2d{suffix}"))
        model.add(L.MaxPooling2D((2, 2), name=f"max_pooling2d{suffix}"))
    model.add(L.Flatten(name="flatten"))
    model.add(L.Dropout(0.5, name="dropout"))
    model.add(L.Dense(512, activation="relu", name="dense"))
    model.add(L.Dense(1, activation="sigmoid", name="dense_1"))
    assert model.count_params() == 3453121
    return model


def parameters(model, seed, called={}):
    """Random weights under our names and in PyTorch's order of axes, put into the model.

    `called` has our names of layers where they are not Keras's.
    """
    grid = None  # what a Flatten has flattened, until a Dense has used it
    for layer in model.layers:
        if isinstance(layer, L.Flatten):
            grid = layer.input.shape[1:]
        values, ours = [], called.get(layer.name, layer.name)
        for variable in layer.weights:
            shape, part = tuple(variable.shape), variable.name.split("/")[-1]
            draw = lambda name, shape: common.parameter(seed, f"{ours}.{name}", shape)
            if part == "kernel" and len(shape) == 4:
                i, o = shape[2:]
                value = draw("weight", (o, i, *shape[:2])).transpose(2, 3, 1, 0)
            elif part == "kernel":
                value = draw("weight", shape[::-1])
                if grid is not None:
                    h, w, c = grid
                    value = value.reshape(-1, c, h, w).transpose(0, 2, 3, 1).reshape(shape[::-1])
                    grid = None
                value = value.T
            else:
                parts = dict(gamma="weight", beta="bias", moving_mean="running_mean")
                parts |= dict(moving_variance="running_var", bias="bias")
                value = draw(parts[part], shape)
            assert value.shape == shape, (layer.name, part, value.shape, shape)
            values.append(value)
        layer.set_weights(values)


def nchw(x):
    x = np.asarray(x)
    return x.transpose(0, 3, 1, 2) if x.ndim == 4 else x


def linear(layer, x):
    """What a layer gives without its activation; nothing if it has none."""
    activation = getattr(layer, "activation", keras.activations.linear)
    if isinstance(layer, L.Activation) or activation is keras.activations.linear:
        return None
    layer.activation = keras.activations.linear
    y = layer(x)
    layer.activation = activation
    return y


def run(model, inputs):
    """Every tap, `[N, C, H, W]` or `[N, C]`, the output last. `inputs` are NCHW."""
    inputs = [x.transpose(0, 2, 3, 1) if x.ndim == 4 else x for x in inputs]
    inputs = [np.asarray(x, np.float64) for x in inputs]
    steps = [layer for layer in model.layers if not isinstance(layer, L.InputLayer)]
    ends = [(layer.input, layer.output) for layer in steps]
    values = keras.Model(model.inputs, ends)(inputs, training=False)
    taps = {}
    for layer, (x, y) in zip(steps, values):
        before = linear(layer, x)
        if before is not None:
            taps[f"{layer.name}.linear"] = nchw(before)
        if type(layer).__name__ == "CustomScaleLayer":  # x + scale · up, called like its block
            name = next(n for n in reversed(taps) if n.endswith("_conv")).removesuffix("_conv")
            taps[f"{name}_scale"], taps[name] = nchw(x[1]) * layer.scale, nchw(y)
            continue
        if isinstance(layer, L.Flatten):
            y = flat = nchw(x).reshape(y.shape)  # channels first, as in all our networks
        elif isinstance(layer, L.Dropout) and len(y.shape) == 2:
            y = flat
        if not isinstance(layer, L.RepeatVector):  # half of a step: Reshape is the other
            taps[layer.name] = nchw(y)
    return taps


def convolutions(x, rows):
    """Rows of the colouring tutorial: channels, `(channels, stride)`, "tanh" or "up"."""
    for row in rows:
        if row == "up":
            x = L.UpSampling2D((2, 2))(x)
        elif row == "tanh":
            x = L.Conv2D(2, (3, 3), activation="tanh", padding="same")(x)
        else:
            channels, stride = row if isinstance(row, tuple) else (row, 1)
            x = L.Conv2D(channels, (3, 3), activation="relu", padding="same", strides=stride)(x)
    return x


def colour(rows):
    """Alpha and beta of the colouring tutorial."""
    keras.backend.clear_session()
    lightness = L.Input((None, None, 1))
    return keras.Model(lightness, convolutions(lightness, rows))


def colour_alpha():
    return colour([(8, 2), 8, 16, (16, 2), 32, (32, 2), "up", 32, "up", 16, "up", "tanh"])


def colour_beta():
    down = [64, (64, 2), 128, (128, 2), 256, (256, 2), 512, 256, 128]
    return colour(down + ["up", 64, "up", 32, "tanh", "up"])


def colour_full(height, width):
    """The tutorial's fusion, whose RepeatVector fixes the size."""
    keras.backend.clear_session()
    lightness, classes = L.Input((height, width, 1)), L.Input((1000,))
    x = convolutions(lightness, [(64, 2), 128, (128, 2), 256, (256, 2), 512, 512, 256])
    grid = x.shape[1:3]
    seen = L.Reshape((*grid, 1000))(L.RepeatVector(grid[0] * grid[1])(classes))
    x = L.concatenate([x, seen], axis=3)
    x = L.Conv2D(256, (1, 1), activation="relu", padding="same")(x)
    x = convolutions(x, [128, "up", 64, "up", 32, 16, "tanh", "up"])
    return keras.Model([lightness, classes], x)


def inception_resnet_v2(size):
    """Keras's own, for pictures of this size."""
    keras.backend.clear_session()
    model = keras.applications.InceptionResNetV2(weights=None, input_shape=(size, size, 3))
    assert model.count_params() == 55873736
    return model


def vgg16():
    """Keras's own, with our names for its layers."""
    keras.backend.clear_session()
    names = dict(fc1="classifier.0", fc2="classifier.3", predictions="classifier.6")
    index = 0
    for block, layers in enumerate([2, 2, 3, 3, 3], 1):
        for layer in range(1, layers + 1):
            names[f"block{block}_conv{layer}"] = f"features.{index}"
            index += 2
        index += 1
    return keras.applications.VGG16(weights=None), names
