"""ONNX Det: small matrices by the definition, larger ones by Gaussian elimination with a pivot for each column."""

from __future__ import annotations

import math

import numpy as np

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_float
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis

MAX_ORDER = 64
"""Rows of a matrix; each costs a step of a dozen ops."""


@converter("Det")
def _det(n: Node, x: Value) -> Value:
    """[..., M, M] -> [...]."""
    if x.rank < 2 or x.shape[-1] != x.shape[-2] or not is_float(x.element):
        n.fail(f"its operand is {x.dtype} of shape {list(x.shape)}, not of square matrices")
    order, batch = x.shape[-1], x.shape[:-2]
    if order > MAX_ORDER:
        n.unsupported(f"matrices of {order} rows; up to {MAX_ORDER} are eliminated")
    count = math.prod(batch)
    if order == 0:
        return n.full(1, x.dtype, batch)
    matrices = n.reshape(x, (count, order, order))
    result = _two_by_two(n, matrices) if order == 2 else _eliminated(n, matrices)
    return n.reshape(result, batch)


def _at(n: Node, x: Value, row: int, column: int) -> Value:
    return slice_axis(n, slice_axis(n, x, 1, row, row + 1), 2, column, column + 1)


def _two_by_two(n: Node, x: Value) -> Value:
    return n.sub(n.mul(_at(n, x, 0, 0), _at(n, x, 1, 1)), n.mul(_at(n, x, 0, 1), _at(n, x, 1, 0)))


def _eliminated(n: Node, x: Value) -> Value:
    """The product of the pivots, each the largest of what is left of its column, with a sign for each exchange of rows."""
    result: Value | None = None
    for left in range(x.shape[1], 0, -1):
        count = x.shape[0]
        column = slice_axis(n, x, 2, 0, 1)
        if left == 1:
            factor = column
        else:
            place = n.reshape(n.op(nn.ArgmaxOp, n.op(nn.AbsOp, column), axis=1, keepdims=True), (count, 1, 1))
            pivot_row = n.op(nn.GatherElementsOp, x, n.broadcast_to(place, (count, 1, left)), axis=1)
            factor = slice_axis(n, pivot_row, 2, 0, 1)
            zero = n.like(0, factor)
            # Where every candidate is 0, nothing is eliminated: the product is 0 already.
            divisor = n.op(nn.SelectOp, n.op(nn.EqOp, factor, zero), n.like(1, factor), factor)
            # The pivot's row leaves; the first one takes its place.
            lines = n.constant(np.arange(left, dtype=np.int64).reshape(1, left, 1))
            exchanged = n.op(nn.SelectOp, n.op(nn.EqOp, lines, place), slice_axis(n, x, 1, 0, 1), x)
            below = slice_axis(n, exchanged, 1, 1, left)
            scale = n.div(slice_axis(n, below, 2, 0, 1), divisor)
            x = n.sub(slice_axis(n, below, 2, 1, left), n.mul(scale, slice_axis(n, pivot_row, 2, 1, left)))
            first = n.op(nn.EqOp, place, n.like(0, place))
            factor = n.op(nn.SelectOp, first, factor, n.op(nn.NegOp, factor))
        result = factor if result is None else n.mul(result, factor)
    assert result is not None
    return result
