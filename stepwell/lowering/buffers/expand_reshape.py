"""The pass `memref-expand`: `memref.reshape` as a `memref.reinterpret_cast` whose strides are computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp, IndexCastOp, MuliOp
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, IntegerAttr
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.dialects import memref
from stepwell.dialects.memref import ReinterpretCastOp
from stepwell.dialects.memref.more import ReshapeOp
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import walk_and_rewrite

INDEX = IndexType()


@dataclass(frozen=True)
class ExpandReshape(Pass):
    """Extents that the result's type does not say are loaded from the shape; a shape of unknown length stays.

    before:  %r = memref.reshape %m(%shape) : (memref<*xf32>, memref<2xindex>) -> memref<4x?xf32>
    after:   %n = memref.load %shape[%c1]   %r = memref.reinterpret_cast %m to offset: [0], sizes: [4, %n], strides: [%n, 1]
    """

    name: ClassVar[str] = "memref-expand"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        walk_and_rewrite(op, (ReshapeToCast(),))


class ReshapeToCast(RewritePattern):
    """From the innermost dimension, whose stride is 1, outwards."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter, /) -> None:
        if not cast(Any, op.shape.type).has_static_shape():
            return

        def insert(made: Operation) -> SSAValue:
            rewriter.insert(made)
            return made.results[0]

        def number(value: int) -> SSAValue:
            return insert(ConstantOp(IntegerAttr(value, INDEX)))

        result = cast(Any, op.result.type)
        shape = result.get_shape()
        sizes: list[int | SSAValue] = []
        strides: list[int | SSAValue] = []
        stride: int | SSAValue = 1
        for dim in reversed(range(len(shape))):
            extent: int = shape[dim]
            if extent == DYNAMIC_INDEX:
                size = insert(memref.LoadOp.get(op.shape, [number(dim)]))
                if size.type != INDEX:
                    size = insert(IndexCastOp(size, INDEX))
                sizes.insert(0, size)
            else:
                size = number(extent)
                sizes.insert(0, extent)
            strides.insert(0, stride)
            if dim == 0:
                break
            if isinstance(stride, int) and extent != DYNAMIC_INDEX:
                stride *= extent
            else:
                stride = insert(MuliOp(stride if isinstance(stride, SSAValue) else number(stride), size))
        rewriter.replace(op, ReinterpretCastOp.get(op.source, 0, sizes, strides, result))
