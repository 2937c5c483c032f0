"""Makes a contact sheet of what a network colours.

    python zoo/colorizer/contact_sheet.py PROGRAM OUT.jpg [--model FILE] PICTURE…

A column for each picture: grey, coloured, and the original where it has colours; those
without colours come first. Needs Pillow.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

CELL, ACROSS, GAP = 150, 8, 4
MOST_BYTES = 600_000


def cell(picture):
    """The middle of a picture, cut to a square."""
    scale = CELL / min(picture.size)
    picture = picture.resize([max(CELL, round(s * scale)) for s in picture.size], Image.LANCZOS)
    left, top = (picture.width - CELL) // 2, (picture.height - CELL) // 3
    return picture.crop((left, top, left + CELL, top + CELL))


def is_grey(picture):
    r, g, b = (c.resize((64, 64)).tobytes() for c in picture.split())
    return max(max(abs(x - y), abs(y - z)) for x, y, z in zip(r, g, b)) < 40


def column(path, colour):
    """Grey, coloured, and the original if it has colours."""
    original = Image.open(path).convert("RGB")
    grey = original.convert("L")
    column = [grey.convert("RGB"), colour(grey)]
    return column if is_grey(original) else [*column, original]


def sheet(columns):
    rows = [columns[i : i + ACROSS] for i in range(0, len(columns), ACROSS)]
    heights = [max(map(len, row)) * CELL + GAP for row in rows]
    sheet = Image.new("RGB", (ACROSS * (CELL + GAP) - GAP, sum(heights) - GAP), "white")
    for y, row in enumerate(rows):
        for x, column in enumerate(row):
            for i, picture in enumerate(column):
                sheet.paste(cell(picture), (x * (CELL + GAP), sum(heights[:y]) + i * CELL))
    return sheet


def main():
    program, out, *rest = sys.argv[1:]
    model = []
    if rest[0] == "--model":
        model, rest = rest[:2], rest[2:]
    with tempfile.TemporaryDirectory() as folder:

        def colour(grey):
            before, after = Path(folder, "grey.png"), Path(folder, "coloured.png")
            grey.save(before)
            flags = ["--overwrite", "--quiet", *model]
            subprocess.check_call([program, "colorize", before, "-o", after, *flags])
            with Image.open(after) as coloured:
                return coloured.convert("RGB")

        made = sheet(sorted((column(path, colour) for path in rest), key=len))
    for quality in range(88, 40, -4):
        made.save(out, quality=quality, optimize=True, progressive=True)
        if Path(out).stat().st_size <= MOST_BYTES:
            break


if __name__ == "__main__":
    main()
