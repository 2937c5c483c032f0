"""Makes docs/pictures/styles.jpg: every style that ships on six photographs.

    python zoo/contact_sheet.py target/release/pentimento PHOTOGRAPH… docs/pictures/styles.jpg

The photographs of the sheet in the docs are named in docs/STYLES.md. Needs Pillow.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ZOO = Path(__file__).parent
CELL, LABEL, SIZE = (264, 198), 132, 640


def cell(path):
    """The middle of a picture, cut to the shape of a cell."""
    picture = Image.open(path).convert("RGB")
    scale = max(CELL[0] / picture.width, CELL[1] / picture.height)
    picture = picture.resize([round(s * scale) for s in picture.size], Image.LANCZOS)
    left, top = (picture.width - CELL[0]) // 2, (picture.height - CELL[1]) // 3
    return picture.crop((left, top, left + CELL[0], top + CELL[1]))


def main():
    program, *photographs, out = sys.argv[1:]
    listed = json.loads(subprocess.check_output([program, "styles", "--json"]))
    styles = listed["styles"] if isinstance(listed, dict) else listed
    rows = [("photograph", photographs)]
    with tempfile.TemporaryDirectory() as folder:
        for style in styles:
            into = Path(folder, style["name"])
            file = ZOO / style["name"] / f"{style['name']}.safetensors"  # as it is now, compiled in or not
            args = ["stylize", *photographs, "--style", file, "--size", str(SIZE), "-o", into]
            subprocess.check_call([program, *args])
            rows.append((style["name"], [into / Path(p).name for p in photographs]))
        sheet = Image.new("RGB", (LABEL + len(photographs) * CELL[0], len(rows) * CELL[1]), "white")
        draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
        for y, (name, pictures) in enumerate(rows):
            draw.text((8, y * CELL[1] + CELL[1] // 2 - 8), name, "black", font)
            for x, path in enumerate(pictures):
                sheet.paste(cell(path), (LABEL + x * CELL[0], y * CELL[1]))
    sheet.save(out, quality=82, optimize=True)


if __name__ == "__main__":
    main()
