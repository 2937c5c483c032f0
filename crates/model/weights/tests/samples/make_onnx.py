"""Makes the ONNX samples in this folder: onnx 1.23.2.

    python make_onnx.py

Nothing is random; the tensors are those of make.py.
"""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
WEIGHT = (np.arange(24, dtype=np.float32) / 4 - 3).reshape(2, 3, 2, 2)
BIAS = np.array([0.5, -1.5], np.float32)


def save(name, nodes, weight=None, more=()):
    weight = weight or numpy_helper.from_array(WEIGHT, "a.weight")
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 3, "h", "w"])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "tiny", [picture], [result], [weight, numpy_helper.from_array(BIAS, "a.bias"), *more])
    model = helper.make_model(graph, producer_name="make_onnx.py", opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, os.path.join(HERE, name))


def external(location):
    weight = TensorProto(name="a.weight", data_type=TensorProto.FLOAT, dims=WEIGHT.shape, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, "offset": "8", "length": str(WEIGHT.nbytes)}.items():
        weight.external_data.add(key=key, value=value)
    return weight


def main():
    conv = helper.make_node("Conv", ["picture", "a.weight", "a.bias"], ["features"], name="a", kernel_shape=[2, 2])
    relu = helper.make_node("Relu", ["features"], ["result"], name="relu_2")
    save("raw.onnx", [conv, relu])
    # Values in a field of their type, as older writers had them.
    save("fields.onnx", [conv, relu], helper.make_tensor("a.weight", TensorProto.FLOAT, WEIGHT.shape, WEIGHT.ravel().tolist()))
    # A flattening as it is exported for any batch, and a product whose sum follows.
    kernel = numpy_helper.from_array(np.eye(2, dtype=np.float32), "b.weight")
    zero, minus = (helper.make_tensor(n, TensorProto.INT64, [1], [v]) for n, v in (("zero", 0), ("minus", -1)))
    nodes = [
        conv, helper.make_node("GlobalAveragePool", ["features"], ["mean"]),
        helper.make_node("Shape", ["mean"], ["shape"]), helper.make_node("Gather", ["shape", "zero"], ["batch"]),
        helper.make_node("Concat", ["batch", "minus"], ["to"], axis=0), helper.make_node("Reshape", ["mean", "to"], ["flat"]),
        helper.make_node("MatMul", ["flat", "b.weight"], ["product"], name="b"), helper.make_node("Add", ["product", "a.bias"], ["result"]),
    ]
    save("flatten.onnx", nodes, None, [kernel, zero, minus])

    save("evil.operator.onnx", [conv, helper.make_node("Einsum", ["features"], ["result"], name="mix", equation="nchw->nhwc")])
    save("evil.domain.onnx", [conv, helper.make_node("Shell", ["features"], ["result"], name="run", domain="com.example")])
    save("evil.place.onnx", [conv, relu], external("../../../../etc/passwd"))
    with open(os.path.join(HERE, "beside.onnx.data"), "wb") as f:
        f.write(bytes(8) + WEIGHT.tobytes())
    save("beside.onnx", [conv, relu], external("beside.onnx.data"))
    shape = numpy_helper.from_array(WEIGHT, "a.weight")
    shape.dims[:] = [1 << 40, 1 << 20, 2, 2]
    save("evil.shape.onnx", [conv, relu], shape)
    cycle = [helper.make_node("Add", ["picture", "result"], ["features"], name="loop"), relu]
    save("evil.cycle.onnx", cycle)


main()
