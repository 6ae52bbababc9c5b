"""Weights of eight bits that stay so: the compiled product against one in f64, of every height that a tile may have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import stepwell


@pytest.mark.parametrize("by_column", [True, False])
@pytest.mark.parametrize(("rows", "columns", "depth"), [(1, 700, 100), (2, 257, 300), (7, 1024, 64), (33, 513, 129), (128, 320, 256)])
def test_product(rows: int, columns: int, depth: int, by_column: bool) -> None:
    rng = np.random.default_rng(rows)
    w = rng.integers(-128, 128, (depth, columns)).astype(np.int8)
    scale = rng.uniform(0.001, 0.01, (1, columns) if by_column else ()).astype(np.float32)
    x = rng.standard_normal((rows, depth)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["w"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "s"], ["ws"]),
        helper.make_node("MatMul", ["x", "ws"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "narrow",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (rows, columns))],
        [numpy_helper.from_array(w, "w"), numpy_helper.from_array(scale, "s")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    program: Any = stepwell.compile(model.SerializeToString(), threads=1)
    found = next(iter(program(x=x).values()))
    exact = w.astype(np.float64) * scale
    bound = 2.0**-23 * (depth + 3) * (np.abs(x).astype(np.float64) @ np.abs(exact))
    assert (np.abs(found - x.astype(np.float64) @ exact) <= bound).all()
    whole = columns * depth
    assert (program.image.weights.total_size < 2 * whole) == (whole >= 1 << 16)
