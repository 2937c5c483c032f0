"""Makes the colour tables and the font of this folder.

Run with matplotlib 3.11.2 (tables of viridis and turbo, DejaVu Sans 2.37),
opencv-python-headless 5.0.0 (JET as `cv2.applyColorMap` has it) and fonttools:

    python make.py

A table is 256 times red, green, blue, a byte each. The font is cut down to
Latin, Greek, Cyrillic and the signs that plots need; hints are left out.
"""

from pathlib import Path
import cv2
import matplotlib
import numpy as np
from fontTools import subset

here = Path(__file__).parent
for name in ["viridis", "turbo"]:
    colours = matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3]
    (here / f"{name}.rgb").write_bytes(colours.astype(np.uint8).tobytes())
bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_JET)
(here / "jet.rgb").write_bytes(np.ascontiguousarray(bgr[:, 0, ::-1]).tobytes())

fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
subset.main([
    str(fonts / "DejaVuSans.ttf"),
    "--unicodes=U+0020-007E,U+00A0-024F,U+0370-03FF,U+0400-04FF,U+2010-2027,U+2030-203A,"
    "U+2070-209F,U+20AC,U+2190-2195,U+2200-2265,U+FFFD",
    "--no-hinting", "--desubroutinize", "--layout-features=kern",
    f"--output-file={here / 'DejaVuSans.ttf'}",
])
(here / "DejaVuSans.LICENSE").write_text((fonts / "LICENSE_DEJAVU").read_text())
