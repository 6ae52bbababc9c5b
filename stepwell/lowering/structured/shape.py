"""Ops that move elements, inside a kernel: generics whose subscripts say from where.

In: `nn.transpose`, `nn.broadcast_to`, `nn.slice`, `nn.pad`. Out: one generic each. (In @main, slices, pads, reshapes and concatenations
are views: see `stepwell.lowering.structured.views`.)
"""

from __future__ import annotations

from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineConstantExpr

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, number
from stepwell.lowering.structured.conv import times
from stepwell.lowering.structured.emit import Emitter, Expr, dims, element_of, lowers, shape_of
from stepwell.lowering.structured.narrow_types import stored_number
from stepwell.lowering.structured.scalars import INDEX, Scalars


@lowers(nn.TransposeOp)
def lower_transpose(op: nn.TransposeOp, e: Emitter) -> None:
    """y[d...] = x[d permuted]."""
    (x,) = e.values(op)
    permutation = ints(op.permutation)
    loops = dims(len(permutation))
    read = [loops[permutation.index(d)] for d in range(len(permutation))]
    e.define(op.y, e.generic([(x, read)], e.destination(op.y), loops, len(loops), lambda s, a, _: a, raw=True))


@lowers(nn.BroadcastToOp)
def lower_broadcast(op: nn.BroadcastToOp, e: Emitter) -> None:
    """y[d...] = x[d or 0]."""
    (x,) = e.values(op)
    e.define(op.y, e.pointwise([x], e.destination(op.y), lambda s, a: a, raw=True))


@lowers(nn.SliceOp)
def lower_slice(op: nn.SliceOp, e: Emitter) -> None:
    """y[d...] = x[start + d step]."""
    (x,) = e.values(op)
    rank = len(shape_of(x))
    starts, steps, extents = ints(op.starts), ints(op.steps), shape_of(op.y)
    axes = zip(starts, steps, extents, shape_of(x), strict=True)
    if any(not start and step == 1 and extent < whole for start, step, extent, whole in axes):
        # The front of a dimension: subscripted by the bare loop, it would have the loop's extent.
        def element(s: Scalars, _: SSAValue) -> SSAValue:
            at = [
                s.plus(s.times(e.index(s, d), s.constant(step, INDEX)), s.constant(start, INDEX))
                for d, (start, step) in enumerate(zip(starts, steps, strict=True))
            ]
            return e.extract(s, x, at, raw=True)

        e.define(op.y, e.generic([], e.destination(op.y), dims(rank), rank, element, raw=True))
        return
    read: list[Expr] = []
    for loop, start, step in zip(dims(rank), ints(op.starts), ints(op.steps), strict=True):
        scaled = times(loop, step)
        read.append(scaled + AffineConstantExpr(start) if start else scaled)
    e.define(op.y, e.generic([(x, read)], e.destination(op.y), dims(rank), rank, lambda s, a, _: a, raw=True))


@lowers(nn.PadOp)
def lower_pad(op: nn.PadOp, e: Emitter) -> None:
    """y[d...] = x at the position that the mode says, which is always inside; or the value, where the position is outside."""
    (x,) = e.values(op)
    rank, low, mode = len(shape_of(x)), ints(op.low), op.mode.data
    padded = [d for d in range(rank) if low[d] or ints(op.high)[d]]
    lasts = {d: e.last(x, d) for d in padded}
    outside = stored_number(number(op.value), op.result_type.element_type)

    def body(s: Scalars, _: SSAValue) -> SSAValue:
        zero = s.constant(0, INDEX)
        inside: SSAValue | None = None
        at = [e.index(s, d) for d in range(rank)]
        for d in padded:
            i, last = s.minus(at[d], s.constant(low[d], INDEX)), lasts[d]
            if mode == "reflect":
                # |i| folds at the front, last - |last - i| at the back.
                i = s.larger(i, s.minus(zero, i))
                beyond = s.minus(last, i)
                i = s.minus(last, s.larger(beyond, s.minus(zero, beyond)))
            elif mode == "constant":
                test = s.both(s.compare("ge", i, zero), s.compare("le", i, last))
                inside = test if inside is None else s.both(inside, test)
            at[d] = s.larger(s.smaller(i, last), zero)
        value = e.extract(s, x, at, raw=True)
        return value if inside is None else s.select(inside, value, s.constant(outside, element_of(x)))

    e.define(op.y, e.generic([], e.destination(op.y), dims(rank), rank, body, raw=True))
