"""Every function of expand-math, compiled and run: special values exactly, dense random samples within the stated error."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "machine"))
from native import Array, Native, apply, elementwise, parse

INF, NAN = np.inf, np.nan
Reference = Callable[..., Any]
FORMATS = {"f32": (np.float32, np.float64), "f64": (np.float64, np.longdouble)}

EDGES = (88.72283, 88.72284, -87.3365, -87.3366, -104, 127.99999, 128, -126, -127, -17.5, 1e-8, np.pi, 1e10, 9.0, -9.2)
SPECIALS = np.array([0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, INF, -INF, NAN, 1e-40, -1e-40, 1e-30, 3e38, -3e38, *EDGES])
PAIRS = np.array(
    [0.0, -0.0, 1, -1, 0.5, -0.5, 2, -3, INF, -INF, NAN, 1e-40, 1e-30, 3e38, -3e38, 2.5, 1.0000001, 0.9999999, 150, 151, -149, 16777217.0]
)


def uniform(low: float, high: float) -> Callable[[Any], Array]:
    return lambda rng: rng.uniform(low, high, 100_000)


def any_float(rng: Any) -> Array:
    """Finite f32 of any exponent."""
    drawn = rng.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    return drawn[np.isfinite(drawn)].astype(np.float64)


def positive(rng: Any) -> Array:
    return np.abs(any_float(rng))


def erf(x: Array) -> Array:
    return np.frompyfunc(math.erf, 1, 1)(x.astype(np.float64)).astype(np.float64)


def erfc(x: Array) -> Array:
    return np.frompyfunc(math.erfc, 1, 1)(x.astype(np.float64)).astype(np.float64)


def rsqrt(x: Array) -> Array:
    return 1 / np.sqrt(x)


# name: reference, stated error in ulp for f32 and f64, samples
UNARY: dict[str, tuple[Reference, float, float, list[Callable[[Any], Array]]]] = {
    "exp": (np.exp, 1, 1, [uniform(-87.3, 88.7), any_float]),
    "exp2": (np.exp2, 1, 1, [uniform(-125.9, 127.9), any_float]),
    "expm1": (np.expm1, 2, 2, [uniform(-20, 88), uniform(-1, 1), any_float]),
    "log": (np.log, 1, 1, [uniform(0.5, 2), any_float]),
    "log2": (np.log2, 2, 2, [uniform(0.5, 2), any_float]),
    "log10": (np.log10, 3, 3, [uniform(0.5, 2), any_float]),
    "log1p": (np.log1p, 2, 2, [uniform(-1, 1), uniform(-1, 100)]),
    "tanh": (np.tanh, 2.6, 2.6, [uniform(-10, 10), uniform(-1, 1), any_float]),
    "sinh": (np.sinh, 2.5, 2.5, [uniform(-89, 89), uniform(-2, 2), any_float]),
    "cosh": (np.cosh, 2, 2, [uniform(-89, 89), uniform(-2, 2), any_float]),
    "asinh": (np.arcsinh, 3, 3, [uniform(-10, 10)]),
    "acosh": (np.arccosh, 3, 3, [uniform(1, 3), positive]),
    "atanh": (np.arctanh, 3, 3, [uniform(-1, 1)]),
    "cbrt": (np.cbrt, 1, 1, [uniform(-10, 10), any_float]),
    "rsqrt": (rsqrt, 1.5, 1.5, [positive]),
    "sin": (np.sin, 2, 2, [uniform(-10, 10), uniform(-1e5, 1e5)]),
    "cos": (np.cos, 2, 2, [uniform(-10, 10), uniform(-1e5, 1e5)]),
    "tan": (np.tan, 4, 4, [uniform(-10, 10), uniform(-1e5, 1e5)]),
    "asin": (np.arcsin, 2.5, 2.5, [uniform(-1, 1)]),
    "acos": (np.arccos, 1.5, 1.5, [uniform(-1, 1)]),
    "atan": (np.arctan, 2, 2, [uniform(-10, 10), any_float]),
    "erf": (erf, 2, 2.5, [uniform(-5, 5), uniform(-0.95, 0.95)]),
    "erfc": (erfc, 4, 6, [uniform(-5, 9)]),
}
HUGE_ARGUMENTS_ARE_INEXACT = ("sin", "cos", "tan")


def error(got: Array, want: Array) -> tuple[float, Array]:
    """The largest error in ulp of the results that are finite and normal; and where special or denormal results are wrong.

    A result may be 0 or denormal where the exact one is denormal.
    """
    rounded = want.astype(got.dtype)
    tiny = np.finfo(got.dtype).tiny
    ordinary = np.isfinite(rounded) & (np.abs(rounded) > tiny)
    exact = want[ordinary]
    ulps = np.abs(got[ordinary].astype(exact.dtype) - exact) / np.spacing(np.abs(rounded[ordinary]))
    small = np.isfinite(rounded) & ~ordinary
    wrong = ~ordinary & ~small & ~((got == rounded) | (np.isnan(got) & np.isnan(rounded)))
    wrong |= small & ~(np.abs(got - rounded) <= tiny)
    wrong |= ordinary & ~np.isfinite(got)
    return float(ulps.max(initial=0)), np.flatnonzero(wrong)


@pytest.mark.parametrize("element", FORMATS)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str, element: str) -> None:
    reference, single, double, samples = UNARY[name]
    dtype, wide = FORMATS[element]
    rng = np.random.default_rng(7)
    native = Native(elementwise(f"    %r = math.{name} %x : vector<32x{element}>", element))
    inputs = [SPECIALS, *(sample(rng) for sample in samples)]
    with np.errstate(all="ignore"):
        for x in inputs:
            x = x.astype(dtype)
            if name in HUGE_ARGUMENTS_ARE_INEXACT:
                x = x[~(np.abs(x) > 2.0**30) | np.isinf(x)]
            got = apply(native, [x], dtype)
            worst, wrong = error(got, np.asarray(reference(x.astype(wide))))
            assert not wrong.size, [(x[i], got[i]) for i in wrong[:5]]
            assert worst <= (single if element == "f32" else double), (worst, x[:3])


def test_huge_angles_stay_in_range() -> None:
    native = Native(elementwise("    %r = math.sin %x : vector<32xf32>", "f32"))
    got = apply(native, [np.array([3e38, -3e38, 1e30], np.float32)], np.float32)
    assert np.all(np.abs(got) <= 1)


@pytest.mark.parametrize("element", FORMATS)
@pytest.mark.parametrize(("name", "reference", "ulps"), [("powf", np.power, 1), ("atan2", np.arctan2, 3)])
def test_binary(name: str, reference: Reference, ulps: float, element: str) -> None:
    dtype, wide = FORMATS[element]
    native = Native(elementwise(f"    %r = math.{name} %x, %y : vector<32x{element}>", element, operands=2))
    a, b = (grid.ravel().astype(dtype) for grid in np.meshgrid(PAIRS, PAIRS))
    rng = np.random.default_rng(1)
    with np.errstate(all="ignore"):
        got, want = apply(native, [a, b], dtype), reference(a.astype(wide), b.astype(wide))
        worst, wrong = error(got, want)
        assert not wrong.size, [(a[i], b[i], got[i], want[i]) for i in wrong[:5]]
        sign = np.flatnonzero((np.signbit(got) != np.signbit(want)) & ~np.isnan(got))
        assert not sign.size, [(a[i], b[i], got[i], want[i]) for i in sign[:5]]
        x, y = rng.uniform(0, 10, 100_000).astype(dtype), rng.uniform(-30, 30, 100_000).astype(dtype)
        worst, wrong = error(apply(native, [x, y], dtype), reference(x.astype(wide), y.astype(wide)))
    assert not wrong.size
    assert worst <= (ulps if element == "f32" or name != "powf" else 16)


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0, -1.0, 0.5, -0.5, 1.5])
def test_constant_exponents(exponent: float) -> None:
    body = f"    %p = arith.constant dense<{exponent}> : vector<32xf32>\n    %r = math.powf %x, %p : vector<32xf32>"
    native = Native(elementwise(body, "f32"))
    x = np.array([*PAIRS, *np.linspace(0.01, 50, 500)], np.float32)
    want = np.array([0.0 if math.isinf(v) and exponent < 0 else _ieee_power(float(v), exponent) for v in x])
    with np.errstate(all="ignore"):
        worst, wrong = error(apply(native, [x], np.float32), want)
    assert not wrong.size, x[wrong]
    assert worst <= 2


def _ieee_power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except ValueError:  # what C returns with an error raised
        return math.nan if x < 0 else math.copysign(math.inf, x) if y == int(y) else math.inf


def test_integer_exponents() -> None:
    rng = np.random.default_rng(2)
    body = "    %m = arith.fptosi %y : vector<32xf32> to vector<32xi32>\n    %r = math.fpowi %x, %m : vector<32xf32>, vector<32xi32>"
    x, y = rng.uniform(-3, 3, 5000).astype(np.float32), rng.integers(-20, 21, 5000).astype(np.float32)
    got = apply(Native(elementwise(body, "f32", operands=2)), [x, y], np.float32)
    with np.errstate(all="ignore"):
        assert error(got, np.power(x.astype(np.float64), y.astype(np.float64)))[0] <= 1


def test_powers_of_integers() -> None:
    rng = np.random.default_rng(3)
    native = Native(elementwise("    %r = math.ipowi %x, %y : vector<32xi32>", "i32", operands=2))
    x, y = rng.integers(-6, 7, 5000).astype(np.int32), rng.integers(0, 40, 5000).astype(np.int32)
    np.testing.assert_array_equal(apply(native, [x, y], np.int32), np.power(x, y))
    ones = np.where(x == -1, np.where(y % 2 == 0, 1, -1), np.where(x == 1, 1, 0))
    np.testing.assert_array_equal(apply(native, [x, -y], np.int32), np.where(y == 0, 1, ones))


@pytest.mark.parametrize(("element", "dtype"), [("f16", np.float16), ("bf16", ml_dtypes.bfloat16)])
def test_sixteen_bit_types_are_computed_in_f32(element: str, dtype: Any) -> None:
    """All 65536 inputs: the f32 error may tip a rounding now and then, by one place."""
    native = Native(elementwise(f"    %r = math.tanh %x : vector<32x{element}>", element))
    x = np.arange(65536, dtype=np.uint16).view(dtype)
    with np.errstate(all="ignore"):
        got, want = apply(native, [x], dtype), np.tanh(x.astype(np.float64)).astype(np.float32).astype(dtype)
        assert np.array_equal(np.isnan(got.astype(np.float32)), np.isnan(want.astype(np.float32)))
    numbers = ~np.isnan(want.astype(np.float32)) & (x.astype(np.float32) != 0)  # the sign of zero is free
    places = np.abs(got[numbers].view(np.int16).astype(np.int32) - want[numbers].view(np.int16))
    assert places.max() <= 1
    assert np.count_nonzero(places) < 20


def test_scalars() -> None:
    module = """
    func.func @f(%p: memref<?xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      scf.for %i = %c0 to %n step %c1 {
        %x = memref.load %p[%i] : memref<?xf32>
        %y = math.exp %x : f32
        memref.store %y, %p[%i] : memref<?xf32>
      }
      func.return
    }
    """
    x = np.linspace(-3, 3, 7, dtype=np.float32)
    want = np.exp(x)
    Native(module).call("f", x, x.size)
    np.testing.assert_allclose(x, want, rtol=1e-6)


@pytest.mark.parametrize(("name", "at_most"), [("exp", 22), ("tanh", 24), ("log", 36), ("erf", 40)])
def test_few_ops(name: str, at_most: int) -> None:
    """One op stands for a whole tile; the count is what the compiler pays."""
    module = parse(elementwise(f"    %r = math.{name} %x : vector<32xf32>", "f32"))
    before = parse(elementwise("    %r = math.sqrt %x : vector<32xf32>", "f32"))

    def computing(ops: Any) -> int:
        return sum(1 for op in ops if op.name != "arith.constant")

    assert computing(module.walk()) - computing(before.walk()) <= at_most
