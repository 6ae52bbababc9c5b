"""Casts from and to the element types of at most a byte, as the bits are taken apart at level 2: every pattern, against their meaning."""

from typing import Any

import numpy as np
import pytest
from ml_dtypes import bfloat16, float4_e2m1fn, int2, int4, uint2, uint4
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Block, Region

from stepwell.backends.interpreter.machine import Interpreter
from stepwell.dialects import nn
from stepwell.dialects.nn.conversions import POWERS, convert
from stepwell.ir.constants import NARROW_FLOATS, element_type_of, tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.lowering.structured.convert_nn_to_linalg import ConvertNnToLinalg

FLOATS = list(NARROW_FLOATS.values())
INTEGERS = [np.dtype(t) for t in (int4, uint4, int2, uint2)]
BITS = {"float4_e2m1fn": 4, "float6_e2m3fn": 6, "float6_e3m2fn": 6, "int4": 4, "uint4": 4, "int2": 2, "uint2": 2}
WIDE = [np.dtype(t) for t in (np.float32, np.float64, np.float16, bfloat16)]


def every(dtype: np.dtype[Any]) -> Any:
    """Every bit pattern of a type of at most 16 bits, whatever stands above those that count."""
    if dtype.itemsize == 2:
        return np.arange(1 << 16, dtype=np.uint16).view(dtype)
    return np.arange(256, dtype=np.uint8).view(dtype)


def wide_numbers(dtype: np.dtype[Any]) -> Any:
    """All halves; of larger floats any bits, and what lies next to the midpoints between narrow numbers."""
    if dtype.itemsize == 2:
        return every(dtype)
    rng = np.random.default_rng(11)
    count = 1 << 17
    raw = rng.integers(0, 256, count * dtype.itemsize, np.uint8).view(dtype)
    near = np.ldexp(rng.integers(-64, 65, count).astype(np.float64), rng.integers(-150, 16, count)).astype(dtype)
    bits = near.view(f"u{near.itemsize}")
    bits += rng.integers(-1, 2, count).astype(bits.dtype)
    return np.concatenate([raw, near, np.array([0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf], dtype)])


def lowered(x: Any, to: np.dtype[Any], **manner: Any) -> Any:
    """nn.cast of `x`, taken to level 2 and interpreted there."""
    source, result = (tensor_type(x.shape, element_type_of(d)) for d in (x.dtype, to))
    block = Block(arg_types=(source,))
    op = nn.CastOp.make(block.args[0], **manner, result_type=result)
    block.add_ops((op, func.ReturnOp(op.y)))
    kernel = func.FuncOp("kernel", ([source], [result]), Region(block))
    kernel.attributes["kernel"] = UnitAttr()
    module = ModuleOp([kernel])
    ConvertNnToLinalg().run(module, make_context())
    stored, out = (_stored(d) for d in (x.dtype, to))
    (got,) = Interpreter(module).call("kernel", x.view(stored), np.zeros(x.shape, out))
    return got.view(to)


def _stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Level 2 has signless integers only."""
    if dtype.kind == "u" or dtype in (*FLOATS, *INTEGERS):
        return np.dtype(f"int{8 * dtype.itemsize}")
    return dtype


def assert_same(got: Any, want: Any) -> None:
    bits = f"u{want.itemsize}"
    nan = np.isnan(want.astype(np.float32)) & np.isnan(got.astype(np.float32))
    wrong = np.nonzero((got.view(bits) != want.view(bits)) & ~nan)[0] if want.dtype not in INTEGERS else np.nonzero(got != want)[0]
    assert wrong.size == 0, f"{wrong.size} differ: {got[wrong[:5]]} instead of {want[wrong[:5]]}"


@pytest.mark.parametrize("to", WIDE, ids=str)
@pytest.mark.parametrize("source", [*FLOATS, *INTEGERS], ids=str)
def test_from_narrow(source: np.dtype[Any], to: np.dtype[Any]) -> None:
    x = every(source)
    clean = (x.view(np.uint8) & ((1 << BITS.get(source.name, 8)) - 1)).view(source)  # what stands above the bits does not count
    assert_same(lowered(x, to), convert(clean, to))


@pytest.mark.parametrize("source", WIDE, ids=str)
@pytest.mark.parametrize("to", [d for d in FLOATS if d != POWERS], ids=str)
@pytest.mark.parametrize("saturate", [True, False])
def test_to_narrow_floats(source: np.dtype[Any], to: np.dtype[Any], saturate: bool) -> None:
    x = wide_numbers(source)
    assert_same(lowered(x, to, saturate=saturate), convert(x, to, saturate))


@pytest.mark.parametrize("source", WIDE, ids=str)
@pytest.mark.parametrize("saturate", [True, False])
@pytest.mark.parametrize("round_mode", ["up", "down", "nearest"])
def test_to_powers(source: np.dtype[Any], saturate: bool, round_mode: str) -> None:
    x = wide_numbers(source)
    assert_same(lowered(x, POWERS, saturate=saturate, round_mode=round_mode), convert(x, POWERS, saturate, round_mode))


@pytest.mark.parametrize("to", INTEGERS, ids=str)
def test_to_small_integers(to: np.dtype[Any]) -> None:
    for source in (np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.float32, np.float64, np.float16, bfloat16):
        x = np.arange(0 if np.dtype(source).kind == "u" else -120, 121).astype(source)
        assert_same(lowered(x, to), convert(x, to))
    assert_same(lowered(np.array([False, True]), to), convert(np.array([False, True]), to))


@pytest.mark.parametrize("to", [*FLOATS, *INTEGERS, np.dtype(np.bool_), np.dtype(np.int8), np.dtype(np.uint16)], ids=str)
def test_between_narrow_types_and_to_integers(to: np.dtype[Any]) -> None:
    for source in (*FLOATS, *INTEGERS):
        x = np.arange(1 << BITS.get(source.name, 8), dtype=np.uint8).view(source)
        if to not in FLOATS and to != np.bool_:  # an integer that cannot hold the float is not specified
            number = x.astype(np.float32)
            low = 0 if to.kind == "u" or to.name.startswith("u") else -100
            x = x[np.isfinite(number) & (number >= low) & (number < 100)]
        got, want = lowered(x, to), convert(x, to)
        assert_same(got, want) if to in FLOATS or to in INTEGERS else np.testing.assert_array_equal(got, want)


def test_what_computes_is_refused() -> None:
    x = tensor_type((4,), element_type_of(np.dtype(float4_e2m1fn)))
    block = Block(arg_types=(x,))
    with pytest.raises(CompileError, match=r"nn.add: element type f4E2M1FN is not supported here"):
        nn.AddOp.make(block.args[0], block.args[0])
