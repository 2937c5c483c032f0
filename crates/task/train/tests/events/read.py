"""What TensorBoard makes of a folder of event files, as JSON: by its library and by its server."""

import io
import json
import sys
import time
import urllib.parse
import urllib.request

import numpy as np
from PIL import Image
from tensorboard import program
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder = sys.argv[1]


def picture(step, png):
    image = Image.open(io.BytesIO(png))
    return [step, image.width, image.height, float(np.asarray(image, np.float64).mean())]


def library():
    events = EventAccumulator(folder)
    events.Reload()
    tags = events.Tags()
    found = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]}
    for tag in tags["images"]:
        found[tag] = [picture(e.step, e.encoded_image_string) for e in events.Images(tag)]
    return found


def server():
    board = program.TensorBoard()
    board.configure(argv=[None, "--logdir", folder, "--port", "0", "--load_fast", "false"])
    address = board.launch()

    def get(path, **query):
        query = f"?{urllib.parse.urlencode(query)}" if query else ""
        with urllib.request.urlopen(f"{address}data/plugin/{path}{query}") as reply:
            return reply.read()

    def tags(plugin):
        return [tag for run in json.loads(get(f"{plugin}/tags")).values() for tag in run]

    deadline = time.time() + 60
    while not (tags("scalars") and tags("images")):  # the first load is in the background
        assert time.time() < deadline, "the server finds nothing"
        time.sleep(0.2)
    found = {}
    for tag in tags("scalars"):
        rows = json.loads(get("scalars/scalars", run=".", tag=tag))
        found[tag] = [[step, value] for _, step, value in rows]
    for tag in tags("images"):
        entries = json.loads(get("images/images", run=".", tag=tag, sample=0))
        images = [(e["step"], get("images/individualImage?" + e["query"])) for e in entries]
        found[tag] = [picture(step, png) for step, png in images]
    return found


print(json.dumps(dict(library=library(), server=server())))
