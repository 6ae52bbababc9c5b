"""Analyses that are kept: what one pass has found out of an operation, the next one need not find out again.

A pass asks `analysis(Dominance, op)`. The pass manager keeps what was computed until a pass has run that changed the IR and did not say
in `preserved` that the analysis still holds; a pass that found nothing to do says `unchanged()`. Without a pass manager nothing is kept.

An analysis is a class whose constructor takes the operation.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import local
from typing import Any, TypeVar, cast

from xdsl.ir import Block, Operation, Region

from stepwell.ir.dominance import Tree, dominator_tree

A = TypeVar("A")


class KeptAnalyses:
    """The analyses of one run of a pipeline: (class, operation) -> what was found."""

    def __init__(self) -> None:
        self._found: dict[tuple[type[Any], Operation], Any] = {}
        self._unchanged: list[bool] = []
        """For every running pass, the innermost last: whether it has said that it changed nothing."""

    def get(self, kind: type[A], op: Operation) -> A:
        """The analysis of `op`, computed where it is not known."""
        key = (kind, op)
        if key not in self._found:
            self._found[key] = cast("Any", kind)(op)
        return self._found[key]

    def begin_pass(self) -> None:
        """A pass is about to run."""
        self._unchanged.append(False)

    def say_unchanged(self) -> None:
        """The running pass has changed nothing."""
        self._unchanged[-1] = True

    def end_pass(self, preserved: Iterable[type[Any]]) -> None:
        """A pass has run. What it may have made wrong is forgotten, of whatever operation: a pass may change what is inside others."""
        if not self._unchanged.pop():
            kept = set(preserved)
            self._found = {key: value for key, value in self._found.items() if key[0] in kept}


class _Running(local):
    """Each thread runs pipelines of its own."""

    def __init__(self) -> None:
        self.pipelines: list[KeptAnalyses] = []
        """Their analyses, those of the innermost last."""


running = _Running()


def analysis(kind: type[A], op: Operation) -> A:
    """The analysis `kind` of `op`: one that is kept, or a new one."""
    return running.pipelines[-1].get(kind, op) if running.pipelines else cast("Any", kind)(op)


def unchanged() -> None:
    """Said by a pass that has changed nothing: all analyses still hold."""
    if running.pipelines:
        running.pipelines[-1].say_unchanged()


class Dominance:
    """Which block comes before which, for every region inside an operation that somebody asks for."""

    def __init__(self, op: Operation) -> None:
        self._trees: dict[Block, Tree] = {}
        self._frontiers: dict[Block, dict[Block, list[Block]]] = {}
        self._parents: dict[Region, dict[Block, Block]] = {}

    def tree(self, region: Region) -> Tree:
        """The reachable blocks of a region, each with those that it immediately dominates."""
        entry = region.first_block
        assert entry is not None
        if entry not in self._trees:
            self._trees[entry] = dominator_tree(entry)
        return self._trees[entry]

    def frontier(self, region: Region) -> dict[Block, list[Block]]:
        """For each reachable block the blocks where it stops to dominate: they have a way in that does not pass through it."""
        entry = region.first_block
        assert entry is not None
        if entry not in self._frontiers:
            self._frontiers[entry] = _frontier(self.tree(region))
        return self._frontiers[entry]

    def merge_points(self, region: Region, defining: Iterable[Block]) -> list[Block]:
        """The blocks that definitions in several of the blocks `defining`, or in what comes before all, reach (iterated frontier)."""
        frontier = self.frontier(region)
        found: dict[Block, None] = {}
        waiting = [block for block in defining if block in frontier]
        while waiting:
            for block in frontier[waiting.pop()]:
                if block not in found:
                    found[block] = None
                    waiting.append(block)
        return list(found)

    # ---- blocks of any region: one dominates what it holds, and what the blocks that it dominates hold

    def is_reachable(self, block: Block) -> bool:
        """Whether a way leads to the block from the first one of its region."""
        return block.parent is not None and block in self.tree(block.parent)

    def properly_dominates(self, a: Block, b: Block) -> bool:
        """Whether every way to `b`, another block, leads through `a`, or into it."""
        around = _ancestor(b, a.parent)
        if a is b or around is None or a.parent is None:
            return False
        return around is a or a in self._above(around)

    def dominates(self, a: Block, b: Block) -> bool:
        """Whether every way to `b` leads through `a`, which may be `b`."""
        return a is b or self.properly_dominates(a, b)

    def common(self, blocks: Iterable[Block]) -> Block | None:
        """The nearest block that dominates all of these."""
        first, *others = blocks
        found: Block | None = first
        for other in others:
            found = None if found is None else self._common(found, other)
        return found

    def _above(self, block: Block) -> list[Block]:
        """The blocks of the same region that dominate `block`, itself the first."""
        assert block.parent is not None
        if block.parent not in self._parents:
            self._parents[block.parent] = {child: parent for parent, children in self.tree(block.parent).items() for child in children}
        parents, found = self._parents[block.parent], [block]
        while found[-1] in parents:
            found.append(parents[found[-1]])
        return found

    def immediate(self, block: Block) -> Block | None:
        """The nearest other block of the same region that dominates `block`."""
        above = self._above(block)
        return above[1] if len(above) > 1 else None

    def _common(self, a: Block, b: Block) -> Block | None:
        current: Block | None = a
        while current is not None:
            inside = _ancestor(b, current.parent)
            if inside is not None:
                above = set(self._above(inside))
                return next((block for block in self._above(current) if block in above), None)
            around = current.parent_op()
            current = around.parent if around is not None else None
        return None


def _ancestor(block: Block, region: Region | None) -> Block | None:
    """The block of `region` that is, or holds, `block`."""
    current: Block | None = block
    while current is not None and current.parent is not region:
        around = current.parent_op()
        current = around.parent if around is not None else None
    return current


def _frontier(tree: Tree) -> dict[Block, list[Block]]:
    """After Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001), figure 5."""
    parent = {child: block for block, children in tree.items() for child in children}
    frontier: dict[Block, list[Block]] = {block: [] for block in tree}
    for block in tree:
        predecessors = [p for p in block.predecessors() if p in tree]
        if len(predecessors) < 2:
            continue
        for predecessor in predecessors:
            runner: Block | None = predecessor
            while runner is not None and runner is not parent.get(block):
                if block not in frontier[runner]:
                    frontier[runner].append(block)
                runner = parent.get(runner)
    return frontier
