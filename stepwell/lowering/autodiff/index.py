"""Derivatives of reads and writes at indices: a gather's transpose adds up what was read, a scatter's reads what was written."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import IntegerType, i64
from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import number
from stepwell.ir.constants import tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.autodiff.emitter import Emitter, element_of, shape_of
from stepwell.lowering.autodiff.rules import DECOMPOSED, JVP, LOCALLY_CONSTANT, TRANSPOSE, Tangents, same_op
from stepwell.lowering.graph.decompose import one_hot
from stepwell.lowering.graph.values import tensor


def _scatter(op: Any, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """What is written or added, into the tangent of what it is written to"""
    x, _, updates = tangents
    if x is None and updates is None:
        return None
    if op.reduction.data not in ("none", "add"):
        raise CompileError(
            f"{op.name} has no derivative for reduction = {op.reduction}", location=place(op), hint="it has for none and add"
        )
    pair = [e.zeros(tensor(o)) if t is None else t for o, t in ((op.x, x), (op.updates, updates))]
    return e.same(op, pair[0], op.indices, pair[1])


JVP.update(dict.fromkeys((nn.GatherOp, nn.GatherElementsOp, nn.GatherNdOp), same_op))
JVP.update(dict.fromkeys((nn.ScatterElementsOp, nn.ScatterNdOp), _scatter))
DECOMPOSED[nn.OneHotOp] = one_hot
LOCALLY_CONSTANT[nn.IotaOp] = "it has no operands"


# ---- transposes -------------------------------------------------------------------------------------------------------------------------


def _transposed_gather(op: nn.GatherOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    """Rows added into zeros; the axis comes to the front meanwhile"""
    axis: int = number(op.axis)
    shape, indices = shape_of(op.x), shape_of(op.indices)
    count, before = len(indices), list(range(axis))
    after = list(range(axis + count, axis + count + len(shape) - axis - 1))
    rows = e.transpose(cotangent, [*range(axis, axis + count), *before, *after])
    turned = (shape[axis], *shape[:axis], *shape[axis + 1 :])
    zeros = e.zeros(tensor_type(turned, element_of(op.x)))
    summed = e.make(nn.ScatterNdOp, zeros, e.reshape(op.indices, (*indices, 1)), rows, reduction="add")
    return [e.transpose(summed, [*range(1, axis + 1), 0, *range(axis + 1, len(shape))]), None]


def _transposed_gather_elements(op: nn.GatherElementsOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    return [e.make(nn.ScatterElementsOp, e.zeros(tensor(op.x)), op.indices, cotangent, axis=number(op.axis), reduction="add"), None]


def _transposed_gather_nd(op: nn.GatherNdOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    return [e.make(nn.ScatterNdOp, e.zeros(tensor(op.x)), _full_tuples(op, e), cotangent, reduction="add"), None]


def _full_tuples(op: nn.GatherNdOp, e: Emitter) -> SSAValue:
    """The index tuples of a gather with the numbers of the batch in front."""
    batch: int = number(op.batch_dims)
    shape = shape_of(op.indices)
    if not batch:
        return op.indices
    own = op.indices if element_of(op.indices) == i64 else e.insert(nn.CastOp.make_to(op.indices, IntegerType(64)))
    numbers = np.moveaxis(np.indices(shape[:-1])[:batch], 0, -1)
    return e.make(nn.ConcatOp, e.constant(numbers.astype(np.int64)), own, axis=len(shape) - 1)


def _transposed_scatter(op: Any, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    """What was written comes back from where it went; what was written over, before or by another update, is gone"""
    adds = op.reduction.data == "add"
    x = cotangent if adds else e.same(op, cotangent, op.indices, e.zeros(tensor(op.updates))) if linear[0] else None
    if not linear[2]:
        return [x, None, None]
    updates = _read_back(op, cotangent, e)
    if not adds:
        # Of several updates of one element the last one stays: each leaves its number, and finds it again if nobody came after it.
        count = prod(shape_of(op.updates))
        numbers = e.constant(np.arange(count, dtype=np.int64).reshape(shape_of(op.updates)))
        nowhere = e.splat(-1, tensor_type(shape_of(op.x), i64))
        stays = e.make(nn.EqOp, _read_back(op, e.same(op, nowhere, op.indices, numbers), e), numbers)
        updates = e.select(stays, updates, 0.0)
    return [x if linear[0] else None, None, updates]


def _read_back(op: Any, x: SSAValue, e: Emitter) -> SSAValue:
    """The elements of x that a scatter writes."""
    if isinstance(op, nn.ScatterNdOp):
        return e.make(nn.GatherNdOp, x, op.indices)
    return e.make(nn.GatherElementsOp, x, op.indices, axis=number(op.axis))


TRANSPOSE[nn.GatherOp] = _transposed_gather
TRANSPOSE[nn.GatherElementsOp] = _transposed_gather_elements
TRANSPOSE[nn.GatherNdOp] = _transposed_gather_nd
TRANSPOSE.update(dict.fromkeys((nn.ScatterElementsOp, nn.ScatterNdOp), _transposed_scatter))
