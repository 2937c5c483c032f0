"""A spread of sRGB colours and what scikit-image makes of each: lab.safetensors.

8-bit colours: a grid that has both ends, dark colours in every step, and random ones; and
Lab values to go back from, in and out of the gamut. Computed in float64, stored as float32.
"""

import pathlib
import sys

import numpy as np
import safetensors.numpy
import skimage
from skimage.color import lab2rgb, lab2xyz, rgb2gray, rgb2lab, rgb2xyz

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent))
import common

SEED = 6

steps = np.array([0, 1, 51, 102, 153, 204, 254, 255])
grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
dark = np.stack([np.arange(64), np.arange(64)[::-1], np.arange(64) // 2], -1)
random = (common.bits(common.named(SEED, "colours"), 3 * 448) >> np.uint64(56)).astype(int)
bytes_ = np.concatenate([grid, dark, random.reshape(-1, 3)])
rgb = bytes_ / 255.0
drawn = common.signed(common.named(SEED, "lab"), (512, 3)).astype(np.float64)
lab = (drawn * np.array([50, 90, 90]) + np.array([50, 0, 0])).astype(np.float32).astype(np.float64)
results = {
    "bytes": bytes_,
    "lab": rgb2lab(rgb),
    "xyz": rgb2xyz(rgb),
    "grey": rgb2gray(rgb),
    "from_lab": lab,
    "to_xyz": lab2xyz(lab),
    "to_rgb": lab2rgb(lab),
}
results = {name: np.ascontiguousarray(value, np.float32) for name, value in results.items()}
made = {"made_with": f"scikit-image {skimage.__version__}, seed {SEED}"}
safetensors.numpy.save_file(results, HERE / "lab.safetensors", made)
