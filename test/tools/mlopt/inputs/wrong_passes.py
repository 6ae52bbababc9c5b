"""Passes with mistakes, for tests of the tools that find mistakes."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import rewrite_greedily


class AddSelf(RewritePattern):
    """x + x -> x * 2, right."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.AddiOp, rewriter: PatternRewriter) -> None:
        if op.lhs is op.rhs:
            two = arith.ConstantOp.from_int_and_width(2, op.result.type)  # pyright: ignore
            rewriter.replace(op, (two, arith.MuliOp(op.lhs, two.result)))


class SwapSub(RewritePattern):
    """x - y -> y - x where x is a product: wrong."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.SubiOp, rewriter: PatternRewriter) -> None:
        if isinstance(op.lhs.owner, arith.MuliOp):
            rewriter.replace(op, arith.SubiOp(op.rhs, op.lhs))


@dataclass(frozen=True)
class Wrong(Pass):
    """Some right rewrites, and a wrong one."""

    name = "wrong"
    anchor = "func.func"

    def run(self, op: Operation, ctx: Context) -> None:
        rewrite_greedily(op, [AddSelf(), SwapSub()])


@dataclass(frozen=True)
class Crash(Pass):
    """Trips over any division that stands in a loop."""

    name = "crash"
    anchor = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in op.walk():
            if isinstance(inner, arith.DivSIOp) and inner.parent_op() is not None and inner.parent_op().name == "scf.for":  # pyright: ignore
                raise AssertionError("a division in a loop")
