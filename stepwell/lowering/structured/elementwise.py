"""Elementwise ops: one generic each, whose body is the op's meaning on one element.

In: `nn` ops of one, two or three operands that broadcast. Out: a `linalg.generic` over the shape of the result; operands are read at 0
where they broadcast and never copied. f16 and bf16 are computed in f32 and rounded once.
"""

from __future__ import annotations

import math as python_math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from xdsl.dialects.builtin import BFloat16Type, Float64Type, IntegerType, Signedness, f32, i1, i8, i32
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import arith, math, nn
from stepwell.dialects.nn.base import NnOp, broadcast_shapes, is_bool, is_float, is_integer, is_unsigned, number
from stepwell.ir.constants import NARROW_FLOATS, dtype_of, is_narrow
from stepwell.lowering.structured.emit import LOWERINGS, Emitter, shape_of
from stepwell.lowering.structured.narrow_types import narrowed_float, narrowed_integer, widened
from stepwell.lowering.structured.scalars import Scalars, is_half, signless, wide, width_of

Scalar = Callable[..., SSAValue]
ui8 = IntegerType(8, Signedness.UNSIGNED)
_F = TypeVar("_F", bound=Callable[..., SSAValue])

SCALARS: dict[type[NnOp], Scalar] = {}
"""The meaning of every elementwise op on one element: (op, scalars, elements...) -> element. Halves arrive widened and leave rounded."""


def scalar(*classes: type[NnOp]) -> Callable[[_F], _F]:
    """Register the meaning of op classes on one element."""

    def register(function: _F) -> _F:
        for op_class in classes:
            SCALARS[op_class] = function
            LOWERINGS[op_class] = lower_elementwise
        return function

    return register


def lower_elementwise(op: NnOp, e: Emitter) -> None:
    """One generic over the broadcast shape."""
    inputs = e.values(op)
    meaning = SCALARS[type(op)]
    shape = broadcast_shapes([shape_of(v) for v in inputs], op.name)

    def body(s: Scalars, *elements: SSAValue) -> SSAValue:
        return meaning(op, s, *elements)

    e.define(op.results[0], e.pointwise(inputs, e.destination(op.results[0], shape), body))


def _unsigned(op: NnOp) -> bool:
    return is_unsigned(op.operand_types[-1].element_type)


# ---- functions of the math dialect ----------------------------------------------------------------------------------------------

_MATH: dict[type[NnOp], type[Operation]] = {
    nn.ExpOp: math.ExpOp,
    nn.LogOp: math.LogOp,
    nn.SqrtOp: math.SqrtOp,
    nn.RsqrtOp: math.RsqrtOp,
    nn.SinOp: math.SinOp,
    nn.CosOp: math.CosOp,
    nn.TanOp: math.TanOp,
    nn.AsinOp: math.AsinOp,
    nn.AcosOp: math.AcosOp,
    nn.AtanOp: math.AtanOp,
    nn.SinhOp: math.SinhOp,
    nn.CoshOp: math.CoshOp,
    nn.TanhOp: math.TanhOp,
    nn.AsinhOp: math.AsinhOp,
    nn.AcoshOp: math.AcoshOp,
    nn.AtanhOp: math.AtanhOp,
    nn.ErfOp: math.ErfOp,
    nn.CeilOp: math.CeilOp,
    nn.FloorOp: math.FloorOp,
    nn.RoundOp: math.RoundEvenOp,
}


@scalar(*_MATH)
def _math(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.unary(_MATH[type(op)], x)


# ---- activations ----------------------------------------------------------------------------------------------------------------


def sigmoid(s: Scalars, x: SSAValue) -> SSAValue:
    """1 / (1 + exp(-x)); exp may overflow to infinity, which gives 0."""
    one = s.like(1.0, x)
    return s.over(one, s.plus(one, s.exp(s.negative(x))))


def softplus(s: Scalars, x: SSAValue) -> SSAValue:
    """max(x, 0) + log(1 + exp(-|x|)), which does not overflow."""
    tail = s.unary(math.Log1pOp, s.exp(s.negative(s.magnitude(x))))
    return s.plus(s.larger(x, s.like(0.0, x)), tail)


@scalar(nn.SigmoidOp)
def _sigmoid(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return sigmoid(s, x)


@scalar(nn.SiluOp)
def _silu(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.over(x, s.plus(s.like(1.0, x), s.exp(s.negative(x))))


@scalar(nn.SoftplusOp)
def _softplus(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return softplus(s, x)


@scalar(nn.MishOp)
def _mish(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.times(x, s.unary(math.TanhOp, softplus(s, x)))


@scalar(nn.SoftsignOp)
def _softsign(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.over(x, s.plus(s.like(1.0, x), s.magnitude(x)))


@scalar(nn.ReciprocalOp)
def _reciprocal(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.over(s.like(1.0, x), x)


@scalar(nn.ReluOp)
def _relu(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return x if _unsigned(op) else s.larger(x, s.like(0, x))


@scalar(nn.LeakyReluOp)
def _leaky_relu(op: nn.LeakyReluOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.select(s.compare("ge", x, s.like(0.0, x)), x, s.times(x, s.like(number(op.alpha), x)))


@scalar(nn.EluOp)
def _elu(op: nn.EluOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.select(s.compare("gt", x, s.like(0.0, x)), x, s.times(s.like(number(op.alpha), x), s.unary(math.ExpM1Op, x)))


@scalar(nn.SeluOp)
def _selu(op: nn.SeluOp, s: Scalars, x: SSAValue) -> SSAValue:
    negative = s.times(s.like(number(op.alpha), x), s.unary(math.ExpM1Op, x))
    return s.times(s.like(number(op.gamma), x), s.select(s.compare("gt", x, s.like(0.0, x)), x, negative))


@scalar(nn.CeluOp)
def _celu(op: nn.CeluOp, s: Scalars, x: SSAValue) -> SSAValue:
    zero, alpha = s.like(0.0, x), s.like(number(op.alpha), x)
    negative = s.times(alpha, s.unary(math.ExpM1Op, s.over(x, alpha)))
    return s.plus(s.larger(x, zero), s.smaller(negative, zero))


@scalar(nn.GeluOp)
def _gelu(op: nn.GeluOp, s: Scalars, x: SSAValue) -> SSAValue:
    half = s.times(s.like(0.5, x), x)
    if op.approximate.data == "tanh":
        cube = s.times(s.times(s.times(s.like(0.044715, x), x), x), x)
        inner = s.unary(math.TanhOp, s.times(s.like(python_math.sqrt(2 / python_math.pi), x), s.plus(x, cube)))
    else:
        inner = s.unary(math.ErfOp, s.times(x, s.like(python_math.sqrt(0.5), x)))
    return s.times(half, s.plus(s.like(1.0, x), inner))


def _clamped(s: Scalars, x: SSAValue) -> SSAValue:
    """max(0, min(1, x))."""
    return s.larger(s.smaller(x, s.like(1.0, x)), s.like(0.0, x))


@scalar(nn.HardSigmoidOp)
def _hard_sigmoid(op: nn.HardSigmoidOp, s: Scalars, x: SSAValue) -> SSAValue:
    return _clamped(s, s.plus(s.times(s.like(number(op.alpha), x), x), s.like(number(op.beta), x)))


@scalar(nn.HardSwishOp)
def _hard_swish(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.times(x, _clamped(s, s.plus(s.times(x, s.like(1 / 6, x)), s.like(0.5, x))))


@scalar(nn.ThresholdedReluOp)
def _thresholded_relu(op: nn.ThresholdedReluOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.select(s.compare("gt", x, s.like(number(op.alpha), x)), x, s.like(0.0, x))


# ---- signs, bits, tests -----------------------------------------------------------------------------------------------------------


@scalar(nn.AbsOp)
def _abs(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return x if _unsigned(op) else s.magnitude(x)


@scalar(nn.NegOp)
def _neg(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.negative(x)


@scalar(nn.SignOp)
def _sign(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    zero, unsigned = s.like(0, x), _unsigned(op)
    negative = x if unsigned else s.select(s.compare("lt", x, zero), s.like(-1, x), x)
    # What is neither above nor below stays: 0 and NaN.
    return s.select(s.compare("gt", x, zero, unsigned=unsigned), s.like(1, x), negative)


@scalar(nn.NotOp, nn.BitwiseNotOp)
def _not(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.binary(arith.XOrIOp, x, s.like(-1, x))


@scalar(nn.IsNanOp)
def _is_nan(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    return s.is_nan(x)


@scalar(nn.IsInfOp)
def _is_inf(op: nn.IsInfOp, s: Scalars, x: SSAValue) -> SSAValue:
    tests: list[SSAValue] = []
    if number(op.detect_positive):
        tests.append(s.compare("eq", x, s.like(python_math.inf, x)))
    if number(op.detect_negative):
        tests.append(s.compare("eq", x, s.like(-python_math.inf, x)))
    return s.constant(0, i1) if not tests else tests[0] if len(tests) == 1 else s.either(tests[0], tests[1])


@scalar(nn.ClipOp)
def _clip(op: nn.ClipOp, s: Scalars, x: SSAValue) -> SSAValue:
    dtype = dtype_of(op.operand_types[0].element_type)
    low, high = op.bounds(np.dtype(np.float32) if is_half(op.operand_types[0].element_type) else dtype)
    unsigned = _unsigned(op)
    if low is not None:
        x = s.larger(x, s.like(low.item(), x), unsigned=unsigned)
    return x if high is None else s.smaller(x, s.like(high.item(), x), unsigned=unsigned)


# ---- casts ------------------------------------------------------------------------------------------------------------------------


@scalar(nn.CastOp)
def _cast(op: nn.CastOp, s: Scalars, x: SSAValue) -> SSAValue:
    source, target = op.operand_types[0].element_type, op.result_type.element_type
    if source == target:
        return x
    if is_narrow(source):
        x = widened(s, x, source)
        source = f32 if type(source) in NARROW_FLOATS else ui8 if is_unsigned(source) else i8
    if not is_narrow(target):
        return convert(s, x, source, target)
    if isinstance(target, IntegerType):
        if is_float(source) or is_bool(source):
            x = convert(s, x, source, i32)
        return narrowed_integer(s, x, cast(IntegerType, target))
    if not is_float(source):
        x = convert(s, x, source, f32)
    return narrowed_float(s, x, target, saturate=op.saturates, round_mode=op.rounding)


def convert(s: Scalars, x: SSAValue, source: Attribute, target: Attribute) -> SSAValue:
    """x, of element type `source` (widened), as `target` (or as f32, if that is a half); signs are those of the `nn` types."""
    to: Any = signless(target)
    if is_bool(target):
        return x if is_bool(source) else s.compare("ne", x, s.like(0, x))
    if is_float(source):
        if is_integer(target):
            return s.convert(arith.FPToUIOp if is_unsigned(target) else arith.FPToSIOp, x, to)
        if isinstance(x.type, Float64Type) and not isinstance(to, Float64Type):
            # To bf16 by way of f32: no machine converts f64 to it.
            return s.convert(arith.TruncFOp, x, f32 if isinstance(to, BFloat16Type) else to)
        return s.convert(arith.ExtFOp, x, to) if isinstance(to, Float64Type) and x.type != to else x
    unsigned = is_bool(source) or is_unsigned(source)
    if is_float(target):
        return s.convert(arith.UIToFPOp if unsigned else arith.SIToFPOp, x, wide(to))
    before, after = width_of(x.type), width_of(to)
    if after == before:
        return x
    return s.convert(arith.TruncIOp if after < before else arith.ExtUIOp if unsigned else arith.ExtSIOp, x, to)


# ---- two operands -----------------------------------------------------------------------------------------------------------------


@scalar(nn.AddOp)
def _add(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.plus(a, b)


@scalar(nn.SubOp)
def _sub(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.minus(a, b)


@scalar(nn.MulOp)
def _mul(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.times(a, b)


@scalar(nn.DivOp)
def _div(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.over(a, b, unsigned=_unsigned(op))


@scalar(nn.PowOp)
def _pow(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    if is_float(a.type):
        return s.add(math.PowFOp.create(operands=(a, b), result_types=(a.type,), properties={"fastmath": arith.FastMathFlagsAttr("none")}))
    if width_of(element := a.type) >= 32:
        return s.add(math.IPowIOp.create(operands=(a, b), result_types=(element,)))
    # Narrow numbers wrap around as the low bits of wide ones do.
    wider = arith.ExtUIOp if _unsigned(op) else arith.ExtSIOp
    x, y = (s.convert(wider, v, i32) for v in (a, b))
    return s.convert(arith.TruncIOp, s.add(math.IPowIOp.create(operands=(x, y), result_types=(i32,))), element)


@scalar(nn.MaxOp)
def _max(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.larger(a, b, unsigned=_unsigned(op))


@scalar(nn.MinOp)
def _min(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.smaller(a, b, unsigned=_unsigned(op))


@scalar(nn.AndOp, nn.BitwiseAndOp)
def _and(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.binary(arith.AndIOp, a, b)


@scalar(nn.OrOp, nn.BitwiseOrOp)
def _or(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.binary(arith.OrIOp, a, b)


@scalar(nn.XorOp, nn.BitwiseXorOp)
def _xor(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.binary(arith.XOrIOp, a, b)


@scalar(nn.ShiftLeftOp)
def _shift_left(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    # A shift by the width or more is poison: it is computed for no element that keeps it.
    inside = s.compare("lt", b, s.like(width_of(a.type), b), unsigned=True)
    shift = s.select(inside, b, s.like(0, b))
    return s.select(inside, s.binary(arith.ShLIOp, a, shift), s.like(0, a))


@scalar(nn.ShiftRightOp)
def _shift_right(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    if not _unsigned(op):
        return s.binary(arith.ShRSIOp, a, s.smaller(b, s.like(width_of(a.type) - 1, b), unsigned=True))
    inside = s.compare("lt", b, s.like(width_of(a.type), b), unsigned=True)
    shift = s.select(inside, b, s.like(0, b))
    return s.select(inside, s.binary(arith.ShRUIOp, a, shift), s.like(0, a))


@scalar(nn.PreluOp)
def _prelu(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.select(s.compare("ge", a, s.like(0, a), unsigned=_unsigned(op)), a, s.times(b, a))


@scalar(nn.ModOp)
def _mod(op: nn.ModOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    unsigned = _unsigned(op)
    zero = s.like(0, a)
    if is_float(a.type):
        remainder = s.remainder(a, b)
    else:
        remainder = s.left_over(a, b, unsigned=unsigned)
    if number(op.fmod) or unsigned:
        return remainder
    # The sign of b: one more b where the signs differ and there is a remainder.
    differ = s.binary(arith.XOrIOp, s.compare("lt", remainder, zero), s.compare("lt", b, zero))
    wrong = s.both(s.compare("ne", remainder, zero), differ)
    return s.select(wrong, s.plus(remainder, b), remainder)


_PREDICATES: dict[type[NnOp], str] = {nn.EqOp: "eq", nn.NeOp: "ne", nn.LtOp: "lt", nn.LeOp: "le", nn.GtOp: "gt", nn.GeOp: "ge"}


@scalar(*_PREDICATES)
def _compare(op: NnOp, s: Scalars, a: SSAValue, b: SSAValue) -> SSAValue:
    # false < true holds for unsigned bits only.
    element = op.operand_types[0].element_type
    return s.compare(_PREDICATES[type(op)], a, b, unsigned=is_unsigned(element) or is_bool(element))


@scalar(nn.SelectOp)
def _select(op: NnOp, s: Scalars, condition: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
    return s.select(condition, a, b)
