"""Normalisations: reductions to a few scalars for each row, then one pointwise generic.

In: `nn.softmax`, `nn.layer_norm` and the like. Out: a short list of fills and generics. Nothing of the size of the data is stored but the
result itself: softmax keeps its exponentials in the destination, the others read their input again. Counts are computed from
`tensor.dim`.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr

from stepwell.dialects import arith, math, nn
from stepwell.dialects.nn.base import NnOp, number
from stepwell.lowering.structured.emit import Body, Emitter, Expr, Read, broadcast_subscripts, dims, element_of, loop_of, lowers, shape_of
from stepwell.lowering.structured.reduce import kept, over_axes
from stepwell.lowering.structured.scalars import INDEX, Scalars, is_half, wide


def _row_maximum(e: Emitter, x: SSAValue, axis: int) -> SSAValue:
    shape = [n for d, n in enumerate(shape_of(x)) if d != axis]
    rank = len(shape) + 1
    out = e.empty(shape, wide(element_of(x)))
    return over_axes(e, [(x, dims(rank))], out, float("-inf"), (axis,), rank, False, lambda s, a, acc: s.larger(acc, a))


@lowers(nn.SoftmaxOp)
def lower_softmax(op: nn.SoftmaxOp, e: Emitter) -> None:
    """max; exp(x - max) into the destination; its sum; the destination divided by the sum."""
    (x,) = e.values(op)
    axis, shape = number(op.axis), shape_of(x)
    rank = len(shape)
    row = kept(rank, (axis,), False)
    rows = [shape[d] for d in range(rank) if d != axis]
    top = _row_maximum(e, x, axis)
    element = wide(element_of(x))

    def exponential(s: Scalars, a: SSAValue, m: SSAValue, *rest: SSAValue) -> SSAValue:
        return s.exp(s.minus(a, m))

    reads: list[Read] = [(x, dims(rank)), (top, row)]
    if is_half(element_of(x)):
        # Exponentials in half precision would spoil the sum: they are computed twice instead of being stored.
        total = over_axes(e, reads, e.empty(rows, element), 0, (axis,), rank, False, lambda s, a, m, acc: s.plus(acc, exponential(s, a, m)))

        def divide(s: Scalars, a: SSAValue, m: SSAValue, t: SSAValue, _: SSAValue) -> SSAValue:
            return s.over(exponential(s, a, m), t)

        e.define(op.y, e.generic([*reads, (total, row)], e.destination(op.y), dims(rank), rank, divide))
        return
    powers = e.generic(reads, e.destination(op.y), dims(rank), rank, exponential)
    total = over_axes(e, [(powers, dims(rank))], e.empty(rows, element), 0, (axis,), rank, False, lambda s, a, acc: s.plus(acc, a))
    e.define(op.y, e.update(op.y, powers, [(total, row)], lambda s, t, a: s.over(a, t)))


@lowers(nn.LogSoftmaxOp)
def lower_log_softmax(op: nn.LogSoftmaxOp, e: Emitter) -> None:
    """max; the sum of exp(x - max); (x - max) - log(sum)."""
    (x,) = e.values(op)
    axis, shape = number(op.axis), shape_of(x)
    rank = len(shape)
    row = kept(rank, (axis,), False)
    rows = [shape[d] for d in range(rank) if d != axis]
    reads: list[Read] = [(x, dims(rank)), (_row_maximum(e, x, axis), row)]

    def add(s: Scalars, a: SSAValue, m: SSAValue, acc: SSAValue) -> SSAValue:
        return s.plus(acc, s.exp(s.minus(a, m)))

    total = over_axes(e, reads, e.empty(rows, wide(element_of(x))), 0, (axis,), rank, False, add)
    logs = e.update(total, total, [], lambda s, t: s.log(t))

    def body(s: Scalars, a: SSAValue, m: SSAValue, t: SSAValue, _: SSAValue) -> SSAValue:
        return s.minus(s.minus(a, m), t)

    e.define(op.y, e.generic([*reads, (logs, row)], e.destination(op.y), dims(rank), rank, body))


# ---- moments ----------------------------------------------------------------------------------------------------------------------


def _mean(e: Emitter, reads: Sequence[Read], rows: Sequence[int], row: Sequence[Expr], loops: int, n: SSAValue, body: Body) -> SSAValue:
    """The mean over the loops that `row` does not name: sum, then division by n."""
    out = e.empty(rows, n.type)
    named = {loop_of(expr) for expr in row}
    total = e.generic(reads, e.filled(0, out), row, loops, body, reductions=[d for d in range(loops) if d not in named])
    return e.update(total, total, [], lambda s, t: s.over(t, n))


def _square_of_difference(s: Scalars, x: SSAValue, mean: SSAValue, *rest: SSAValue) -> SSAValue:
    difference = s.minus(x, mean)
    return s.plus(rest[-1], s.times(difference, difference))


def _normal(s: Scalars, x: SSAValue, mean: SSAValue, variance: SSAValue, epsilon: float) -> SSAValue:
    """(x - mean) / sqrt(variance + epsilon)."""
    return s.times(s.minus(x, mean), s.unary(math.RsqrtOp, s.plus(variance, s.like(epsilon, variance))))


@lowers(nn.LayerNormOp)
def lower_layer_norm(op: nn.LayerNormOp, e: Emitter) -> None:
    """mean; variance; (x - mean) rsqrt(variance + epsilon) scale + bias."""
    x, scale, *bias = e.values(op)
    shape, axis = shape_of(x), number(op.axis)
    rank = len(shape)
    row, every = dims(axis), dims(rank)
    n = e.count(x, range(axis, rank), wide(element_of(x)))
    mean = _mean(e, [(x, every)], shape[:axis], row, rank, n, lambda s, a, acc: s.plus(acc, a))
    variance = _mean(e, [(x, every), (mean, row)], shape[:axis], row, rank, n, _square_of_difference)
    parameters: list[Read] = [(p, broadcast_subscripts(shape_of(p), shape, every)) for p in (scale, *bias)]

    def body(s: Scalars, a: SSAValue, m: SSAValue, v: SSAValue, g: SSAValue, *rest: SSAValue) -> SSAValue:
        y = s.times(_normal(s, a, m, v, number(op.epsilon)), g)
        return s.plus(y, rest[0]) if bias else y

    reads: list[Read] = [(x, every), (mean, row), (variance, row), *parameters]
    e.define(op.results[0], e.generic(reads, e.destination(op.results[0]), every, rank, body))


@lowers(nn.RmsNormOp)
def lower_rms_norm(op: nn.RmsNormOp, e: Emitter) -> None:
    """mean of squares; x rsqrt(mean + epsilon) scale."""
    x, scale = e.values(op)
    shape, axis = shape_of(x), number(op.axis)
    rank = len(shape)
    row, every = dims(axis), dims(rank)
    n = e.count(x, range(axis, rank), wide(element_of(x)))
    mean = _mean(e, [(x, every)], shape[:axis], row, rank, n, lambda s, a, acc: s.plus(acc, s.times(a, a)))

    def body(s: Scalars, a: SSAValue, m: SSAValue, g: SSAValue, _: SSAValue) -> SSAValue:
        return s.times(s.times(a, s.unary(math.RsqrtOp, s.plus(m, s.like(number(op.epsilon), m)))), g)

    reads: list[Read] = [(x, every), (mean, row), (scale, broadcast_subscripts(shape_of(scale), shape, every))]
    e.define(op.results[0], e.generic(reads, e.destination(op.results[0]), every, rank, body))


@lowers(nn.BatchNormOp)
def lower_batch_norm(op: nn.BatchNormOp, e: Emitter) -> None:
    """One pointwise generic (the graph passes fold its parameters into the convolution before, where there is one)."""
    x, *parameters = e.values(op)
    rank = len(shape_of(x))
    every = dims(rank)
    axis: int = number(op.axis)
    channel = (every[axis],)

    def body(s: Scalars, a: SSAValue, g: SSAValue, b: SSAValue, m: SSAValue, v: SSAValue, _: SSAValue) -> SSAValue:
        return s.plus(s.times(_normal(s, a, m, v, number(op.epsilon)), g), b)

    reads: list[Read] = [(x, every), *((p, channel) for p in parameters)]
    e.define(op.results[0], e.generic(reads, e.destination(op.results[0]), every, rank, body))


@lowers(nn.InstanceNormOp)
def lower_instance_norm(op: nn.InstanceNormOp, e: Emitter) -> None:
    """Moments over the spatial axes of each sample and channel."""
    _normalise_groups(op, e, None)


@lowers(nn.GroupNormOp)
def lower_group_norm(op: nn.GroupNormOp, e: Emitter) -> None:
    """Moments over the spatial axes and a group of channels of each sample."""
    axis: int = number(op.axis)
    _normalise_groups(op, e, op.operand_types[0].get_shape()[axis] // number(op.groups))


def _normalise_groups(op: NnOp, e: Emitter, size: int | None) -> None:
    """`size` channels make a group (None: every channel is one). The loops of the moments: n, group, [channel within], spatial axes."""
    x, scale, bias = e.values(op)
    shape = shape_of(x)
    axis: int = number(op.properties["axis"])
    rank, epsilon = len(shape), number(op.properties["epsilon"])
    spatial_axes = [d for d in range(1, rank) if d != axis]
    group = AffineExpr.dimension(1)
    inner = 1 if size is None else 2
    channel = group if size is None else group * AffineConstantExpr(size) + AffineExpr.dimension(2)
    spatial = dict(zip(spatial_axes, dims(len(spatial_axes), 1 + inner), strict=True))
    at = [AffineExpr.dimension(0) if d == 0 else channel if d == axis else spatial[d] for d in range(rank)]
    loops = 1 + inner + len(spatial_axes)
    row = dims(2)
    rows = [shape[0], shape[axis] // (size or 1)]
    n = e.count(x, spatial_axes, wide(element_of(x)), size or 1)
    # An operand that nobody reads tells the loop over the channels of a group its extent.
    inside: list[Read] = [] if size is None else [(e.window((size,)), dims(1, 2))]

    def add(s: Scalars, a: SSAValue, *rest: SSAValue) -> SSAValue:
        return s.plus(rest[-1], a)

    mean = _mean(e, [(x, at), *inside], rows, row, loops, n, add)
    variance = _mean(e, [(x, at), (mean, row), *inside], rows, row, loops, n, _square_of_difference)
    every = dims(rank)
    of_group = (every[0], every[axis] if size is None else every[axis] // AffineConstantExpr(size))
    reads: list[Read] = [(x, every), (mean, of_group), (variance, of_group), (scale, (every[axis],)), (bias, (every[axis],))]

    def body(s: Scalars, a: SSAValue, m: SSAValue, v: SSAValue, g: SSAValue, b: SSAValue, _: SSAValue) -> SSAValue:
        return s.plus(s.times(_normal(s, a, m, v, epsilon), g), b)

    e.define(op.results[0], e.generic(reads, e.destination(op.results[0]), every, rank, body))


@lowers(nn.LrnOp)
def lower_lrn(op: nn.LrnOp, e: Emitter) -> None:
    """The sum of squares over a window of channels, cut at the edges; then x / (k + alpha / size sum)^beta."""
    (x,) = e.values(op)
    shape, axis, size = shape_of(x), number(op.axis), number(op.size)
    rank = len(shape)
    every = dims(rank)
    extent = e.dim(x, axis)

    def add(s: Scalars, _: SSAValue, acc: SSAValue) -> SSAValue:
        offset = s.minus(e.index(s, rank), s.constant((size - 1) // 2, INDEX))
        c = s.plus(e.index(s, axis), offset)
        zero, last = s.constant(0, INDEX), s.minus(extent, s.constant(1, INDEX))
        inside = s.both(s.compare("ge", c, zero), s.compare("le", c, last))
        at = [e.index(s, d) for d in range(rank)]
        at[axis] = s.larger(s.smaller(c, last), zero)
        value = e.extract(s, x, at)
        return s.select(inside, s.plus(acc, s.times(value, value)), acc)

    out = e.accumulator(op.y)
    total = e.generic([(e.window((size,)), dims(1, rank))], e.filled(0, out), every, rank + 1, add, reductions=(rank,))

    def body(s: Scalars, a: SSAValue, t: SSAValue) -> SSAValue:
        scaled = s.plus(s.like(number(op.k), t), s.times(s.like(number(op.alpha) / size, t), t))
        properties = {"fastmath": arith.FastMathFlagsAttr("none")}
        power = math.PowFOp.create(operands=(scaled, s.like(number(op.beta), t)), result_types=(t.type,), properties=properties)
        return s.over(a, s.add(power))

    e.settle(op.y, e.update(op.y, total, [(x, every)], body))
