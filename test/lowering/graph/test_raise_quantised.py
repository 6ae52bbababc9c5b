"""What only moves elements between a dequantisation and the same quantisation works on integers, exactly; everything else stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graph_evaluation import evaluate, ops_of, run
from hypothesis import given, settings
from hypothesis import strategies as st
from test_raise_attention import Body
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.ir.constants import element_type_of, tensor_type

DTYPES = (np.uint8, np.int8, np.uint16, np.int16)


def cast(b: Body, x: SSAValue, dtype: Any) -> SSAValue:
    type: Any = x.type
    return b(nn.CastOp, x, result_type=tensor_type(type.get_shape(), element_type_of(np.dtype(dtype))))


def dequantise(b: Body, x: SSAValue, scale: float, zero: int) -> SSAValue:
    centred = cast(b, x, np.int32)
    if zero:
        centred = b(nn.SubOp, centred, b.constant(np.int32(zero)))
    return b(nn.MulOp, cast(b, centred, np.float32), b.number(scale))


def quantise(b: Body, x: SSAValue, scale: float, zero: int, dtype: Any) -> SSAValue:
    y = b(nn.RoundOp, b(nn.DivOp, x, b.number(scale)))
    if zero:
        y = b(nn.AddOp, y, b.number(zero))
    limits = np.iinfo(dtype)
    clipped = b(nn.ClipOp, y, min=float(limits.min), max=float(limits.max))
    return cast(b, clipped, dtype)


def move(b: Body, x: SSAValue, how: str) -> SSAValue:
    """Of [3, 4, 64]."""
    if how == "transpose":
        return b(nn.TransposeOp, x, permutation=[2, 0, 1])
    if how == "reshape":
        return b(nn.ReshapeOp, x, result_type=tensor_type((12, 64), f32))
    if how == "slice":
        return b(nn.SliceOp, x, starts=[0, 1, 2], ends=[2, 4, 63], steps=[1, 2, 3])
    if how == "max":
        return b(nn.ReduceMaxOp, x, axes=[1], keepdims=False)
    return x


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**16),
    st.sampled_from(DTYPES),
    st.floats(2.0**-99, 2.0**99, width=32) | st.sampled_from([1.0, 0.5, 0.1, 1 / 255, 1e-3]),
    st.sampled_from(["none", "transpose", "reshape", "slice", "max"]),
    st.booleans(),
)
def test_moves_are_exact(seed: int, dtype: Any, scale: float, how: str, shifted: bool) -> None:
    rng = np.random.default_rng(seed)
    limits = np.iinfo(dtype)
    x = rng.integers(limits.min, limits.max, (3, 4, 64), endpoint=True).astype(dtype)
    x.flat[:2] = limits.min, limits.max
    zero = int(rng.integers(limits.min, limits.max, endpoint=True)) if shifted else 0
    scale = float(np.float32(scale))
    bodies = [Body(x), Body(x)]
    before, after = (b.module(quantise(b, move(b, dequantise(b, b.inputs[0], scale, zero), how), scale, zero, dtype)) for b in bodies)
    run(after, "nn-canonicalize", "nn-raise", "nn-dce")
    (want,), (have,) = evaluate(before, x), evaluate(after, x)
    np.testing.assert_array_equal(have, want)
    assert not {"nn.mul", "nn.div", "nn.round", "nn.cast"} & set(ops_of(after)), ops_of(after)


@pytest.mark.parametrize("wrong", ["scale", "zero", "type", "added", "min", "leak", "tiny"])
def test_what_changes_numbers_stays(wrong: str) -> None:
    x = np.arange(-128, 128, dtype=np.int8).reshape(4, 64)
    bodies = [Body(x), Body(x)]

    def write(b: Body) -> list[SSAValue]:
        scale = 2.0**-120 if wrong == "tiny" else 0.3
        y = dequantise(b, b.inputs[0], scale, 2)
        turned = b(nn.TransposeOp, y, permutation=[1, 0])
        if wrong == "added":
            turned = b(nn.AddOp, turned, turned)
        if wrong == "min":
            turned = b(nn.ReduceMinOp, turned, axes=[0], keepdims=False)
        back = quantise(
            b, turned, 0.31 if wrong == "scale" else scale, 3 if wrong == "zero" else 2, np.uint8 if wrong == "type" else np.int8
        )
        return [back, turned] if wrong == "leak" else [back]

    before, after = (b.module(*write(b)) for b in bodies)
    run(after, "nn-canonicalize", "nn-raise", "nn-dce")
    for want, have in zip(evaluate(before, x), evaluate(after, x), strict=True):
        np.testing.assert_array_equal(have, want)
    assert "nn.round" in ops_of(after)
