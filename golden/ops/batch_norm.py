"""The cases of a batch norm while training: two batches, one after the other.

Inputs and parameters are `common`'s, so that only results are stored: of the second batch the
output and the gradients of its sum with random weights by input, gain and bias; then the running
statistics.
"""

from pathlib import Path

import numpy as np
import safetensors.numpy

import common

SEED = 4
EPS = 1e-3
CASES = {"3x5x4x6": ((3, 5, 4, 6), 1.0, 0.0), "2x18x7x9": ((2, 18, 7, 9), 2.0, 0.0),
         "1x3x1x7": ((1, 3, 1, 7), 1.0, 0.0), "4x17x6x5 far from zero": ((4, 17, 6, 5), 0.5, 30.0)}
PARTS = ["y", "x", "gain", "bias", "mean", "var"]


def write(framework, version, run):
    results = {}
    for name, (shape, amplitude, offset) in CASES.items():
        def draw(part, shape, amplitude=1.0):
            return common.signed(common.named(SEED, f"{name}/{part}"), shape, amplitude)
        batches = [(draw(f"x{i}", shape, amplitude) + np.float32(offset)).astype(np.float64) for i in range(2)]
        c = (shape[1],)
        values = [draw("gain", c), draw("bias", c), draw("mean", c), np.abs(draw("var", c)) + np.float32(0.5), draw("gradient", shape)]
        for part, value in zip(PARTS, run(batches, *(v.astype(np.float64) for v in values))):
            results[f"{name}/{part}"] = np.ascontiguousarray(value, np.float32)
    made = {"made_with": f"{framework} {version}, seed {SEED}"}
    path = Path(__file__).parent / f"batch_norm_{framework}.safetensors"
    safetensors.numpy.save_file(results, path, made)
    path.chmod(0o644)
    print(len(CASES), "cases", sum(r.nbytes for r in results.values()), "bytes")
