"""Derivatives of reductions. Extremes that are equal share the derivative alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, number
from stepwell.dialects.nn.reduce import reduced_shape
from stepwell.lowering.autodiff.emitter import Emitter, element_of, shape_of
from stepwell.lowering.autodiff.rules import JVP, LOCALLY_CONSTANT, TRANSPOSE, Tangents, same_op


def with_axes(op: Any, value: SSAValue, e: Emitter) -> SSAValue:
    """What has the shape of a reduction's result, with the reduced axes as extents of 1."""
    return e.reshape(value, reduced_shape(shape_of(op.x), ints(op.axes), True))


def _sum(op: Any, value: SSAValue, e: Emitter) -> SSAValue:
    return e.make(nn.ReduceSumOp, value, axes=op.axes, keepdims=op.keepdims)


def _extreme(op: nn.ReduceMaxOp | nn.ReduceMinOp, tangent: SSAValue, e: Emitter) -> SSAValue:
    """The mean of the tangents of all elements that are the extreme"""
    chosen = e.as_number(e.make(nn.EqOp, op.x, with_axes(op, op.y, e)), element_of(op.x))
    return e.div(_sum(op, e.mul(tangent, chosen), e), _sum(op, chosen, e))


def _product(op: nn.ReduceProdOp, tangent: SSAValue, e: Emitter) -> SSAValue:
    """The sum over elements of the tangent times the product of all others, each written out, so that zeros do not matter"""
    shape, axes = shape_of(op.x), ints(op.axes)
    kept = [d for d in range(len(shape)) if d not in axes]
    outer, n = [shape[d] for d in kept], prod(shape[d] for d in axes)
    rank = len(outer)

    def last(value: SSAValue) -> SSAValue:
        return e.reshape(e.transpose(value, [*kept, *axes]), [*outer, n])

    diagonal = e.constant(np.eye(n, dtype=np.bool_))
    others = e.select(diagonal, 1.0, e.reshape(last(op.x), [*outer, 1, n]))
    slope = e.make(nn.ReduceProdOp, others, axes=[rank + 1], keepdims=False)
    return e.reshape(e.total(e.mul(last(tangent), slope), [rank], keepdims=False), shape_of(op.y))


def _l2(op: nn.ReduceL2Op, tangent: SSAValue, e: Emitter) -> SSAValue:
    """x x' / y, and 0 for a vector of length 0"""
    zero = e.compare(nn.EqOp, op.y, 0)
    return e.div(_sum(op, e.mul(op.x, tangent), e), e.select(zero, 1.0, op.y))


def _log_sum_exp(op: nn.ReduceLogSumExpOp, tangent: SSAValue, e: Emitter) -> SSAValue:
    """The mean of the tangents, weighted by the softmax"""
    weights = e.make(nn.ExpOp, e.sub(op.x, with_axes(op, op.y, e)))
    return _sum(op, e.mul(tangent, weights), e)


REDUCTIONS: dict[type[Operation], Callable[[Any, SSAValue, Emitter], SSAValue]] = {
    nn.ReduceSumOp: lambda op, tangent, e: e.same(op, tangent),
    nn.ReduceMeanOp: lambda op, tangent, e: e.same(op, tangent),
    nn.ReduceMaxOp: _extreme,
    nn.ReduceMinOp: _extreme,
    nn.ReduceProdOp: _product,
    nn.ReduceL1Op: lambda op, tangent, e: _sum(op, e.mul(e.make(nn.SignOp, op.x), tangent), e),
    nn.ReduceL2Op: _l2,
    nn.ReduceLogSumExpOp: _log_sum_exp,
    nn.ReduceSumSquareOp: lambda op, tangent, e: e.scale(_sum(op, e.mul(op.x, tangent), e), 2),
}


def _of_tangent(rule: Callable[[Any, SSAValue, Emitter], SSAValue]) -> Callable[[Any, Tangents, Emitter], SSAValue | None]:
    return lambda op, tangents, e: None if tangents[0] is None else rule(op, tangents[0], e)


JVP.update({kind: _of_tangent(rule) for kind, rule in REDUCTIONS.items()})
JVP[nn.CumsumOp] = same_op


# ---- transposes -------------------------------------------------------------------------------------------------------------------------


def _transposed_sum(op: nn.ReduceSumOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    """Repeated over the axes"""
    return [e.broadcast(with_axes(op, cotangent, e), shape_of(op.x))]


def _transposed_mean(op: nn.ReduceMeanOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    """Repeated over the axes, divided by how many there were"""
    count = prod(shape_of(op.x)[a] for a in ints(op.axes))
    return [e.broadcast(with_axes(op, e.scale(cotangent, 1 / count), e), shape_of(op.x))]


def _transposed_cumsum(op: nn.CumsumOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    """Running sums from the other end"""
    return [e.same(op, cotangent, reverse=not number(op.reverse))]


TRANSPOSE[nn.ReduceSumOp] = _transposed_sum
TRANSPOSE[nn.ReduceMeanOp] = _transposed_mean
TRANSPOSE[nn.CumsumOp] = _transposed_cumsum
LOCALLY_CONSTANT.update(dict.fromkeys((nn.ArgmaxOp, nn.ArgminOp), "its result is a position"))
