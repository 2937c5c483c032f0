"""Measures how the pipeline around the network behaves, on photographs that it never saw.

    python zoo/colorizer/measure.py sizes PROGRAM PICTURE…
    python zoo/colorizer/measure.py edges PICTURE…

`sizes`: how far colours move with the size of the input. `edges`: which radius and flatness of
the guided filter bring colours of a small picture best onto a large one. Needs Pillow, PyTorch
and scikit-image.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import network

SIDES = [256, 512, 1024, 2048]
RADII, FLAT = [2, 4, 8, 16, 32], [1, 4, 16, 64, 256]
LARGE = 1024


def reduced(picture, side):
    scale = side / min(picture.size)
    return picture.resize([round(s * scale) for s in picture.size], Image.LANCZOS)


def array(picture):
    return np.asarray(picture.convert("RGB"), np.float32) / 255


def coloured(program, picture):
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "grey.png"), Path(folder, "coloured.png")
        picture.save(before)
        subprocess.check_call([program, "colorize", before, "-o", after, "--quiet"])
        with Image.open(after) as result:
            return result.convert("RGB")


def sizes(program, *paths):
    """Mean distance of ab, all brought to the size of the smallest."""
    rows = []
    for path in paths:
        grey = Image.open(path).convert("L")
        results = [array(coloured(program, reduced(grey, side)).resize(reduced(grey, SIDES[0]).size, Image.BOX)) for side in SIDES]
        first, *others = [network.lab(rgb)[..., 1:] for rgb in results]
        moved = [np.linalg.norm(ab - first, axis=2) for ab in others]
        rows.append([np.linalg.norm(first, axis=2).mean(), *(m.mean() for m in moved), *(np.percentile(m, 95) for m in moved)])
        print(Path(path).name, *(f"{value:.2f}" for value in rows[-1]), flush=True)
    print(f"mean of {len(rows)}", *(f"{value:.2f}" for value in np.mean(rows, 0)))
    print("largest", *(f"{value:.2f}" for value in np.max(rows, 0)))


def decibels(ab, truth):
    return 10 * np.log10(255**2 / np.mean((ab - truth) ** 2))


def edges(*paths):
    """PSNR of ab for the true colours, brought to the network's grid and back, and for the network's."""
    here = Path(__file__).parent
    bins = here.parents[1] / "crates/base/imaging/src/colour/bins.txt"
    colorizer = network.Colorizer(here / "colorizer.safetensors", bins)
    found = []
    for path in paths:
        picture = Image.open(path).convert("RGB")
        rgb = array(reduced(picture, LARGE) if min(picture.size) > LARGE else picture)
        size, fitted, seen = (f(rgb.shape[:2]) for f in (list, network.fitted_size, network.network_size))
        whole, small = network.lab(rgb), network.resized(rgb, fitted)
        small_l = network.lab(small)[..., 0]
        given = network.lab(network.resized(small, seen, Image.LANCZOS))[..., 0]
        grids = [network.resized(whole[..., 1:], [s // 4 for s in seen]), colorizer.ab(given)]
        row = []
        for grid in grids:
            ab = network.resized(grid, fitted)
            row.append([decibels(network.resized(ab, size), whole[..., 1:])])
            for radius in RADII:
                row[-1] += [decibels(made, whole[..., 1:]) for made in network.guided(small_l, ab, whole[..., 0], radius, FLAT)]
        found.append(row)
        print(Path(path).name, *(f"{r[0]:.2f} {max(r[1:]):.2f}" for r in row), flush=True)
    for name, means in zip(["true colours", "the network's"], np.mean(found, 0)):
        print(f"{name}, {len(found)} photographs: without a filter {means[0]:.2f} dB; rows: radius, columns: flatness {FLAT}")
        for radius, row in zip(RADII, means[1:].reshape(len(RADII), -1)):
            print(f"{radius:3}", *(f"{value:.2f}" for value in row))


if __name__ == "__main__":
    {"sizes": sizes, "edges": edges}[sys.argv[1]](*sys.argv[2:])
