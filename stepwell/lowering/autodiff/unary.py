"""Derivatives of elementwise ops of one operand: y' = f'(x) x', f' written with whichever of x and y is cheaper."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_float, number
from stepwell.lowering.autodiff.emitter import Emitter, element_of
from stepwell.lowering.autodiff.rules import JVP, LOCALLY_CONSTANT, TRANSPOSE, JvpRule, Tangents

Derivative = Callable[[Any, Emitter], SSAValue]


def _square(e: Emitter, x: SSAValue) -> SSAValue:
    return e.mul(x, x)


def _erf(op: nn.ErfOp, e: Emitter) -> SSAValue:
    """2 / sqrt(pi) exp(-x^2)"""
    return e.scale(e.make(nn.ExpOp, e.neg(_square(e, op.x))), 2 / math.sqrt(math.pi))


DERIVATIVES: dict[type[Operation], Derivative] = {
    nn.AbsOp: lambda op, e: e.make(nn.SignOp, op.x),  # 0 at 0
    nn.ExpOp: lambda op, e: op.y,
    nn.LogOp: lambda op, e: e.make(nn.ReciprocalOp, op.x),
    nn.SqrtOp: lambda op, e: e.scale(e.make(nn.ReciprocalOp, op.y), 0.5),
    nn.RsqrtOp: lambda op, e: e.scale(e.div(op.y, op.x), -0.5),
    nn.ReciprocalOp: lambda op, e: e.neg(_square(e, op.y)),
    nn.SinOp: lambda op, e: e.make(nn.CosOp, op.x),
    nn.CosOp: lambda op, e: e.neg(e.make(nn.SinOp, op.x)),
    nn.TanOp: lambda op, e: e.shift(_square(e, op.y), 1),
    nn.AsinOp: lambda op, e: e.make(nn.RsqrtOp, e.minus_from(1, _square(e, op.x))),
    nn.AcosOp: lambda op, e: e.neg(e.make(nn.RsqrtOp, e.minus_from(1, _square(e, op.x)))),
    nn.AtanOp: lambda op, e: e.make(nn.ReciprocalOp, e.shift(_square(e, op.x), 1)),
    nn.SinhOp: lambda op, e: e.make(nn.CoshOp, op.x),
    nn.CoshOp: lambda op, e: e.make(nn.SinhOp, op.x),
    nn.TanhOp: lambda op, e: e.minus_from(1, _square(e, op.y)),
    nn.AsinhOp: lambda op, e: e.make(nn.RsqrtOp, e.shift(_square(e, op.x), 1)),
    nn.AcoshOp: lambda op, e: e.make(nn.RsqrtOp, e.shift(_square(e, op.x), -1)),
    nn.AtanhOp: lambda op, e: e.make(nn.ReciprocalOp, e.minus_from(1, _square(e, op.x))),
    nn.ErfOp: _erf,
}
"""f' of y = f(x)."""


def times_derivative(derivative: Derivative) -> JvpRule:
    """The JVP of an elementwise op: the tangent times f'."""

    def jvp(op: Any, tangents: Tangents, e: Emitter) -> SSAValue | None:
        (tangent,) = tangents
        return None if tangent is None else e.mul(tangent, derivative(op, e))

    return jvp


def only_where(condition: Callable[[Any, Emitter], SSAValue]) -> JvpRule:
    """The JVP of an elementwise op that passes x on where a condition holds and is constant elsewhere."""

    def jvp(op: Any, tangents: Tangents, e: Emitter) -> SSAValue | None:
        (tangent,) = tangents
        return None if tangent is None else e.select(condition(op, e), tangent, 0.0)

    return jvp


def _clip(op: nn.ClipOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """The tangent inside and on the bounds, else 0"""
    bounds = [(kind, number(b)) for kind, b in ((nn.GeOp, op.min), (nn.LeOp, op.max)) if b is not None]
    inside = [e.compare(kind, op.x, bound) for kind, bound in bounds]
    (tangent,) = tangents
    if tangent is None or not inside:
        return tangent
    return e.select(inside[0] if len(inside) == 1 else e.make(nn.AndOp, *inside), tangent, 0.0)


def _cast(op: nn.CastOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """Between floats the tangent is converted; to integers there is no derivative."""
    (tangent,) = tangents
    return e.insert(nn.CastOp.make_to(tangent, element_of(op.y))) if tangent is not None and is_float(element_of(op.y)) else None


JVP.update({kind: times_derivative(derivative) for kind, derivative in DERIVATIVES.items()})
JVP[nn.NegOp] = lambda op, tangents, e: None if tangents[0] is None else e.neg(tangents[0])
JVP[nn.CastOp] = _cast
JVP[nn.ClipOp] = _clip
TRANSPOSE[nn.NegOp] = lambda op, linear, cotangent, e: [e.neg(cotangent)]
TRANSPOSE[nn.CastOp] = lambda op, linear, cotangent, e: [e.insert(nn.CastOp.make_to(cotangent, element_of(op.x)))]
LOCALLY_CONSTANT.update(dict.fromkeys((nn.CeilOp, nn.FloorOp, nn.RoundOp, nn.SignOp), "it is constant between its jumps"))
