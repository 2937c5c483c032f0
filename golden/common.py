"""Random data that Rust and Python make alike, and the form of stored results.

The Rust side is crates/dev/testing: random.rs, picture.rs, golden.rs.
"""

import json
import math

import numpy as np

GAMMA = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def bits(seed, count):
    """The first `count` numbers of SplitMix64."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def named(seed, name):
    """The seed of the stream that belongs to a name: xor its 64-bit FNV-1a."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return seed ^ h


def signed(seed, shape, amplitude=1.0):
    """Uniform in -amplitude..amplitude, float32."""
    drawn = bits(seed, math.prod(shape)) >> np.uint64(40)
    unit = drawn.astype(np.float32) / np.float32(8388608) - np.float32(1)
    return (unit * np.float32(amplitude)).reshape(shape)


def parameter(seed, name, shape):
    """One random parameter; see `random_weights` in Rust for the rule."""
    if len(shape) > 1:
        bound = np.sqrt(np.float32(6) / np.float32(math.prod(shape[1:])))
        return signed(named(seed, name), shape, bound)
    around = 1 if name.endswith((".weight", ".running_var")) else 0
    return signed(named(seed, name), shape, 0.5) + np.float32(around)


def smooth_picture(shape, seed, cell=8):
    """A random smooth picture with a little grain, 0..=255, float32."""
    n, c, h, w = shape
    rows, columns = h // cell + 2, w // cell + 2
    levels = (bits(named(seed, "picture"), n * c * rows * columns) >> np.uint64(56)).astype(np.int64)
    levels = levels.reshape(n, c, rows, columns)
    (y, down), (x, across) = (divmod(np.arange(size), cell) for size in (h, w))
    y, down = y[:, None], down[:, None]
    at = lambda dy, dx: levels[:, :, y + dy, x + dx]
    top = at(0, 0) * (cell - across) + at(0, 1) * across
    bottom = at(1, 0) * (cell - across) + at(1, 1) * across
    grain = (bits(named(seed, "grain"), n * c * h * w) >> np.uint64(60)).astype(np.int64)
    level = top * (cell - down) + bottom * down + grain.reshape(shape) * 64
    return np.minimum(level.astype(np.float32) / np.float32(64), np.float32(255))


def encoded(picture, scale, mean=(0, 0, 0), std=(1, 1, 1)):
    """A picture in 0..=255 in a network's numbers, in float32 steps as in Rust."""
    mean, std = (np.array(v, np.float32).reshape(3, 1, 1) for v in (mean, std))
    return (picture / np.float32(255) * np.float32(scale) - mean) / std


def stored(name, full, count):
    """Mean, largest magnitude, then `count` values at places that depend on the name alone."""
    full = np.asarray(full, np.float64)
    flat = full.ravel()
    if flat.size > count:
        flat = flat[bits(named(0, name), count) % np.uint64(flat.size)]
    stats = [full.mean(), np.abs(full).max()]
    return np.concatenate([stats, flat]).astype(np.float32)


assert [hex(b) for b in bits(0, 2)] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4"]
assert list(signed(named(7, "conv1.weight"), (3,))) == [0.5312649011611938, -0.9374969005584717, 0.074737548828125]


def read_safetensors(path):
    """The float32 tensors of a file, by name: for interpreters that lack the package."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        values = file.read()
    header.pop("__metadata__", None)
    return {name: np.frombuffer(values[slice(*t["data_offsets"])], "<f4").reshape(t["shape"]) for name, t in header.items()}


def forget_places(path):
    """Takes out of an ONNX file what tells where it was made: stack traces with the machine's paths."""
    import onnx

    model = onnx.load(path)
    parts = [model, model.graph, *model.functions]
    for body in [model.graph, *model.functions]:
        parts += [*body.node, *body.value_info]
    parts += [*model.graph.input, *model.graph.output, *model.graph.initializer]
    for part in parts:
        del part.metadata_props[:]
        part.ClearField("doc_string")
    with open(path, "wb") as file:
        file.write(model.SerializeToString())
