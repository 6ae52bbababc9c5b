"""Derivative of the matrix product: Y' = A' B + A B'; reverse: A* = Y* B^T, B* = A^T Y*."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.lowering.autodiff.emitter import Emitter, shape_of
from stepwell.lowering.autodiff.rules import JVP, REFUSED, TRANSPOSE, Tangents


def product_rule(op: nn.MatmulOp | nn.ConvOp | nn.ConvTransposeOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """Of a bilinear op: the op of the first tangent and the second operand, plus that of the first operand and the second tangent."""
    first, second = op.operands
    a, b = tangents
    return e.sum_of(None if a is None else e.same(op, a, second), None if b is None else e.same(op, first, b))


def _turned(e: Emitter, x: SSAValue) -> SSAValue:
    rank = len(shape_of(x))
    return e.transpose(x, [*range(rank - 2), rank - 1, rank - 2])


def _transposed(op: nn.MatmulOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    a, b = shape_of(op.a), shape_of(op.b)
    y = shape_of(op.y)
    batch = y[: len(y) - (len(a) > 1) - (len(b) > 1)]
    # Vectors are matrices of one row or column meanwhile.
    full_a, full_b = a if len(a) > 1 else (1, *a), b if len(b) > 1 else (*b, 1)
    rows, columns = full_a[-2], full_b[-1]
    dy = e.reshape(cotangent, (*batch, rows, columns))
    if linear[0]:
        product = e.make(nn.MatmulOp, dy, _turned(e, e.reshape(op.b, full_b)))
        return [e.reshape(e.unbroadcast(product, full_a), a), None]
    matrix = e.reshape(op.a, full_a)
    if len(full_b) == 2 and len(shape_of(matrix)) > 2 and shape_of(matrix)[:-2] == batch:
        # Weights that a whole batch shares: the batch is more rows of one product.
        matrix = e.reshape(matrix, (prod(batch) * rows, shape_of(matrix)[-1]))
        dy = e.reshape(dy, (prod(batch) * rows, columns))
    return [None, e.reshape(e.unbroadcast(e.make(nn.MatmulOp, _turned(e, matrix), dy), full_b), b)]


JVP[nn.MatmulOp] = product_rule
TRANSPOSE[nn.MatmulOp] = _transposed
REFUSED[nn.BlockQuantizedMatmulOp] = "weights of few bits are made after training"
