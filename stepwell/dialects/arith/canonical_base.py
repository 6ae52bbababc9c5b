"""What the patterns that canonicalize `arith` have in common.

A pattern says by `rewritten` what takes the place of the operation; what it makes on the way it makes with the `Maker` that it is given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.dialects import arith

Replacement = SSAValue | Sequence[SSAValue] | None


class Maker:
    """Makes operations, to be inserted before the one that they replace."""

    __slots__ = ("made",)

    def __init__(self) -> None:
        self.made: list[Operation] = []

    def op(self, kind: type[Operation], operands: Sequence[SSAValue], type: Attribute, **properties: Attribute | None) -> SSAValue:
        """A new operation with one result."""
        given = {name: value for name, value in properties.items() if value is not None}
        made = kind.create(operands=operands, result_types=[type], properties=given)
        self.made.append(made)
        return made.results[0]

    def constant(self, value: Attribute, type: Attribute) -> SSAValue:
        """A new `arith.constant`."""
        return self.op(arith.ConstantOp, [], type, value=value)


class ArithPattern(RewritePattern, ABC):
    """Base of the patterns here."""

    @abstractmethod
    def rewritten(self, op: Any, make: Maker) -> Replacement:
        """What takes the place of `op`; None where the pattern does not match."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        make = Maker()
        found = self.rewritten(op, make)
        if found is not None:
            rewriter.replace(op, make.made, [found] if isinstance(found, SSAValue) else list(found))
