"""The pass `scf-for-loop-canonicalization`: what the bounds of loops say about `affine.min`, `affine.max` and `dim` inside them."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from xdsl.context import Context
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.dialects import affine, memref, scf, tensor
from stepwell.ir.integer_sets import IntegerSet
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.scf.min_max import add_loop_range, as_apply, range_of, winner


@dataclass(frozen=True)
class ForLoopCanonicalization(Pass):
    """Extrema that bounds of loops decide, and extents of what loops carry.

    before:  scf.for %i = %c0 to %c8 step %c4 { %m = affine.min affine_map<(d0) -> (4, 8 - d0)>(%i)   use(%m) }
    after:   scf.for %i = %c0 to %c8 step %c4 { use(%c4) }
    """

    name: ClassVar[str] = "scf-for-loop-canonicalization"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        rewrite_greedily(op, PATTERNS, how=Greediness(unique_constants=True, simplify="aggressive", must_converge=False))


class DecideExtremum(RewritePattern):
    """An `affine.min` or `affine.max` of loop variables, one of whose expressions always wins."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: affine.MinOp | affine.MaxOp, rewriter: PatternRewriter) -> None:
        known = IntegerSet()
        for value in dict.fromkeys(op.arguments):
            range = range_of(value)
            if range is not None and not add_loop_range(known, value, range):
                return
        expr = winner(op, known)
        if expr is not None:
            rewriter.replace(op, as_apply(op, expr))


def keeps_shape(loop: scf.ForOp, number: int) -> bool:
    """Whether what a loop carries keeps its extents: it is only inserted into."""
    value = cast(Operation, loop.body.block.last_op).operands[number]
    while value is not loop.body.block.args[number + 1]:
        if not isinstance(value, OpResult):
            return False
        if isinstance(value.op, tensor.InsertSliceOp):
            value = value.op.dest
        elif isinstance(value.op, scf.ForOp) and keeps_shape(value.op, value.index):
            value = value.op.iter_args[value.index]
        else:
            return False
    return True


class DimOfCarried(RewritePattern):
    """The extent of what a loop carries, inside or behind the loop, is that of what it began with.

    before:  scf.for ... iter_args(%x = %t) { tensor.dim %x, %c0   scf.yield of %x with something inserted }
    after:   scf.for ... iter_args(%x = %t) { tensor.dim %t, %c0   ... }
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.DimOp | memref.DimOp, rewriter: PatternRewriter) -> None:
        source: SSAValue = op.operands[0]
        loop = source.block.parent_op() if isinstance(source, BlockArgument) else source.owner
        number = source.index - 1 if isinstance(source, BlockArgument) else cast(OpResult, source).index
        if isinstance(loop, scf.ForOp) and number >= 0 and keeps_shape(loop, number):
            op.operands[0] = loop.iter_args[number]
            rewriter.notify_op_modified(op)


PATTERNS: tuple[RewritePattern, ...] = (DecideExtremum(), DimOfCarried())
