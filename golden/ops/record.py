"""A case is a small graph as JSON: input shapes, and layers that name what they read.

Layer `i` reads by number: inputs come first, then layers. Its parameters are
`l{i}.weight` and so on, from `common.parameter`.
"""

import json
from pathlib import Path

import numpy as np
import safetensors.numpy

import common

SEED = 3


def case(name, shapes, *layers, nan=False, amplitude=1.0, condition=0.0):
    """`shapes` is one input shape or a list of them. A layer without `reads` reads the one before.

    `condition` is how much the operation enlarges a rounding of its input, relative to its result:
    for a norm, how many standard deviations the mean is from zero.
    """
    shapes = shapes if isinstance(shapes, list) else [shapes]
    for i, layer in enumerate(layers):
        layer.setdefault("reads", [len(shapes) + i - 1])
    return dict(name=name, inputs=[list(s) for s in shapes], amplitude=amplitude, nan=nan,
                condition=condition, layers=list(layers))


def inputs(case):
    for i, shape in enumerate(case["inputs"]):
        seed = common.named(SEED, f"{case['name']}/{i}")
        x = common.signed(seed, tuple(shape), case["amplitude"])
        if case["nan"] and i == 0:  # one value of the first image
            n, c, h, w = shape
            x[0, c // 2, h // 2, w // 2] = np.nan
        yield x.astype(np.float64)


def parameters(case):
    """A function from layer index and shapes by name to float64 arrays."""

    def get(i, part, shape):
        seed = common.named(SEED, case["name"])
        return common.parameter(seed, f"l{i}.{part}", tuple(shape)).astype(np.float64)

    return get


def seed_gradient(case, shape):
    """The gradient of the loss by the result of a case."""
    return common.signed(common.named(SEED, case["name"] + "/gradient"), tuple(shape), 1.0).astype(np.float64)


def write(framework, version, cases, run):
    """`run` gives a case's result, or that and gradients by name, which go into a file of their own."""
    names = [c["name"] for c in cases]
    assert len(set(names)) == len(names), "two cases of one name"
    results, gradients = {}, {}
    for c in cases:
        result = run(c)
        if isinstance(result, tuple):
            result, by_name = result
            if not c["nan"]:
                gradients |= {f"{c['name']}/{name}": np.ascontiguousarray(g, np.float32) for name, g in by_name.items()}
        results[c["name"]] = np.ascontiguousarray(result, np.float32)
    assert all(r.ndim == 4 for r in results.values())
    folder = Path(__file__).parent
    lines = ",\n".join(json.dumps(c) for c in cases)
    (folder / f"cases_{framework}.json").write_text(f"[\n{lines}\n]\n")
    made = {"made_with": f"{framework} {version}, seed {SEED}"}
    safetensors.numpy.save_file(results, folder / f"{framework}.safetensors", made)
    if gradients:
        safetensors.numpy.save_file(gradients, folder / f"{framework}_gradients.safetensors", made)
    print(len(cases), "cases", sum(r.nbytes for r in results.values()), "bytes")
