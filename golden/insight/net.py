"""A small classifier with a residual block and dense layers; random weights by name.

Rust writes the same network in crates/task/insight/tests/common/mod.rs.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import numpy as np

import common

SEED = 11
SIZE = (1, 3, 32, 32)
SHAPES = {
    "conv1": (8, 3, 3, 3),
    "conv2": (12, 8, 3, 3),
    "bn2": None,
    "conv3": (12, 12, 3, 3),
    "conv4": (12, 12, 3, 3),
    "conv5": (16, 12, 3, 3),
    "fc1": (20, 256),
    "fc2": (5, 20),
}


def parameters():
    """PyTorch's names and axes, float64."""
    made = {}
    for name, shape in SHAPES.items():
        if shape is None:
            parts = {part: (12,) for part in ("weight", "bias", "running_mean", "running_var")}
        else:
            parts = {"weight": shape, "bias": shape[:1]}
        for part, shape in parts.items():
            full = f"{name}.{part}"
            made[full] = common.parameter(SEED, full, shape).astype(np.float64)
    return made


def picture():
    return common.encoded(common.smooth_picture(SIZE, SEED), 1, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
