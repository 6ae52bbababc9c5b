"""Canonical forms of ops that only move elements: reshape, transpose, slice, concat, pad, gather, and of reductions over nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, is_integer, number
from stepwell.dialects.nn.binary import BinaryOp
from stepwell.dialects.nn.reduce import ReduceOp, reduced_shape
from stepwell.dialects.nn.unary import UnaryOp
from stepwell.ir.constants import tensor_type
from stepwell.lowering.graph.canonical_elementwise import holds_all
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site
from stepwell.lowering.graph.values import constant_array, element_of, is_static, made_by, shape_of, splat_value

REDUCTIONS = tuple(k for k in nn.OPS if issubclass(k, ReduceOp))


def reshape_of_reshape(op: nn.ReshapeOp, site: Site) -> Replacement:
    """reshape(reshape(x)) -> reshape(x); a reshape to the same type -> x"""
    if op.x.type == op.y.type:
        return op.x
    inner = made_by(op.x, nn.ReshapeOp)
    return None if inner is None else site.make(nn.ReshapeOp, inner.x, result_type=op.y.type)


def reshape_of_splat(op: nn.ReshapeOp | nn.TransposeOp, site: Site) -> Replacement:
    """A splat in another shape is a splat"""
    number_ = splat_value(op.x)
    return None if number_ is None else site.splat(number_.item(), op.result_type)


def reshape_of_reduction(op: nn.ReshapeOp, site: Site) -> Replacement:
    """reshape(reduce(x)) to the shape with the reduced axes kept, or without them -> reduce(x) with the other keepdims"""
    inner = op.x.owner
    if not isinstance(inner, ReduceOp) or not op.x.has_one_use():
        return None
    keepdims = not number(inner.keepdims)
    if reduced_shape(shape_of(inner.x), ints(inner.axes), keepdims) != shape_of(op.y):
        return None
    return site.same(inner, inner.x, keepdims=keepdims)


def reshape_of_reduced(op: nn.ReshapeOp, site: Site) -> Replacement:
    """reshape(f(reduce(x), c)) that only adds or drops extents of 1 -> f(reshape(reduce(x)), c), which then joins the reduction"""
    owner = op.x.owner
    if not isinstance(owner, _ELEMENTWISE) or not op.x.has_one_use() or not _made_of_reductions(op.x, 6):
        return None
    if [d for d in shape_of(op.x) if d != 1] != [d for d in shape_of(op.y) if d != 1]:
        return None
    operands = [
        o if splat_value(o) is not None else site.make(nn.ReshapeOp, o, result_type=tensor_type(shape_of(op.y), element_of(o)))
        for o in owner.operands
    ]
    return site.same(owner, *operands, result_type=op.y.type)


def _made_of_reductions(value: SSAValue, depth: int) -> bool:
    """Whether a value is an elementwise function of reductions of its own shape and of numbers."""
    owner = value.owner
    if isinstance(owner, ReduceOp) or (isinstance(owner, nn.ReshapeOp) and isinstance(owner.x.owner, ReduceOp)):
        return True
    if not depth or not isinstance(owner, _ELEMENTWISE):
        return False
    wide = [o for o in owner.operands if not (splat_value(o) is not None and shape_of(o) in ((), (1,)))]
    return bool(wide) and all(shape_of(o) == shape_of(value) and _made_of_reductions(o, depth - 1) for o in wide)


_ELEMENTWISE = (UnaryOp, BinaryOp)


def reshape_of_broadcast(op: nn.ReshapeOp, site: Site) -> Replacement:
    """reshape(broadcast_to(x)) that only adds or drops extents of 1 -> broadcast_to(reshape(x))"""
    inner = made_by(op.x, nn.BroadcastToOp)
    if inner is None or not is_static(inner.x, op.y):
        return None
    before, after, rank = shape_of(op.x), shape_of(op.y), len(shape_of(op.x))
    if [d for d in before if d != 1] != [d for d in after if d != 1]:
        return None
    small = (1,) * (rank - len(shape_of(inner.x))) + shape_of(inner.x)
    kept = iter([s for s, d in zip(small, before, strict=True) if d != 1])
    shape = tuple(next(kept) if d != 1 else 1 for d in after)
    reshaped = site.make(nn.ReshapeOp, inner.x, result_type=tensor_type(shape, element_of(op.y)))
    return site.make(nn.BroadcastToOp, reshaped, result_type=op.y.type)


def transpose_of_transpose(op: nn.TransposeOp, site: Site) -> Replacement:
    """Two transposes are one; one that changes no order is a reshape"""
    permutation = ints(op.permutation)
    if permutation == tuple(range(len(permutation))):
        return op.x
    shape = shape_of(op.x)
    moved = [p for p in permutation if shape[p] != 1]
    if moved == sorted(moved) and is_static(op.x):
        return site.make(nn.ReshapeOp, op.x, result_type=op.y.type)
    inner = made_by(op.x, nn.TransposeOp)
    if inner is None:
        return None
    first = ints(inner.permutation)
    return site.make(nn.TransposeOp, inner.x, permutation=[first[p] for p in permutation])


def slice_of_everything(op: nn.SliceOp, site: Site) -> Replacement:
    """A slice that takes all -> x; two slices of step 1 are one"""
    if op.x.type == op.y.type and all(s == 1 for s in ints(op.steps)):
        return op.x
    inner = made_by(op.x, nn.SliceOp)
    if inner is None or any(s != 1 for s in (*ints(op.steps), *ints(inner.steps))):
        return None
    starts = [a + b for a, b in zip(ints(inner.starts), ints(op.starts), strict=True)]
    ends = [a + e for a, e in zip(ints(inner.starts), ints(op.ends), strict=True)]
    return site.make(nn.SliceOp, inner.x, starts=starts, ends=ends)


def slice_of_concat(op: nn.SliceOp, site: Site) -> Replacement:
    """A slice that lies within one part of a concat -> a slice of that part"""
    concat = made_by(op.x, nn.ConcatOp)
    if concat is None or not is_static(*concat.operands):
        return None
    axis: int = number(concat.axis)
    starts, ends, steps = list(ints(op.starts)), list(ints(op.ends)), ints(op.steps)
    if steps[axis] != 1:
        return None
    offset = 0
    for part in concat.operands:
        extent = shape_of(part)[axis]
        if offset <= starts[axis] and ends[axis] <= offset + extent:
            starts[axis], ends[axis] = starts[axis] - offset, ends[axis] - offset
            return site.make(nn.SliceOp, part, starts=starts, ends=ends, steps=steps)
        offset += extent
    return None


def concat_of_few(op: nn.ConcatOp, site: Site) -> Replacement:
    """A concat of one operand -> that operand; empty operands vanish; a concat of a concat along the same axis is one"""
    parts = list(op.operands)
    axis = number(op.axis)
    if len(parts) == 1:
        return parts[0]
    filled = [p for p in parts if shape_of(p)[axis] != 0]
    if filled and len(filled) < len(parts):
        return site.make(nn.ConcatOp, *filled, axis=axis)
    for i, part in enumerate(parts):
        inner = made_by(part, nn.ConcatOp)
        if inner is not None and number(inner.axis) == axis and part.has_one_use():
            return site.make(nn.ConcatOp, *parts[:i], *inner.operands, *parts[i + 1 :], axis=axis)
    return None


def concat_of_adjacent_slices(op: nn.ConcatOp, site: Site) -> Replacement:
    """concat(x[a:b], x[b:c]) -> x[a:c]"""
    parts = list(op.operands)
    axis: int = number(op.axis)
    for i, (a, b) in enumerate(pairwise(parts)):
        left, right = made_by(a, nn.SliceOp), made_by(b, nn.SliceOp)
        if left is None or right is None or left.x is not right.x or any(s != 1 for s in (*ints(left.steps), *ints(right.steps))):
            continue
        starts, ends = (ints(left.starts), ints(right.starts)), (ints(left.ends), ints(right.ends))
        others = [d for d in range(len(starts[0])) if d != axis]
        if ends[0][axis] != starts[1][axis] or any(starts[0][d] != starts[1][d] or ends[0][d] != ends[1][d] for d in others):
            continue
        end = [e if d != axis else ends[1][axis] for d, e in enumerate(ends[0])]
        joined = site.make(nn.SliceOp, left.x, starts=starts[0], ends=end)
        return site.make(nn.ConcatOp, *parts[:i], joined, *parts[i + 2 :], axis=axis)
    return None


def pad_of_pad(op: nn.PadOp, site: Site) -> Replacement:
    """A pad by nothing -> x; two pads with the same constant are one"""
    if op.x.type == op.y.type and not any((*ints(op.low), *ints(op.high))):
        return op.x
    inner = made_by(op.x, nn.PadOp)
    if inner is None or op.mode.data != "constant" or inner.mode.data != "constant" or op.value != inner.value:
        return None
    low = [a + b for a, b in zip(ints(op.low), ints(inner.low), strict=True)]
    high = [a + b for a, b in zip(ints(op.high), ints(inner.high), strict=True)]
    return site.make(nn.PadOp, inner.x, low=low, high=high, value=op.value)


def gather_of_one(op: nn.GatherOp, site: Site) -> Replacement:
    """gather(x, constant index) of one index, or of adjacent ascending ones -> slice and reshape"""
    indices = constant_array(op.indices)
    if indices is None or indices.size == 0 or not is_static(op.x):
        return None
    shape = shape_of(op.x)
    axis: int = number(op.axis)
    at = [int(i) + shape[axis] if i < 0 else int(i) for i in indices.reshape(-1)]
    if at != list(range(at[0], at[0] + len(at))) or at[0] < 0 or at[-1] >= shape[axis]:
        return None
    starts = [at[0] if d == axis else 0 for d in range(len(shape))]
    ends = [at[-1] + 1 if d == axis else extent for d, extent in enumerate(shape)]
    return site.make(nn.ReshapeOp, site.make(nn.SliceOp, op.x, starts=starts, ends=ends), result_type=op.y.type)


def gather_of_reshaped_indices(op: nn.GatherOp, site: Site) -> Replacement:
    """gather(x, reshape(i)) -> reshape(gather(x, i))"""
    inner = made_by(op.indices, nn.ReshapeOp)
    if inner is None or not is_static(op.y):
        return None
    return site.make(nn.ReshapeOp, site.same(op, op.x, inner.x), result_type=op.y.type)


def gather_of_widened_indices(op: nn.GatherOp, site: Site) -> Replacement:
    """gather(x, cast(i)) to a wider integer -> gather(x, i)"""
    inner = made_by(op.indices, nn.CastOp)
    if inner is None or not is_integer(element_of(inner.x)) or not holds_all(element_of(inner.x), element_of(inner.y)):
        return None
    return site.same(op, op.x, inner.x)


def reduction_over_one(op: ReduceOp, site: Site) -> Replacement:
    """A sum, mean, maximum, minimum or product over axes of extent 1 -> reshape"""
    if not is_static(op.x) or any(shape_of(op.x)[a] != 1 for a in ints(op.axes)):
        return None
    return site.make(nn.ReshapeOp, op.x, result_type=op.y.type)


def reduction_of_reduction(op: ReduceOp, site: Site) -> Replacement:
    """Two sums (means, maxima, ...) over different axes, the first keeping them, are one"""
    inner = made_by(op.x, type(op))
    if inner is None or not op.x.has_one_use() or not number(inner.keepdims) or not number(op.keepdims):
        return None
    if set(ints(inner.axes)) & set(ints(op.axes)):
        return None
    return site.same(op, inner.x, axes=[*ints(inner.axes), *ints(op.axes)])


def resize_to_same(op: nn.ResizeOp, site: Site) -> Replacement:
    """A resize by 1 -> x"""
    return None if op.resampled_axes() or op.x.type != op.y.type else op.x


def pool_of_one(op: Any, site: Site) -> Replacement:
    """A pool with a window of 1 and stride 1 -> x"""
    ones = all(n == 1 for n in (*ints(op.kernel), *ints(op.strides)))
    return op.x if ones and not any(ints(op.pads)) else None


def pool_of_everything(op: nn.AvgPoolOp | nn.MaxPoolOp | nn.SumPoolOp, site: Site) -> Replacement:
    """A pool whose one window is the whole image -> a reduction over the spatial axes"""
    if not is_static(op.x) or any(ints(op.pads)):
        return None
    first = 1 if op.layout.data == "channels_last" else 2
    axes = range(first, first + len(ints(op.kernel)))
    if any(k != shape_of(op.x)[a] for k, a in zip(ints(op.kernel), axes, strict=True)) or any(d != 1 for d in ints(op.dilations)):
        return None
    kind = {nn.AvgPoolOp: nn.ReduceMeanOp, nn.MaxPoolOp: nn.ReduceMaxOp, nn.SumPoolOp: nn.ReduceSumOp}[type(op)]
    return site.make(kind, op.x, axes=tuple(axes), keepdims=True)


SHAPE: Mapping[type[Operation], Sequence[Pattern]] = {
    nn.ReshapeOp: (reshape_of_reshape, reshape_of_splat, reshape_of_reduction, reshape_of_reduced, reshape_of_broadcast),
    nn.TransposeOp: (reshape_of_splat, transpose_of_transpose),
    nn.SliceOp: (slice_of_everything, slice_of_concat),
    nn.ConcatOp: (concat_of_few, concat_of_adjacent_slices),
    nn.PadOp: (pad_of_pad,),
    nn.GatherOp: (gather_of_one, gather_of_reshaped_indices, gather_of_widened_indices),
    nn.ResizeOp: (resize_to_same,),
    nn.MaxPoolOp: (pool_of_one, pool_of_everything),
    nn.SumPoolOp: (pool_of_one, pool_of_everything),
    nn.AvgPoolOp: (pool_of_one, pool_of_everything),
    **{
        k: (reduction_over_one, reduction_of_reduction)
        for k in (nn.ReduceSumOp, nn.ReduceMeanOp, nn.ReduceMaxOp, nn.ReduceMinOp, nn.ReduceProdOp)
    },
}
