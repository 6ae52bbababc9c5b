"""What canonicalizes `func`: a call of a function that is known is a plain call."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import SymbolRefAttr
from xdsl.dialects.func import CallOp
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.ir.rewrite.folding import constant_of


class CallOfConstant(RewritePattern):
    """before:  %f = func.constant @g : (i32) -> i32   %r = func.call_indirect %f(%a)
    after:   %r = func.call @g(%a)"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        callee = constant_of(op.callee)
        if isinstance(callee, SymbolRefAttr):
            rewriter.replace(op, CallOp(callee, list(op.callee_operands), list(op.result_types)))


PATTERNS: dict[str, tuple[RewritePattern, ...]] = {"func.call_indirect": (CallOfConstant(),)}
