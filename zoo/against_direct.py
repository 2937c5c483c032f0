"""How many iterations of direct optimisation a style that ships is worth.

    python zoo/against_direct.py PENTIMENTO VGG16 PAINTINGS SIZE FROM METHOD OUT.csv PHOTOGRAPH…

For each photograph, in the next style's turn: the total loss of what the network painted, of
what is begun from, and of 100 iterations of METHOD (`lbfgs`, or `adam:RATE`) from FROM (`content`, the
photograph, or `noise`, as Johnson et al. have it), by `pentimento optimize`, all at SIZE pixels
of the longer side, and the first iteration whose loss is no greater than the network's. Give
photographs that were kept out of training. A line is written as soon as it is known;
photographs that have one are left out.
"""

import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ZOO = Path(__file__).parent
ITERATIONS = 100
COLUMNS = ["photograph", "style", "size", "begun from", "network's", *(f"direct {n}" for n in (10, 20, 50, 100)), "worth"]


def total(losses):
    return sum(losses[part] for part in ("content", "style", "variation"))


def of_card(style, flag):
    return re.search(rf"--{flag} (\S+)", (ZOO / style / "README.md").read_text())[1]


def measure(program, vgg, paintings, size, begin, method, photograph, style):
    painting = Path(paintings) / of_card(style, "style-picture")
    with tempfile.TemporaryDirectory() as folder:
        painted, out = Path(folder, "painted.png"), Path(folder, "out.png")
        file = ZOO / style / f"{style}.safetensors"  # as it is now, compiled in or not
        subprocess.run([program, "stylize", photograph, "--style", file, "--size", size, "-q", "-o", painted], check=True)

        def optimize(start, iterations):
            line = [program, "optimize", photograph, painting, "--loss-network", vgg, "--size", size, "--scales", "1"]
            line += ["--style-size", of_card(style, "style-size"), "--from", start, "--iterations", str(iterations)]
            name, _, rate = method.partition(":")
            line += ["--method", name, *(["--rate", rate] if rate else [])]
            return json.loads(subprocess.check_output([*line, "--json", "-q", "--overwrite", "-o", out]))

        network = total(optimize(painted, 0)["losses"])
        direct = optimize(begin, ITERATIONS)
    # of a line: the losses before that iteration
    losses = [total(line["losses"]) for line in direct["iterations"]] + [total(direct["losses"])]
    losses += [losses[-1]] * (ITERATIONS + 1 - len(losses))  # it ended early: flat
    worth = next((i for i, loss in enumerate(losses) if loss <= network), f"over {ITERATIONS}")
    return [losses[0], network, *(losses[n] for n in (10, 20, 50, 100)), worth]


def main():
    program, vgg, paintings, size, begin, method, out, *photographs = sys.argv[1:]
    styles = sorted(p.parent.name for p in ZOO.glob("*/README.md") if "--style-picture" in p.read_text())
    known = set()
    if Path(out).exists():
        known = {row[0] for row in csv.reader(open(out))}
    else:
        csv.writer(open(out, "w")).writerow(COLUMNS)
    for i, photograph in enumerate(photographs):
        name, style = Path(photograph).name, styles[i % len(styles)]
        if name in known:
            continue
        numbers = measure(program, vgg, paintings, size, begin, method, photograph, style)
        row = [name, style, size, *(f"{n:.4g}" if isinstance(n, float) else n for n in numbers)]
        with open(out, "a") as file:
            csv.writer(file).writerow(row)
        print(*row, flush=True)


if __name__ == "__main__":
    main()
