"""`arith` and `math` on scalars, and the same function on vectors."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import execute

INF, NAN = math.inf, math.nan

INTEGERS: list[tuple[str, str, tuple[int, ...], int]] = [
    ("addi", "i8", (127, 1), -128),
    ("subi", "i32", (-(2**31), 1), 2**31 - 1),
    ("muli", "i64", (2**62, 2), -(2**63)),
    ("addi", "i1", (1, 1), 0),
    ("muli", "i1", (1, 1), 1),
    ("divsi", "i32", (-7, 2), -3),
    ("remsi", "i32", (-7, 2), -1),
    ("floordivsi", "i32", (-7, 2), -4),
    ("ceildivsi", "i32", (-7, 2), -3),
    ("ceildivsi", "i32", (7, 2), 4),
    ("divui", "i8", (-1, 2), 127),
    ("remui", "i8", (-1, 7), 3),
    ("ceildivui", "i8", (-1, 2), -128),
    ("minsi", "i8", (-1, 1), -1),
    ("minui", "i8", (-1, 1), 1),
    ("maxsi", "i8", (-1, 1), 1),
    ("maxui", "i8", (-1, 1), -1),
    ("minsi", "i1", (0, 1), 1),
    ("maxui", "i1", (0, 1), 1),
    ("andi", "i32", (12, 10), 8),
    ("ori", "i32", (12, 10), 14),
    ("xori", "i32", (12, 10), 6),
    ("shli", "i8", (3, 6), -64),
    ("shrsi", "i8", (-64, 6), -1),
    ("shrui", "i8", (-64, 6), 3),
    ("floordivsi", "index", (-7, 2), -4),
    ("divui", "index", (-2, 2), 2**63 - 1),
]

FLOATS: list[tuple[str, tuple[float, ...], float]] = [
    ("arith.addf", (1.0, 2.0**-24), 1.0),
    ("arith.minimumf", (0.0, -0.0), -0.0),
    ("arith.minimumf", (NAN, 1.0), NAN),
    ("arith.maximumf", (-0.0, 0.0), 0.0),
    ("arith.minnumf", (NAN, 1.0), 1.0),
    ("arith.maxnumf", (1.0, NAN), 1.0),
    ("arith.divf", (1.0, 0.0), INF),
    ("arith.remf", (-7.5, 2.0), -1.5),
    ("math.roundeven", (2.5,), 2.0),
    ("math.round", (2.5,), 3.0),
    ("math.round", (-0.5,), -1.0),
    ("math.round", (0.49999997,), 0.0),
    ("math.trunc", (-2.7,), -2.0),
    ("math.floor", (-2.5,), -3.0),
    ("math.copysign", (3.0, -0.0), -3.0),
    ("math.erf", (0.5,), 0.5204999),
    ("math.rsqrt", (4.0,), 0.5),
    ("math.powf", (2.0, 0.5), 1.4142135),
    # The product needs 48 bits; rounding it before the sum, or the sum twice, would give another result.
    ("math.fma", (1 + 2.0**-23, 1 + 2.0**-23, -1.0), 2.0**-22 + 2.0**-46),
    ("math.fma", (1 + 2.0**-12, 1 + 2.0**-12, 2.0**-60), 1 + 2.0**-11 + 2.0**-23),
]


def numpy_type(type: str) -> Any:
    return {"i1": np.bool_, "index": np.int64, "f32": np.float32, "f64": np.float64, "bf16": ml_dtypes.bfloat16}.get(
        type
    ) or f"int{type[1:]}"


def text(op: str, type: str, count: int) -> str:
    arguments = [f"%a{i}" for i in range(count)]
    declared = ", ".join(f"{a}: {type}" for a in arguments)
    return f"func.func @f({declared}) -> {type} {{\n %r = {op} {', '.join(arguments)} : {type}\n func.return %r : {type}\n}}"


@pytest.mark.parametrize(("op", "type", "operands", "expected"), INTEGERS)
def test_integers(op: str, type: str, operands: tuple[int, ...], expected: int) -> None:
    (result,) = execute(text(f"arith.{op}", type, len(operands)), *operands)
    assert int(result) == expected
    lanes = [np.full(3, operand, np.int64).astype(numpy_type(type)) for operand in operands]
    (vector,) = execute(text(f"arith.{op}", f"vector<3x{type}>", len(operands)), *lanes)
    assert vector.dtype == numpy_type(type)
    assert vector.astype(np.int64).tolist() == [expected] * 3


@pytest.mark.parametrize(("op", "operands", "expected"), FLOATS)
def test_floats(op: str, operands: tuple[float, ...], expected: float) -> None:
    (result,) = execute(text(op, "f32", len(operands)), *operands)
    assert isinstance(result, np.float32)
    np.testing.assert_allclose(result, np.float32(expected), rtol=1e-6)
    assert np.signbit(result) == np.signbit(expected) or np.isnan(expected)
    lanes = [np.full(3, operand, np.float32) for operand in operands]
    (vector,) = execute(text(op, "vector<3xf32>", len(operands)), *lanes)
    np.testing.assert_array_equal(vector, np.full(3, result))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fma_rounds_once(dtype: Any) -> None:
    from fractions import Fraction

    random = np.random.default_rng(0)
    a, b, c = (random.standard_normal(500).astype(dtype) for _ in range(3))
    c[:100] = -(a[:100] * b[:100])  # what is left is the rounding of the product
    type = f"vector<500x{'f32' if dtype is np.float32 else 'f64'}>"
    (result,) = execute(text("math.fma", type, 3), a, b, c)
    exact = [Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)) for x, y, z in zip(a, b, c, strict=True)]
    for value, truth in zip(result, exact, strict=True):
        below, above = np.nextafter(value, dtype(-np.inf)), np.nextafter(value, dtype(np.inf))
        error = abs(Fraction(float(value)) - truth)
        assert error <= min(abs(Fraction(float(below)) - truth), abs(Fraction(float(above)) - truth))


COMPARISONS = [
    ("olt", [True, False, False]),
    ("ult", [True, False, True]),
    ("oeq", [False, True, False]),
    ("ueq", [False, True, True]),
    ("one", [True, False, False]),
    ("une", [True, False, True]),
    ("oge", [False, True, False]),
    ("uge", [False, True, True]),
    ("ord", [True, True, False]),
    ("uno", [False, False, True]),
    ("true", [True, True, True]),
]


@pytest.mark.parametrize(("predicate", "expected"), COMPARISONS)
def test_float_comparisons(predicate: str, expected: list[bool]) -> None:
    a, b = np.array([1, 2, NAN], np.float32), np.array([2, 2, 2], np.float32)
    type = "vector<3xf32>"
    body = f"%r = arith.cmpf {predicate}, %a, %b : {type}\n func.return %r : vector<3xi1>"
    (result,) = execute(f"func.func @f(%a: {type}, %b: {type}) -> vector<3xi1> {{\n {body}\n}}", a, b)
    assert result.tolist() == expected


@pytest.mark.parametrize(("predicate", "expected"), [("slt", True), ("ult", False), ("sge", False), ("uge", True), ("ne", True)])
@pytest.mark.parametrize("type", ["i1", "i8", "index"])
def test_integer_comparisons(predicate: str, expected: bool, type: str) -> None:
    module = f"func.func @f(%a: {type}, %b: {type}) -> i1 {{\n %r = arith.cmpi {predicate}, %a, %b : {type}\n func.return %r : i1\n}}"
    (result,) = execute(module, -1, 0)
    assert bool(result) == expected


CASTS = [
    ("extsi", "i1", "i32", 1, -1),
    ("extui", "i1", "i32", 1, 1),
    ("extsi", "i8", "i32", -3, -3),
    ("extui", "i8", "i32", -3, 253),
    ("trunci", "i32", "i8", 300, 44),
    ("trunci", "i32", "i1", 3, True),
    ("sitofp", "i8", "f32", -3, -3.0),
    ("uitofp", "i8", "f32", -3, 253.0),
    ("sitofp", "i1", "f32", 1, -1.0),
    ("fptosi", "f32", "i32", -2.9, -2),
    ("fptoui", "f32", "i8", 200.7, -56),
    ("index_cast", "i8", "index", -3, -3),
    ("index_castui", "i8", "index", -3, 253),
    ("index_cast", "index", "i8", 300, 44),
    ("truncf", "f64", "f32", 1 + 2.0**-40, 1.0),
    ("extf", "bf16", "f32", 1.5, 1.5),
    ("bitcast", "f32", "i32", 1.0, 0x3F800000),
]


@pytest.mark.parametrize(("op", "source", "dest", "value", "expected"), CASTS)
def test_casts(op: str, source: str, dest: str, value: float, expected: float) -> None:
    def module(source: str, dest: str) -> str:
        return f"func.func @f(%a: {source}) -> {dest} {{\n %r = arith.{op} %a : {source} to {dest}\n func.return %r : {dest}\n}}"

    (result,) = execute(module(source, dest), value)
    assert result == expected
    (vector,) = execute(module(f"vector<2x{source}>", f"vector<2x{dest}>"), np.full(2, value).astype(numpy_type(source)))
    assert vector.dtype == numpy_type(dest)
    assert (vector == expected).all()


def test_division_by_zero() -> None:
    from stepwell.ir.diagnostics import CompileError

    with pytest.raises(CompileError, match=r"'arith.divsi' failed: division by zero"):
        execute(text("arith.divsi", "i32", 2), 1, 0)
