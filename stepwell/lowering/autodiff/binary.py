"""Derivatives of elementwise ops of two and three operands. Where operands were broadcast, cotangents are summed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.lowering.autodiff.emitter import Emitter, element_of, shape_of
from stepwell.lowering.autodiff.rules import JVP, TRANSPOSE, JvpRule, Tangents
from stepwell.lowering.graph.values import splat_value


def wide(e: Emitter, tangent: SSAValue | None, op: Any) -> SSAValue | None:
    """A tangent repeated to the shape of the result, where nothing else broadcasts it."""
    return None if tangent is None else e.broadcast(tangent, shape_of(op.results[0]))


def _add(op: nn.AddOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    a, b = tangents
    return wide(e, e.sum_of(a, b), op)


def _sub(op: nn.SubOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    a, b = tangents
    if a is not None and b is not None:
        return e.sub(a, b)
    return wide(e, a, op) if b is None else wide(e, e.neg(b), op)


def _mul(op: nn.MulOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """a' b + a b', of a square 2 a a'"""
    a, b = tangents
    if op.a is op.b and a is not None:
        return e.mul(a, e.scale(op.a, 2))
    return e.sum_of(None if a is None else e.mul(a, op.b), None if b is None else e.mul(op.a, b))


def _div(op: nn.DivOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """a' / b - y b' / b"""
    a, b = tangents
    first = None if a is None else e.div(a, op.b)
    if b is None:
        return first
    second = e.mul(e.div(op.y, op.b), b)
    return e.neg(second) if first is None else e.sub(first, second)


def _pow(op: nn.PowOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """b a^(b - 1) a' + y log(a) b'; 0^0 is flat in its base, and where a <= 0 nothing is known of the exponent but 0"""
    a, b = tangents
    exponent = splat_value(op.b)
    base: SSAValue | None = None
    if a is not None and exponent is not None:
        n = float(exponent)
        if n == 1:
            base = a
        elif n != 0:
            base = e.mul(a, e.scale(op.a if n == 2 else e.make(nn.PowOp, op.a, e.number(n - 1, element_of(op.a))), n))
    elif a is not None:
        flat = e.compare(nn.EqOp, op.b, 0)
        reduced = e.select(flat, 1.0, e.shift(op.b, -1))
        base = e.mul(a, e.mul(op.b, e.make(nn.PowOp, op.a, reduced)))
    if b is None:
        return wide(e, base, op)
    positive = e.compare(nn.GtOp, op.a, 0)
    log = e.select(positive, e.make(nn.LogOp, e.select(positive, op.a, 1.0)), 0.0)
    return wide(e, e.sum_of(base, e.mul(e.mul(op.y, log), b)), op)


def _extreme(chosen: type[nn.GtOp | nn.LtOp]) -> JvpRule:
    """The tangent of the operand that is chosen; of equal ones the mean."""

    def jvp(op: Any, tangents: Tangents, e: Emitter) -> SSAValue | None:
        element = element_of(op.y)
        tie = e.make(nn.EqOp, op.a, op.b)

        def share(first: SSAValue, second: SSAValue, tangent: SSAValue | None) -> SSAValue | None:
            if tangent is None:
                return None
            whole = e.as_number(e.make(chosen, first, second), element)
            return e.mul(e.select(tie, 0.5, whole), tangent)

        return e.sum_of(share(op.a, op.b, tangents[0]), share(op.b, op.a, tangents[1]))

    return jvp


def _prelu(op: nn.PreluOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """a' where a >= 0, elsewhere b a' + a b'"""
    a, b = tangents
    positive = e.compare(nn.GeOp, op.a, 0)
    first = None if a is None else e.mul(e.select(positive, 1.0, op.b), a)
    return e.sum_of(first, None if b is None else e.mul(e.select(positive, 0.0, op.a), b))


def _mod(op: nn.ModOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """a' - b' times the whole quotient, which jumps only where the remainder does"""
    a, b = tangents
    if b is None:
        return wide(e, a, op)
    quotient = e.make(nn.RoundOp, e.div(e.sub(op.a, op.y), op.b))
    second = e.mul(quotient, b)
    return e.neg(second) if a is None else e.sub(a, second)


def _select(op: nn.SelectOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    _, a, b = tangents
    if a is None and b is None:
        return None
    return wide(e, e.select(op.condition, 0.0 if a is None else a, 0.0 if b is None else b), op)


JVP[nn.AddOp] = _add
JVP[nn.SubOp] = _sub
JVP[nn.MulOp] = _mul
JVP[nn.DivOp] = _div
JVP[nn.PowOp] = _pow
JVP[nn.MaxOp] = _extreme(nn.GtOp)
JVP[nn.MinOp] = _extreme(nn.LtOp)
JVP[nn.PreluOp] = _prelu
JVP[nn.ModOp] = _mod
JVP[nn.SelectOp] = _select


# ---- transposes -------------------------------------------------------------------------------------------------------------------------


def _for_operands(op: Any, linear: Sequence[bool], values: Sequence[SSAValue | None], e: Emitter) -> Tangents:
    """Cotangents summed to the shapes of the operands."""
    return [
        e.unbroadcast(v, shape_of(o)) if wanted and v is not None else None
        for o, wanted, v in zip(op.operands, linear, values, strict=True)
    ]


def _transposed_mul(op: nn.MulOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    """Each factor's cotangent is the result's times the other factor."""
    return _for_operands(op, linear, [e.mul(cotangent, op.b) if linear[0] else None, e.mul(op.a, cotangent) if linear[1] else None], e)


def _transposed_select(op: nn.SelectOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    """Zero for the operand that was not chosen."""
    a = e.select(op.condition, cotangent, 0.0) if linear[1] else None
    b = e.select(op.condition, 0.0, cotangent) if linear[2] else None
    return _for_operands(op, linear, [None, a, b], e)


def _transposed_sub(op: nn.SubOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    (a, b) = _for_operands(op, linear, [cotangent, cotangent], e)
    return [a, None if b is None else e.neg(b)]


TRANSPOSE[nn.AddOp] = lambda op, linear, cotangent, e: _for_operands(op, linear, [cotangent, cotangent], e)
TRANSPOSE[nn.SubOp] = _transposed_sub
TRANSPOSE[nn.MulOp] = _transposed_mul
TRANSPOSE[nn.DivOp] = lambda op, linear, cotangent, e: _for_operands(op, linear, [e.div(cotangent, op.b), None], e)
TRANSPOSE[nn.SelectOp] = _transposed_select
