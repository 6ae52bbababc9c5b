"""The operator `Gradient`: by inputs and by what is computed on the way, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from stepwell.backends.interpreter import Interpreter
from stepwell.frontends.onnx import import_model
from stepwell.ir.diagnostics import CompileError

DOMAIN = "ai.onnx.preview.training"


def model(inputs: list[str], results: list[str], **attributes: Any) -> ModelProto:
    """s = tanh(a * b) and y = s + a * k, and a Gradient node."""
    nodes = [
        helper.make_node("Mul", ["a", "b"], ["p"]),
        helper.make_node("Tanh", ["p"], ["s"]),
        helper.make_node("Mul", ["a", "k"], ["q"]),
        helper.make_node("Add", ["s", "q"], ["y"]),
        helper.make_node("Gradient", inputs, results, domain=DOMAIN, **attributes),
    ]
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]) for name in ("a", "b", "y", *results)]
    graph = helper.make_graph(nodes, "g", tensors[:2], tensors[2:], [numpy_helper.from_array(np.float32([2, 3, 4]), "k")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)])


A, B, K = (np.array(v, np.float32) for v in ([0.5, -1, 2], [1, 0.25, -0.5], [2, 3, 4]))


def run(proto: ModelProto) -> Any:
    module = import_model(proto)
    module.verify()
    return Interpreter(module).call("main", A, B)


def test_by_inputs() -> None:
    slope = 1 - np.tanh(A * B) ** 2
    y, da, db = run(model(["a", "b"], ["da", "db"], xs=["a", "b"], y="y"))
    np.testing.assert_allclose(y, np.tanh(A * B) + A * K, rtol=1e-6)
    np.testing.assert_allclose(da, slope * B + K, rtol=1e-5)
    np.testing.assert_allclose(db, slope * A, rtol=1e-5)


def test_by_what_is_computed_on_the_way_and_at_other_values() -> None:
    np.testing.assert_allclose(run(model(["p"], ["dp"], xs=["p"], y="y"))[1], 1 - np.tanh(A * B) ** 2, rtol=1e-5)
    (_, da) = run(model(["b", "a"], ["da"], xs=["a"], zs=["b"], y="y"))
    np.testing.assert_allclose(da, (1 - np.tanh(A * B) ** 2) * A + K, rtol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "attributes", "message"),
    [
        (["a", "b"], {"xs": ["a"], "y": "y"}, "it has 2 inputs for 1 names in 'xs' and 0 in 'zs'"),
        (["k"], {"xs": ["k"], "y": "y"}, "'k' is constant"),
        (["a"], {"xs": ["a"], "y": "nothing"}, "'nothing' is not defined"),
    ],
)
def test_what_it_refuses(inputs: list[str], attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        import_model(model(inputs, ["d"], **attributes))
