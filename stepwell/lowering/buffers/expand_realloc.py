"""The pass `expand-realloc`: `memref.realloc` in terms of allocation, copy and deallocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.arith import CmpiOp, ConstantOp
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, IntegerAttr
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.dialects import memref
from stepwell.dialects.memref import ReinterpretCastOp, SubviewOp
from stepwell.dialects.memref.more import ReallocOp
from stepwell.dialects.scf import IfOp, YieldOp
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import walk_and_rewrite


@dataclass(frozen=True)
class ExpandRealloc(Pass):
    """A larger buffer is allocated, filled and the old one freed; where the old one has room enough, it stays.

    before:  %b = memref.realloc %a(%n) : memref<?xf32> to memref<?xf32>
    after:   %b = scf.if %too_small { %new = memref.alloc(%n)   memref.copy %a, %part_of_new   memref.dealloc %a   scf.yield %new }
             else { %old = memref.reinterpret_cast %a   scf.yield %old }
    """

    name: ClassVar[str] = "expand-realloc"
    anchor: ClassVar[str] = "any"

    emit_deallocs: bool = True

    def run(self, op: Operation, ctx: Context) -> None:
        walk_and_rewrite(op, (ExpandReallocOp(self.emit_deallocs),))


class ExpandReallocOp(RewritePattern):
    """One reallocation; with `deallocs`, the old buffer is freed."""

    def __init__(self, deallocs: bool) -> None:
        self._deallocs = deallocs

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReallocOp, rewriter: PatternRewriter, /) -> None:
        def number(value: int) -> SSAValue:
            made = ConstantOp(IntegerAttr(value, IndexType()))
            rewriter.insert(made)
            return made.result

        source, result = cast(Any, op.source.type), cast(Any, op.result.type)
        (old,), (new,) = source.get_shape(), result.get_shape()
        old_size: int | SSAValue = old
        if old == DYNAMIC_INDEX:
            dim = memref.DimOp(op.source, number(0))
            rewriter.insert(dim)
            old_size = dim.result
        new_size: int | SSAValue = new if op.dynamicResultSize is None else op.dynamicResultSize
        lhs = old_size if isinstance(old_size, SSAValue) else number(old_size)
        rhs = new_size if isinstance(new_size, SSAValue) else number(new_size)
        too_small = CmpiOp(lhs, rhs, "ult")
        rewriter.insert(too_small)

        dynamic = [] if op.dynamicResultSize is None else [op.dynamicResultSize]
        made = memref.AllocOp(dynamic_sizes=dynamic, symbol_operands=[], result_type=result)
        if op.alignment is not None:
            made.properties["alignment"] = op.alignment
        part = SubviewOp.get(made.memref, [0], [old_size], [1])
        free = [memref.DeallocOp.get(op.source)] if self._deallocs else []
        view = ReinterpretCastOp.get(op.source, 0, [new_size], [1], result)
        grown: list[Operation] = [made, part, memref.CopyOp(op.source, part.result), *free, YieldOp(made.memref)]
        rewriter.replace(op, IfOp(too_small.result, [result], Region(Block(grown)), Region(Block([view, YieldOp(view.result)]))))
