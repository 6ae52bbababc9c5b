"""Elementwise functions of `stepwell.numpy`, by the names of the array API standard. Operands broadcast and meet in one dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp
from stepwell.frontends.trace.frame import fail
from stepwell.frontends.trace.values import Value, check, dtype_of_value, emit, is_floating, joint_dtype, promoted, to_dtype

F32 = np.dtype(np.float32)
BOOL = np.dtype(np.bool_)


def as_float(x: Value) -> Value:
    """x, or f32 of it if it is no float."""
    x = check(x)
    dtype = dtype_of_value(x)
    return to_dtype(x, dtype if is_floating(dtype) else F32)


def _of_float(kind: type[NnOp], summary: str) -> Callable[[Value], Value]:
    def function(x: Value) -> Value:
        return emit(kind, [as_float(x)])

    function.__doc__ = summary
    return function


def _of_two(kind: type[NnOp], summary: str, *, floats: bool = False) -> Callable[[Value, Value], Value]:
    def function(a: Value, b: Value) -> Value:
        a, b = promoted(a, b)
        if floats:
            a, b = as_float(a), as_float(b)
        return emit(kind, [a, b])

    function.__doc__ = summary
    return function


exp = _of_float(nn.ExpOp, "e to the power x.")
log = _of_float(nn.LogOp, "Natural logarithm.")
sqrt = _of_float(nn.SqrtOp, "Square root.")
sin = _of_float(nn.SinOp, "Sin of every element.")
cos = _of_float(nn.CosOp, "Cos of every element.")
tan = _of_float(nn.TanOp, "Tan of every element.")
asin = _of_float(nn.AsinOp, "Asin of every element.")
acos = _of_float(nn.AcosOp, "Acos of every element.")
atan = _of_float(nn.AtanOp, "Atan of every element.")
sinh = _of_float(nn.SinhOp, "Sinh of every element.")
cosh = _of_float(nn.CoshOp, "Cosh of every element.")
tanh = _of_float(nn.TanhOp, "Tanh of every element.")
asinh = _of_float(nn.AsinhOp, "Asinh of every element.")
acosh = _of_float(nn.AcoshOp, "Acosh of every element.")
atanh = _of_float(nn.AtanhOp, "Atanh of every element.")
reciprocal = _of_float(nn.ReciprocalOp, "1 / x.")
rsqrt = _of_float(nn.RsqrtOp, "1 / sqrt(x).")
erf = _of_float(nn.ErfOp, "The error function.")
ceil = _of_float(nn.CeilOp, "Rounded up.")
floor = _of_float(nn.FloorOp, "Rounded down.")
round = _of_float(nn.RoundOp, "Rounded to the nearest, ties to even.")

add = _of_two(nn.AddOp, "a + b.")
subtract = _of_two(nn.SubOp, "a - b.")
multiply = _of_two(nn.MulOp, "a b.")
divide = _of_two(nn.DivOp, "a / b, a float.", floats=True)
maximum = _of_two(nn.MaxOp, "The larger; NaN if one is.")
minimum = _of_two(nn.MinOp, "The smaller; NaN if one is.")
remainder = _of_two(nn.ModOp, "The remainder of a / b, with the sign of b.")
less = _of_two(nn.LtOp, "a < b.")
less_equal = _of_two(nn.LeOp, "a <= b.")
greater = _of_two(nn.GtOp, "a > b.")
greater_equal = _of_two(nn.GeOp, "a >= b.")
equal = _of_two(nn.EqOp, "a == b.")
not_equal = _of_two(nn.NeOp, "a != b.")
bitwise_left_shift = _of_two(nn.ShiftLeftOp, "a shifted left by b bits.")
bitwise_right_shift = _of_two(nn.ShiftRightOp, "a shifted right by b bits.")


def _on_bits(on_bools: type[NnOp], on_integers: type[NnOp], summary: str) -> Callable[[Value, Value], Value]:
    def function(a: Value, b: Value) -> Value:
        a, b = promoted(a, b)
        return emit(on_bools if dtype_of_value(a) == BOOL else on_integers, [a, b])

    function.__doc__ = summary
    return function


bitwise_and = _on_bits(nn.AndOp, nn.BitwiseAndOp, "a and b, bit by bit.")
bitwise_or = _on_bits(nn.OrOp, nn.BitwiseOrOp, "a or b, bit by bit.")
bitwise_xor = _on_bits(nn.XorOp, nn.BitwiseXorOp, "a or b but not both, bit by bit.")


def _logical(kind: type[NnOp], summary: str) -> Callable[[Value, Value], Value]:
    def function(a: Value, b: Value) -> Value:
        return emit(kind, [_as_bool(a), _as_bool(b)])

    function.__doc__ = summary
    return function


def _as_bool(x: Value) -> Value:
    return to_dtype(check(x), BOOL)


logical_and = _logical(nn.AndOp, "Whether both hold.")
logical_or = _logical(nn.OrOp, "Whether one holds.")
logical_xor = _logical(nn.XorOp, "Whether one holds and the other does not.")


def logical_not(x: Value) -> Value:
    """Whether it does not hold."""
    return emit(nn.NotOp, [_as_bool(x)])


def bitwise_invert(x: Value) -> Value:
    """Every bit flipped."""
    x = promoted(x)[0]
    return emit(nn.NotOp if dtype_of_value(x) == BOOL else nn.BitwiseNotOp, [x])


def negative(x: Value) -> Value:
    """-x."""
    return emit(nn.NegOp, promoted(x))


def positive(x: Value) -> Value:
    """x."""
    return promoted(x)[0]


def abs(x: Value) -> Value:
    """|x|."""
    return emit(nn.AbsOp, promoted(x))


def sign(x: Value) -> Value:
    """-1, 0 or 1."""
    return emit(nn.SignOp, promoted(x))


def square(x: Value) -> Value:
    """x x."""
    x = promoted(x)[0]
    return emit(nn.MulOp, [x, x])


def isnan(x: Value) -> Value:
    """Whether it is not a number."""
    return emit(nn.IsNanOp, [as_float(x)])


def isinf(x: Value) -> Value:
    """Whether it is infinite."""
    return emit(nn.IsInfOp, [as_float(x)])


def isfinite(x: Value) -> Value:
    """Whether it is a number and not infinite."""
    return logical_not(logical_or(isnan(x), isinf(x)))


def expm1(x: Value) -> Value:
    """exp(x) - 1, as tanh(x / 2) (exp(x) + 1), which keeps the digits of small x."""
    x = as_float(x)
    return multiply(tanh(multiply(x, 0.5)), add(exp(x), 1))


def logaddexp(a: Value, b: Value) -> Value:
    """log(exp(a) + exp(b)), without overflow."""
    a, b = promoted(a, b)
    gap = abs(subtract(a, b))
    return add(maximum(a, b), emit(nn.SoftplusOp, [negative(gap)]))


def pow(a: Value, b: Value) -> Value:
    """a to the power b. A whole exponent that is known and small is multiplied out."""
    if isinstance(b, int) and not isinstance(b, bool) and 1 <= b <= 4:
        a = promoted(a)[0]
        two = a if b == 1 else emit(nn.MulOp, [a, a])
        return two if b <= 2 else emit(nn.MulOp, [two, a if b == 3 else two])
    return emit(nn.PowOp, promoted(a, b))


def floor_divide(a: Value, b: Value) -> Value:
    """The quotient, rounded down."""
    a, b = promoted(a, b)
    if is_floating(dtype_of_value(a)):
        return emit(nn.FloorOp, [emit(nn.DivOp, [a, b])])
    quotient, rest = emit(nn.DivOp, [a, b]), emit(nn.ModOp, [a, b])
    rounded_up = logical_and(not_equal(rest, 0), less(emit(nn.BitwiseXorOp, [a, b]), 0))
    return subtract(quotient, to_dtype(rounded_up, dtype_of_value(quotient)))


def where(condition: Value, a: Value, b: Value) -> Value:
    """a where the condition holds, else b."""
    a, b = promoted(a, b)
    return emit(nn.SelectOp, [_as_bool(condition), a, b])


def clip(x: Value, min: Value | None = None, max: Value | None = None) -> Value:
    """x, but at least min and at most max."""
    x = promoted(x)[0]
    bounds = {name: float(b) for name, b in (("min", min), ("max", max)) if isinstance(b, (int, float))}
    if len(bounds) == (min is not None) + (max is not None):
        return emit(nn.ClipOp, [x], **bounds)
    x = x if min is None else maximum(x, min)
    return x if max is None else minimum(x, max)


def astype(x: Value, dtype: Any) -> Value:
    """x in another dtype."""
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        fail(f"{dtype!r} is no dtype")
    return to_dtype(check(x), wanted)


def result_type(*values: Value) -> np.dtype[Any]:
    """The dtype in which values meet."""
    return joint_dtype(*(check(v) for v in values))
