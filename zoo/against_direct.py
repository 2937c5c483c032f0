"""How many iterations of direct optimisation a style that ships is worth.

    python zoo/against_direct.py --size 256 --method adam:20 PENTIMENTO VGG16 PAINTINGS OUT.csv PHOTOGRAPHS…

For each photograph and each style: the total loss of what the network painted, of what is
begun from, and of 100 iterations of METHOD (`lbfgs`, or `adam:RATE`) from noise, as Johnson et
al. have it (or `--from content`, the photograph), by `pentimento optimize`, and the first tenth
iteration whose loss is no greater than the network's. All of it on the square in the middle of
the photograph, SIZE × SIZE pixels. Of a folder, the photographs are COUNT of those that `pentimento
train style --photos` keeps out of training; single photographs should be such too.

What takes long does not depend on the network: every tenth loss of direct optimisation is kept
beside the table, in OUT.jsonl, as soon as it is known, and is not computed again. (They do depend
on the loss: remove the file when the recipe changes.) Each processor does a case at a time.
Those that are known lie in `zoo/direct`: give `zoo/direct/256.csv` as OUT.csv to go on from them.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

ZOO = Path(__file__).parent
ITERATIONS = 100
EVERY = 10  # how many iterations to a loss that is kept
KEPT_OUT = 0.02  # of the photographs, as the trainer has it
MASK = 2**64 - 1
COLUMNS = ["photograph", "style", "size", "begun from", "network's", *(f"direct {n}" for n in (10, 20, 50, 100)), "worth"]


def total(losses):
    return sum(losses[part] for part in ("content", "style", "variation"))


def of_card(style, flag, default=None):
    found = re.search(rf"--{flag} (\S+)", (ZOO / style / "README.md").read_text())
    return found[1] if found or default is None else default


def rank(path):
    """A number that decides which photographs are kept out: `Folder::split` of the trainer."""
    h = 0xCBF29CE484222325
    for byte in path.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    h = ((h ^ h >> 30) * 0xBF58476D1CE4E5B9) & MASK
    h = ((h ^ h >> 27) * 0x94D049BB133111EB) & MASK
    return h ^ h >> 31


def kept_out(folder, count):
    """COUNT of the photographs that the trainer keeps out, or as many as there are."""
    ranked = sorted((rank(p.relative_to(folder).as_posix()), p) for p in folder.rglob("*") if p.is_file())
    return [photo for number, photo in ranked if number < KEPT_OUT * 2**64][:count]


def square(photograph, size, folder):
    out = Path(folder, f"{Path(photograph).stem}.png")
    with Image.open(photograph) as picture:
        ImageOps.fit(picture.convert("RGB"), (size, size), Image.Resampling.LANCZOS).save(out)
    return out


class Tools(NamedTuple):
    program: str
    vgg: str
    paintings: str
    size: str


class Case(NamedTuple):
    """One square photograph in one style."""

    tools: Tools
    photograph: Path
    style: str

    def optimized(self, out, start, iterations, *flags):
        program, vgg, paintings, size = self.tools
        painting = Path(paintings, of_card(self.style, "style-picture"))
        line = [program, "optimize", self.photograph, painting, "--loss-network", vgg]
        line += ["--size", size, "--scales", "1", "--style-size", of_card(self.style, "style-size")]
        line += ["--style-degrain", of_card(self.style, "style-degrain", "0")]
        line += ["--from", start, "--iterations", str(iterations), *flags, "--threads", "1"]
        line += ["--json", "-q", "--overwrite", "-o", out]
        return json.loads(subprocess.check_output(line))

    def network(self):
        """The network's loss; its file is the zoo's as it is now, compiled in or not."""
        with tempfile.TemporaryDirectory() as folder:
            painted, out = Path(folder, "painted.png"), Path(folder, "out.png")
            file = ZOO / self.style / f"{self.style}.safetensors"
            line = [self.tools.program, "stylize", self.photograph, "--style", file, "--size", self.tools.size]
            line += ["--strokes", "1", "--margin", "0", "--deblock", "0", "--grain", "0"]  # the network and nothing else
            subprocess.run([*line, "--threads", "1", "-q", "-o", painted], check=True)
            return total(self.optimized(out, painted, 0)["losses"])

    def direct(self, begin, method):
        """The losses before each tenth iteration, and after the last."""
        name, _, rate = method.partition(":")
        flags = ["--method", name, *(["--rate", rate] if rate else [])]
        with tempfile.TemporaryDirectory() as folder:
            told = self.optimized(Path(folder, "out.png"), begin, ITERATIONS, *flags)
        losses = [total(line["losses"]) for line in told["iterations"]] + [total(told["losses"])]
        losses += [losses[-1]] * (ITERATIONS + 1 - len(losses))  # it ended early: flat
        return [float(f"{loss:.5g}") for loss in losses[::EVERY]]


class Curves:
    """The losses that are known, by what they are of, and the file that keeps them."""

    def __init__(self, file):
        self.file, self.lock, self.known = file, Lock(), {}
        if file.exists():
            self.known = {tuple(line["of"]): line["losses"] for line in map(json.loads, file.open())}

    def of(self, key, compute):
        if key not in self.known:
            losses = compute()
            with self.lock, self.file.open("a") as file:
                self.known[key] = losses
                print(json.dumps({"of": key, "losses": losses}), file=file)
        return self.known[key]


def row(curves, args, case):
    key = (case.photograph.stem, case.style, args.size, args.begin, args.method)
    losses = curves.of(key, lambda: case.direct(args.begin, args.method))
    network = case.network()
    worth = next((i * EVERY for i, loss in enumerate(losses) if loss <= network), f"over {ITERATIONS}")
    numbers = (losses[0], network, *(losses[n // EVERY] for n in (10, 20, 50, 100)))
    found = [*key[:3], *(f"{n:.4g}" for n in numbers), worth]
    print(*found, flush=True)
    return found


def summary(rows):
    """A line of Markdown for each style: what docs/STYLES.md shows."""
    yield "| style | photographs | worth: least, middle, most | loss to direct's | no worse on |\n|---|---|---|---|---|"
    for style in sorted({row[1] for row in rows}):
        mine = [row for row in rows if row[1] == style]
        last, network = (np.array([float(row[COLUMNS.index(c)]) for row in mine]) for c in (f"direct {ITERATIONS}", "network's"))
        worth = sorted((row[-1] for row in mine), key=lambda w: (isinstance(w, str), w))
        least, middle, most = worth[0], worth[(len(worth) - 1) // 2], worth[-1]
        ratio = network.mean() / last.mean()
        yield f"| {style} | {len(mine)} | {least} – **{middle}** – {most} | {ratio:.3f} | {(network <= last).sum()} |"


def all_styles():
    return sorted(p.parent.name for p in ZOO.glob("*/README.md") if "--style-picture" in p.read_text())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="256")
    parser.add_argument("--from", dest="begin", default="noise", choices=["noise", "content"])
    parser.add_argument("--method", default="adam:20")
    parser.add_argument("--styles", type=lambda names: names.split(","), default=all_styles(), help="some of them: a,b")
    parser.add_argument("--count", type=int, default=50, help="of a folder")
    parser.add_argument("program")
    parser.add_argument("vgg")
    parser.add_argument("paintings")
    parser.add_argument("out", type=Path)
    parser.add_argument("photographs", nargs="+", type=Path)
    return parser.parse_args()


def main():
    args = arguments()
    tools = Tools(args.program, args.vgg, args.paintings, args.size)
    photographs = [p for given in args.photographs for p in (kept_out(given, args.count) if given.is_dir() else [given])]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as workers:
        squares = [square(photograph, int(args.size), folder) for photograph in photographs]
        cases = [Case(tools, picture, style) for picture in squares for style in args.styles]
        rows = list(workers.map(partial(row, Curves(args.out.with_suffix(".jsonl")), args), cases))
    csv.writer(args.out.open("w")).writerows([COLUMNS, *rows])
    print(*summary(rows), sep="\n")


if __name__ == "__main__":
    main()
