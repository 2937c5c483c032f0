"""Makes the Keras and HDF5 samples in this folder.

    python make_keras.py keras     # keras 3.15.1 on tensorflow-cpu 2.21, h5py 3.14 (HDF5 1.14.6)
    TF_USE_LEGACY_KERAS=1 python make_keras.py keras2     # tf_keras 2.21
    python make_keras.py hdf5 evil # h5py alone

Nothing is random. The tensors are those of make.py, in Keras's axes: layer `a` is a
convolution whose kernel [2, 2, 3, 2] is `a.weight` turned, and whose bias is `a.bias`.
"""

import io
import json
import os
import sys
import zipfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL = (np.arange(24, dtype=np.float32) / 4 - 3).reshape(2, 3, 2, 2).transpose(2, 3, 1, 0)
BIAS = np.array([0.5, -1.5], np.float32)


def here(name):
    return os.path.join(HERE, name)


def one_layer(k):
    model = k.Sequential([k.layers.Input((4, 4, 3)), k.layers.Conv2D(2, 2, name="a")], name="tiny")
    model.layers[0].set_weights([KERNEL, BIAS])
    return model


def fixed_archive(name, change=lambda member, content: content, extra=(), method=zipfile.ZIP_STORED):
    """The archive again, with fixed dates so that making it twice gives the same."""
    with zipfile.ZipFile(here(name)) as old:
        members = [(n, old.read(n)) for n in old.namelist()]
    with zipfile.ZipFile(here(name), "w", method) as new:
        for member, content in [*members, *extra]:
            if member == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": "2026-11-21@00:00:00"}).encode()
            info = zipfile.ZipInfo(member, (2026, 11, 21, 0, 0, 0))
            info.compress_type = method
            new.writestr(info, change(member, content))


def keras():
    import keras as k

    model = one_layer(k)
    model.save_weights(here("k3.weights.h5"))
    model.save(here("k3_model.h5"))
    model.save(here("k3.keras"))
    fixed_archive("k3.keras")

    # As Keras 3.0 wrote it: no names in the weights, so that only the configuration has them.
    def without_names(member, content):
        if not member.endswith(".h5"):
            return content
        file = io.BytesIO(content)
        with h5py.File(file, "a") as h5:
            h5.visititems(lambda _, group: group.attrs.pop("name", None))
        return file.getvalue()

    model.save(here("k30.keras"))
    fixed_archive("k30.keras", without_names)
    model.save(here("deflated.keras"))
    fixed_archive("deflated.keras", method=zipfile.ZIP_DEFLATED)

    # Every kind of layer that has variables, and a model in a model.
    L = k.layers
    inner = k.Sequential([L.Input((4, 4, 2)), L.Conv2DTranspose(1, 2, name="up")], name="inner")
    model = k.Sequential(
        [L.Input((4, 4, 3)), L.Conv2D(2, 1, name="one"), L.DepthwiseConv2D(1, use_bias=False, name="depth"),
         L.SeparableConv2D(2, 1, name="sep"), L.BatchNormalization(scale=False, name="noscale"),
         L.BatchNormalization(name="norm"), inner, L.Flatten(), L.Dropout(0.5), L.Dense(1, name="top")],
        name="outer")
    # Each variable is filled with its number.
    model.set_weights([np.full(w.shape, i, np.float32) for i, w in enumerate(model.get_weights())])
    model.save_weights(here("k3_layers.weights.h5"))
    model.save(here("k3_layers.h5"))


def keras2():
    import tf_keras as k

    model = one_layer(k)
    model.save_weights(here("k2_weights.h5"))
    model.save(here("k2_model.h5"))


def hdf5():
    # Values in chunks, through every filter that is read, with parts of chunks at the edges.
    with h5py.File(here("chunks.h5"), "w") as f:
        g = f.create_group("a")
        g.create_dataset("weight", data=KERNEL.transpose(3, 2, 0, 1), chunks=(1, 2, 2, 2), compression="gzip", shuffle=True, fletcher32=True)
        g.create_dataset("bias", data=BIAS, chunks=(2,))
        f.create_dataset("odd", data=np.arange(15, dtype=">f8").reshape(3, 5), chunks=(2, 2), compression="gzip")
        f.create_dataset("half", data=BIAS.astype("<f2"))
        f.create_dataset("ints", data=np.array([1, -2], "<i8"))
        f.create_dataset("bools", data=np.array([True, False]))
        f.create_dataset("scalar", data=np.float32(2.5))
        f.create_dataset("none", shape=(0, 3), dtype="<f4")
    with h5py.File(here("latest.h5"), "w", libver="latest") as f:
        g = f.create_group("a")
        g.create_dataset("weight", data=KERNEL.transpose(3, 2, 0, 1), chunks=(2, 3, 2, 2), compression="gzip")
        g.create_dataset("bias", data=BIAS)
        small = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        small.set_layout(h5py.h5d.COMPACT)
        h5py.h5d.create(f.id, b"inline", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((2,)), small).write(h5py.h5s.ALL, h5py.h5s.ALL, BIAS)
        f["whole"] = h5py.Empty("f4")
    # What numpy's bfloat16 of ml_dtypes becomes: two bytes, and a note.
    with h5py.File(here("bf16.h5"), "w") as f:
        bf16 = (np.ascontiguousarray(BIAS).view("<u4") >> 16).astype("<u2").view("V2")
        f.create_dataset("a.bias", data=bf16).attrs["dtype"] = "bfloat16"


def evil():
    def h5(name):
        return h5py.File(here(f"evil.{name}.h5"), "w")

    with h5("soft") as f:
        f["link"] = h5py.SoftLink("/etc")
    with h5("external") as f:
        f["link"] = h5py.ExternalLink("/etc/passwd", "/")
    with h5("elsewhere") as f:
        f.create_dataset("x", (4,), "<f4", external=[("/etc/passwd", 0, 16)])
    with h5py.File(here("evil.virtual.h5"), "w", libver="latest") as f:
        layout = h5py.VirtualLayout((4,), "<f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
        f.create_virtual_dataset("x", layout)
    with h5("cycle") as f:
        f.create_group("a")["b"] = f["/"]
    # 8.88 PiB in a few hundred bytes: never written, so never stored.
    with h5("shape") as f:
        f.create_dataset("x", (50_000, 50_000, 1_000_000), "<f4")
    with h5("chunks") as f:
        f.create_dataset("x", (50_000, 50_000, 1_000_000), "<f4", chunks=(1, 1, 1000), compression="gzip")
    with h5py.File(here("evil.dense.h5"), "w", libver="latest") as f:
        for i in range(9):
            f.create_group(f"g{i}")
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": "Lambda", "config": {"name": "shell", "function": ["4wEA", None, None]}}]}}
    with h5("lambda") as f:
        f.attrs["model_config"] = json.dumps(config)

    # CVE-2025-1550: a function of any module, called with any arguments.
    call = {"module": "keras.layers", "class_name": "Dense", "config": {"name": "shell", "activation": {"module": "os", "class_name": "function", "config": "system", "registered_name": None}}}
    model = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [call]}}
    with open(here("k3.weights.h5"), "rb") as f:
        weights = f.read()
    dotted = [("config.json", b"{}"), ("model.weights.h5", weights), ("../../.bashrc", b"true")]
    archives = {"function": [("config.json", json.dumps(model).encode()), ("model.weights.h5", weights)], "escape": dotted}
    for name, members in archives.items():
        with zipfile.ZipFile(here(f"evil.{name}.keras"), "w") as z:
            for member, content in members:
                z.writestr(zipfile.ZipInfo(member, (2026, 11, 21, 0, 0, 0)), content)
    # CVE-2026-0897: an archive that is fine but for the shape in its weights.
    with zipfile.ZipFile(here("evil.shape.keras"), "w") as z:
        with open(here("evil.shape.h5"), "rb") as f:
            for member, content in [("config.json", b"{}"), ("model.weights.h5", f.read())]:
                z.writestr(zipfile.ZipInfo(member, (2026, 11, 21, 0, 0, 0)), content)
    with zipfile.ZipFile(here("bomb.keras"), "w", zipfile.ZIP_DEFLATED) as z:
        for member, content in [("config.json", b"[" + b" " * (16 << 20)), ("model.weights.h5", weights)]:
            z.writestr(zipfile.ZipInfo(member, (2026, 11, 21, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    for part in sys.argv[1:]:
        {"keras": keras, "keras2": keras2, "hdf5": hdf5, "evil": evil}[part]()
