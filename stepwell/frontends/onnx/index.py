"""ONNX operators that read and write where an index tensor says."""

from __future__ import annotations

import numpy as np

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_float
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.ir.constants import element_type_of

REDUCTIONS = ("none", "add", "mul", "max", "min")


def _inside(n: Node, indices: Value, extent: int) -> Value:
    """The indices, refused where they are known and one is outside."""
    if indices.array is not None and indices.size and not -extent <= int(indices.array.min()) <= int(indices.array.max()) < extent:
        n.fail(f"its indices reach from {indices.array.min()} to {indices.array.max()}, outside an axis of extent {extent}")
    return indices


@converter("Gather")
def _gather(n: Node, x: Value, indices: Value) -> Value:
    axis = n.axis(n.int("axis"), x.rank)
    return n.op(nn.GatherOp, x, _inside(n, indices, x.shape[axis]), axis=axis)


@converter("GatherElements")
def _gather_elements(n: Node, x: Value, indices: Value) -> Value:
    axis = n.axis(n.int("axis"), x.rank)
    return n.op(nn.GatherElementsOp, x, _inside(n, indices, x.shape[axis]), axis=axis)


@converter("GatherND")
def _gather_nd(n: Node, x: Value, indices: Value) -> Value:
    return n.op(nn.GatherNdOp, x, indices, batch_dims=n.int("batch_dims"))


@converter("Scatter", "ScatterElements")
def _scatter_elements(n: Node, x: Value, indices: Value, updates: Value) -> Value:
    axis = n.axis(n.int("axis"), x.rank)
    return n.op(nn.ScatterElementsOp, x, _inside(n, indices, x.shape[axis]), updates, axis=axis, reduction=_reduction(n))


@converter("ScatterND")
def _scatter_nd(n: Node, x: Value, indices: Value, updates: Value) -> Value:
    return n.op(nn.ScatterNdOp, x, indices, updates, reduction=_reduction(n))


def _reduction(n: Node) -> str:
    reduction = n.str("reduction", "none")
    if reduction not in REDUCTIONS:
        n.fail(f"its reduction is {reduction!r}", hint=f"it may be {', '.join(REDUCTIONS)}")
    return reduction


@converter("OneHot")
def _one_hot(n: Node, indices: Value, depth: Value, values: Value) -> Value:
    """Indices and depth may be of any number type; they are whole numbers all the same."""
    known = n.known(depth, "depth")
    if known.size != 1 or not 0 <= float(known.item()) <= 2**31:
        n.fail(f"its depth is {known.tolist()!r:.60}, not one natural number")
    if is_float(indices.element):
        indices = n.cast(indices, element_type_of(np.dtype(np.int64)))
    return n.op(nn.OneHotOp, indices, values, depth=int(known.item()), axis=n.axis(n.int("axis", -1), indices.rank + 1))


@converter("ReverseSequence")
def _reverse_sequence(n: Node, x: Value, lengths: Value) -> Value:
    """The first `lengths[b]` elements of every batch entry in reverse: a table of positions, gathered."""
    time, batch = n.axis(n.int("time_axis"), x.rank), n.axis(n.int("batch_axis", 1), x.rank)
    known = n.known_ints(lengths, "sequence_lens")
    if time == batch or len(known) != x.shape[batch] or not all(0 <= k <= x.shape[time] for k in known):
        n.fail(f"sequence_lens {known} do not fit an operand of shape {list(x.shape)} with batch axis {batch} and time axis {time}")
    if x.shape[batch] * x.shape[time] > 2**24:
        n.unsupported(f"it would make a table of {x.shape[batch] * x.shape[time]} elements")
    steps = np.arange(x.shape[time], dtype=np.int64)
    table = np.stack([np.where(steps < k, k - 1 - steps, steps) for k in known]) if known else np.zeros((0, x.shape[time]), np.int64)
    table = table if batch < time else table.T
    table = table.reshape([e if d in (batch, time) else 1 for d, e in enumerate(x.shape)])
    return n.op(nn.GatherElementsOp, x, n.broadcast_to(n.constant(np.ascontiguousarray(table)), x.shape), axis=time)


@converter("TensorScatter")
def _tensor_scatter(n: Node, past: Value, update: Value, indices: Value | None = None) -> Value:
    """A cache with an update written from a position on along an axis, one position for each batch entry."""
    axis, circular = n.axis(n.int("axis", -2), past.rank), n.str("mode", "linear") == "circular"
    length, extent = update.shape[axis], past.shape[axis]
    if axis == 0 or length > extent or update.rank != past.rank:
        n.fail(f"an update of shape {list(update.shape)} does not fit a cache of shape {list(past.shape)} along axis {axis}")
    line = n.constant(np.arange(extent, dtype=np.int64).reshape([-1 if d == axis else 1 for d in range(past.rank)]))
    start = n.constant(np.zeros(1, np.int64)) if indices is None else n.cast(indices, element_type_of(np.dtype(np.int64)))
    place = n.sub(line, n.reshape(start, (start.size, *(1,) * (past.rank - 1))))
    if circular:
        place = n.op(nn.ModOp, place, n.like(extent, place))
    zero, end = n.like(0, place), n.like(length, place)
    inside = n.op(nn.AndOp, n.op(nn.GeOp, place, zero), n.op(nn.LtOp, place, end))
    last = n.like(max(length - 1, 0), place)
    found = n.op(nn.MaxOp, n.op(nn.MinOp, place, last), zero)
    moved = n.op(nn.GatherElementsOp, update, n.broadcast_to(found, past.shape), axis=axis)
    return n.op(nn.SelectOp, inside, moved, past)


@converter("ArrayFeatureExtractor", domain="ai.onnx.ml")
def _array_feature_extractor(n: Node, x: Value, indices: Value) -> Value:
    """Columns of the last axis."""
    y = n.op(nn.GatherOp, x, n.reshape(indices, (indices.size,)), axis=x.rank - 1)
    return n.reshape(y, (1, indices.size)) if x.rank == 1 else y
