"""What the optimisers' scripts have in common: parameters, gradients and the form of results.

The gradients do not ask for the parameters, so that they are the same in both languages to the
last bit. Their magnitudes run from 1 down past every epsilon and its root, and to 0.
"""

from pathlib import Path

import numpy as np
import safetensors.numpy

import common

SEED = 5
SHAPES = [(7, 11), (13,)]
STEPS = 100
KEPT = [1, 10, 100]


def parameters():
    return [common.signed(common.named(SEED, f"parameter {i}"), s) for i, s in enumerate(SHAPES)]


def gradients(step):
    """Of steps 1 to STEPS."""
    for i, shape in enumerate(SHAPES):
        g = common.signed(common.named(SEED, f"gradient {i} of {step}"), shape).ravel()
        size = np.float32(2.0) ** (-3 * (np.arange(g.size) % 12)).astype(np.float32)
        size[np.arange(g.size) % 12 == 11] = 0
        yield (g * size).reshape(shape)


def run(start, step):
    """`step(parameters, gradients, number)` works in place. Gives what is kept, all values in a row."""
    values = [p.astype(np.float64) for p in parameters()]
    state = start(values)
    kept = []
    for number in range(1, STEPS + 1):
        now = step(state, [g.astype(np.float64) for g in gradients(number)], number)
        if number in KEPT:
            kept.append(np.concatenate([np.asarray(p, np.float64).ravel() for p in now]))
    return np.stack(kept)


def write(framework, version, results):
    results = {name: np.ascontiguousarray(r, np.float32) for name, r in results.items()}
    assert all(np.isfinite(r).all() for r in results.values())
    made = {"made_with": f"{framework} {version}, seed {SEED}"}
    safetensors.numpy.save_file(results, Path(__file__).parent / f"{framework}.safetensors", made)
    print(len(results), "results", sum(r.nbytes for r in results.values()), "bytes")
