"""Reshapes and slices of `tensor.empty` are a `tensor.empty`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from functools import reduce
from typing import Any

from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import tensor
from stepwell.dialects.layouts import groups_of
from stepwell.ir.affine_expressions import mul, symbol
from stepwell.lowering.building import Builder, Index


def _empty(value: SSAValue) -> list[Index] | None:
    """The extents of a `tensor.empty`."""
    made = value.op if isinstance(value, OpResult) else None
    if not isinstance(made, tensor.EmptyOp):
        return None
    type: Any = value.type
    dynamic = iter(made.dynamic_sizes)
    return [next(dynamic) if size == DYNAMIC_INDEX else size for size in type.get_shape()]


class FoldEmptyTensorWithReshape(RewritePattern):
    """before:  %e = tensor.empty() : tensor<1x4xf32>   tensor.collapse_shape %e [[0, 1]]
    after:   tensor.empty() : tensor<4xf32>"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.CollapseShapeOp | tensor.ExpandShapeOp, rewriter: PatternRewriter) -> None:
        extents = _empty(op.src)
        if extents is None:
            return
        type: Any = op.result.type
        build = Builder(InsertPoint.before(op), op, rewriter)
        if isinstance(op, tensor.ExpandShapeOp):
            shape = op.mixed_output_shape()
        else:
            shape = []
            for group in groups_of(op.reassociation):
                product = reduce(mul, [symbol(n) for n in range(len(group))])
                shape.append(build.apply(product, (), [extents[member] for member in group]))
        rewriter.replace(op, [], [build.empty(shape, type.element_type)])


class FoldEmptyTensorWithExtractSlice(RewritePattern):
    """before:  %e = tensor.empty() : tensor<8xf32>   tensor.extract_slice %e[0] [4] [1]
    after:   tensor.empty() : tensor<4xf32>"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExtractSliceOp, rewriter: PatternRewriter) -> None:
        if _empty(op.source) is None:
            return
        type: Any = op.result.type
        sizes = op.mixed_sizes()
        shape: list[Index] = []
        position = 0
        for extent in type.get_shape():  # extents of 1 may have been dropped
            while sizes[position] != extent and not (extent == DYNAMIC_INDEX and isinstance(sizes[position], SSAValue)):
                position += 1
            shape.append(sizes[position])
            position += 1
        build = Builder(InsertPoint.before(op), op, rewriter)
        rewriter.replace(op, [], [build.empty(shape, type.element_type)])


FOLD_EMPTY: tuple[RewritePattern, ...] = (FoldEmptyTensorWithReshape(), FoldEmptyTensorWithExtractSlice())
