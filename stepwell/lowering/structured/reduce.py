"""Reductions: a fill and one generic, and what is done to the result.

In: reductions over axes, positions of extremes, running sums. Out: generics whose reduced loops are `reduction`. Sums of halves are added
up in f32. An axis that stays with extent 1 (`keepdims`) is written at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import f64, i64
from xdsl.ir import SSAValue

from stepwell.dialects import arith, nn
from stepwell.dialects.nn.base import NnOp, ints, is_bool, is_float, is_unsigned, number
from stepwell.dialects.nn.pool import lowest
from stepwell.dialects.nn.reduce import ArgOp, ReduceOp, highest
from stepwell.ir.constants import dtype_of
from stepwell.lowering.structured.emit import Body, Emitter, Expr, Read, dims, element_of, lowers, shape_of, zero
from stepwell.lowering.structured.scalars import Scalars, is_half, signless, wide


def kept(rank: int, axes: Sequence[int], keepdims: bool) -> list[Expr]:
    """The subscripts of a reduced tensor over all loops."""
    return [zero() if d in axes else loop for d, loop in enumerate(dims(rank)) if keepdims or d not in axes]


def over_axes(
    e: Emitter, reads: Sequence[Read], out: SSAValue, initial: Any, axes: Sequence[int], rank: int, keepdims: bool, body: Body
) -> SSAValue:
    """fill, then `body` over all elements: the reduced tensor. Without axes it is a pointwise generic over the same fill."""
    return e.generic(reads, e.filled(initial, out), kept(rank, axes, keepdims), rank, body, reductions=axes)


def extreme(element: Any, function: Any) -> Any:
    """The neutral element of max (`lowest`) or min (`highest`)."""
    return function(np.dtype(np.float32) if is_half(element) else dtype_of(element))


# ---- plain reductions: what an element adds, how two are combined, from which value on ---------------------------------------------


def _element(op: NnOp, s: Scalars, x: SSAValue) -> SSAValue:
    if isinstance(op, nn.ReduceL1Op):
        return x if is_unsigned(op.operand_types[0].element_type) else s.magnitude(x)
    return s.times(x, x) if isinstance(op, (nn.ReduceL2Op, nn.ReduceSumSquareOp)) else x


@lowers(
    nn.ReduceSumOp, nn.ReduceProdOp, nn.ReduceL1Op, nn.ReduceSumSquareOp, nn.ReduceMaxOp, nn.ReduceMinOp, nn.ReduceMeanOp, nn.ReduceL2Op
)
def lower_reduce(op: ReduceOp, e: Emitter) -> None:
    """One reduction, then a division by the count (mean) or a root (l2)."""
    (x,) = e.values(op)
    rank, axes, keepdims = len(shape_of(x)), ints(op.axes), number(op.keepdims)
    element = op.operand_types[0].element_type
    unsigned = is_unsigned(element)
    initial: Any = 1 if isinstance(op, nn.ReduceProdOp) else 0
    is_max, is_min = isinstance(op, nn.ReduceMaxOp), isinstance(op, nn.ReduceMinOp)
    if is_max or is_min:
        initial = is_min if is_bool(element) else extreme(element, lowest if is_max else highest)

    def body(s: Scalars, value: SSAValue, total: SSAValue) -> SSAValue:
        value = _element(op, s, value)
        if is_max or is_min:
            if is_bool(element):
                return s.either(total, value) if is_max else s.both(total, value)
            return (s.larger if is_max else s.smaller)(s.widen(total), value, unsigned=unsigned)
        return s.times(total, value) if isinstance(op, nn.ReduceProdOp) else s.plus(total, value)

    out = e.destination(op.y) if is_max or is_min else e.accumulator(op.y)
    result = over_axes(e, [(x, dims(rank))], out, initial, axes, rank, keepdims, body)
    if isinstance(op, nn.ReduceMeanOp):
        n = e.count(x, axes, element_of(result))
        result = e.update(op.y, result, [], lambda s, total: s.over(total, n, unsigned=unsigned))
    elif isinstance(op, nn.ReduceL2Op):
        result = e.update(op.y, result, [], lambda s, total: _root(s, total, unsigned))
    e.settle(op.y, result)


def _root(s: Scalars, total: SSAValue, unsigned: bool) -> SSAValue:
    if is_float(total.type):
        return s.sqrt(total)
    real = s.sqrt(s.convert(arith.UIToFPOp if unsigned else arith.SIToFPOp, total, f64))
    return s.convert(arith.FPToUIOp if unsigned else arith.FPToSIOp, real, total.type)


@lowers(nn.ReduceLogSumExpOp)
def lower_log_sum_exp(op: nn.ReduceLogSumExpOp, e: Emitter) -> None:
    """max, then the sum of exp(x - max), then log + max; an infinite maximum is not subtracted."""
    (x,) = e.values(op)
    rank, axes, keepdims = len(shape_of(x)), ints(op.axes), number(op.keepdims)
    element = wide(element_of(x))
    shape = op.result_type.get_shape()
    subscripts = kept(rank, axes, keepdims)
    infinity = float("inf")
    top = over_axes(e, [(x, dims(rank))], e.empty(shape, element), -infinity, axes, rank, keepdims, lambda s, a, acc: s.larger(acc, a))

    def finite(s: Scalars, a: SSAValue) -> SSAValue:
        return s.select(s.compare("lt", s.magnitude(a), s.like(infinity, a)), a, s.like(0.0, a))

    shift = e.pointwise([top], e.empty(shape, element), finite)
    total = over_axes(
        e,
        [(x, dims(rank)), (shift, subscripts)],
        e.accumulator(op.y),
        0,
        axes,
        rank,
        keepdims,
        lambda s, a, m, acc: s.plus(acc, s.exp(s.minus(a, m))),
    )
    e.settle(op.y, e.update(op.y, total, [(shift, dims(len(shape)))], lambda s, m, acc: s.plus(s.log(acc), m)))


# ---- positions --------------------------------------------------------------------------------------------------------------------


@lowers(nn.ArgmaxOp, nn.ArgminOp)
def lower_arg(op: ArgOp, e: Emitter) -> None:
    """The extreme, then the first (or last) position where it stands: two plain reductions. Where the extreme is NaN, NaN is looked for."""
    (x,) = e.values(op)
    rank, axis, keepdims = len(shape_of(x)), number(op.axis), number(op.keepdims)
    element = op.operand_types[0].element_type
    unsigned, is_max, last = is_unsigned(element), isinstance(op, nn.ArgmaxOp), number(op.select_last)
    shape = op.result_type.get_shape()

    def better(s: Scalars, value: SSAValue, acc: SSAValue) -> SSAValue:
        return (s.larger if is_max else s.smaller)(s.widen(acc), value, unsigned=unsigned)

    initial = extreme(element, lowest if is_max else highest)
    best = over_axes(e, [(x, dims(rank))], e.empty(shape, signless(element)), initial, (axis,), rank, keepdims, better)

    def position(s: Scalars, value: SSAValue, extreme: SSAValue, acc: SSAValue) -> SSAValue:
        here = s.from_index(e.index(s, axis), i64)
        found = s.compare("eq", value, extreme)
        if is_float(value.type):
            found = s.either(found, s.both(s.is_nan(value), s.is_nan(extreme)))
        nearer = s.larger(acc, here) if last else s.smaller(acc, here)
        return s.select(found, nearer, acc)

    reads = [(x, dims(rank)), (best, kept(rank, (axis,), keepdims))]
    # The first fill is beyond every position; what is found is always nearer.
    none = -1 if last else np.iinfo(np.int64).max
    e.define(op.y, over_axes(e, reads, e.destination(op.y), none, (axis,), rank, keepdims, position))


# ---- running sums -----------------------------------------------------------------------------------------------------------------


@lowers(nn.CumsumOp)
def lower_cumsum(op: nn.CumsumOp, e: Emitter) -> None:
    """Every element sums what stands before it: n^2 / 2 additions, but no element waits for another."""
    (x,) = e.values(op)
    rank, axis = len(shape_of(x)), number(op.axis)
    exclusive, reverse = number(op.exclusive), number(op.reverse)
    read = [*dims(rank)]
    read[axis] = dims(1, rank)[0]
    predicate = {(False, False): "le", (True, False): "lt", (False, True): "ge", (True, True): "gt"}[(exclusive, reverse)]

    def body(s: Scalars, value: SSAValue, acc: SSAValue) -> SSAValue:
        counts = s.compare(predicate, e.index(s, rank), e.index(s, axis))
        return s.select(counts, s.plus(acc, value), acc)

    out = e.accumulator(op.y)
    e.settle(op.y, e.generic([(x, read)], e.filled(0, out), dims(rank), rank + 1, body, reductions=(rank,)))
