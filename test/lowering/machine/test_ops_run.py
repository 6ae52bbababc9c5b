"""Every op that the last conversion knows, compiled and run against numpy. The width of 37 makes pieces of 16, 16 and 5 lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from native import Array, Native, apply, elementwise

from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.target import Target

LANES = 37
DTYPES: dict[str, Any] = {
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f32": np.float32,
    "f64": np.float64,
    "i1": np.bool_,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "index": np.int64,
}


def sample(element: str, seed: int = 0, low: int = -9, high: int = 9) -> Array:
    rng = np.random.default_rng(seed)
    return rng.integers(low, high, 3 * LANES).astype(DTYPES[element])


def check(body: str, reference: Callable[..., Any], element: str, *inputs: Array, result: str | None = None) -> None:
    native = Native(elementwise(body, element, result, LANES, len(inputs)))
    dtype = DTYPES[result or element]
    with np.errstate(all="ignore"):
        want = np.asarray(reference(*inputs)).astype(dtype)
    got = apply(native, inputs, dtype, LANES)
    if element == "bf16" or result == "bf16":  # numpy does not know its NaN
        got, want = got.astype(np.float64), want.astype(np.float64)
    np.testing.assert_array_equal(got, want)


FLOAT_BINARY: dict[str, Callable[..., Any]] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum,
    "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin,
    "math.copysign": np.copysign,
}


@pytest.mark.parametrize("element", ["f16", "bf16", "f32", "f64"])
@pytest.mark.parametrize("name", FLOAT_BINARY)
def test_float_binary(name: str, element: str) -> None:
    x, y = sample(element), sample(element, 1, 1)
    x[3], y[5], x[7], y[9] = np.nan, np.nan, np.inf, -np.inf
    wide = np.float64 if element == "f64" else np.float32
    check(
        f"    %r = {name} %x, %y : vector<{LANES}x{element}>",
        lambda a, b: FLOAT_BINARY[name](a.astype(wide), b.astype(wide)),
        element,
        x,
        y,
    )


@pytest.mark.parametrize(
    ("name", "reference"), [("maximumf", np.maximum), ("minimumf", np.minimum), ("maxnumf", np.fmax), ("minnumf", np.fmin)]
)
@pytest.mark.parametrize("order", ["%x, %c", "%c, %x"])
def test_extremes_with_a_constant(name: str, reference: Callable[..., Any], order: str) -> None:
    """One instruction, with the operands in the order that keeps the rule for NaN."""
    x = sample("f32")
    x[::5] = np.nan
    body = f"    %c = arith.constant dense<2.0> : vector<{LANES}xf32>\n    %r = arith.{name} {order} : vector<{LANES}xf32>"
    check(body, lambda a: reference(a, np.float32(2)), "f32", x)
    assert Native(elementwise(body.replace(str(LANES), "4"), "f32", lanes=4)).text.count("select") == 1


FLOAT_UNARY: dict[str, Callable[..., Any]] = {
    "arith.negf": np.negative,
    "math.absf": np.abs,
    "math.sqrt": np.sqrt,
    "math.ceil": np.ceil,
    "math.floor": np.floor,
    "math.trunc": np.trunc,
    "math.roundeven": np.rint,
    "math.round": lambda x: np.trunc(x + np.copysign(0.5, x)),
}


@pytest.mark.parametrize("element", ["f16", "bf16", "f32", "f64"])
@pytest.mark.parametrize("name", FLOAT_UNARY)
def test_float_unary(name: str, element: str) -> None:
    x = (sample(element) / 4).astype(DTYPES[element])
    wide = np.float64 if element == "f64" else np.float32
    check(f"    %r = {name} %x : vector<{LANES}x{element}>", lambda a: FLOAT_UNARY[name](a.astype(wide)), element, x)


INTEGER_BINARY: dict[str, Callable[..., Any]] = {
    "arith.addi": np.add,
    "arith.subi": np.subtract,
    "arith.muli": np.multiply,
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
    "arith.minsi": np.minimum,
    "arith.maxsi": np.maximum,
    "arith.divsi": lambda a, b: (a / b).astype(np.int64),
    "arith.remsi": np.fmod,
    "arith.floordivsi": np.floor_divide,
    "arith.ceildivsi": lambda a, b: -np.floor_divide(-a, b),
}


@pytest.mark.parametrize("element", ["i8", "i16", "i32", "i64", "index"])
@pytest.mark.parametrize("name", INTEGER_BINARY)
def test_integer_binary(name: str, element: str) -> None:
    divisor = sample(element, 1)
    divisor[divisor == 0] = 3
    check(f"    %r = {name} %x, %y : vector<{LANES}x{element}>", INTEGER_BINARY[name], element, sample(element), divisor)


UNSIGNED: dict[str, Callable[..., Any]] = {
    "arith.divui": lambda a, b: a // b,
    "arith.remui": lambda a, b: a % b,
    "arith.ceildivui": lambda a, b: a // b + (a % b != 0),
    "arith.minui": np.minimum,
    "arith.maxui": np.maximum,
    "arith.shrui": lambda a, b: a >> b,
}


@pytest.mark.parametrize("name", UNSIGNED)
def test_unsigned(name: str) -> None:
    x, y = sample("i32"), np.abs(sample("i32", 1)) % 8 + 1
    check(f"    %r = {name} %x, %y : vector<{LANES}xi32>", lambda a, b: UNSIGNED[name](a.view(np.uint32), b.view(np.uint32)), "i32", x, y)


@pytest.mark.parametrize(("name", "reference"), [("shli", np.left_shift), ("shrsi", np.right_shift)])
def test_shifts(name: str, reference: Callable[..., Any]) -> None:
    check(f"    %r = arith.{name} %x, %y : vector<{LANES}xi32>", reference, "i32", sample("i32"), np.abs(sample("i32", 1)))


COMPARE: dict[str, Callable[..., Any]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "slt": np.less,
    "sle": np.less_equal,
    "sgt": np.greater,
    "sge": np.greater_equal,
}


@pytest.mark.parametrize("predicate", COMPARE)
def test_compare_integers(predicate: str) -> None:
    body = f"    %r = arith.cmpi {predicate}, %x, %y : vector<{LANES}xi32>"
    check(body, COMPARE[predicate], "i32", sample("i32"), sample("i32", 1), result="i1")


@pytest.mark.parametrize("element", ["bf16", "f32"])
@pytest.mark.parametrize(
    ("predicate", "reference"),
    [
        ("oeq", lambda a, b: a == b),
        ("ult", lambda a, b: ~(a >= b)),
        ("ogt", lambda a, b: a > b),
        ("une", lambda a, b: a != b),
        ("ord", lambda a, b: ~(np.isnan(a) | np.isnan(b))),
        ("uno", lambda a, b: np.isnan(a) | np.isnan(b)),
        ("one", lambda a, b: (a < b) | (a > b)),
    ],
)
def test_compare_floats(predicate: str, reference: Callable[..., Any], element: str) -> None:
    x, y = sample(element), sample(element, 1)
    x[::7] = np.nan
    body = f"    %r = arith.cmpf {predicate}, %x, %y : vector<{LANES}x{element}>"
    check(body, lambda a, b: reference(a.astype(np.float32), b.astype(np.float32)), element, x, y, result="i1")


def test_select() -> None:
    body = (
        f"    %c = arith.cmpf olt, %x, %y : vector<{LANES}xf32>\n    %r = arith.select %c, %x, %y : vector<{LANES}xi1>, vector<{LANES}xf32>"
    )
    check(body, np.minimum, "f32", sample("f32"), sample("f32", 1))


def test_select_by_a_scalar() -> None:
    body = f"""    %k = arith.constant 40 : index
    %c = arith.cmpi slt, %i, %k : index
    %r = arith.select %c, %x, %y : vector<{LANES}xf32>"""
    x, y = sample("f32"), sample("f32", 1)
    check(body, lambda a, b: np.concatenate([a[: 2 * LANES], b[2 * LANES :]]), "f32", x, y)


CASTS = [
    ("extf", "f16", "f32"),
    ("extf", "bf16", "f32"),
    ("extf", "bf16", "f64"),
    ("extf", "f32", "f64"),
    ("truncf", "f32", "f16"),
    ("truncf", "f32", "bf16"),
    ("truncf", "f64", "f32"),
    ("truncf", "f64", "f16"),
    ("extsi", "i8", "i32"),
    ("trunci", "i32", "i8"),
    ("sitofp", "i32", "f32"),
    ("sitofp", "i8", "bf16"),
    ("sitofp", "i64", "f64"),
    ("fptosi", "f32", "i32"),
    ("fptosi", "bf16", "i32"),
    ("fptosi", "f64", "i64"),
    ("index_cast", "i32", "index"),
    ("index_cast", "index", "i8"),
]


@pytest.mark.parametrize(("name", "source", "result"), CASTS)
def test_casts(name: str, source: str, result: str) -> None:
    body = f"    %r = arith.{name} %x : vector<{LANES}x{source}> to vector<{LANES}x{result}>"
    check(body, lambda a: a.astype(DTYPES[result]), source, sample(source), result=result)


def test_unsigned_casts() -> None:
    x = sample("i8")
    check(f"    %r = arith.extui %x : vector<{LANES}xi8> to vector<{LANES}xi32>", lambda a: a.view(np.uint8), "i8", x, result="i32")
    check(f"    %r = arith.uitofp %x : vector<{LANES}xi8> to vector<{LANES}xf32>", lambda a: a.view(np.uint8), "i8", x, result="f32")
    check(f"    %r = arith.fptoui %x : vector<{LANES}xf32> to vector<{LANES}xi8>", np.abs, "f32", np.abs(sample("f32")), result="i8")
    flags = sample("i32") > 0
    check(f"    %r = arith.extui %x : vector<{LANES}xi1> to vector<{LANES}xi32>", lambda a: a, "i1", flags, result="i32")


def test_bitcast() -> None:
    body = f"    %r = arith.bitcast %x : vector<{LANES}xf32> to vector<{LANES}xi32>"
    check(body, lambda a: a.view(np.int32), "f32", sample("f32"), result="i32")
    body = f"    %r = vector.bitcast %x : vector<{LANES}xbf16> to vector<{LANES}xi16>"
    check(body, lambda a: a.view(np.int16), "bf16", sample("bf16"), result="i16")


@pytest.mark.parametrize(("name", "reference"), [("absi", np.abs), ("ctpop", np.bitwise_count)])
def test_integer_functions(name: str, reference: Callable[..., Any]) -> None:
    x = np.abs(sample("i32")) if name == "ctpop" else sample("i32")
    check(f"    %r = math.{name} %x : vector<{LANES}xi32>", reference, "i32", x)


def test_leading_and_trailing_zeros() -> None:
    x = 1 << np.abs(sample("i32"))
    check(f"    %r = math.ctlz %x : vector<{LANES}xi32>", lambda a: 31 - np.log2(a), "i32", x)
    check(f"    %r = math.cttz %x : vector<{LANES}xi32>", np.log2, "i32", x)


@pytest.mark.parametrize(("name", "reference"), [("isnan", np.isnan), ("isinf", np.isinf), ("isfinite", np.isfinite)])
def test_classes(name: str, reference: Callable[..., Any]) -> None:
    x = sample("f32")
    x[::3], x[::4] = np.nan, -np.inf
    check(f"    %r = math.{name} %x : vector<{LANES}xf32>", reference, "f32", x, result="i1")


def test_clamp() -> None:
    body = f"""    %l = arith.constant dense<-3.0> : vector<{LANES}xf32>
    %h = arith.constant dense<4.0> : vector<{LANES}xf32>
    %r = math.clampf %x to [%l, %h] : vector<{LANES}xf32>"""
    check(body, lambda a: np.clip(a, -3, 4), "f32", sample("f32"))


def test_fma_of_sixteen_bits() -> None:
    x = sample("bf16")
    check(f"    %r = math.fma %x, %x, %x : vector<{LANES}xbf16>", lambda a: a.astype(np.float32) ** 2 + a.astype(np.float32), "bf16", x)


def test_half_without_an_instruction_for_it() -> None:
    """On a processor without f16c the conversion is made of integer operations, denormals, infinities, NaN and ties included."""
    every = np.arange(65536, dtype=np.uint16).view(np.float16)
    plain = Target(Target.host().triple, "x86-64", ("+sse4.1",), 16)
    widen = Native(elementwise("    %r = arith.extf %x : vector<16xf16> to vector<16xf32>", "f16", "f32", 16), plain)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(apply(widen, [every], np.float32, 16), every.astype(np.float32))
        rng = np.random.default_rng(3)
        bits = rng.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
        near = (rng.uniform(-1, 1, 100_000) * 2.0 ** rng.integers(-27, 18, 100_000)).astype(np.float32)
        exact = every.astype(np.float32)
        ties = (exact[:-1] + exact[1:]) / 2
        narrow = Native(elementwise("    %r = arith.truncf %x : vector<16xf32> to vector<16xf16>", "f32", "f16", 16), plain)
        for values in (bits, near, exact, ties):
            np.testing.assert_array_equal(apply(narrow, [values], np.float16, 16), values.astype(np.float16))


def test_unknown_ops_are_refused() -> None:
    with pytest.raises(CompileError, match=r"'math.exp' cannot be converted.*run expand-math"):
        Native(elementwise("    %r = math.exp %x : vector<32xf32>", "f32"), passes=())
