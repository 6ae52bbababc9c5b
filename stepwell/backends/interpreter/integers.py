"""Integer arithmetic on numpy values: it wraps, signed or unsigned as the function asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.ir import Operation

from stepwell.backends.interpreter.machine import Implementation
from stepwell.backends.interpreter.values import element_dtype, is_array, is_index
from stepwell.dialects import arith
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


def integer(function: Binary, *, on_bits: Binary | None = None, signed: bool = False) -> Implementation:
    """Signed integers. For i1, whose numpy type does not wrap, `on_bits` stands in; `signed` reads i1 as 0 and -1."""

    def make(op: Operation) -> Function:
        kind = element_of(op.operands[0].type)
        if is_index(kind) or element_dtype(kind) != np.bool_:
            return function
        if on_bits is not None:
            return on_bits
        read = sign_extend if signed else identity

        def bits(a: Value, b: Value) -> Value:
            return _to_bool(function(read(a), read(b)))

        return bits

    return make


def unsigned(function: Binary) -> Implementation:
    """Integers read without their sign; the result is of the signed type."""

    def make(op: Operation) -> Binary:
        kind = element_of(op.operands[0].type)
        dtype = element_dtype(kind)
        finish: Unary = as_index if is_index(kind) else _to_bool if dtype == np.bool_ else lambda value: value.astype(dtype)
        return lambda a, b: finish(function(as_unsigned(a, dtype), as_unsigned(b, dtype)))

    return make


def identity(value: Value) -> Value:
    return value


def sign_extend(value: Value) -> Value:
    """0 and -1 of an i1."""
    return -np.asarray(value).astype(np.int8)[()]


def _to_bool(value: Value) -> Value:
    return (np.asarray(value) & 1).astype(np.bool_)[()]


def as_index(value: Value) -> Value:
    value = np.asarray(value).astype(np.int64)
    return value if value.ndim else int(value)


def unsigned_bits(value: Value, dtype: np.dtype[Any]) -> Value:
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
            return wrapped(low, dtype), wrapped(high, dtype)

        return multiply

    return make


def wrapped(value: Value, dtype: np.dtype[Any]) -> Value:
    """Python integers cut to a dtype."""
    unsigned_dtype = np.dtype(f"uint{dtype.itemsize * 8}")
    remainder = np.asarray(np.asarray(value, object) % (1 << dtype.itemsize * 8), object)  # of one element numpy makes an int
    return remainder.astype(unsigned_dtype).view(dtype)[()]


def add_with_carry(op: arith.AddUIExtendedOp) -> Function:
    dtype = element_dtype(op.operands[0].type)

    def add(a: Value, b: Value) -> tuple[Value, Value]:
        total = np.asarray(a + b).astype(dtype)[()]
        return total, np.asarray(unsigned_bits(total, dtype) < unsigned_bits(a, dtype))[()]

    return add


def as_signed(value: Value, dtype: np.dtype[Any]) -> Value:
    return sign_extend(value) if dtype == np.bool_ else value


def as_unsigned(value: Value, dtype: np.dtype[Any]) -> Value:
    return np.asarray(value).astype(np.uint8)[()] if dtype == np.bool_ else unsigned_bits(value, dtype)


def as_it_is(value: Value, dtype: np.dtype[Any]) -> Value:
    return value


def truncated(value: Value, dtype: np.dtype[Any]) -> Value:
    """A float as an integer, toward zero; what does not fit is unspecified."""
    return np.trunc(np.asarray(value).astype(np.float64)).astype(np.int64)
