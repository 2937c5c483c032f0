"""Writes the transforms and what Keras' ImageDataGenerator makes of a picture by each.

    python golden/augment/make_keras.py

The picture is `common.smooth_picture` of the case's shape over 255, in float32. Each
case goes through `apply_transform` of Keras' own generator, order 1, which computes in
float64. No angle or zoom puts a source coordinate onto the picture's edge to within
rounding, where `constant` is free to go either way.
"""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore", DeprecationWarning)  # SciPy, of the name under which Keras imports it
sys.path.append(str(Path(__file__).parents[1]))

import keras
import numpy as np
import safetensors.numpy
import scipy
from keras.src.legacy.preprocessing.image import ImageDataGenerator

import common

SEED = 4
FILLS = ["nearest", "constant", "reflect", "wrap"]
ALONE = {
    "rotation": dict(theta=31.0),
    "rotation back": dict(theta=-123.0),
    "shift across": dict(tx=2.3),
    "shift down": dict(ty=-3.6),
    "shift by whole pixels": dict(tx=-2.0, ty=1.0),
    "shift out of sight": dict(tx=23.7, ty=-41.2),
    "shear": dict(shear=17.0),
    "shear back": dict(shear=-41.0),
    "zoom in": dict(zx=0.63, zy=0.71),
    "zoom out": dict(zx=1.57, zy=2.83),
    "zoom across": dict(zx=1.37),
    "flip left to right": dict(flip_horizontal=True),
    "flip upside down": dict(flip_vertical=True),
    "rotation and flip": dict(theta=12.0, flip_horizontal=True),
    "all": dict(theta=-25.0, tx=1.7, ty=-2.2, shear=9.0, zx=1.23, zy=0.87,
                flip_horizontal=True, flip_vertical=True),
}
SIZES = [(3, 1, 1), (1, 1, 7), (1, 6, 1), (2, 2, 3), (1, 9, 9), (4, 13, 6)]


def case(name, shape, fill, cval=0.0, **transform):
    return dict(name=f"{name}, {fill}, {'x'.join(map(str, shape))}", shape=list(shape),
                fill=fill, cval=cval, transform=transform)


def cases():
    for fill in FILLS:
        for name, transform in ALONE.items():
            yield case(name, (2, 8, 11), fill, 0.25 if fill == "constant" else 0.0, **transform)
        for shape in SIZES:
            yield case("all", shape, fill, -1.5 if fill == "constant" else 0.0, **ALONE["all"])
    yield case("nothing", (2, 5, 4), "nearest")


def run(case):
    c, h, w = case["shape"]
    picture = common.smooth_picture((1, c, h, w), SEED)[0] / np.float32(255)
    generator = ImageDataGenerator(data_format="channels_first", fill_mode=case["fill"], cval=case["cval"])
    result = generator.apply_transform(picture, case["transform"])
    assert result.dtype == np.float32 and result.shape == picture.shape
    return np.ascontiguousarray(result)


if __name__ == "__main__":
    all_cases = list(cases())
    results = {c["name"]: run(c) for c in all_cases}
    assert len(results) == len(all_cases), "two cases of one name"
    folder = Path(__file__).parent
    lines = ",\n".join(json.dumps(c) for c in all_cases)
    (folder / "cases_keras.json").write_text(f"[\n{lines}\n]\n")
    made = {"made_with": f"keras {keras.__version__}, scipy {scipy.__version__}, seed {SEED}"}
    safetensors.numpy.save_file(results, folder / "keras.safetensors", made)
    print(len(results), "cases", sum(r.nbytes for r in results.values()), "bytes")
