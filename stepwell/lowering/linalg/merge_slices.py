"""Slices of slices of tensors are one slice: of what is behind both, or into what is behind both."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, TensorType
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.dialects import tensor
from stepwell.dialects.support import is_rank_reduction
from stepwell.dialects.tensor.facts import dropped_dims
from stepwell.ir.affine_expressions import add, mul, symbol
from stepwell.lowering.building import Builder, static


class SliceOfSlice(RewritePattern):
    """before:  %a = tensor.extract_slice %t[%i] [8] [1]   %b = tensor.extract_slice %a[%j] [4] [1]
    after:   %b = tensor.extract_slice %t[%i + %j] [4] [1]"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExtractSliceOp, rewriter: PatternRewriter) -> None:
        inner: Any = op.source.owner
        if not isinstance(inner, tensor.ExtractSliceOp):
            return
        offsets, sizes, strides = list(inner.mixed_offsets()), list(inner.mixed_sizes()), list(inner.mixed_strides())
        dropped = dropped_dims(static(sizes), cast("TensorType[Any]", inner.result.type).get_shape())
        if dropped is None:
            return
        build = Builder(op, op, rewriter)
        given = iter(zip(op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides(), strict=True))
        for dim in range(len(offsets)):
            if dim not in dropped:
                offset, size, stride = next(given)
                offsets[dim] = build.apply(add(mul(symbol(0), symbol(1)), symbol(2)), (), (offset, strides[dim], offsets[dim]))
                sizes[dim] = size
                strides[dim] = build.apply(mul(symbol(0), symbol(1)), (), (stride, strides[dim]))
        rewriter.replace(op, tensor.ExtractSliceOp(inner.source, offsets, sizes, strides, cast("TensorType[Any]", op.result.type)))


class InsertionOfInsertion(RewritePattern):
    """What is inserted as a whole into a tensor of extents of 1 more, which is inserted in turn, is inserted at once."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.InsertSliceOp, rewriter: PatternRewriter) -> None:
        inner: Any = op.source.owner
        if not isinstance(inner, tensor.InsertSliceOp):
            return
        if any(step != 1 for step in (*inner.mixed_strides(), *op.mixed_strides())):
            return
        shape = cast("TensorType[Any]", inner.source.type).get_shape()
        whole = cast("TensorType[Any]", inner.dest.type).get_shape()
        if DYNAMIC_INDEX in (*shape, *whole) or not is_rank_reduction(whole, shape):
            return
        op.operands[0] = inner.source
        rewriter.notify_op_modified(op)


MERGED = {"tensor.extract_slice": (SliceOfSlice(),), "tensor.insert_slice": (InsertionOfInsertion(),)}
MERGE_SLICES: tuple[RewritePattern, ...] = (SliceOfSlice(), InsertionOfInsertion())
