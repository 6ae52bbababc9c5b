"""Chains of rewrites, one upon the other: how a driver finds patterns that undo each other, or that apply to what they made themselves.

In: what a driver rewrites, creates and removes. Out: an error that names the patterns, once a chain is longer than any honest one. A
driver begins to look only after so many rewrites that it may be running in a circle: before that, nothing is paid.
"""

from __future__ import annotations

from typing import NamedTuple

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Operation
from xdsl.pattern_rewriter import RewritePattern

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place_of
from stepwell.ir.rewrite.pattern_set import pattern_name

GENERATIONS_PER_ITERATION = 64
"""How long a chain of operations, each created by rewriting the one before, may grow for each allowed iteration."""


class Ancestry(NamedTuple):
    """Which rewrites, one upon the other, made an operation what it is."""

    generation: int
    pattern: str
    parent: Ancestry | None


class Chains:
    """The ancestry of every operation that a rewrite has made or changed. `longest` is how many generations there may be."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._ancestry: dict[Operation, Ancestry] = {}
        self._matched: Operation | None = None
        self._pattern: RewritePattern | None = None
        self._current: Ancestry | None = None

    def begin(self, op: Operation, pattern: RewritePattern | None) -> None:
        """Whatever is created from now on comes from `op`, by `pattern`, or by its fold."""
        self._matched = op
        self._pattern = pattern
        self._current = None

    def created(self, op: Operation) -> None:
        """`op` is new."""
        if (descent := self._descent()) is not None:
            self._ancestry[op] = descent

    def removed(self, op: Operation) -> None:
        """`op` is about to be erased."""
        self._descent()  # while that of the matched operation is known
        self._ancestry.pop(op, None)

    def succeeded(self, op: Operation) -> Ancestry | None:
        """`op` was rewritten, and may have been erased by that. The chain that it ends, if that is too long."""
        current = self._descent()
        if current is None:
            return None
        if op.parent is not None:
            self._ancestry[op] = current
        return current if current.generation > self._longest else None

    def _descent(self) -> Ancestry | None:
        """Where what is created now comes from. Most patterns do not match, so that nobody asks."""
        if self._current is None and (op := self._matched) is not None:
            ancestry = self._ancestry.get(op)
            name = f"fold of {op.name}" if self._pattern is None else pattern_name(self._pattern)
            self._current = Ancestry(ancestry.generation + 1 if ancestry else 1, name, ancestry)
        return self._current


def undo_each_other(end: Ancestry, location: LocationAttr) -> CompileError:
    """The error for a chain that is too long."""
    names: dict[str, None] = {}
    link: Ancestry | None = end
    for _ in range(GENERATIONS_PER_ITERATION):
        if link is None:
            break
        names[link.pattern] = None
        link = link.parent
    culprits = " and ".join(f"'{name}'" for name in names)
    what = f"patterns {culprits} undo each other" if len(names) > 1 else f"pattern {culprits} applies to its own result"
    return CompileError(f"{what}: {end.generation} rewrites, one upon the other", location=place_of(location))
