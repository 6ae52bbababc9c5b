"""Matrix multiplication and products of windows with a matrix: a fill and one contraction.

In: `nn.matmul` with any batch axes, `nn.window_transform`. Out: `linalg.fill` and a generic over (batch..., m, n, k); a batch axis that
broadcasts is read at 0.
"""

from __future__ import annotations

from xdsl.dialects.builtin import f32, i8, i32
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr

from stepwell.dialects import arith, nn
from stepwell.dialects.nn.base import number
from stepwell.lowering.structured.emit import Emitter, broadcast_subscripts, dims, lowers, shape_of
from stepwell.lowering.structured.scalars import Scalars


def multiply_add(s: Scalars, a: SSAValue, b: SSAValue, total: SSAValue) -> SSAValue:
    """total + a b, which may be contracted to one fused operation. Bytes are widened first: an unsigned `a`, a signed `b`."""
    if b.type == i8 and total.type == f32:
        b = s.convert(arith.SIToFPOp, b, f32)
    if a.type == i8 and total.type == i32:
        a, b = s.convert(arith.ExtUIOp, a, i32), s.convert(arith.ExtSIOp, b, i32)
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


@lowers(nn.BlockQuantizedMatmulOp)
def lower_block_quantized_matmul(op: nn.BlockQuantizedMatmulOp, e: Emitter) -> None:
    """(m..., n, b, p, h): y[m..., n] += a[m..., b, p, h] (bits h of w[b, p, n] - zeros[b, n]) scales[b, n]."""
    a, weights, scales, zeros = e.values(op)
    parts = shape_of(a)[-1]
    bits = 8 // parts
    out = e.accumulator(op.y)
    rank = len(shape_of(out))
    n, b, p, h = dims(4, rank - 1)
    parameters = broadcast_subscripts(shape_of(scales), (shape_of(weights)[0], shape_of(weights)[2]), (b, n))
    offsets = broadcast_subscripts(shape_of(zeros), (shape_of(weights)[0], shape_of(weights)[2]), (b, n))
    reads = [(a, (*dims(rank - 1), b, p, h)), (weights, (b, p, n)), (scales, parameters), (zeros, offsets)]

    def body(s: Scalars, x: SSAValue, byte: SSAValue, scale: SSAValue, zero: SSAValue, total: SSAValue) -> SSAValue:
        number = s.convert(arith.ExtUIOp, byte, i32)
        if parts > 1:
            part = s.convert(arith.IndexCastOp, e.index(s, rank + 2), i32)
            number = s.binary(arith.ShRUIOp, number, s.times(part, s.constant(bits, i32)))
            number = s.binary(arith.AndIOp, number, s.constant((1 << bits) - 1, i32))
        real = s.times(s.minus(s.convert(arith.SIToFPOp, number, total.type), zero), scale)
        return multiply_add(s, x, real, total)

    total = e.generic(reads, e.filled(0, out), dims(rank), rank + 3, body, reductions=(rank, rank + 1, rank + 2))
    e.settle(op.y, total)
