"""Integers divided by anything: x / 0 = 0, x mod 0 = 0, and the least number over -1 is itself. Compiled and evaluated."""

from __future__ import annotations

import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, helper, numpy_helper
from xdsl.ir import Block

from stepwell.dialects import nn
from stepwell.dialects.nn.base import Array
from stepwell.ir.constants import type_of
from stepwell.onnx import InferenceSession

DTYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
KINDS = ["div", "mod", "fmod"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


def operands(dtype: str) -> tuple[Array, Array]:
    """Every pair of the numbers where something happens."""
    info = np.iinfo(dtype)
    numbers = sorted({n for n in (info.min, info.min + 1, -7, -2, -1, 0, 1, 2, 7, info.max - 1, info.max) if n >= info.min})
    a, b = zip(*product(numbers, numbers), strict=True)
    return np.array(a, dtype), np.array(b, dtype)


def rule(kind: str, a: int, b: int) -> int:
    """The stated meaning, on integers without bounds."""
    if b == 0:
        return 0
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return {"div": quotient, "mod": a % b, "fmod": a - quotient * b}[kind]


def expected(kind: str, a: Array, b: Array) -> Array:
    """The rule on every element, modulo 2^n."""
    bits = 8 * a.dtype.itemsize
    results = [rule(kind, int(x), int(y)) % 2**bits for x, y in zip(a, b, strict=True)]
    return np.array(results, f"uint{bits}").view(a.dtype)


def model(kind: str, a: Array, b: Array | None, shape: tuple[int, ...] | None = None) -> ModelProto:
    """y = a / b or a mod b; b an input of a shape, or a constant."""
    element = helper.np_dtype_to_tensor_dtype(a.dtype)
    values = [helper.make_tensor_value_info("a", element, a.shape), helper.make_tensor_value_info("b", element, shape)]
    nodes = [
        helper.make_node("Div", ["a", "b"], ["y"]) if kind == "div" else helper.make_node("Mod", ["a", "b"], ["y"], fmod=kind == "fmod")
    ]
    constants = [] if b is None else [numpy_helper.from_array(b, "b")]
    inputs = values if b is None else values[:1]
    graph = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("y", element, a.shape)], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_compiled(kind: str, dtype: str) -> None:
    a, b = operands(dtype)
    (y,) = InferenceSession(model(kind, a, None, b.shape)).run(None, {"a": a, "b": b})
    np.testing.assert_array_equal(y, expected(kind, a, b))


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8"])
@pytest.mark.parametrize("kind", KINDS)
def test_compiled_for_one_element(kind: str, dtype: str) -> None:
    """No vector, and the divisor is read once."""
    session = InferenceSession(model(kind, np.zeros(1, dtype), None, ()))
    for a, b in ((7, 0), (0, 0), (np.iinfo(dtype).min, -1), (7, 2)):
        feeds = {"a": np.array([a]).astype(dtype), "b": np.array(b).astype(dtype)}
        (y,) = session.run(None, feeds)
        np.testing.assert_array_equal(y, expected(kind, feeds["a"], feeds["b"].reshape(1)))


@pytest.mark.parametrize("divisor", [-1, 3])
@pytest.mark.parametrize("dtype", ["int32", "uint8"])
@pytest.mark.parametrize("kind", KINDS)
def test_by_a_constant(kind: str, dtype: str, divisor: int) -> None:
    a, _ = operands(dtype)
    b = np.array(divisor).astype(dtype)
    (y,) = InferenceSession(model(kind, a, b)).run(None, {"a": a})
    np.testing.assert_array_equal(y, expected(kind, a, np.full_like(a, b)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_evaluated_in_silence(kind: str, dtype: str) -> None:
    a, b = operands(dtype)
    block = Block(arg_types=[type_of(a), type_of(b)])
    op = nn.DivOp.make(*block.args) if kind == "div" else nn.ModOp.make(*block.args, fmod=kind == "fmod")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = op.compute(a, b)
    assert y.dtype == a.dtype
    np.testing.assert_array_equal(y, expected(kind, a, b))
