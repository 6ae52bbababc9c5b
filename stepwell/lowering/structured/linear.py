"""Matrix multiplication and products of windows with a matrix: a fill and one contraction.

In: `nn.matmul` with any batch axes, `nn.window_transform`. Out: `linalg.fill` and a generic over (batch..., m, n, k); a batch axis that
broadcasts is read at 0.
"""

from __future__ import annotations

from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr

from stepwell.dialects import nn
from stepwell.dialects.nn.base import number
from stepwell.lowering.structured.emit import Emitter, broadcast_subscripts, dims, lowers, shape_of
from stepwell.lowering.structured.scalars import Scalars


def multiply_add(s: Scalars, a: SSAValue, b: SSAValue, total: SSAValue) -> SSAValue:
    """total + a b, which may be contracted to one fused operation."""
    return s.plus(total, s.times(a, b, contract=True), contract=True)


@lowers(nn.MatmulOp)
def lower_matmul(op: nn.MatmulOp, e: Emitter) -> None:
    """(b..., m, n, k): y[b..., m, n] += a[b..., m, k] b[b..., k, n]; a vector has no m, or no n."""
    a, b = e.values(op)
    left, right = shape_of(a), shape_of(b)
    out = e.accumulator(op.y)
    shape = shape_of(out)
    has_m, has_n = len(left) > 1, len(right) > 1
    batch = shape[: len(shape) - has_m - has_n]
    loops = len(shape) + 1
    batch_loops, k = dims(len(batch)), AffineExpr.dimension(loops - 1)
    m = dims(1, len(batch)) if has_m else ()
    n = dims(1, len(batch) + has_m) if has_n else ()
    reads = [
        (a, (*broadcast_subscripts(left[:-2], batch, batch_loops), *m, k)),
        (b, (*broadcast_subscripts(right[:-2], batch, batch_loops), k, *n)),
    ]
    total = e.generic(reads, e.filled(0, out), dims(len(shape)), loops, multiply_add, reductions=(loops - 1,))
    e.settle(op.y, total)


@lowers(nn.WindowTransformOp)
def lower_window_transform(op: nn.WindowTransformOp, e: Emitter) -> None:
    """(axes of the result..., p): y[.., o, .., i, ..] += matrix[i, p] x[.., o stride + p, ..]."""
    matrix, x = e.values(op)
    out = e.accumulator(op.y)
    axis: int = number(op.axis)
    place: int = number(op.place)
    stride: int = number(op.stride)
    rank = len(shape_of(out))
    loops = dims(rank)
    p, row, rest = AffineExpr.dimension(rank), loops[place], [*loops[:place], *loops[place + 1 :]]
    rest[axis] = (rest[axis] if stride == 1 else rest[axis] * AffineConstantExpr(stride)) + p
    total = e.generic([(matrix, (row, p)), (x, rest)], e.filled(0, out), loops, rank + 1, multiply_add, reductions=(rank,))
    e.settle(op.y, total)
