"""One ONNX node as a model, run compiled and by the reference evaluator."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from stepwell.onnx import InferenceSession

VERSIONS = {"": 22, "ai.onnx.ml": 5, "com.microsoft": 1}


def one_node(
    operator: str, inputs: Sequence[Any], outputs: int = 1, version: int | None = None, known: Sequence[int] = (), **attributes: Any
) -> ModelProto:
    """A model of one node whose inputs are typed like these arrays; a None is left out. The operator has its domain in front; inputs of the
    positions `known` are constants."""
    domain, _, name = operator.rpartition(".")
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    node = helper.make_node(name, names, [f"y{i}" for i in range(outputs)], domain=domain, name="node", **attributes)
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(np.asarray(x).dtype), np.shape(x))
        for i, (n, x) in enumerate(zip(names, inputs, strict=True))
        if n and i not in known
    ]
    weights = [numpy_helper.from_array(np.asarray(inputs[i]), names[i]) for i in known]
    results = [helper.make_tensor_value_info(n, TensorProto.UNDEFINED, None) for n in node.output]
    opsets = [helper.make_opsetid("", VERSIONS[""])] if domain else []
    opsets.append(helper.make_opsetid(domain, VERSIONS[domain] if version is None else version))
    return helper.make_model(helper.make_graph([node], "g", infos, results, weights), opset_imports=opsets, ir_version=10)


def feeds(inputs: Sequence[Any]) -> dict[str, Any]:
    """The inputs by name."""
    return {f"x{i}": np.asarray(x) for i, x in enumerate(inputs) if x is not None}


def compiled(operator: str, *inputs: Any, **options: Any) -> list[Any]:
    """What the compiled model gives."""
    known = options.get("known", ())
    given = {name: array for name, array in feeds(inputs).items() if int(name[1:]) not in known}
    return list(InferenceSession(one_node(operator, inputs, **options), threads=1).run(None, given))


def reference(operator: str, *inputs: Any, **options: Any) -> list[Any]:
    """What the reference evaluator gives."""
    return list(ReferenceEvaluator(one_node(operator, inputs, **options)).run(None, feeds(inputs)))


def check(operator: str, *inputs: Any, tolerance: float = 2e-5, wanted: Sequence[Any] | None = None, **options: Any) -> None:
    """Both give the same, dtype and shape included."""
    got = compiled(operator, *inputs, **options)
    for a, b in zip(got, reference(operator, *inputs, **options) if wanted is None else wanted, strict=True):
        b = np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a.astype(np.float64), b.astype(np.float64), tolerance, tolerance)
