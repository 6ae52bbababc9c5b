"""Regions made simpler: what control flow never reaches, what nobody needs, and, on demand, blocks that do the same.

In: the regions of an operation, with all that is inside of them. Out: whether anything changed. Nothing is known here of any dialect but
which operands a branch passes (`stepwell.ir.transforms.branches`).
"""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Block, BlockArgument, Operation, OpResult, Region, SSAValue
from xdsl.traits import IsTerminator, SymbolOpInterface

from stepwell.ir.effects import has_only_result_effects
from stepwell.ir.rewrite.unreachable import erase_unreachable
from stepwell.ir.transforms.block_merging import drop_redundant_arguments, merge_identical_blocks
from stepwell.ir.transforms.branches import erase_arguments, forwarded

Removed = Callable[[Operation], None]


def simplify_regions(op: Operation, *, merge: bool = False, removed: Removed | None = None) -> bool:
    """Simplify the regions of `op`. With `merge`, blocks that do the same become one, and arguments that are always the same value go.
    `removed` hears of every operation that is erased by itself, before it is."""
    changed = erase_unreachable(list(op.walk()))
    changed |= erase_dead(op, removed)
    if merge:
        regions = [region for inner in op.walk() for region in inner.regions if region.first_block is not region.last_block]
        for region in regions:
            changed |= merge_identical_blocks(region)
            changed |= drop_redundant_arguments(region)
    return changed


# ---- what nobody needs -----------------------------------------------------------------------------------------------------------


def erase_dead(op: Operation, removed: Removed | None = None) -> bool:
    """Erase operations without effects whose results nothing that is needed uses, and block arguments that nothing needs, inside `op`.

    Unlike erasing what is unused, one after the other, this finds values that only need each other, around a loop of blocks.
    """
    needed = _Needed()
    for region in op.regions:
        needed.seed(region)
    needed.spread()
    changed = False
    for region in op.regions:
        changed |= _delete(region, needed, removed)
    return changed


class _Needed:
    """The operations and block arguments that are needed. Arguments of the first block of a region always are: they are a contract with
    the operation around it."""

    def __init__(self) -> None:
        self.ops: set[Operation] = set()
        self.arguments: set[BlockArgument] = set()
        self._waiting: list[Operation | BlockArgument] = []

    def seed(self, region: Region) -> None:
        """What is needed by itself."""
        for op in region.walk():
            if _has_a_life_of_its_own(op):
                self._op(op)

    def spread(self) -> None:
        """Whatever something needed uses is needed."""
        while self._waiting:
            found = self._waiting.pop()
            if isinstance(found, BlockArgument):
                self._passed(found)
            else:
                self._used_by(found)

    def _used_by(self, op: Operation) -> None:
        passed = forwarded(op) if op.successors else None
        if passed is None:
            for value in op.operands:
                self._value(value)
            for block in op.successors:
                for argument in block.args:
                    self._value(argument)
            return
        for value in op.operands[: len(op.operands) - sum(map(len, passed))]:
            self._value(value)
        for block, values in zip(op.successors, passed, strict=True):
            for argument, value in zip(block.args, values, strict=True):
                if argument in self.arguments:
                    self._value(value)

    def _passed(self, argument: BlockArgument) -> None:
        for use in argument.block.uses:
            passed = forwarded(use.operation)
            if passed is not None:
                self._value(passed[use.index][argument.index])

    def _value(self, value: SSAValue) -> None:
        if isinstance(value, OpResult):
            self._op(value.op)
        elif isinstance(value, BlockArgument) and value not in self.arguments:
            self.arguments.add(value)
            self._waiting.append(value)

    def _op(self, op: Operation) -> None:
        if op not in self.ops:
            self.ops.add(op)
            self._waiting.append(op)


def _has_a_life_of_its_own(op: Operation) -> bool:
    kind = type(op)
    return (
        op.has_trait(IsTerminator, value_if_unregistered=True)
        or kind.get_trait(SymbolOpInterface) is not None
        or not has_only_result_effects(op)
    )


def _delete(region: Region, needed: _Needed, removed: Removed | None) -> bool:
    changed = False
    for block in region.blocks:
        for op in reversed(list(block.ops)):
            if op in needed.ops:
                for inner in op.regions:
                    changed |= _delete(inner, needed, removed)
                continue
            changed = True
            if removed is not None:
                removed(op)
            op.detach()
            op.erase(safe_erase=False)
    for block in list(region.blocks)[1:]:
        changed |= _erase_arguments(block, needed)
    return changed


def _erase_arguments(block: Block, needed: _Needed) -> bool:
    dead = {argument.index for argument in block.args if argument not in needed.arguments}
    if dead:
        erase_arguments(block, dead)
    return bool(dead)
