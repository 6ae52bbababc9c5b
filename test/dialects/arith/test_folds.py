"""Folds of `arith` against numpy, on numbers at the edges of their types and random ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, f16, f32, f64, i8

from stepwell.dialects import arith
from stepwell.ir.rewrite.folding import folder_of

EDGES = (-128, -127, -3, -1, 0, 1, 2, 7, 8, 126, 127)


def constant(value: Any, type: Any) -> Any:
    attribute: Any = IntegerAttr(value, type) if type == i8 else FloatAttr(value, type)
    return arith.ConstantOp.create(properties={"value": attribute}, result_types=[type]).results[0]


def folded(kind: Any, type: Any, *values: Any) -> Any:
    operands = [constant(value, type) for value in values]
    folder = folder_of(kind)
    assert folder is not None
    found = folder(kind.create(operands=operands, result_types=[type]))
    if found is None or found is operands:
        return None
    attribute: Any = found[0]
    if not hasattr(attribute, "value"):  # one of the operands
        attribute = attribute.op.properties["value"]
    return attribute.value.data


def wrapped(value: int) -> int:
    return (value + 128) % 256 - 128


INTEGER = {
    arith.AddiOp: lambda a, b: a + b,
    arith.SubiOp: lambda a, b: a - b,
    arith.MuliOp: lambda a, b: a * b,
    arith.AndIOp: lambda a, b: a & b,
    arith.OrIOp: lambda a, b: a | b,
    arith.XOrIOp: lambda a, b: a ^ b,
    arith.MaxSIOp: max,
    arith.MinSIOp: min,
    arith.MaxUIOp: lambda a, b: max(a % 256, b % 256),
    arith.MinUIOp: lambda a, b: min(a % 256, b % 256),
}


@pytest.mark.parametrize("kind", INTEGER, ids=lambda kind: kind.name)
def test_integers_wrap(kind: Any):
    for a in EDGES:
        for b in EDGES:
            assert folded(kind, i8, a, b) == wrapped(INTEGER[kind](a, b)), (a, b)


DIVISIONS = {
    arith.DivSIOp: lambda a, b: int(np.trunc(a / b)),
    arith.FloorDivSIOp: lambda a, b: int(np.floor(a / b)),
    arith.CeilDivSIOp: lambda a, b: int(np.ceil(a / b)),
    arith.RemSIOp: lambda a, b: int(np.fmod(a, b)),
    arith.DivUIOp: lambda a, b: (a % 256) // (b % 256),
    arith.CeilDivUIOp: lambda a, b: int(np.ceil((a % 256) / (b % 256))),
    arith.RemUIOp: lambda a, b: (a % 256) % (b % 256),
}


@pytest.mark.parametrize("kind", DIVISIONS, ids=lambda kind: kind.name)
def test_divisions_by_zero_and_overflow_do_not_fold(kind: Any):
    overflows = kind in (arith.DivSIOp, arith.FloorDivSIOp, arith.CeilDivSIOp)
    for a in EDGES:
        for b in EDGES:
            expected = None if b == 0 or (overflows and (a, b) == (-128, -1)) else wrapped(DIVISIONS[kind](a, b))
            assert folded(kind, i8, a, b) == expected, (a, b)


@pytest.mark.parametrize("shift", [0, 1, 7, 8, -1])
def test_shifts_beyond_the_width_do_not_fold(shift: int):
    for a in (-128, -3, 1, 127):
        within = 0 <= shift < 8
        assert folded(arith.ShLIOp, i8, a, shift) == (wrapped(a << shift) if within else None)
        assert folded(arith.ShRUIOp, i8, a, shift) == (wrapped((a % 256) >> shift) if within else None)
        assert folded(arith.ShRSIOp, i8, a, shift) == (a >> shift if within else None)


FLOAT = {arith.AddfOp: np.add, arith.SubfOp: np.subtract, arith.MulfOp: np.multiply, arith.DivfOp: np.divide, arith.RemfOp: np.fmod}
TYPES = [(f16, np.float16), (f32, np.float32), (f64, np.float64)]


@pytest.mark.parametrize(("type", "dtype"), TYPES, ids=["f16", "f32", "f64"])
@pytest.mark.parametrize("kind", FLOAT, ids=lambda kind: kind.name)
def test_floats_are_rounded_once(kind: Any, type: Any, dtype: Any):
    random = np.random.default_rng(0)
    numbers = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        np.inf,
        -np.inf,
        np.nan,
        np.finfo(dtype).max,
        np.finfo(dtype).smallest_subnormal,
        *random.normal(size=12),
    ]
    with np.errstate(all="ignore"):
        for a in map(dtype, numbers):
            for b in map(dtype, numbers):
                found = folded(kind, type, float(a), float(b))
                expected = FLOAT[kind](a, b)
                assert np.array_equal(dtype(found), expected, equal_nan=True), (a, b)
                assert np.isnan(expected) or np.signbit(dtype(found)) == np.signbit(expected), (a, b)


@pytest.mark.parametrize(
    ("kind", "reference"),
    [(arith.MaximumfOp, np.maximum), (arith.MinimumfOp, np.minimum), (arith.MaxnumfOp, np.fmax), (arith.MinnumfOp, np.fmin)],
)
def test_extrema_and_nan(kind: Any, reference: Any):
    for a in (1.0, -2.0, np.nan, np.inf):
        for b in (1.0, -2.0, np.nan, -np.inf):
            assert np.array_equal(folded(kind, f32, a, b), reference(a, b), equal_nan=True), (a, b)
