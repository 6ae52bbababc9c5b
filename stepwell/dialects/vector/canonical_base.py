"""What the patterns that canonicalize `vector` have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import VectorType
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.dialects import vector
from stepwell.dialects.arith.canonical_base import Maker

Replacement = SSAValue | Sequence[SSAValue] | None


class VectorPattern(RewritePattern, ABC):
    """Says what takes the place of an operation, or of the `vector.mask` around it."""

    @abstractmethod
    def rewritten(self, op: Any, make: Maker) -> Replacement:
        """The new values; None where the pattern does not match. Nothing may be changed before that is known."""

    def replaced(self, op: Operation) -> Operation:
        """The operation whose place the new values take."""
        return op

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        make = Maker()
        found = self.rewritten(op, make)
        if found is not None:
            rewriter.replace(self.replaced(op), make.made, [found] if isinstance(found, SSAValue) else list(found))


def taken_apart(value: SSAValue, make: Maker) -> Sequence[SSAValue]:
    """The elements of a vector; a scalar itself."""
    if not isinstance(value.type, VectorType):
        return (value,)
    parts = vector.ToElementsOp(value)
    make.made.append(parts)
    return parts.results
