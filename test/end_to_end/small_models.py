"""Small ONNX models that together touch every kind of kernel, made from seeded numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Model = tuple[onnx.ModelProto, dict[str, np.ndarray[Any, Any]]]
_TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
}


class Builder:
    """Collects nodes and weights; values are names."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs: dict[str, np.ndarray[Any, Any]] = {}

    def input(self, name: str, *shape: int, dtype: str = "float32", high: int = 5) -> str:
        values = self.rng.standard_normal(shape) if dtype.startswith("float") else self.rng.integers(0, high, shape)
        self.inputs[name] = np.asarray(values).astype(dtype)
        return name

    def weight(self, *shape: int, scale: float | None = None) -> str:
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        values = self.rng.standard_normal(shape) * (scale if scale is not None else 1 / np.sqrt(fan_in))
        return self.constant(values.astype(np.float32))

    def constant(self, values: np.ndarray[Any, Any]) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def __call__(self, op: str, *operands: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(operands), [name], name=f"{op}_{len(self.nodes)}", **attributes))
        return name

    def finish(self, *outputs: str, opset: int = 17) -> Model:
        value = [helper.make_tensor_value_info(n, _TYPES[str(a.dtype)], a.shape) for n, a in self.inputs.items()]
        results = [helper.make_empty_tensor_value_info(name) for name in outputs]
        graph = helper.make_graph(self.nodes, "small", value, results, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        inferred = onnx.shape_inference.infer_shapes(model)
        known = {v.name: v for v in inferred.graph.value_info} | {v.name: v for v in inferred.graph.output}
        del model.graph.output[:]
        model.graph.output.extend(known[name] for name in outputs)
        return model, self.inputs


def mlp() -> Model:
    b = Builder(1)
    x = b.input("x", 5, 33)
    h = b("Relu", b("Gemm", x, b.weight(64, 33), b.weight(64), transB=1))
    return b.finish(b("Softmax", b("Gemm", h, b.weight(10, 64), b.weight(10), transB=1), axis=1))


def conv_net() -> Model:
    b = Builder(2)
    x = b.input("x", 1, 3, 17, 19)
    h = b("Relu", b("Conv", x, b.weight(16, 3, 3, 3), b.weight(16), pads=[1, 1, 1, 1], strides=[2, 2]))
    h = b("Conv", h, b.weight(16, 1, 3, 3), pads=[1, 1, 1, 1], group=16)
    h = b("BatchNormalization", h, *(b.constant(abs(b.rng.standard_normal(16)).astype(np.float32) + 0.5) for _ in range(4)))
    r = b("HardSwish", h)
    h = b("Add", b("Conv", r, b.weight(16, 16, 1, 1)), r)
    h = b("Concat", h, b("MaxPool", h, kernel_shape=[3, 3], pads=[1, 1, 1, 1]), axis=1)
    h = b("AveragePool", h, kernel_shape=[2, 2], strides=[2, 2])
    h = b("Flatten", b("GlobalAveragePool", h))
    return b.finish(b("Gemm", h, b.weight(32, 7), b.weight(7)))


def grouped_conv() -> Model:
    b = Builder(3)
    x = b.input("x", 2, 12, 9, 9)
    h = b("Conv", x, b.weight(24, 4, 3, 3), group=3, dilations=[2, 2], pads=[2, 2, 2, 2])
    h = b("Reshape", h, b.constant(np.array([2, 3, 8, 9, 9])))
    h = b("Reshape", b("Transpose", h, perm=[0, 2, 1, 3, 4]), b.constant(np.array([2, 24, 9, 9])))
    return b.finish(b("LeakyRelu", b("ConvTranspose", h, b.weight(24, 5, 2, 2), strides=[2, 2])))


def conv_1d() -> Model:
    b = Builder(4)
    h = b("Relu", b("Conv", b.input("x", 2, 5, 40), b.weight(9, 5, 7), b.weight(9), strides=[3], pads=[2, 1]))
    return b.finish(b("ReduceMax", b("Tanh", h), axes=[2], keepdims=0))


def attention() -> Model:
    b = Builder(5)
    x = b.input("x", 2, 7, 32)
    split = b.constant(np.array([2, 7, 4, 8]))
    heads = [b("Transpose", b("Reshape", b("MatMul", x, b.weight(32, 32)), split), perm=[0, 2, 1, 3]) for _ in range(3)]
    scores = b("Div", b("MatMul", heads[0], b("Transpose", heads[1], perm=[0, 1, 3, 2])), b.constant(np.float32(2.83)))
    mixed = b("MatMul", b("Softmax", scores, axis=-1), heads[2])
    flat = b("Reshape", b("Transpose", mixed, perm=[0, 2, 1, 3]), b.constant(np.array([2, 7, 32])))
    y = b("LayerNormalization", b("Add", x, flat), b.weight(32), b.weight(32), axis=-1, epsilon=1e-5)
    return b.finish(b("Mul", y, b("Erf", y)))


def lstm() -> Model:
    b = Builder(6)
    x = b.input("x", 6, 2, 10)
    nodes = b.nodes
    w, r, bias = b.weight(1, 64, 10), b.weight(1, 64, 16), b.weight(1, 128)
    nodes.append(helper.make_node("LSTM", [x, w, r, bias], ["y", "h", "c"], hidden_size=16))
    return b.finish("y", "h", "c")


def shapes_and_indices() -> Model:
    b = Builder(7)
    table, ids = b.weight(20, 12), b.input("ids", 3, 5, dtype="int64", high=20)
    rows = b("Gather", table, ids, axis=0)
    cut = b("Slice", rows, *(b.constant(np.array(v)) for v in ([1], [5], [1], [1])))
    wide = b("Pad", cut, b.constant(np.array([0, 1, 2, 0, 0, 1])), b.constant(np.float32(0.5)))
    left, right = (b("Slice", wide, *(b.constant(np.array(v)) for v in bounds)) for bounds in ([[0], [7], [2]], [[8], [15], [2]]))
    mask = b("Greater", left, right)
    mean = b("Expand", b("ReduceMean", right, axes=[2]), b("Shape", left))
    return b.finish(b("Where", mask, left, mean), b("Cast", mask, to=TensorProto.INT32))


def resize() -> Model:
    b = Builder(8)
    x = b.input("x", 1, 4, 6, 5)
    asymmetric: dict[str, Any] = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    up = b("Resize", x, "", b.constant(np.array([1, 1, 2, 2], np.float32)), **asymmetric)
    smooth = b("Resize", x, "", "", b.constant(np.array([1, 4, 12, 10])), mode="linear", coordinate_transformation_mode="half_pixel")
    return b.finish(b("Sigmoid", b("Add", up, smooth)))


def elementwise_zoo() -> Model:
    b = Builder(9)
    x, y = b.input("x", 3, 50), b.input("y", 1, 50)
    h = b("Add", b("Sin", x), b("Mul", b("Cos", y), b("Exp", b("Neg", b("Abs", x)))))
    h = b("Pow", b("Abs", h), b.constant(np.float32(1.7)))
    h = b("Sub", b("Log", b("Add", h, b.constant(np.float32(1.0)))), b("Sqrt", b("Abs", y)))
    return b.finish(b("Clip", h, b.constant(np.float32(-1.0)), b.constant(np.float32(0.7))), b("Softplus", x), b("Round", x))


def local_response() -> Model:
    b = Builder(10)
    h = b("LRN", b.input("x", 10, 10, 8, 8), size=5, alpha=1e-2, beta=0.75, bias=1.0)
    return b.finish(b("MaxPool", h, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))


SMALL_MODELS: dict[str, Callable[[], Model]] = {
    f.__name__: f
    for f in (mlp, conv_net, grouped_conv, conv_1d, attention, lstm, shapes_and_indices, resize, elementwise_zoo, local_response)
}
