"""Writes a few events with TensorBoard's own messages and its own record writer.

    python golden/events/make_tensorboard.py

The test beside crates/task/train/src/events/message.rs writes the same ones. The picture's
bytes are no PNG: what is held to each other here is the framing.
"""

from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def scalars(**values):
    return dict(summary=Summary(value=[Summary.Value(tag=t, simple_value=v) for t, v in values.items()]))


image = Summary.Image(height=4, width=300, colorspace=3, encoded_image_string=bytes(range(256)))
start = dict(session_log=SessionLog(status=SessionLog.START))
events = [
    (0, dict(file_version="brain.Event:2")),
    (0, start),
    (1, scalars(**{"loss/total": 0.5})),
    (300, scalars(a=0.0, ä=-1e30, nan=float("nan"))),
    (1 << 40, scalars(late=float("inf"))),
    (7, dict(summary=Summary(value=[Summary.Value(tag="preview", image=image)]))),
    (300, start),
]

with open(Path(__file__).parent / "tensorboard.tfevents", "wb") as file:
    writer = RecordWriter(file)
    for i, (step, what) in enumerate(events):
        writer.write(Event(wall_time=1.75e9 + i / 4, step=step, **what).SerializeToString())
