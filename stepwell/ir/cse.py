"""The pass `cse`: of equal operations without effects, the one that dominates the others stays."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.ir import Block, Operation, Region
from xdsl.traits import IsolatedFromAbove, MemoryEffect, NoMemoryEffect

from stepwell.ir.dominance import dominator_tree
from stepwell.ir.passes import Pass


@dataclass(frozen=True)
class CommonSubexpressionElimination(Pass):
    """Replace an operation by an equal one that dominates it.

    before:  %0 = arith.addi %x, %y : i32   %1 = arith.addi %x, %y : i32   %2 = arith.muli %0, %1 : i32
    after:   %0 = arith.addi %x, %y : i32   %2 = arith.muli %0, %0 : i32
    """

    name = "cse"
    anchor = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        known = _Known()
        for region in op.regions:
            known.region(region)


class _Known:
    """The operations that dominate the point where the walk stands, by what makes them equal."""

    def __init__(self) -> None:
        self._first: dict[Hashable, Operation] = {}
        self._order: list[Hashable] = []
        """The keys, in the order of their coming; leaving a scope forgets the last ones."""

    def region(self, region: Region) -> None:
        entry = region.first_block
        if entry is None:
            return
        if entry is region.last_block:
            mark = len(self._order)
            self._block(entry)
            self._forget(mark)
            return
        tree = dominator_tree(entry)
        pending: list[Block | int] = [entry]
        while pending:
            block = pending.pop()
            if isinstance(block, int):
                self._forget(block)
                continue
            pending.append(len(self._order))
            self._block(block)
            pending.extend(tree[block])

    def _block(self, block: Block) -> None:
        for op in list(block.ops):
            if op.regions:
                within = _Known() if op.has_trait(IsolatedFromAbove, value_if_unregistered=True) else self
                for region in op.regions:
                    within.region(region)
            elif _has_no_effects(op):
                self._meet(op)

    def _meet(self, op: Operation) -> None:
        key = _key(op)
        first = self._first.get(key)
        if first is None:
            self._first[key] = op
            self._order.append(key)
            return
        for old, new in zip(op.results, first.results, strict=True):
            old.replace_all_uses_with(new)
        op.detach()
        op.erase()

    def _forget(self, mark: int) -> None:
        while len(self._order) > mark:
            del self._first[self._order.pop()]


def _has_no_effects(op: Operation) -> bool:
    effects = op.get_traits_of_type(MemoryEffect)
    return bool(op.results and effects) and all(isinstance(effect, NoMemoryEffect) for effect in effects)


def _key(op: Operation) -> Hashable:
    properties, attributes = frozenset(op.properties.items()), frozenset(op.attributes.items())
    return type(op), tuple(op.operands), properties, attributes, tuple(result.type for result in op.results)
