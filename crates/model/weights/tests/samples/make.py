"""Makes the sample checkpoints in this folder: one small file for each format and habit.

    python make.py numpy safetensors torch     # numpy 2.4, safetensors 0.8, torch 2.15
    python make.py tensorflow                  # tensorflow-cpu 2.21

Nothing is random. Every file (but the hostile ones) holds these two tensors, whose
values are exact in every float type, so that all readers are held to one truth:

    a.weight  [2, 3, 2, 2]  i / 4 - 3 for the i-th value
    a.bias    [2]           0.5, -1.5
"""

import os
import sys
from collections import OrderedDict
from unittest import mock

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
WEIGHT = (np.arange(24, dtype=np.float32) / 4 - 3).reshape(2, 3, 2, 2)
BIAS = np.array([0.5, -1.5], np.float32)


def here(name):
    return os.path.join(HERE, name)


def numpy():
    np.save(here("c_f4.npy"), WEIGHT)
    with open(here("fortran_big_f8.npy"), "wb") as f:
        np.lib.format.write_array(f, np.asfortranarray(WEIGHT.astype(">f8")), version=(2, 0))
    with open(here("f2_v3.npy"), "wb") as f:
        np.lib.format.write_array(f, WEIGHT.astype("<f2"), version=(3, 0))
    np.save(here("big_i4.npy"), np.array([[1, -2], [3, 70000]], ">i4"))
    np.savez(here("stored.npz"), **{"a.weight": WEIGHT, "a.bias": BIAS})
    np.savez_compressed(here("deflated.npz"), **{"a.weight": WEIGHT, "a.bias": BIAS.astype("i8") * 0 + 7})
    # As a file of more than 4 GiB would be: all sizes and counts in 64 bits.
    with mock.patch("zipfile.ZIP64_LIMIT", 0), mock.patch("zipfile.ZIP_FILECOUNT_LIMIT", 0):
        np.savez(here("zip64.npz"), **{"a.weight": WEIGHT, "a.bias": BIAS})
    np.savez_compressed(here("bomb.npz"), zeros=np.zeros(4 << 20, np.float32))


def safetensors():
    import torch
    from safetensors.torch import save_file

    for name, dtype in [("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16), ("f64", torch.float64)]:
        tensors = {"a.weight": torch.tensor(WEIGHT).to(dtype), "a.bias": torch.tensor(BIAS).to(dtype)}
        save_file(tensors, here(f"{name}.safetensors"), metadata={"made by": "make.py"})
    save_file({"i64": torch.tensor([1, -2]), "u8": torch.tensor([255], dtype=torch.uint8), "bool": torch.tensor([True, False])}, here("ints.safetensors"))


def torch():
    import torch

    def state(prefix="", dtype=torch.float32):
        return OrderedDict([(prefix + "a.weight", torch.tensor(WEIGHT).to(dtype)), (prefix + "a.bias", torch.tensor(BIAS).to(dtype))])

    def both(value, name, **options):
        torch.save(value, here(f"{name}.zip.pth"), **options)
        torch.save(value, here(f"{name}.legacy.pth"), _use_new_zipfile_serialization=False, **options)

    both(state(), "plain")
    both(state(dtype=torch.float16), "f16")
    both(state(dtype=torch.bfloat16), "bf16")
    both(state(), "protocol4", pickle_protocol=4)

    # A model's own state dict carries `_metadata` as an attribute.
    conv = torch.nn.Sequential(OrderedDict(a=torch.nn.Conv2d(3, 2, 2)))
    conv.load_state_dict(state())
    both(conv.state_dict(), "module")
    both(OrderedDict((k, torch.nn.Parameter(v)) for k, v in state().items()), "parameters")

    # DataParallel's prefix, inside a training checkpoint, with the statistics that
    # PyTorch before 0.4 kept for instance norms.
    old = state("module.")
    old["module.norm.weight"] = torch.ones(2)
    old["module.norm.bias"] = torch.zeros(2)
    old["module.norm.running_mean"] = torch.zeros(2)
    old["module.norm.running_var"] = torch.ones(2)
    old["module.norm.num_batches_tracked"] = torch.tensor(9)
    both({"epoch": 3, "arch": "tiny", "best": 0.5, "state_dict": old, "optimizer": {"state": {0: {"momentum": torch.ones(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}}, "training")

    # One storage under several views: transposed, with an offset, expanded.
    store = torch.arange(30, dtype=torch.float32) / 4 - 3
    weight = store[:24].view(2, 3, 2, 2)
    views = OrderedDict([("a.weight", weight), ("a.bias", torch.tensor([-1.5, 0.5])[[1, 0]]), ("turned", weight.permute(3, 2, 0, 1)), ("tail", store[24:].view(2, 3).t()), ("expanded", store[4:5].expand(3)), ("scalar", torch.tensor(2.5))])
    both(views, "views")

    class Evil:
        def __reduce__(self):
            return os.system, ("echo pwned",)

    both({"a.weight": torch.tensor(WEIGHT), "evil": Evil()}, "evil")


def tensorflow():
    import tensorflow as tf

    v1 = tf.compat.v1
    v1.disable_eager_execution()
    with v1.Session(graph=tf.Graph()) as session:
        v1.get_variable("a.weight", initializer=WEIGHT)
        v1.get_variable("a.bias", initializer=BIAS)
        v1.get_variable("a.bias/Adam", initializer=BIAS * 0)
        v1.get_variable("beta1_power", initializer=np.float32(0.5))
        v1.get_variable("global_step", initializer=np.int64(7))
        v1.get_variable("half", initializer=BIAS.astype(np.float16))
        v1.get_variable("double", initializer=BIAS.astype(np.float64))
        session.run(v1.global_variables_initializer())
        for name, version in [("v1.ckpt", v1.train.SaverDef.V1), ("v2.ckpt", v1.train.SaverDef.V2)]:
            saver = v1.train.Saver(write_version=version)
            saver.save(session, here(name), write_meta_graph=False, write_state=False)
    # Two shards and one variable in two slices.
    with v1.Session(graph=tf.Graph()) as session:
        with tf.device("/job:localhost/replica:0/task:0/device:CPU:0"):
            v1.get_variable("a.weight", initializer=WEIGHT)
        v1.get_variable("a.bias", initializer=BIAS)
        session.run(v1.global_variables_initializer())
        names = ["a.weight"], ["a.bias"]
        for i, (group, value) in enumerate(zip(names, (WEIGHT, BIAS))):
            session.run(tf.raw_ops.SaveV2(prefix=here(f"part{i}"), tensor_names=group, shape_and_slices=[""], tensors=[tf.constant(value)]))
        session.run(tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[here("part0"), here("part1")], destination_prefix=here("sharded.ckpt")))
    with v1.Session(graph=tf.Graph()) as session:
        v1.get_variable("sliced", initializer=tf.constant(WEIGHT.reshape(4, 6)), partitioner=v1.fixed_size_partitioner(2))
        session.run(v1.global_variables_initializer())
        for name, version in [("sliced.v1.ckpt", v1.train.SaverDef.V1), ("sliced.v2.ckpt", v1.train.SaverDef.V2)]:
            v1.train.Saver(write_version=version).save(session, here(name), write_meta_graph=False, write_state=False)


if __name__ == "__main__":
    for part in sys.argv[1:]:
        {"numpy": numpy, "safetensors": safetensors, "torch": torch, "tensorflow": tensorflow}[part]()
