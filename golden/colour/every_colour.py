"""scikit-image's Lab of every 8-bit colour, as float32 on standard output: 201 MB.

Red slowest, blue fastest. Read by the ignored test of crates/base/imaging/tests/colour.rs.
"""

import sys

import numpy as np
from skimage.color import rgb2lab

green, blue = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
for red in range(256):
    rgb = np.stack([np.full_like(green, red), green, blue], -1) / 255
    sys.stdout.buffer.write(rgb2lab(rgb).astype("<f4").tobytes())
