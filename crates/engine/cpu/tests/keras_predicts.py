"""Loads with Keras the archives that `keras.rs` wrote, and compares what they predict.

    python keras_predicts.py FOLDER     # keras 3.15.1 on tensorflow-cpu 2.21

FOLDER has NAME.keras and, with inputs and output, channels first, NAME.safetensors.
"""

import os
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

sys.path.append(str(Path(__file__).parents[4] / "golden"))
from common import read_safetensors

# Both sum hundreds of terms in float32, in another order, over up to 240 layers.
SAME = 2e-4  # of the largest value


def channels_last(x, rank):
    return x.reshape(x.shape[:2]) if rank == 2 else x.transpose(0, 2, 3, 1)


paths = sorted(Path(sys.argv[1]).glob("*.keras"))
assert paths
for path in paths:
    model = keras.models.load_model(path)
    truth = read_safetensors(path.with_suffix(".safetensors"))
    inputs = [channels_last(truth[f"input{i}"], len(x.shape)) for i, x in enumerate(model.inputs)]
    got = np.asarray(model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0))
    want = channels_last(truth["output"], got.ndim)
    assert got.shape == want.shape, (path.stem, got.shape, want.shape)
    off = np.abs(got - want).max() / np.abs(want).max()
    print(f"{path.stem}: {len(model.layers)} layers, {model.count_params()} parameters, off by {off:.1e}")
    assert off < SAME, path.stem
