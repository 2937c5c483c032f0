"""Makes a contact sheet of what a network colours.

    python zoo/colorizer/contact_sheet.py PROGRAM OUT.jpg [--model FILE] PICTURE…

A column for each picture: grey, coloured, and the original where it has colours.
Needs Pillow.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

CELL, ACROSS = (220, 220), 6


def cell(picture):
    """The middle of a picture, cut to a square."""
    scale = max(CELL[0] / picture.width, CELL[1] / picture.height)
    picture = picture.resize([round(s * scale) for s in picture.size], Image.LANCZOS)
    left, top = (picture.width - CELL[0]) // 2, (picture.height - CELL[1]) // 3
    return picture.crop((left, top, left + CELL[0], top + CELL[1]))


def is_grey(picture):
    r, g, b = (c.resize((64, 64)).tobytes() for c in picture.split())
    return max(max(abs(x - y), abs(y - z)) for x, y, z in zip(r, g, b)) < 40


def main():
    program, out, *rest = sys.argv[1:]
    model = []
    if rest[0] == "--model":
        model, rest = rest[:2], rest[2:]
    columns = []
    with tempfile.TemporaryDirectory() as folder:
        for i, path in enumerate(rest):
            original = Image.open(path).convert("RGB")
            grey, coloured = Path(folder, f"{i}.png"), Path(folder, f"{i}-coloured.png")
            original.convert("L").save(grey)
            subprocess.check_call([program, "colorize", grey, "-o", coloured, *model, "--quiet"])
            column = [original.convert("L").convert("RGB"), Image.open(coloured).convert("RGB")]
            columns.append(column if is_grey(original) else [*column, original])
    high = max(map(len, columns))
    rows, across = -(-len(columns) // ACROSS), min(ACROSS, len(columns))
    sheet = Image.new("RGB", (across * CELL[0], rows * high * CELL[1]), "white")
    for i, column in enumerate(columns):
        for y, picture in enumerate(column):
            at = (i % ACROSS * CELL[0], (i // ACROSS * high + y) * CELL[1])
            sheet.paste(cell(picture), at)
    sheet.save(out, quality=85, optimize=True)


if __name__ == "__main__":
    main()
