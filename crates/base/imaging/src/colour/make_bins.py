"""The 313 bins of the ab plane: bins.txt.

The corners of every 10x10 square in which one of the 16.7 million sRGB colours lies, and
four more: see `ab_bins` in bins.rs. Written with scikit-image's rgb2lab; no seed.
"""

import pathlib

import numpy as np
from skimage.color import rgb2lab

LIST = pathlib.Path(__file__).with_name("bins.txt")
STEP = 10
ADDED = {(40, 90), (100, -90), (100, -10), (100, 0)}

squares = set()
green, blue = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
for red in range(256):
    rgb = np.stack([np.full_like(green, red), green, blue], -1) / 255
    ab = np.floor(rgb2lab(rgb)[..., 1:] / STEP).astype(int)
    squares |= set(map(tuple, np.unique(ab.reshape(-1, 2), axis=0)))
corners = {(int(a + i) * STEP, int(b + j) * STEP) for a, b in squares for i in (0, 1) for j in (0, 1)}
assert len(corners) == 309 and not corners & ADDED
LIST.write_text("".join(f"{a} {b}\n" for a, b in sorted(corners | ADDED)))
