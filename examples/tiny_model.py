"""Writes `tiny.onnx`, the model of docs/tour.md: one dense layer, whose GELU stands as the five operators that exporters make of it.

python examples/tiny_model.py tiny.onnx
"""

from __future__ import annotations

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def tiny_model() -> onnx.ModelProto:
    """y = gelu(x w + b) for x of any number of rows."""
    rng = np.random.default_rng(0)
    weights = {
        "w": rng.standard_normal((256, 192)) / 16,
        "b": rng.standard_normal(192),
        "root": np.sqrt(2),
        "one": 1,
        "half": 0.5,
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["product"], name="matmul"),
        helper.make_node("Add", ["product", "b"], ["sum"], name="bias"),
        helper.make_node("Div", ["sum", "root"], ["scaled"], name="scale"),
        helper.make_node("Erf", ["scaled"], ["erf"], name="erf"),
        helper.make_node("Add", ["erf", "one"], ["shifted"], name="shift"),
        helper.make_node("Mul", ["sum", "shifted"], ["twice"], name="gate"),
        helper.make_node("Mul", ["twice", "half"], ["y"], name="halve"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 256])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 192])],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


if __name__ == "__main__":
    onnx.save(tiny_model(), sys.argv[1] if len(sys.argv) > 1 else "tiny.onnx")
