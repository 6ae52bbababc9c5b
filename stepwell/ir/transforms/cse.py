"""The pass `cse`: of equal operations without effects, the one that dominates the others stays; what is unused goes.

Operations that only read memory count as equal while nothing between them, in one block, may write. Operations with regions of one block
are equal when the regions are, operation by operation.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import UnregisteredOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.traits import IsolatedFromAbove, IsTerminator, MemoryEffectKind, get_effects

from stepwell.ir.analysis import Dominance, analysis, unchanged
from stepwell.ir.effects import is_dead, is_pure_kind
from stepwell.ir.passes import Pass, count
from stepwell.ir.rewrite.folding import commutes
from stepwell.ir.verify import GRAPH_REGIONS


@dataclass(frozen=True)
class CommonSubexpressionElimination(Pass):
    """Replace an operation by an equal one that dominates it.

    before:  %0 = arith.addi %x, %y : i32   %1 = arith.addi %x, %y : i32   %2 = arith.muli %0, %1 : i32
    after:   %0 = arith.addi %x, %y : i32   %2 = arith.muli %0, %0 : i32
    """

    name = "cse"
    anchor = "any"
    preserved = (Dominance,)
    statistics = {"num-cse'd": "Number of operations CSE'd", "num-dce'd": "Number of operations DCE'd"}

    def run(self, op: Operation, ctx: Context) -> None:
        if not eliminate(op):
            unchanged()


def eliminate(op: Operation) -> bool:
    """Eliminate common subexpressions inside `op`. Whether there were any."""
    known = _Known(analysis(Dominance, op))
    for region in op.regions:
        known.region(region)
    for dead in known.dead:
        _erase(dead)
    count("num-dce'd", len(known.dead))
    return known.changed


class _Known:
    """The operations that dominate the point where the walk stands, by what makes them equal."""

    def __init__(self, dominance: Dominance) -> None:
        self.changed = False
        self._dominance = dominance
        self.dead: list[Operation] = []
        """Unused; erased at the end, so that what they alone use is seen as used until then, as upstream has it."""
        self._first: dict[Hashable, Operation] = {}
        self._undo: list[tuple[Hashable, Operation | None]] = []
        """The keys in the order of their coming, with what stood there before; leaving a scope takes the last ones back."""

    def region(self, region: Region) -> None:
        entry = region.first_block
        if entry is None:
            return
        if entry is region.last_block:
            mark = len(self._undo)
            self._block(entry)
            self._forget(mark)
            return
        tree = self._dominance.tree(region)
        pending: list[Block | int] = [entry]
        while pending:
            block = pending.pop()
            if isinstance(block, int):
                self._forget(block)
                continue
            pending.append(len(self._undo))
            self._block(block)
            pending.extend(tree[block])

    def _block(self, block: Block) -> None:
        around = block.parent_op()
        in_order = around is None or around.name not in GRAPH_REGIONS
        for op in list(block.ops):
            if op.regions:
                self._inside(op)
            if op.results and not op.has_trait(IsTerminator, value_if_unregistered=False):
                self._operation(op, in_order)

    def _inside(self, op: Operation) -> None:
        isolated = op.has_trait(IsolatedFromAbove, value_if_unregistered=True)
        within = _Known(self._dominance) if isolated else self
        for region in op.regions:
            within.region(region)
        if isolated:
            self.dead += within.dead
            self.changed |= within.changed

    def _operation(self, op: Operation, in_order: bool) -> None:
        if is_dead(op):
            self.dead.append(op)
            self.changed = True
        elif is_pure_kind(type(op)):
            self._meet(op, in_order)
        elif not any(len(region.blocks) > 1 for region in op.regions) and (effects := get_effects(op)) is not None:
            if not effects:
                self._meet(op, in_order)
            elif all(effect.kind is MemoryEffectKind.READ for effect in effects):
                self._meet_read(op)

    def _meet(self, op: Operation, in_order: bool) -> None:
        key = _key(op)
        first = self._first.get(key)
        if first is None:
            self._remember(key, op)
        elif in_order or _all_later(op, first):
            self._replace(op, first)

    def _meet_read(self, op: Operation) -> None:
        key = _key(op)
        first = self._first.get(key)
        if first is not None and first.parent is op.parent and not _written_between(first, op):
            self._replace(op, first)
        else:
            self._remember(key, op)

    def _replace(self, op: Operation, first: Operation) -> None:
        for old, new in zip(op.results, first.results, strict=True):
            new.name_hint = new.name_hint or old.name_hint
            old.replace_all_uses_with(new)
        _erase(op)
        count("num-cse'd")
        self.changed = True

    def _remember(self, key: Hashable, op: Operation) -> None:
        self._undo.append((key, self._first.get(key)))
        self._first[key] = op

    def _forget(self, mark: int) -> None:
        while len(self._undo) > mark:
            key, before = self._undo.pop()
            if before is None:
                del self._first[key]
            else:
                self._first[key] = before


def _erase(op: Operation) -> None:
    op.detach()
    op.erase(safe_erase=False)


def _all_later(op: Operation, first: Operation) -> bool:
    """In a region whose order is free: whether all users of `op` come after `first`. Upstream leaves the others alone."""
    block = op.parent
    for result in op.results:
        for use in result.uses:
            user: Operation | None = use.operation
            while user is not None and user.parent is not block:
                user = user.parent_op()
            if user is None or not first.is_before_in_block(user):
                return False
    return True


def _written_between(first: Operation, last: Operation) -> bool:
    """Whether something between two operations of a block may write memory."""
    op = first.next_op
    while op is not None and op is not last:
        if not is_pure_kind(type(op)):
            effects = get_effects(op)
            if effects is None or any(effect.kind is MemoryEffectKind.WRITE for effect in effects):
                return True
        op = op.next_op
    return False


# ---- what is equal ------------------------------------------------------------------------------------------------------------------


def _key(op: Operation, numbers: dict[SSAValue | Block, int] | None = None) -> Hashable:
    """Equal for equal operations. `numbers` are of values and blocks inside an operation that is compared; others stand for themselves."""
    properties, attributes = frozenset(op.properties.items()), frozenset(op.attributes.items())
    operands: Hashable = op._operands if numbers is None else tuple(numbers.get(value, value) for value in op.operands)  # pyright: ignore[reportPrivateUsage]
    if commutes(type(op)):
        operands = tuple(sorted(op._operands, key=id)) if numbers is None else frozenset(operands)  # pyright: ignore[reportPrivateUsage, reportArgumentType]
    name = op.op_name.data if isinstance(op, UnregisteredOp) else type(op)
    key = name, operands, properties, attributes, tuple(result.type for result in op.results)
    if op.successors and numbers is not None:
        key = (*key, *(numbers[block] for block in op.successors))
    if not op.regions:
        return key
    numbers = {} if numbers is None else numbers
    return (*key, *(region_key(region, numbers) for region in op.regions))


def region_key(region: Region, numbers: dict[SSAValue | Block, int]) -> Hashable:
    """Equal for regions that do the same, operation by operation; `numbers` grows by what the region defines."""
    parts: list[Hashable] = []
    for block in region.blocks:
        numbers[block] = len(numbers)
    for block in region.blocks:
        for argument in block.args:
            numbers[argument] = len(numbers)
        parts.append(tuple(block.arg_types))
        for op in block.ops:
            parts.append(_key(op, numbers))
            for result in op.results:
                numbers[result] = len(numbers)
    return tuple(parts)
