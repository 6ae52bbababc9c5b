"""What patterns about views ask: constants among sizes, the casts before them, whether a cast may go."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.layouts import layout_of
from stepwell.dialects.memref import CastOp

MemRef = MemRefType[Any]


def memref_type(value: SSAValue) -> MemRef:
    return cast(MemRef, value.type)


def made_by(value: SSAValue) -> Operation | None:
    return value.op if isinstance(value, OpResult) else None


def replace_by_cast(op: Operation, new: Operation, rewriter: PatternRewriter) -> None:
    """Replace a view by another one, cast to the type of the first."""
    type = cast(MemRef, op.results[0].type)
    same = new.results[0].type == type
    rewriter.replace(op, [new] if same else [new, CastOp.get(new.results[0], type)])


def keeps_knowledge(cast_op: Operation | None) -> bool:
    """Whether a cast only forgets extents, strides and offsets, so that its user may look through it and know more."""
    if not isinstance(cast_op, CastOp):
        return False
    source, dest = cast_op.source.type, cast_op.dest.type
    if not isinstance(source, MemRefType) or not isinstance(dest, MemRefType):
        return False
    before, after = cast(MemRef, source), cast(MemRef, dest)
    if before.element_type != after.element_type or before.get_num_dims() != after.get_num_dims():
        return False
    try:
        (strides, offset), (new_strides, new_offset) = layout_of(before), layout_of(after)
    except VerifyException:
        return False
    if any(a == DYNAMIC_INDEX and b != DYNAMIC_INDEX for a, b in zip(before.get_shape(), after.get_shape(), strict=True)):
        return False
    return all(a is not None or b is None for a, b in zip((*strides, offset), (*new_strides, new_offset), strict=True))
