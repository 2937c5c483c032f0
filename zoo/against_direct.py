"""How many iterations of direct optimisation a style that ships is worth.

    python zoo/against_direct.py PENTIMENTO VGG16 PAINTINGS SIZE FROM METHOD OUT.csv PHOTOGRAPH…

For each photograph and each style: the total loss of what the network painted, of what is
begun from, and of 100 iterations of METHOD (`lbfgs`, or `adam:RATE`) from FROM (`content`, the
photograph, or `noise`, as Johnson et al. have it), by `pentimento optimize`, and the first
iteration whose loss is no greater than the network's. All of it on the square in the middle of
the photograph, SIZE × SIZE pixels. Give photographs that were kept out of training.

What takes long does not depend on the network: the losses of direct optimisation are kept beside
the table, in OUT.jsonl, as soon as they are known, and are not computed again.
"""

import csv
import itertools
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

ZOO = Path(__file__).parent
ITERATIONS = 100
COLUMNS = ["photograph", "style", "size", "begun from", "network's", *(f"direct {n}" for n in (10, 20, 50, 100)), "worth"]


def total(losses):
    return sum(losses[part] for part in ("content", "style", "variation"))


def of_card(style, flag):
    return re.search(rf"--{flag} (\S+)", (ZOO / style / "README.md").read_text())[1]


def square(photograph, size, folder):
    out = Path(folder, f"{Path(photograph).stem}.png")
    with Image.open(photograph) as picture:
        ImageOps.fit(picture.convert("RGB"), (size, size), Image.Resampling.LANCZOS).save(out)
    return out


class Case:
    """One square photograph in one style."""

    def __init__(self, program, vgg, paintings, size, photograph, style):
        self.program, self.vgg, self.size, self.photograph, self.style = program, vgg, size, photograph, style
        self.painting = Path(paintings) / of_card(style, "style-picture")

    def optimized(self, out, start, iterations, *flags):
        line = [self.program, "optimize", self.photograph, self.painting, "--loss-network", self.vgg]
        line += ["--size", self.size, "--scales", "1", "--style-size", of_card(self.style, "style-size")]
        line += ["--from", start, "--iterations", str(iterations), *flags, "--json", "-q", "--overwrite", "-o", out]
        return json.loads(subprocess.check_output(line))

    def network(self):
        """The network's loss; its file is the zoo's as it is now, compiled in or not."""
        with tempfile.TemporaryDirectory() as folder:
            painted, out = Path(folder, "painted.png"), Path(folder, "out.png")
            line = [self.program, "stylize", self.photograph, "--style", ZOO / self.style / f"{self.style}.safetensors"]
            subprocess.run([*line, "--size", self.size, "-q", "-o", painted], check=True)
            return total(self.optimized(out, painted, 0)["losses"])

    def direct(self, begin, method):
        """The losses before each iteration, and after the last."""
        name, _, rate = method.partition(":")
        flags = ["--method", name, *(["--rate", rate] if rate else [])]
        with tempfile.TemporaryDirectory() as folder:
            told = self.optimized(Path(folder, "out.png"), begin, ITERATIONS, *flags)
        losses = [total(line["losses"]) for line in told["iterations"]] + [total(told["losses"])]
        return losses + [losses[-1]] * (ITERATIONS + 1 - len(losses))  # it ended early: flat


def main():
    program, vgg, paintings, size, begin, method, out, *photographs = sys.argv[1:]
    styles = sorted(p.parent.name for p in ZOO.glob("*/README.md") if "--style-picture" in p.read_text())
    kept = Path(out).with_suffix(".jsonl")
    known = {}
    if kept.exists():
        known = {tuple(line["of"]): line["losses"] for line in map(json.loads, kept.open())}
    rows = []
    squares = tempfile.TemporaryDirectory()
    for photograph, style in itertools.product(photographs, styles):
        case = Case(program, vgg, paintings, size, square(photograph, int(size), squares.name), style)
        of = (Path(photograph).name, style, size, begin, method)
        if of not in known:
            known[of] = case.direct(begin, method)
            with kept.open("a") as file:
                print(json.dumps({"of": of, "losses": known[of]}), file=file)
        network, losses = case.network(), known[of]
        worth = next((i for i, loss in enumerate(losses) if loss <= network), f"over {ITERATIONS}")
        numbers = (f"{n:.4g}" for n in (losses[0], network, *(losses[n] for n in (10, 20, 50, 100))))
        rows.append([*of[:3], *numbers, worth])
        print(*rows[-1], flush=True)
    csv.writer(open(out, "w")).writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main()
