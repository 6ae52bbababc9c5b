"""Derivatives of ops that move elements: each is linear, its transpose moves them back and adds up what was used several times."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, number
from stepwell.lowering.autodiff.emitter import Emitter, shape_of
from stepwell.lowering.autodiff.rules import JVP, TRANSPOSE, Tangents, same_op
from stepwell.lowering.graph.values import tensor


def _concat(op: nn.ConcatOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """Parts that do not change are zeros"""
    if all(t is None for t in tangents):
        return None
    parts = [e.zeros(tensor(o)) if t is None else t for o, t in zip(op.operands, tangents, strict=True)]
    return e.make(nn.ConcatOp, *parts, axis=number(op.axis))


def _pad(op: nn.PadOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """What is put around it does not change"""
    (tangent,) = tangents
    return None if tangent is None else e.same(op, tangent, value=0.0)


JVP.update(dict.fromkeys((nn.ReshapeOp, nn.TransposeOp, nn.BroadcastToOp, nn.SliceOp), same_op))
JVP[nn.ConcatOp] = _concat
JVP[nn.PadOp] = _pad


# ---- transposes -------------------------------------------------------------------------------------------------------------------------


def _transposed_transpose(op: nn.TransposeOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    permutation = ints(op.permutation)
    return [e.transpose(cotangent, [permutation.index(d) for d in range(len(permutation))])]


def _transposed_concat(op: nn.ConcatOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    axis: int = number(op.axis)
    start = 0
    parts: list[SSAValue | None] = []
    for operand, wanted in zip(op.operands, linear, strict=True):
        end = start + shape_of(operand)[axis]
        parts.append(e.part(cotangent, axis, start, end) if wanted else None)
        start = end
    return parts


def _transposed_slice(op: nn.SliceOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    return [e.spread(cotangent, ints(op.starts), ints(op.steps), shape_of(op.x))]


def _transposed_pad(op: nn.PadOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    """What lies inside; what a border repeats is added to where it came from, axis by axis from the last, as it was written"""
    shape, low, high, mode = shape_of(op.x), ints(op.low), ints(op.high), op.mode.data
    for axis, extent in reversed(list(enumerate(shape))):
        before, after, n = low[axis], high[axis], extent
        inside = e.part(cotangent, axis, before, before + n)
        borders: list[tuple[SSAValue, int, int]] = []
        """(cotangent, first element that it belongs to, step)"""
        if mode == "reflect" and before:
            borders.append((e.part(cotangent, axis, 0, before), before, -1))
        if mode == "reflect" and after:
            borders.append((e.part(cotangent, axis, before + n, before + n + after), n - 2, -1))
        if mode == "edge" and before:
            borders.append((e.total(e.part(cotangent, axis, 0, before), [axis]), 0, 1))
        if mode == "edge" and after:
            borders.append((e.total(e.part(cotangent, axis, before + n, before + n + after), [axis]), n - 1, 1))
        for part, start, step in borders:
            rank = len(shape)
            starts = [start if d == axis else 0 for d in range(rank)]
            inside = e.add(inside, e.spread(part, starts, [step if d == axis else 1 for d in range(rank)], shape_of(inside)))
        cotangent = inside
    return [cotangent]


TRANSPOSE[nn.ReshapeOp] = lambda op, linear, cotangent, e: [e.reshape(cotangent, shape_of(op.x))]
TRANSPOSE[nn.TransposeOp] = _transposed_transpose
TRANSPOSE[nn.BroadcastToOp] = lambda op, linear, cotangent, e: [e.unbroadcast(cotangent, shape_of(op.x))]
TRANSPOSE[nn.ConcatOp] = _transposed_concat
TRANSPOSE[nn.SliceOp] = _transposed_slice
TRANSPOSE[nn.PadOp] = _transposed_pad
