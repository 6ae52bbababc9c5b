"""Quantised products of any shape, types and zero points are exact: compiled, against the integers of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

import stepwell

Array = np.ndarray[Any, Any]
BYTES = (np.uint8, np.int8)
DTYPES = st.sampled_from(BYTES)
EXTENTS = st.integers(1, 40)


def _bytes(rng: np.random.Generator, dtype: Any, shape: tuple[int, ...]) -> Array:
    """Random bytes with the extremes among them."""
    limits = np.iinfo(dtype)
    found = rng.integers(limits.min, limits.max, shape, endpoint=True)
    found.reshape(-1)[:: max(1, found.size // 3)] = rng.choice([limits.min, limits.max])
    return found.astype(dtype)


def _run(node: str, operands: dict[str, Array], inputs: set[str], dtype: Any, **attributes: Any) -> Array:
    """A model of one node, with these operands as inputs and the others as constants."""
    of = helper.np_dtype_to_tensor_dtype
    graph = helper.make_graph(
        [helper.make_node(node, list(operands), ["y"], **attributes)],
        "quantised",
        [helper.make_tensor_value_info(name, of(operands[name].dtype), operands[name].shape) for name in inputs],
        [helper.make_tensor_value_info("y", of(np.dtype(dtype)), None)],
        [numpy_helper.from_array(value, name) for name, value in operands.items() if name not in inputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    program: Any = stepwell.compile(model.SerializeToString(), threads=1)
    return next(iter(program(**{name: operands[name] for name in inputs}).values()))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**16), st.tuples(EXTENTS, st.integers(1, 70), st.integers(1, 70)), DTYPES, DTYPES, st.booleans(), st.booleans())
def test_matmul_integer(seed: int, extents: tuple[int, int, int], left: Any, right: Any, is_input: bool, by_column: bool) -> None:
    rng = np.random.default_rng(seed)
    m, n, k = extents
    a, b = _bytes(rng, left, (m, k)), _bytes(rng, right, (k, n))
    a_zero, b_zero = _bytes(rng, left, ()), _bytes(rng, right, (n,) if by_column else ())
    operands = {"a": a, "b": b, "az": a_zero, "bz": b_zero}
    found = _run("MatMulInteger", operands, {"a", "az"} if is_input else {"a"}, np.int32)
    np.testing.assert_array_equal(found, (a.astype(np.int32) - a_zero) @ (b.astype(np.int32) - b_zero))


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 2**16), st.tuples(EXTENTS, EXTENTS, st.integers(1, 70)), DTYPES, DTYPES)
def test_qlinear_matmul(seed: int, extents: tuple[int, int, int], left: Any, right: Any) -> None:
    """Powers of two for scales, so that no rounding but the last happens; that one is to even."""
    rng = np.random.default_rng(seed)
    m, n, k = extents
    a, b = _bytes(rng, left, (2, m, k)), _bytes(rng, right, (k, n))
    a_zero, b_zero, y_zero = _bytes(rng, left, ()), _bytes(rng, right, ()), _bytes(rng, left, ())
    scales = [np.array(2.0**e, np.float32) for e in (-3, -4, 2)]
    operands = {"a": a, "as": scales[0], "az": a_zero, "b": b, "bs": scales[1], "bz": b_zero, "ys": scales[2], "yz": y_zero}
    found = _run("QLinearMatMul", operands, {"a"}, left)
    total = (a.astype(np.int32) - a_zero) @ (b.astype(np.int32) - b_zero)
    limits = np.iinfo(left)
    want = np.clip(np.rint(total / 512.0) + y_zero.astype(np.float64), limits.min, limits.max)
    np.testing.assert_array_equal(found, want.astype(left))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 2**16), st.tuples(st.integers(1, 20), st.integers(1, 36)), st.integers(1, 3), st.booleans(), DTYPES)
def test_conv_integer(seed: int, channels: tuple[int, int], window: int, is_padded: bool, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    inputs, outputs = channels
    x, w = _bytes(rng, dtype, (1, inputs, 6, 9)), _bytes(rng, np.int8, (outputs, inputs, window, window))
    zero = _bytes(rng, dtype, ())
    stride, pad = int(rng.integers(1, 3)), int(is_padded)
    operands = {"x": x, "w": w, "xz": zero}
    found = _run("ConvInteger", operands, {"x"}, np.int32, strides=[stride, stride], pads=[pad] * 4)
    centred = np.pad(x.astype(np.int64) - zero, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    view = np.lib.stride_tricks.sliding_window_view(centred, (window, window), (2, 3))[:, :, ::stride, ::stride]
    np.testing.assert_array_equal(found, np.einsum("ncijhw,ochw->noij", view, w.astype(np.int64)))


def test_qlinear_conv_by_channel() -> None:
    """A scale for each output channel, a bias, and data whose zero point fills the border."""
    rng = np.random.default_rng(0)
    x, w = _bytes(rng, np.uint8, (2, 5, 7, 8)), _bytes(rng, np.int8, (33, 5, 3, 3))
    scales = (2.0 ** rng.integers(-6, -3, 33)).astype(np.float32)
    bias = rng.integers(-(2**12), 2**12, 33).astype(np.int32)
    operands: dict[str, Array] = {
        **{"x": x, "xs": np.array(0.25, np.float32), "xz": np.array(131, np.uint8)},
        **{"w": w, "ws": scales, "wz": np.zeros(33, np.int8)},
        **{"ys": np.array(8, np.float32), "yz": np.array(99, np.uint8), "b": bias},
    }
    found = _run("QLinearConv", operands, {"x"}, np.uint8, pads=[1, 1, 1, 1])
    centred = np.pad(x.astype(np.int64) - 131, [(0, 0), (0, 0), (1, 1), (1, 1)])
    view = np.lib.stride_tricks.sliding_window_view(centred, (3, 3), (2, 3))
    total = np.einsum("ncijhw,ochw->noij", view, w.astype(np.int64)) + bias[:, None, None]
    want = np.clip(np.rint(total * (scales / 32)[:, None, None]) + 99, 0, 255)
    np.testing.assert_array_equal(found, want.astype(np.uint8))


@pytest.mark.parametrize("batch", [(), (3,), (2, 2)])
def test_wide_products_wrap_nowhere(batch: tuple[int, ...]) -> None:
    """The largest sums that 16 bits would not hold."""
    a, b = np.full((*batch, 5, 1000), 255, np.uint8), np.full((1000, 17), -128, np.int8)
    found = _run("MatMulInteger", {"a": a, "b": b}, {"a"}, np.int32)
    np.testing.assert_array_equal(found, np.full((*batch, 5, 17), -255 * 128 * 1000, np.int32))
