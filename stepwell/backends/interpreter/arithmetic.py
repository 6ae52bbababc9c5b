"""`arith` and `math`: scalar functions, which take numpy arrays as well, element by element.

Integers wrap, floats round once per op. Functions of `math` are computed in f64 and rounded; fma is exact.
"""

from __future__ import annotations

import math as python_math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import UnrealizedConversionCastOp
from xdsl.dialects.ub import PoisonOp
from xdsl.ir import Operation

from stepwell.backends.interpreter.floats import (
    clamp,
    count_bits,
    elementwise,
    float_power,
    fma,
    in_f64,
    integer_power,
    is_normal,
    maximum,
    minimum,
    reciprocal_root,
    round_away,
)
from stepwell.backends.interpreter.integers import (
    Binary,
    Function,
    Unary,
    Value,
    add_with_carry,
    as_index,
    as_it_is,
    as_signed,
    as_unsigned,
    binary,
    ceiling_division,
    division,
    floor_division,
    identity,
    integer,
    larger,
    remainder,
    same,
    sign_extend,
    smaller,
    truncated,
    unary,
    unsigned,
    unsigned_bits,
    unsigned_ceiling,
    unsigned_remainder,
    where,
    wide_product,
)
from stepwell.backends.interpreter.machine import Code, Control, Implementation
from stepwell.backends.interpreter.values import constant_value, element_dtype, garbage, is_array, is_index, shape_of
from stepwell.dialects import arith, math
from stepwell.dialects.support import element_of

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
        read: Unary = sign_extend if name.startswith("s") else identity
        return lambda a, b: np.asarray(function(read(a), read(b)))[()]
    if name.startswith("u"):
        dtype = element_dtype(kind)
        return lambda a, b: np.asarray(function(unsigned_bits(a, dtype), unsigned_bits(b, dtype)))[()]
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


# ---- casts ----------------------------------------------------------------------------------------------------------------------


def conversion(read: Callable[[Value, np.dtype[Any]], Value]) -> Implementation:
    """A conversion: `read` gives the number that the operand stands for, numpy converts it."""

    def make(op: Operation) -> Unary:
        source, dest = element_of(op.operands[0].type), element_of(op.results[0].type)
        source_dtype = element_dtype(source)
        if is_index(dest):
            return lambda value: as_index(read(value, source_dtype))
        dtype = element_dtype(dest)
        if dtype == np.bool_:
            return lambda value: (np.asarray(read(value, source_dtype)).astype(np.int64) & 1).astype(np.bool_)[()]
        return lambda value: np.asarray(read(value, source_dtype)).astype(dtype)[()]

    return make


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
    arith.MulUIExtendedOp: wide_product(unsigned_bits),
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
