"""Slices that have dimensions of extent 1: the slice is of lower rank, a reshape gives the dimensions back."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import tensor
from stepwell.lowering.building import Builder


def _unit_dims(shape: Sequence[int]) -> list[bool] | None:
    """Which dimensions have extent 1; None where none has, or all have one (then the first one stays)."""
    dropped = [size == 1 for size in shape]
    return dropped if any(dropped) else None


def _groups(dropped: Sequence[bool]) -> list[list[int]]:
    """One group for each dimension that stays, with those that go in front of it, the last one also with those behind it."""
    groups: list[list[int]] = []
    pending: list[int] = []
    for position, goes in enumerate(dropped):
        pending.append(position)
        if not goes:
            groups.append(pending)
            pending = []
    if groups:
        groups[-1] += pending
    return groups


class RankReducedExtractSlice(RewritePattern):
    """before:  tensor.extract_slice %t[..] [1, 4] [1, 1] : tensor<8x8xf32> to tensor<1x4xf32>
    after:   %s = tensor.extract_slice %t[..] [1, 4] [1, 1] : tensor<8x8xf32> to tensor<4xf32>   tensor.expand_shape %s"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExtractSliceOp, rewriter: PatternRewriter) -> None:
        type: Any = op.result.type
        dropped = _unit_dims(type.get_shape())
        if dropped is None:
            return
        shape = [size for size, goes in zip(type.get_shape(), dropped, strict=True) if not goes]
        build = Builder(InsertPoint.before(op), op, rewriter)
        new = TensorType(type.element_type, shape)
        part = build.add(tensor.ExtractSliceOp(op.source, op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides(), new)).result
        kept = iter(build.extents(part))
        full = [1 if goes else next(kept) for goes in dropped]
        rewriter.replace(op, tensor.ExpandShapeOp.get(part, _groups(dropped), full))


class RankReducedInsertSlice(RewritePattern):
    """before:  tensor.insert_slice %s into %t[..] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<8x8xf32>
    after:   %r = tensor.collapse_shape %s   tensor.insert_slice %r into %t[..] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x8xf32>"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if op.name not in ("tensor.insert_slice", "tensor.parallel_insert_slice"):
            return
        type: Any = op.operands[0].type
        dropped = _unit_dims(type.get_shape())
        if dropped is None:
            return
        parent = op if op.results else op.parent_op()
        assert parent is not None
        build = Builder(InsertPoint.before(parent), op, rewriter)
        shape = [size for size, goes in zip(type.get_shape(), dropped, strict=True) if not goes]
        collapsed = tensor.CollapseShapeOp.get(op.operands[0], _groups(dropped), TensorType(type.element_type, shape))
        op.operands[0] = build.add(collapsed).result
        rewriter.notify_op_modified(op)


SLICES_OF_LOWER_RANK: tuple[RewritePattern, ...] = (RankReducedExtractSlice(), RankReducedInsertSlice())
