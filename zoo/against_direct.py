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
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

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
        line += ["--from", start, "--iterations", str(iterations), *flags, "--json", "-q", "--overwrite", "-o", out]
        return json.loads(subprocess.check_output(line))

    def network(self):
        """The network's loss; its file is the zoo's as it is now, compiled in or not."""
        with tempfile.TemporaryDirectory() as folder:
            painted, out = Path(folder, "painted.png"), Path(folder, "out.png")
            file = ZOO / self.style / f"{self.style}.safetensors"
            line = [self.tools.program, "stylize", self.photograph, "--style", file, "--size", self.tools.size]
            subprocess.run([*line, "-q", "-o", painted], check=True)
            return total(self.optimized(out, painted, 0)["losses"])

    def direct(self, begin, method):
        """The losses before each iteration, and after the last."""
        name, _, rate = method.partition(":")
        flags = ["--method", name, *(["--rate", rate] if rate else [])]
        with tempfile.TemporaryDirectory() as folder:
            told = self.optimized(Path(folder, "out.png"), begin, ITERATIONS, *flags)
        losses = [total(line["losses"]) for line in told["iterations"]] + [total(told["losses"])]
        return losses + [losses[-1]] * (ITERATIONS + 1 - len(losses))  # it ended early: flat


def read(curves):
    if not curves.exists():
        return {}
    return {tuple(line["of"]): line["losses"] for line in map(json.loads, curves.open())}


def row(of, network, losses):
    worth = next((i for i, loss in enumerate(losses) if loss <= network), f"over {ITERATIONS}")
    return [*of[:3], *(f"{n:.4g}" for n in (losses[0], network, *(losses[n] for n in (10, 20, 50, 100)))), worth]


def main():
    program, vgg, paintings, size, begin, method, out, *photographs = sys.argv[1:]
    tools = Tools(program, vgg, paintings, size)
    styles = sorted(p.parent.name for p in ZOO.glob("*/README.md") if "--style-picture" in p.read_text())
    curves = Path(out).with_suffix(".jsonl")
    known = read(curves)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for photograph in photographs:
            picture = square(photograph, int(size), folder)
            for style in styles:
                case, of = Case(tools, picture, style), (Path(photograph).name, style, size, begin, method)
                if of not in known:
                    known[of] = case.direct(begin, method)
                    with curves.open("a") as file:
                        print(json.dumps({"of": of, "losses": known[of]}), file=file)
                rows.append(row(of, case.network(), known[of]))
                print(*rows[-1], flush=True)
    csv.writer(open(out, "w")).writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main()
