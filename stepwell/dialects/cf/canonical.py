"""Canonical form of `cf`: xDSL's patterns, but a branch is not led through blocks that only jump to each other in a circle.

Led through such a circle, a branch has a new successor each time, for ever.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.cf import BranchOp, ConditionalBranchOp, SwitchOp
from xdsl.ir import Block
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.traits import HasCanonicalizationPatternsTrait
from xdsl.transforms.canonicalization_patterns import cf

from stepwell.ir.rewrite.actions import match_failure


class SimplifyPassThroughBr(RewritePattern):
    """br ^a; ^a: br ^b(...)  ->  br ^b(...)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BranchOp, rewriter: PatternRewriter) -> None:
        if _leads_in_a_circle(op.successors):
            return match_failure("the blocks jump in a circle")
        cf.SimplifyPassThroughBr().match_and_rewrite(op, rewriter)


class SimplifyPassThroughCondBranch(RewritePattern):
    """cond_br %c, ^a, ^x; ^a: br ^b(...)  ->  cond_br %c, ^b(...), ^x"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConditionalBranchOp, rewriter: PatternRewriter) -> None:
        if _leads_in_a_circle(op.successors):
            return match_failure("the blocks jump in a circle")
        cf.SimplifyPassThroughCondBranch().match_and_rewrite(op, rewriter)


class SimplifyPassThroughSwitch(RewritePattern):
    """The same for the cases of a switch."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SwitchOp, rewriter: PatternRewriter) -> None:
        if _leads_in_a_circle(op.successors):
            return match_failure("the blocks jump in a circle")
        cf.SimplifyPassThroughSwitch().match_and_rewrite(op, rewriter)


def _leads_in_a_circle(successors: Sequence[Block]) -> bool:
    """Whether one of the blocks, followed through blocks that hold nothing but a jump, comes back to where it was."""
    for start in successors:
        seen: set[Block] = set()
        block: Block = start
        while block not in seen:
            seen.add(block)
            jump = block.first_op
            if not isinstance(jump, BranchOp):
                break
            block = jump.successor
        else:
            return True
    return False


_OURS = {type(ours).__name__: ours for ours in (SimplifyPassThroughBr(), SimplifyPassThroughCondBranch(), SimplifyPassThroughSwitch())}


def _patterns(kind: type[BranchOp | ConditionalBranchOp | SwitchOp]) -> tuple[RewritePattern, ...]:
    found = [pattern for trait in kind.get_traits_of_type(HasCanonicalizationPatternsTrait) for pattern in trait.get_patterns(kind)]
    return tuple(_OURS.get(type(pattern).__name__, pattern) for pattern in found)


PATTERNS: dict[str, tuple[RewritePattern, ...]] = {kind.name: _patterns(kind) for kind in (BranchOp, ConditionalBranchOp, SwitchOp)}
"""By operation."""
