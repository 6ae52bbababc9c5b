"""The reference meaning against a reference that is not ours: ONNX's, or a formula.

ONNX's reference has no bfloat16 arithmetic and rounds float16 differently; those types are checked against float32 (see `test_halves`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from cases import CASES, HALVES, Case
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from stepwell.dialects import nn
from stepwell.dialects.nn import OPS
from stepwell.ir.constants import dtype_of

IDS = [f"{n}-{c.name}" for n, c in enumerate(CASES)]


def onnx_reference(case: Case) -> list[Any]:
    operands = case.onnx_operands(case.arrays)
    names = ["" if o is None else f"x{n}" for n, o in enumerate(operands)]
    node = helper.make_node(case.onnx, names, ["y"], **case.onnx_attributes)
    present = {n: np.asarray(o) for n, o in zip(names, operands, strict=True) if o is not None}
    inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(o.dtype), o.shape) for n, o in present.items()]
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", TensorProto.UNDEFINED, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", onnx.defs.onnx_opset_version())])
    with np.errstate(all="ignore"):
        return list(ReferenceEvaluator(model).run(None, present))


def close(actual: Any, expected: Any, tolerance: float) -> None:
    if np.issubdtype(actual.dtype, np.integer) or actual.dtype == np.bool_:
        expected = np.asarray(expected)
        # ONNX's reference lets integers grow; ours wrap around.
        np.testing.assert_array_equal(actual, expected.astype(actual.dtype) if expected.dtype.kind in "iu" else expected)
    else:
        np.testing.assert_allclose(actual.astype(np.float64), np.asarray(expected).astype(np.float64), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_evaluate(case: Case) -> None:
    op, _holder = case.make()
    op.verify()
    results = op.evaluate(*case.arrays)
    for array, value in zip(results, op.results, strict=True):
        assert array.dtype == dtype_of(value.type.element_type)
        assert tuple(array.shape) == value.type.get_shape()
    tolerance = case.tolerance
    if case.arrays and case.arrays[0].dtype in HALVES:
        tolerance = 2e-2 if results[0].dtype.name == "bfloat16" else 3e-3
    if case.expected is not None:
        with np.errstate(all="ignore"):
            expected = case.expected(*case.arrays)
        expected = expected if isinstance(expected, tuple) else (expected,)
    elif case.onnx is not None and case.arrays[0].dtype not in HALVES:
        expected = onnx_reference(case)
    elif case.arrays[0].dtype in HALVES:
        wide = Case(case.op, [a.astype(np.float32) if a.dtype in HALVES else a for a in case.arrays], case.attributes)
        expected = wide.make()[0].evaluate(*wide.arrays)
    else:
        pytest.fail("a case without an expectation")
    for actual, want in zip(results, expected, strict=True):
        close(actual, want, tolerance)


def test_every_op_has_a_case() -> None:
    assert {c.op for c in CASES} == set(OPS) - {nn.ConstantOp}
