"""Embeddings: a one-hot matrix times a table is a look-up, and what is done to every row of a table can be done beforehand.

Both are exact. A row of a one-hot matrix has a single 1, or none where the index lies outside; the sum of a row of the table and zeros is
that row. An index outside picks a row of zeros, which is put below the table. The table must be finite, because 0 * infinity is not 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_integer, number
from stepwell.dialects.nn.binary import BinaryOp
from stepwell.dialects.nn.unary import UnaryOp
from stepwell.ir.constants import Array, dtype_of, tensor_type
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site
from stepwell.lowering.graph.values import constant_array, element_of, is_static, made_by, shape_of

SMALL = 1 << 20
"""A table up to so many bytes is transformed beforehand although its rows are looked up fewer times than it has rows."""


def matmul_of_one_hot(op: nn.MatmulOp, site: Site) -> Replacement:
    """cast(indices == [0, 1, ..., n - 1]) @ table -> gather(table, indices)"""
    table = constant_array(op.b)
    if table is None or table.ndim != 2 or not is_static(op.y):
        return None
    indices = _one_hot_indices(op.a, table.shape[0])
    if indices is None or not np.isfinite(table).all():
        return None
    n, type = table.shape[0], element_of(indices)
    flat = site.make(nn.ReshapeOp, indices, result_type=tensor_type(shape_of(op.y)[:-1], type))
    if not _always_inside(type, n):
        if n > np.iinfo(dtype_of(type)).max:
            return None
        table = np.concatenate([table, np.zeros((1, table.shape[1]), table.dtype)])
        zero, end = (site.splat(v, tensor_type((), type)) for v in (0, n))
        inside = site.make(nn.AndOp, site.make(nn.GeOp, flat, zero), site.make(nn.LtOp, flat, end))
        flat = site.make(nn.SelectOp, inside, flat, end)
    return site.make(nn.GatherOp, site.constant(table), flat, axis=0)


def _one_hot_indices(value: SSAValue, depth: int) -> SSAValue | None:
    """The indices, of shape [..., 1], whose one-hot matrix along the last axis is the value."""
    cast = made_by(value, nn.CastOp)
    hit = made_by(cast.x, nn.EqOp) if cast is not None else None
    if hit is None or not is_integer(element_of(hit.a)):
        return None
    for indices, positions in ((hit.a, hit.b), (hit.b, hit.a)):
        row = constant_array(positions)
        if row is None or row.size != depth or row.ndim == 0 or row.shape[-1] != depth:
            continue
        if np.array_equal(row.reshape(-1), np.arange(depth)) and shape_of(indices)[-1:] == (1,):
            return indices
    return None


def _always_inside(type: object, n: int) -> bool:
    """Whether an integer type cannot hold anything outside 0..n-1."""
    limits = np.iinfo(dtype_of(type))  # type: ignore[arg-type]
    return limits.min >= 0 and limits.max < n


def function_of_looked_up_rows(op: UnaryOp | BinaryOp, site: Site) -> Replacement:
    """f(gather(table, i), row) with constant table and row -> gather(f(table, row), i)"""
    gather = made_by(op.operands[0], nn.GatherOp)
    if gather is None or number(gather.axis) != 0 or not op.operands[0].has_one_use() or not is_static(op.operands[0]):
        return None
    table = constant_array(gather.x)
    if table is None or table.ndim < 2 or (table.size > gather.y.type.get_shape()[0] * table[0].size and table.nbytes > SMALL):  # type: ignore[union-attr]
        return None
    rows: list[Array] = []
    for operand in op.operands[1:]:
        row = constant_array(operand)
        if row is None:
            return None
        row = row.reshape([1] * (len(shape_of(op.results[0])) - row.ndim) + list(row.shape))
        leading = row.ndim - (table.ndim - 1)
        if leading < 0 or any(extent != 1 for extent in row.shape[:leading]):
            return None
        rows.append(row.reshape(row.shape[leading:]))
    return site.make(nn.GatherOp, site.constant(_applied(op, table, rows)), gather.indices, axis=0)


def _applied(op: UnaryOp | BinaryOp, table: Array, rows: Sequence[Array]) -> Array:
    """The op's meaning on other operands."""
    constants = [nn.ConstantOp.from_array(a) for a in (table, *rows)]
    again = type(op).make(*(c.y for c in constants), **op.properties)
    (result,) = again.evaluate(table, *rows)
    again.erase()
    return result


_FUNCTIONS = tuple(k for k in nn.OPS if issubclass(k, (UnaryOp, BinaryOp)))

EMBEDDINGS: Mapping[type[Operation], Sequence[Pattern]] = {
    nn.MatmulOp: (matmul_of_one_hot,),
    **dict.fromkeys(_FUNCTIONS, (function_of_looked_up_rows,)),
}
