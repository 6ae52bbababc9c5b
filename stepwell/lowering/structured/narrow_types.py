"""Conversions from and to element types of at most a byte: the bits of one element taken apart and put together in `arith`.

In: bodies of structured ops, where an element of such a type is the `i8` that holds its bits (types of less than a byte in the low ones;
nobody relies on what stands above them). Out: integer arithmetic without branches, which vectorises as it stands. What is computed is
defined by `stepwell.dialects.nn.conversions`, which a test holds against this for every bit pattern.

To a narrow float with m bits of mantissa, of a wide one with M bits, magnitude a (as an integer):

- normal: the bits below the last that stays are rounded to nearest even by adding half of it, less one where it is even; the carry runs
  into the exponent, as it should. What is left is shifted down and loses the difference of the two exponents' biases;
- below the least normal number: added to 2^(M - m + 1 - bias) as a float, whose last bit is the last bit of the narrow denormals, so that
  the processor rounds; the difference of the bits is the code;
- a code above that of the largest number is an overflow, and NaN is above all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ldexp
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import (
    Float4E2M1FNType,
    Float6E2M3FNType,
    Float6E3M2FNType,
    Float8E4M3FNType,
    Float8E4M3FNUZType,
    Float8E5M2FNUZType,
    Float8E5M2Type,
    Float8E8M0FNUType,
    Float64Type,
    IntegerType,
    f32,
    f64,
    i8,
    i32,
    i64,
)
from xdsl.ir import Attribute, SSAValue

from stepwell.dialects import arith
from stepwell.dialects.nn.base import is_unsigned
from stepwell.dialects.nn.conversions import convert as convert_arrays
from stepwell.ir.constants import NARROW_FLOATS, dtype_of, is_narrow
from stepwell.lowering.structured.scalars import Scalars, width_of


@dataclass(frozen=True)
class Format:
    """A narrow float with a sign: its fields and its special numbers. A code is the bits without the sign."""

    bits: int
    mantissa: int
    bias: int
    largest: int
    """The code of the largest finite number."""
    nan: int | None
    """The code of NaN; None if there is none, and 0 (with the sign set) if that is what it has in the place of -0."""
    infinity: int | None = None

    @property
    def sign(self) -> int:
        """The sign bit."""
        return 1 << (self.bits - 1)

    @property
    def has_negative_zero(self) -> bool:
        """Whether the bits of -0 are a zero."""
        return self.nan != 0


FORMATS: Mapping[type[Attribute], Format] = {
    Float4E2M1FNType: Format(4, 1, 1, 0x7, None),
    Float6E2M3FNType: Format(6, 3, 1, 0x1F, None),
    Float6E3M2FNType: Format(6, 2, 3, 0x1F, None),
    Float8E4M3FNType: Format(8, 3, 7, 0x7E, 0x7F),
    Float8E4M3FNUZType: Format(8, 3, 8, 0x7F, 0),
    Float8E5M2Type: Format(8, 2, 15, 0x7B, 0x7E, 0x7C),
    Float8E5M2FNUZType: Format(8, 2, 16, 0x7F, 0),
}


@dataclass(frozen=True)
class _Wide:
    """The float that is taken apart: its type, the integer of its size, its mantissa and bias."""

    float: Any
    integer: Any
    mantissa: int
    bias: int
    infinity: int


_F32 = _Wide(f32, i32, 23, 127, 0xFF << 23)
_F64 = _Wide(f64, i64, 52, 1023, 0x7FF << 52)


def _bits(s: Scalars, x: SSAValue, to: Attribute) -> SSAValue:
    return s.convert(arith.BitcastOp, x, to)


# ---- from a narrow type -----------------------------------------------------------------------------------------------------------


def widened(s: Scalars, x: SSAValue, source: Attribute) -> SSAValue:
    """The stored byte `x` of a narrow type as a number: f32 of a float, i8 of an integer."""
    if isinstance(source, IntegerType):
        return _extended(s, x, cast(IntegerType, source))
    bits = s.convert(arith.ExtUIOp, x, i32)
    if isinstance(source, Float8E8M0FNUType):
        return _from_powers(s, bits)
    form = FORMATS[type(source)]
    code = s.both(bits, s.like(form.sign - 1, bits))
    least = 1 << form.mantissa
    shift = s.like(23 - form.mantissa, bits)
    normal = s.plus(s.binary(arith.ShLIOp, code, shift), s.like((127 - form.bias) << 23, bits))
    small = s.times(s.convert(arith.SIToFPOp, code, f32), s.constant(ldexp(1.0, 1 - form.bias - form.mantissa), f32))
    value = s.select(s.compare("lt", code, s.like(least, bits)), _bits(s, small, i32), normal)
    if form.infinity is not None:
        # What lies above infinity is NaN in the wide type as well.
        special = s.either(s.binary(arith.ShLIOp, code, shift), s.like(0xFF << 23, bits))
        value = s.select(s.compare("ge", code, s.like(form.infinity, bits)), special, value)
    elif form.nan:
        value = s.select(s.compare("eq", code, s.like(form.nan, bits)), s.like(0x7FC00000, bits), value)
    sign = s.binary(arith.ShLIOp, s.both(bits, s.like(form.sign, bits)), s.like(32 - form.bits, bits))
    value = s.either(value, sign)
    if not form.has_negative_zero:
        only_sign = s.compare("eq", bits, s.like(form.sign, bits))
        value = s.select(only_sign, s.like(0xFFC00000, bits), value)
    return _bits(s, value, f32)


def _from_powers(s: Scalars, bits: SSAValue) -> SSAValue:
    """2^(code - 127), of which the least is a denormal of f32, and NaN."""
    value = s.binary(arith.ShLIOp, bits, s.like(23, bits))
    value = s.select(s.compare("eq", bits, s.like(0, bits)), s.like(1 << 22, bits), value)
    return _bits(s, s.select(s.compare("eq", bits, s.like(255, bits)), s.like(0x7FC00000, bits), value), f32)


def _extended(s: Scalars, x: SSAValue, element: IntegerType) -> SSAValue:
    """The low bits of a byte as an integer of 8 bits, signed or not."""
    bits = element.width.data
    if is_unsigned(element):
        return s.both(x, s.like((1 << bits) - 1, x))
    spare = s.like(8 - bits, x)
    return s.binary(arith.ShRSIOp, s.binary(arith.ShLIOp, x, spare), spare)


# ---- to a narrow type -------------------------------------------------------------------------------------------------------------


def narrowed_integer(s: Scalars, x: SSAValue, target: IntegerType) -> SSAValue:
    """The byte that stores an integer of any width modulo the range of 2 or 4 bits."""
    return _extended(s, x if width_of(x.type) == 8 else s.convert(arith.TruncIOp, x, i8), target)


def narrowed_float(s: Scalars, x: SSAValue, target: Attribute, *, saturate: bool, round_mode: str) -> SSAValue:
    """The byte that stores the number of a narrow type nearest to `x`, an f32 or f64."""
    if isinstance(target, Float8E8M0FNUType):
        if isinstance(x.type, Float64Type):
            x = s.convert(arith.TruncFOp, x, f32)
        return _to_powers(s, _bits(s, x, i32), saturate, round_mode)
    form = FORMATS[type(target)]
    wide = _F64 if isinstance(x.type, Float64Type) else _F32
    bits = _bits(s, x, wide.integer)
    magnitude = s.both(bits, s.like((1 << (wide.mantissa + _exponent_bits(wide))) - 1, bits))
    code = s.smaller(_rounded(s, magnitude, form, wide), s.like(form.largest + 1, bits))
    is_nan = s.compare("gt", magnitude, s.like(wide.infinity, bits))
    width = wide.mantissa + _exponent_bits(wide) + 1
    sign = s.both(s.binary(arith.ShRUIOp, bits, s.like(width - form.bits, bits)), s.like(form.sign, bits))
    beyond = form.infinity if form.infinity is not None else form.nan
    if saturate or beyond is None:
        code = s.smaller(code, s.like(form.largest, bits))
    elif form.has_negative_zero and beyond != form.largest + 1:
        code = s.select(s.compare("gt", code, s.like(form.largest, bits)), s.like(beyond, bits), code)
    if form.has_negative_zero:
        # A type without NaN gets a zero, its sign turned.
        code = s.select(is_nan, s.like(form.sign if form.nan is None else form.nan, bits), code)
        stored = s.binary(arith.XOrIOp, code, sign)
    else:
        stored = s.select(s.compare("eq", code, s.like(0, bits)), code, s.either(code, sign))
        lost = is_nan if saturate else s.either(is_nan, s.compare("gt", code, s.like(form.largest, bits)))
        stored = s.select(lost, s.like(form.sign, bits), stored)
    return s.convert(arith.TruncIOp, stored, i8)


def _exponent_bits(wide: _Wide) -> int:
    return 8 if wide is _F32 else 11


def _rounded(s: Scalars, magnitude: SSAValue, form: Format, wide: _Wide) -> SSAValue:
    """The code nearest to a magnitude, ties to even; what is too large gets a code above the largest."""
    drop = wide.mantissa - form.mantissa
    last = s.both(s.binary(arith.ShRUIOp, magnitude, s.like(drop, magnitude)), s.like(1, magnitude))
    half = s.plus(magnitude, s.plus(last, s.like((1 << (drop - 1)) - 1, magnitude)))
    normal = s.minus(s.binary(arith.ShRUIOp, half, s.like(drop, magnitude)), s.like((wide.bias - form.bias) << form.mantissa, magnitude))
    # The float whose last bit is worth as much as that of the narrow denormals.
    anchor = ldexp(1.0, drop + 1 - form.bias)
    anchor_bits = int(np.array(anchor, dtype_of(wide.float)).view(f"u{dtype_of(wide.float).itemsize}"))
    shifted = s.plus(_bits(s, magnitude, wide.float), s.constant(anchor, wide.float))
    small = s.minus(_bits(s, shifted, wide.integer), s.like(anchor_bits, magnitude))
    least = (wide.bias - form.bias + 1) << wide.mantissa
    return s.select(s.compare("lt", magnitude, s.like(least, magnitude)), small, normal)


def _to_powers(s: Scalars, bits: SSAValue, saturate: bool, round_mode: str) -> SSAValue:
    magnitude = s.both(bits, s.like(0x7FFFFFFF, bits))
    infinity, least = s.like(0xFF << 23, bits), s.like(1 << 22, bits)
    add = {"up": 0x7FFFFF, "nearest": 0x400000, "down": 0}[round_mode]
    code = s.binary(arith.ShRUIOp, s.plus(magnitude, s.like(add, bits)) if add else magnitude, s.like(23, bits))
    if add:
        # Between 2^-127 and 2^-126 f32 has denormals: half of the exponent 0 is the least power.
        small = s.compare("le", magnitude, least) if round_mode == "up" else s.compare("lt", magnitude, s.like(3 << 21, bits))
        code = s.select(small, s.like(0, bits), code)
    if saturate:
        code = s.smaller(code, s.like(254, bits))
    else:
        code = s.select(s.compare("lt", magnitude, least), s.like(255, bits), code)
    return s.convert(arith.TruncIOp, s.select(s.compare("gt", magnitude, infinity), s.like(255, bits), code), i8)


# ---- numbers known now ------------------------------------------------------------------------------------------------------------


def stored_number(value: float, element: Attribute) -> float:
    """A number as a constant of the type that stores an element type: itself, or the bits of a narrow float."""
    if not is_narrow(element):
        return value
    narrow = convert_arrays(np.array(value, np.float64), dtype_of(element))
    return int(narrow.view(np.uint8)) if type(element) in NARROW_FLOATS else int(cast(Any, narrow).astype(np.int8))
