"""Pools: a fill and one reduction over the window.

In: `nn.max_pool`, `nn.sum_pool`, `nn.avg_pool` without pads. Out: generics over (n, oh, ow, c, kh, kw), or (n, c, oh, ow, kh, kw) for
channels_first; an operand made by `tensor.empty`, which nobody reads, gives the window its extents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineExpr

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, is_unsigned
from stepwell.dialects.nn.pool import PoolOp, lowest
from stepwell.ir.constants import dtype_of
from stepwell.lowering.structured.conv import data_subscripts, window_subscripts
from stepwell.lowering.structured.emit import Emitter, dims, lowers
from stepwell.lowering.structured.scalars import Scalars, is_half

Combine = Callable[[Scalars, SSAValue, SSAValue], SSAValue]
"""(scalars, element, what has been reduced) -> what has been reduced."""


def _reduce_window(op: PoolOp, e: Emitter, out: SSAValue, initial: Any, combine: Combine) -> SSAValue:
    if any(ints(op.pads)):
        raise e.unsupported(op, f"pads {list(ints(op.pads))} must be an nn.pad of the input by now", hint="run nn-explicit-padding first")
    (x,) = e.values(op)
    last = op.layout.data == "channels_last"
    kernel = ints(op.kernel)
    count = len(kernel)
    n = AffineExpr.dimension(0)
    spatial, c = (dims(count, 1), AffineExpr.dimension(1 + count)) if last else (dims(count, 2), AffineExpr.dimension(1))
    window = dims(count, 2 + count)
    at = window_subscripts(spatial, window, ints(op.strides), ints(op.dilations))
    reads = [(x, data_subscripts(n, at, (c,), last)), (e.window(kernel), window)]
    subscripts = data_subscripts(n, spatial, (c,), last)
    loops = 2 + 2 * count

    def body(s: Scalars, a: SSAValue, _: SSAValue, acc: SSAValue) -> SSAValue:
        return combine(s, a, acc)

    return e.generic(reads, e.filled(initial, out), subscripts, loops, body, reductions=range(2 + count, loops))


@lowers(nn.MaxPoolOp)
def lower_max_pool(op: nn.MaxPoolOp, e: Emitter) -> None:
    """The maximum, from the least value of the type."""
    element = op.result_type.element_type
    initial = lowest(np.dtype(np.float32) if is_half(element) else dtype_of(element))
    # Maxima of halves are halves: no wider accumulator is needed.
    out = e.destination(op.y)
    total = _reduce_window(op, e, out, initial, lambda s, a, acc: s.larger(s.widen(acc), a, unsigned=is_unsigned(element)))
    e.settle(op.y, total)


@lowers(nn.SumPoolOp)
def lower_sum_pool(op: nn.SumPoolOp, e: Emitter) -> None:
    """The sum, from 0."""
    e.settle(op.y, _reduce_window(op, e, e.accumulator(op.y), 0, lambda s, a, acc: s.plus(acc, a)))


@lowers(nn.AvgPoolOp)
def lower_avg_pool(op: nn.AvgPoolOp, e: Emitter) -> None:
    """The sum, divided by the size of the window (which is static)."""
    total = _reduce_window(op, e, e.accumulator(op.y), 0, lambda s, a, acc: s.plus(acc, a))
    size = float(np.prod(ints(op.kernel)))
    e.settle(op.y, e.update(op.y, total, [], lambda s, acc: s.over(acc, s.like(size, acc))))
