"""Float arithmetic on numpy values: each function rounds once, `math` is computed in f64, fma is exact."""

from __future__ import annotations

import math as python_math
from collections.abc import Callable
from typing import Any, cast

import ml_dtypes
import numpy as np
from xdsl.ir import Operation

from stepwell.backends.interpreter.integers import Binary, Function, Unary, Value, where, wrapped
from stepwell.backends.interpreter.machine import Implementation
from stepwell.backends.interpreter.values import element_dtype, is_array


def minimum(a: Value, b: Value) -> Value:
    """NaN where one is, and -0 below +0."""
    return _with_zeros(np.minimum(a, b), a, b, lambda x, y: -((-x) + (-y)))


def maximum(a: Value, b: Value) -> Value:
    """NaN where one is, and -0 below +0."""
    return _with_zeros(np.maximum(a, b), a, b, lambda x, y: x + y)


def _with_zeros(result: Value, a: Value, b: Value, join: Binary) -> Value:
    """The result, but two zeros joined by a sum whose sign is right: numpy gives either."""
    zeros = (a == 0) & (b == 0)
    if not is_array(zeros):
        return join(a, b) if zeros else result
    return where(zeros, join(a, b), result) if zeros.any() else result


def clamp(value: Value, low: Value, high: Value) -> Value:
    return minimum(maximum(value, low), high)


def is_normal(value: Value) -> Value:
    smallest = cast(Any, ml_dtypes).finfo(np.asarray(value).dtype).smallest_normal
    return np.isfinite(value) & (abs(value) >= smallest)


def fma(a: Value, b: Value, c: Value) -> Value:
    """a * b + c rounded once, whatever the format."""
    dtype = np.asarray(a).dtype
    if dtype == np.float64:
        exact = np.frompyfunc(_fma_f64, 3, 1)(a, b, c)
        return np.asarray(exact, np.float64)[()]
    wide = [np.asarray(value).astype(np.float64) for value in (a, b, c)]
    product = wide[0] * wide[1]  # exact: the significands have at most 24 bits
    total = product + wide[2]
    # Rounding the sum to f64 and then again would err halfway between two values. Round to odd instead: what was inexact gets an odd
    # last bit.
    back = total - product
    error = (product - (total - back)) + (wide[2] - back)
    bits = total.view(np.int64)
    inexact = (error != 0) & ((bits & 1) == 0) & np.isfinite(total) & np.isfinite(error)
    toward = np.where(error > 0, np.inf, -np.inf)
    return np.where(inexact, np.nextafter(total, toward), total).astype(dtype)[()]


def _fma_f64(a: float, b: float, c: float) -> float:
    """Correctly rounded: the product as an exact sum of two doubles (Dekker 1971), then `fsum`."""
    product = a * b
    if not (python_math.isfinite(product) and python_math.isfinite(c)) or abs(product) < 1e-250 or max(abs(a), abs(b)) > 1e150:
        return product + c
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return python_math.fsum((product, error, c)) or product + c


def _halves(value: float) -> tuple[float, float]:
    scaled = 134217729.0 * value
    high = scaled - (scaled - value)
    return high, value - high


def in_f64(function: Function) -> Implementation:
    """A function of doubles, rounded to the type of the op."""

    def compute(*values: Value) -> Value:
        dtype = np.asarray(values[0]).dtype
        return np.asarray(function(*[np.asarray(value).astype(np.float64) for value in values])).astype(dtype)[()]

    return lambda op: compute


def elementwise(function: Callable[[float], float]) -> Unary:
    """A function of Python floats on arrays."""
    vectorised = np.frompyfunc(function, 1, 1)
    return lambda value: np.asarray(vectorised(value), np.float64)


def reciprocal_root(value: Value) -> Value:
    return 1.0 / np.sqrt(value)


def round_away(value: Value) -> Value:
    """Halves away from zero."""
    return np.trunc(value + np.copysign(np.nextafter(0.5, 0.0), value))


def float_power(base: Value, exponent: Value) -> Value:
    return np.power(base, exponent)


def integer_power(a: Value, b: Value) -> Value:
    """Wrapping; a negative exponent gives 1 / a rounded toward zero."""
    dtype = np.asarray(a).dtype
    powered = np.frompyfunc(lambda x, n: _power(int(x), int(n)), 2, 1)(a, b)
    return wrapped(powered, dtype) if dtype.kind in "iu" else powered


def _power(base: int, exponent: int) -> int:
    if exponent >= 0:
        return base**exponent
    if base == 0:
        raise ArithmeticError("zero to a negative power")
    return {1: 1, -1: 1 if exponent % 2 == 0 else -1}.get(base, 0)


def count_bits(count: Callable[[int, int], int]) -> Implementation:
    """A function of the bits of an integer and of its width."""

    def make(op: Operation) -> Unary:
        dtype = element_dtype(op.operands[0].type)
        width = dtype.itemsize * 8
        counted = np.frompyfunc(lambda value: count(int(value) % (1 << width), width), 1, 1)
        return lambda value: np.asarray(counted(value)).astype(dtype)[()]

    return make
