"""`arith` and `math`: scalar functions, which take numpy arrays as well, element by element.

Integers wrap, floats round once per op. Functions of `math` are computed in f64 and rounded; fma is exact.
"""

from __future__ import annotations

import math as python_math
from collections.abc import Callable, Sequence
from typing import Any, cast

import ml_dtypes
import numpy as np
from xdsl.dialects.builtin import UnrealizedConversionCastOp
from xdsl.dialects.ub import PoisonOp
from xdsl.ir import Operation

from stepwell.backends.interpreter.machine import Code, Control, Implementation
from stepwell.backends.interpreter.values import constant_value, element_dtype, garbage, is_array, is_index, shape_of
from stepwell.dialects import arith, math
from stepwell.dialects.support import element_of

Value = Any
Function = Callable[..., Value]
Unary = Callable[[Value], Value]
Binary = Callable[[Value, Value], Value]

where: Callable[..., Value] = np.where


def same(function: Function) -> Implementation:
    """The function whatever the type is."""
    return lambda op: function


def unary(function: Unary) -> Implementation:
    """The function whatever the type is."""
    return lambda op: function


def binary(function: Binary) -> Implementation:
    """The function whatever the type is."""
    return lambda op: function


# ---- integers -------------------------------------------------------------------------------------------------------------------


def integer(function: Binary, *, on_bits: Binary | None = None, signed: bool = False) -> Implementation:
    """Signed integers. For i1, whose numpy type does not wrap, `on_bits` stands in; `signed` reads i1 as 0 and -1."""

    def make(op: Operation) -> Function:
        kind = element_of(op.operands[0].type)
        if is_index(kind) or element_dtype(kind) != np.bool_:
            return function
        if on_bits is not None:
            return on_bits
        read = _sign_extend if signed else _identity

        def bits(a: Value, b: Value) -> Value:
            return _to_bool(function(read(a), read(b)))

        return bits

    return make


def unsigned(function: Binary) -> Implementation:
    """Integers read without their sign; the result is of the signed type."""

    def make(op: Operation) -> Binary:
        kind = element_of(op.operands[0].type)
        dtype = element_dtype(kind)
        finish: Unary = _as_index if is_index(kind) else _to_bool if dtype == np.bool_ else lambda value: value.astype(dtype)
        return lambda a, b: finish(function(as_unsigned(a, dtype), as_unsigned(b, dtype)))

    return make


def _identity(value: Value) -> Value:
    return value


def _sign_extend(value: Value) -> Value:
    """0 and -1 of an i1."""
    return -np.asarray(value).astype(np.int8)[()]


def _to_bool(value: Value) -> Value:
    return (np.asarray(value) & 1).astype(np.bool_)[()]


def _as_index(value: Value) -> Value:
    value = np.asarray(value).astype(np.int64)
    return value if value.ndim else int(value)


def _unsigned(value: Value, dtype: np.dtype[Any]) -> Value:
    bits = np.dtype(f"uint{dtype.itemsize * 8}")
    return np.asarray(value).astype(dtype).view(bits)[()] if is_array(value) else np.array(value, dtype).view(bits)[()]


def _no_zero(divisor: Value) -> None:
    if not np.all(divisor):
        raise ArithmeticError("division by zero")


def floor_division(a: Value, b: Value) -> Value:
    _no_zero(b)
    return a // b


def ceiling_division(a: Value, b: Value) -> Value:
    _no_zero(b)
    return -(-a // b)


def division(a: Value, b: Value) -> Value:
    """Rounded toward zero."""
    _no_zero(b)
    quotient = abs(a) // abs(b)
    negative = (a < 0) != (b < 0)
    return np.where(negative, -quotient, quotient) if is_array(quotient) else -quotient if negative else quotient


def remainder(a: Value, b: Value) -> Value:
    """Of the division rounded toward zero."""
    return a - b * division(a, b)


def unsigned_remainder(a: Value, b: Value) -> Value:
    _no_zero(b)
    return a % b


def unsigned_ceiling(a: Value, b: Value) -> Value:
    return floor_division(a, b) + (unsigned_remainder(a, b) != 0)


def smaller(a: Value, b: Value) -> Value:
    return np.minimum(a, b) if is_array(a) or is_array(b) else min(a, b)


def larger(a: Value, b: Value) -> Value:
    return np.maximum(a, b) if is_array(a) or is_array(b) else max(a, b)


def wide_product(read: Callable[[Value, np.dtype[Any]], Value]) -> Implementation:
    """The low and the high half of a product."""

    def make(op: Operation) -> Function:
        dtype = element_dtype(op.operands[0].type)
        bits = dtype.itemsize * 8

        def multiply(a: Value, b: Value) -> tuple[Value, Value]:
            product = np.asarray(read(a, dtype)).astype(object) * np.asarray(read(b, dtype)).astype(object)
            low, high = product % (1 << bits), product >> bits
            return _wrapped(low, dtype), _wrapped(high, dtype)

        return multiply

    return make


def _wrapped(value: Value, dtype: np.dtype[Any]) -> Value:
    """Python integers cut to a dtype."""
    unsigned_dtype = np.dtype(f"uint{dtype.itemsize * 8}")
    remainder = np.asarray(np.asarray(value, object) % (1 << dtype.itemsize * 8), object)  # of one element numpy makes an int
    return remainder.astype(unsigned_dtype).view(dtype)[()]


def add_with_carry(op: arith.AddUIExtendedOp) -> Function:
    dtype = element_dtype(op.operands[0].type)

    def add(a: Value, b: Value) -> tuple[Value, Value]:
        total = np.asarray(a + b).astype(dtype)[()]
        return total, np.asarray(_unsigned(total, dtype) < _unsigned(a, dtype))[()]

    return add


# ---- comparisons and selection --------------------------------------------------------------------------------------------------

_ORDERED: dict[str, Binary] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def predicate_name(op: Any, names: Sequence[str]) -> str:
    number: int = op.predicate.value.data
    return names[number]


def compare_integers(op: Any) -> Binary:
    name = predicate_name(op, arith.CMPI_PREDICATES)
    function = _ORDERED[name[-2:]]
    kind = element_of(op.operands[0].type)
    if not is_index(kind) and element_dtype(kind) == np.bool_:
        read: Unary = _sign_extend if name.startswith("s") else _identity
        return lambda a, b: np.asarray(function(read(a), read(b)))[()]
    if name.startswith("u"):
        dtype = element_dtype(kind)
        return lambda a, b: np.asarray(function(_unsigned(a, dtype), _unsigned(b, dtype)))[()]
    return function


_OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}


def compare_floats(op: Any) -> Binary:
    name = predicate_name(op, arith.CMPF_PREDICATES)
    if name in ("true", "false"):
        return lambda a, b: np.full(np.broadcast(a, b).shape, name == "true")[()]
    if name in ("ord", "uno"):
        wanted = name == "uno"
        return lambda a, b: (np.isnan(a) | np.isnan(b)) == wanted
    # "one" holds for less and greater, not for NaN; every "u" is the negation of the opposite "o".
    kind = name[1:]
    if kind in ("ne", "eq"):
        if name[0] == "o":
            return _less_or_greater if kind == "ne" else _ORDERED["eq"]
        return _negated(_ORDERED["eq"] if kind == "ne" else _less_or_greater)
    return _ORDERED[kind] if name[0] == "o" else _negated(_ORDERED[_OPPOSITE[kind]])


def _less_or_greater(a: Value, b: Value) -> Value:
    return (a < b) | (a > b)


def _negated(function: Binary) -> Binary:
    return lambda a, b: np.logical_not(function(a, b))


def select(condition: Value, a: Value, b: Value) -> Value:
    if is_array(condition):
        return where(condition, a, b)
    return a if condition else b


# ---- floats ---------------------------------------------------------------------------------------------------------------------


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
    return _wrapped(powered, dtype) if dtype.kind in "iu" else powered


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


# ---- casts ----------------------------------------------------------------------------------------------------------------------


def conversion(read: Callable[[Value, np.dtype[Any]], Value]) -> Implementation:
    """A conversion: `read` gives the number that the operand stands for, numpy converts it."""

    def make(op: Operation) -> Unary:
        source, dest = element_of(op.operands[0].type), element_of(op.results[0].type)
        source_dtype = element_dtype(source)
        if is_index(dest):
            return lambda value: _as_index(read(value, source_dtype))
        dtype = element_dtype(dest)
        if dtype == np.bool_:
            return lambda value: (np.asarray(read(value, source_dtype)).astype(np.int64) & 1).astype(np.bool_)[()]
        return lambda value: np.asarray(read(value, source_dtype)).astype(dtype)[()]

    return make


def as_signed(value: Value, dtype: np.dtype[Any]) -> Value:
    return _sign_extend(value) if dtype == np.bool_ else value


def as_unsigned(value: Value, dtype: np.dtype[Any]) -> Value:
    return np.asarray(value).astype(np.uint8)[()] if dtype == np.bool_ else _unsigned(value, dtype)


def as_it_is(value: Value, dtype: np.dtype[Any]) -> Value:
    return value


def truncated(value: Value, dtype: np.dtype[Any]) -> Value:
    """A float as an integer, toward zero; what does not fit is unspecified."""
    return np.trunc(np.asarray(value).astype(np.float64)).astype(np.int64)


def bitcast(op: Operation) -> Function:
    dtype, index = element_dtype(op.results[0].type), is_index(element_of(op.results[0].type))

    def reinterpret(value: Value) -> Value:
        source = np.asarray(value)
        array = np.ascontiguousarray(source).view(dtype).reshape(source.shape)
        return int(array) if index and not array.ndim else array[()]

    return reinterpret


# ---- constants ------------------------------------------------------------------------------------------------------------------


def constant(op: arith.ConstantOp, code: Code) -> None:
    code.preset(op.result, constant_value(op.value))


def pass_through(*values: Value) -> tuple[Value, ...]:
    return values


def poison(op: PoisonOp) -> Function:
    type = op.results[0].type
    if is_index(type):
        return lambda: 0x5555
    value = garbage(shape_of(type), element_dtype(type))
    return lambda: value[()]


CONTROL: dict[type[Operation], Control] = {arith.ConstantOp: constant}

IMPLEMENTATIONS: dict[type[Operation], Implementation] = {
    # integers
    arith.AddiOp: integer(lambda a, b: a + b, on_bits=lambda a, b: a ^ b),
    arith.SubiOp: integer(lambda a, b: a - b, on_bits=lambda a, b: a ^ b),
    arith.MuliOp: integer(lambda a, b: a * b, on_bits=lambda a, b: a & b),
    arith.DivSIOp: integer(division, signed=True),
    arith.RemSIOp: integer(remainder, signed=True),
    arith.FloorDivSIOp: integer(floor_division, signed=True),
    arith.CeilDivSIOp: integer(ceiling_division, signed=True),
    arith.DivUIOp: unsigned(floor_division),
    arith.RemUIOp: unsigned(unsigned_remainder),
    arith.CeilDivUIOp: unsigned(unsigned_ceiling),
    arith.MinSIOp: integer(smaller, on_bits=lambda a, b: a | b),
    arith.MaxSIOp: integer(larger, on_bits=lambda a, b: a & b),
    arith.MinUIOp: unsigned(smaller),
    arith.MaxUIOp: unsigned(larger),
    arith.AndIOp: binary(lambda a, b: a & b),
    arith.OrIOp: binary(lambda a, b: a | b),
    arith.XOrIOp: binary(lambda a, b: a ^ b),
    arith.ShLIOp: integer(lambda a, b: a << b),
    arith.ShRSIOp: integer(lambda a, b: a >> b, signed=True),
    arith.ShRUIOp: unsigned(lambda a, b: a >> b),
    arith.MulSIExtendedOp: wide_product(lambda value, _: value),
    arith.MulUIExtendedOp: wide_product(_unsigned),
    arith.AddUIExtendedOp: add_with_carry,
    math.AbsIOp: unary(abs),
    math.IPowIOp: binary(integer_power),
    math.CtPopOp: count_bits(lambda bits, _: bits.bit_count()),
    math.CountLeadingZerosOp: count_bits(lambda bits, width: width - bits.bit_length()),
    math.CountTrailingZerosOp: count_bits(lambda bits, width: (bits & -bits).bit_length() - 1 if bits else width),
    # floats
    arith.AddfOp: binary(lambda a, b: a + b),
    arith.SubfOp: binary(lambda a, b: a - b),
    arith.MulfOp: binary(lambda a, b: a * b),
    arith.DivfOp: binary(lambda a, b: a / b),
    arith.RemfOp: binary(np.fmod),
    arith.NegfOp: unary(lambda a: -a),
    arith.MinimumfOp: binary(minimum),
    arith.MaximumfOp: binary(maximum),
    arith.MinnumfOp: binary(np.fmin),
    arith.MaxnumfOp: binary(np.fmax),
    math.FmaOp: same(fma),
    math.AbsFOp: unary(abs),
    math.CopySignOp: binary(np.copysign),
    math.ClampFOp: same(clamp),
    math.FPowIOp: in_f64(float_power),
    math.PowFOp: in_f64(float_power),
    # comparisons and selection
    arith.CmpiOp: compare_integers,
    arith.CmpfOp: compare_floats,
    arith.SelectOp: same(select),
    math.IsNaNOp: unary(np.isnan),
    math.IsInfOp: unary(np.isinf),
    math.IsFiniteOp: unary(np.isfinite),
    math.IsNormalOp: unary(is_normal),
    # casts
    arith.ExtSIOp: conversion(as_signed),
    arith.ExtUIOp: conversion(as_unsigned),
    arith.TruncIOp: conversion(as_it_is),
    arith.IndexCastOp: conversion(as_signed),
    arith.IndexCastUIOp: conversion(as_unsigned),
    arith.SIToFPOp: conversion(as_signed),
    arith.UIToFPOp: conversion(as_unsigned),
    arith.FPToSIOp: conversion(truncated),
    arith.FPToUIOp: conversion(truncated),
    arith.ExtFOp: conversion(as_it_is),
    arith.TruncFOp: conversion(as_it_is),
    arith.ConvertFOp: conversion(as_it_is),
    arith.BitcastOp: bitcast,
    # functions, rounded from f64
    math.ExpOp: in_f64(np.exp),
    math.Exp2Op: in_f64(np.exp2),
    math.ExpM1Op: in_f64(np.expm1),
    math.LogOp: in_f64(np.log),
    math.Log2Op: in_f64(np.log2),
    math.Log10Op: in_f64(np.log10),
    math.Log1pOp: in_f64(np.log1p),
    math.SqrtOp: in_f64(np.sqrt),
    math.RsqrtOp: in_f64(reciprocal_root),
    math.CbrtOp: in_f64(np.cbrt),
    math.ErfOp: in_f64(elementwise(python_math.erf)),
    math.ErfcOp: in_f64(elementwise(python_math.erfc)),
    math.SinOp: in_f64(np.sin),
    math.CosOp: in_f64(np.cos),
    math.TanOp: in_f64(np.tan),
    math.AsinOp: in_f64(np.arcsin),
    math.AcosOp: in_f64(np.arccos),
    math.AtanOp: in_f64(np.arctan),
    math.Atan2Op: in_f64(np.arctan2),
    math.SinhOp: in_f64(np.sinh),
    math.CoshOp: in_f64(np.cosh),
    math.TanhOp: in_f64(np.tanh),
    math.AsinhOp: in_f64(np.arcsinh),
    math.AcoshOp: in_f64(np.arccosh),
    math.AtanhOp: in_f64(np.arctanh),
    math.FloorOp: in_f64(np.floor),
    math.CeilOp: in_f64(np.ceil),
    math.TruncOp: in_f64(np.trunc),
    math.RoundOp: in_f64(round_away),
    math.RoundEvenOp: in_f64(np.rint),
    # others
    PoisonOp: poison,
    UnrealizedConversionCastOp: same(pass_through),
}
