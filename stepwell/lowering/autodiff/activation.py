"""Derivatives of activation functions. At a kink the derivative is that of the side to the left, as PyTorch has it: relu'(0) = 0."""

from __future__ import annotations

import math
from typing import Any

from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import number
from stepwell.lowering.autodiff.emitter import Emitter, element_of
from stepwell.lowering.autodiff.rules import JVP
from stepwell.lowering.autodiff.unary import Derivative, only_where, times_derivative


def _is_positive(op: Any, e: Emitter) -> SSAValue:
    return e.compare(nn.GtOp, op.x, 0)


def _leaky_relu(op: nn.LeakyReluOp, e: Emitter) -> SSAValue:
    """1 where x > 0, else alpha"""
    return e.select(_is_positive(op, e), 1.0, number(op.alpha), element_of(op.x))


def _sigmoid(op: nn.SigmoidOp, e: Emitter) -> SSAValue:
    """y (1 - y)"""
    return e.mul(op.y, e.minus_from(1, op.y))


def _elu(op: nn.EluOp, e: Emitter) -> SSAValue:
    """1 where x > 0, else alpha exp(x), of min(x, 0) that nothing overflows"""
    growth = e.make(nn.ExpOp, e.make(nn.ClipOp, op.x, max=0.0))
    return e.select(_is_positive(op, e), 1.0, e.scale(growth, number(op.alpha)))


def _selu(op: nn.SeluOp, e: Emitter) -> SSAValue:
    """gamma where x > 0, else gamma alpha exp(x)"""
    growth = e.make(nn.ExpOp, e.make(nn.ClipOp, op.x, max=0.0))
    return e.select(_is_positive(op, e), number(op.gamma), e.scale(growth, number(op.gamma) * number(op.alpha)))


def _celu(op: nn.CeluOp, e: Emitter) -> SSAValue:
    """1 where x > 0, else exp(x / alpha)"""
    growth = e.make(nn.ExpOp, e.make(nn.ClipOp, e.scale(op.x, 1 / number(op.alpha)), max=0.0))
    return e.select(_is_positive(op, e), 1.0, growth)


def _gelu(op: nn.GeluOp, e: Emitter) -> SSAValue:
    """P(x) + x p(x), P and p distribution and density; by the product rule for the tanh form"""
    x = op.x
    square = e.mul(x, x)
    if op.approximate.data == "tanh":
        c = math.sqrt(2 / math.pi)
        t = e.make(nn.TanhOp, e.scale(e.mul(x, e.shift(e.scale(square, 0.044715), 1)), c))
        slope = e.shift(e.scale(square, 3 * 0.044715 * c), c)
        inner = e.mul(e.mul(x, slope), e.minus_from(1, e.mul(t, t)))
        return e.scale(e.add(e.shift(t, 1), inner), 0.5)
    distribution = e.scale(e.shift(e.make(nn.ErfOp, e.scale(x, math.sqrt(0.5))), 1), 0.5)
    density = e.scale(e.make(nn.ExpOp, e.scale(square, -0.5)), 1 / math.sqrt(2 * math.pi))
    return e.add(distribution, e.mul(x, density))


def _silu(op: nn.SiluOp, e: Emitter) -> SSAValue:
    """s + y (1 - s), s = sigmoid(x)"""
    s = e.make(nn.SigmoidOp, op.x)
    return e.add(s, e.mul(op.y, e.minus_from(1, s)))


def _mish(op: nn.MishOp, e: Emitter) -> SSAValue:
    """t + x (1 - t^2) sigmoid(x), t = tanh(softplus(x))"""
    t = e.make(nn.TanhOp, e.make(nn.SoftplusOp, op.x))
    slope = e.mul(e.minus_from(1, e.mul(t, t)), e.make(nn.SigmoidOp, op.x))
    return e.add(t, e.mul(op.x, slope))


def _softsign(op: nn.SoftsignOp, e: Emitter) -> SSAValue:
    """1 / (1 + |x|)^2"""
    d = e.shift(e.make(nn.AbsOp, op.x), 1)
    return e.make(nn.ReciprocalOp, e.mul(d, d))


def _between(op: Any, value: SSAValue, low: float, high: float, e: Emitter) -> SSAValue:
    return e.make(nn.AndOp, e.compare(nn.GtOp, value, low), e.compare(nn.LtOp, value, high))


def _hard_sigmoid(op: nn.HardSigmoidOp, e: Emitter) -> SSAValue:
    """alpha where 0 < y < 1, else 0"""
    return e.select(_between(op, op.y, 0, 1, e), number(op.alpha), 0.0, element_of(op.x))


def _hard_swish(op: nn.HardSwishOp, e: Emitter) -> SSAValue:
    """x / 3 + 1 / 2 where -3 < x < 3, beyond it 0 and 1"""
    inside = e.shift(e.scale(op.x, 1 / 3), 0.5)
    outside = e.as_number(e.compare(nn.GeOp, op.x, 3), element_of(op.x))
    return e.select(_between(op, op.x, -3, 3, e), inside, outside)


DERIVATIVES: dict[type[Operation], Derivative] = {
    nn.LeakyReluOp: _leaky_relu,
    nn.SigmoidOp: _sigmoid,
    nn.EluOp: _elu,
    nn.SeluOp: _selu,
    nn.CeluOp: _celu,
    nn.GeluOp: _gelu,
    nn.SiluOp: _silu,
    nn.MishOp: _mish,
    nn.SoftplusOp: lambda op, e: e.make(nn.SigmoidOp, op.x),
    nn.SoftsignOp: _softsign,
    nn.HardSigmoidOp: _hard_sigmoid,
    nn.HardSwishOp: _hard_swish,
}
"""f' of y = f(x)."""

JVP.update({kind: times_derivative(derivative) for kind, derivative in DERIVATIVES.items()})
JVP[nn.ReluOp] = only_where(_is_positive)
JVP[nn.ThresholdedReluOp] = only_where(lambda op, e: e.compare(nn.GtOp, op.x, number(op.alpha)))
