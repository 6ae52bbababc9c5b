"""ONNX reductions, positions of extremes, running sums and products. Axes became an input in opset 13 (sum) and 18 (the others)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis
from stepwell.ir.constants import element_type_of

MAX_UNROLLED = 256
MAX_COMPARISONS = 2**24


def _axes(n: Node, x: Value, given: Value | None) -> list[int]:
    """The axes to reduce; none given means all, unless `noop_with_empty_axes`."""
    axes = n.known_ints(given, "axes") if given is not None else n.ints("axes", ())
    axes = [n.axis(a, x.rank) for a in axes]
    return axes or ([] if n.int("noop_with_empty_axes") else list(range(x.rank)))


def _reduce(op_class: type[NnOp], n: Node, x: Value, axes: Value | None = None) -> Value:
    return n.op(op_class, x, axes=_axes(n, x, axes), keepdims=bool(n.int("keepdims", 1)))


for _name, _op in {
    "ReduceL1": nn.ReduceL1Op,
    "ReduceL2": nn.ReduceL2Op,
    "ReduceLogSumExp": nn.ReduceLogSumExpOp,
    "ReduceMax": nn.ReduceMaxOp,
    "ReduceMean": nn.ReduceMeanOp,
    "ReduceMin": nn.ReduceMinOp,
    "ReduceProd": nn.ReduceProdOp,
    "ReduceSum": nn.ReduceSumOp,
    "ReduceSumSquare": nn.ReduceSumSquareOp,
}.items():
    converter(_name)(partial(_reduce, _op))


@converter("ReduceLogSum")
def _reduce_log_sum(n: Node, x: Value, axes: Value | None = None) -> Value:
    return n.op(nn.LogOp, _reduce(nn.ReduceSumOp, n, x, axes))


def _arg(op_class: type[NnOp], n: Node, x: Value) -> Value:
    axis = n.axis(n.int("axis", 0), x.rank)
    return n.op(op_class, x, axis=axis, keepdims=bool(n.int("keepdims", 1)), select_last=bool(n.int("select_last_index")))


converter("ArgMax")(partial(_arg, nn.ArgmaxOp))
converter("ArgMin")(partial(_arg, nn.ArgminOp))


@converter("CumSum")
def _cumsum(n: Node, x: Value, axis: Value) -> Value:
    which = n.axis(n.known_int(axis, "axis"), x.rank)
    return n.op(nn.CumsumOp, x, axis=which, exclusive=bool(n.int("exclusive")), reverse=bool(n.int("reverse")))


@converter("CumProd", since=26)
def _cumprod(n: Node, x: Value, axis: Value) -> Value:
    """Running products, one multiplication after the other along the axis."""
    which = n.axis(n.known_int(axis, "axis"), x.rank)
    extent, reverse = x.shape[which], bool(n.int("reverse"))
    if not 0 < extent <= MAX_UNROLLED:
        n.unsupported(f"{extent} steps; they may be 1 to {MAX_UNROLLED}")
    order = range(extent - 1, -1, -1) if reverse else range(extent)
    parts = [slice_axis(n, x, which, i, i + 1) for i in order]
    if n.int("exclusive"):
        parts = [n.full(1, x.dtype, parts[0].shape), *parts[:-1]]
    for i in range(1, extent):
        parts[i] = n.mul(parts[i - 1], parts[i])
    return parts[0] if extent == 1 else n.op(nn.ConcatOp, *(parts[::-1] if reverse else parts), axis=which)


@converter("TopK")
def _top_k_attribute(n: Node, x: Value) -> Sequence[Value]:
    return _top_k(n, x, n.int("k"))


@converter("TopK", since=10)
def _top_k_input(n: Node, x: Value, k: Value) -> Sequence[Value]:
    return _top_k(n, x, n.known_int(k, "k"))


def _top_k(n: Node, x: Value, k: int) -> Sequence[Value]:
    """The rank of each element is how many come before it; the element of rank r is at output position r.

    Quadratic in the extent, and free of sorting: all comparisons are elementwise. Equal elements keep their order.
    """
    axis = n.axis(n.int("axis", -1), x.rank)
    extent = x.shape[axis]
    if not 0 <= k <= extent:
        n.fail(f"k is {k} for an axis of extent {extent}")
    if x.size * extent > MAX_COMPARISONS:
        n.unsupported(f"{x.size * extent} comparisons; they may be up to {MAX_COMPARISONS}")
    order = [d for d in range(x.rank) if d != axis] + [axis]
    rows = n.transpose(x, order)
    lead = rows.shape[:-1]
    mine, other = n.reshape(rows, (*lead, extent, 1)), n.reshape(rows, (*lead, 1, extent))
    before = n.op(nn.GtOp if n.int("largest", 1) else nn.LtOp, other, mine)
    earlier = n.constant(np.tri(extent, k=-1, dtype=np.bool_))
    wins = n.op(nn.OrOp, before, n.op(nn.AndOp, n.op(nn.EqOp, other, mine), earlier))
    rank = n.op(nn.ReduceSumOp, n.cast(wins, element_type_of(np.dtype(np.int64))), axes=[x.rank])
    positions = n.constant(np.arange(k, dtype=np.int64)[:, None])
    is_there = n.op(nn.EqOp, n.reshape(rank, (*lead, 1, extent)), positions)
    indices = n.op(nn.ArgmaxOp, n.cast(is_there, element_type_of(np.dtype(np.int32))), axis=x.rank)
    back = [order.index(d) for d in range(x.rank)]
    return n.transpose(n.op(nn.GatherElementsOp, rows, indices, axis=x.rank - 1), back), n.transpose(indices, back)
