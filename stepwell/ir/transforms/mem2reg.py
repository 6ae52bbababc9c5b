"""The pass `mem2reg`: memory that holds one value and that only known operations use becomes that value.

Per slot: first, whether every use of it can go, and which blocks need an argument for what it holds (the iterated dominance frontier of
the blocks that store to it). Then one walk down the tree of dominators says what the slot holds at every use, through the regions of
operations that know how to hand a value in and out; then the uses go, last ones first. What reads the memory of operations stands in
`stepwell.ir.memory_slots`. See Rastello and Bouchez Tichadou, "SSA-based Compiler Design" (2022), chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.ir import Block, BlockArgument, Operation, OpResult, Region, SSAValue, Use
from xdsl.rewriter import InsertPoint

from stepwell.ir.analysis import Dominance, analysis, unchanged
from stepwell.ir.dominance import reverse_postorder
from stepwell.ir.memory_slots import Access, Allocator, Bystander, RegionOwner, Slot, behaviour_of, forward_slice
from stepwell.ir.passes import Pass, count
from stepwell.ir.transforms.branches import BRANCHES, edges_to, forwarded, set_forwarded
from stepwell.ir.verify import GRAPH_REGIONS


@dataclass(frozen=True)
class Mem2Reg(Pass):
    """Promote memory slots to values.

    before:  %m = memref.alloca() : memref<i32>   memref.store %x, %m[]   %y = memref.load %m[]   use(%y)
    after:   use(%x)
    """

    name = "mem2reg"
    anchor = "any"
    preserved = (Dominance,)
    statistics = {
        "promoted slots": "Total amount of memory slot promoted",
        "new block args": "Total amount of new block argument inserted in blocks",
    }

    region_simplify: bool = True
    """Accepted as upstream accepts it; neither looks at it."""

    def run(self, op: Operation, ctx: Context) -> None:
        dominance = analysis(Dominance, op)
        allocations = [inner for inner in op.walk() if inner is not op and isinstance(behaviour_of(inner.name), Allocator)]
        changed = False
        while any([_promote_one(allocation, dominance) for allocation in allocations]):
            changed = True
            allocations = [allocation for allocation in allocations if allocation.parent is not None]
        if not changed:
            unchanged()


def _promote_one(allocation: Operation, dominance: Dominance) -> bool:
    """Promote the first slot of an allocation that can be. Whether there was one."""
    allocator = cast(Allocator, behaviour_of(allocation.name))
    for slot in allocator.slots(allocation):
        if slot.pointer.first_use is not None and (plan := _plan(slot, dominance)) is not None:
            _Promotion(allocation, allocator, slot, plan, dominance).run()
            count("promoted slots")
            return True
    return False


# ---- whether it can be ---------------------------------------------------------------------------------------------------------------


@dataclass
class _Plan:
    """What is to be done to make a slot a value."""

    uses: dict[Region, dict[Operation, list[Use]]] = field(default_factory=dict[Region, dict[Operation, list[Use]]])
    """By region: the operations inside it that must do without some of their operands."""
    regions: dict[Region, bool] = field(default_factory=dict[Region, bool])
    """The regions inside the slot's own that the value must be handed into, and whether they store to the slot."""
    merges: dict[Block, None] = field(default_factory=dict[Block, None])
    """The blocks that get an argument."""
    needs_stored: bool = False


def _plan(slot: Slot, dominance: Dominance) -> _Plan | None:
    """How the slot can be a value; None where it cannot."""
    home = _region_of(slot.pointer)
    around = home.parent
    if around is None or around.name in GRAPH_REGIONS:
        return None
    plan = _Plan()
    reading: dict[Region, None] = {}
    storing: dict[Region, None] = {}
    _gather(plan, slot.pointer.uses)
    for user in forward_slice(slot.pointer):
        uses = plan.uses.get(_around(user), {}).get(user)
        if uses is None:
            continue
        role = behaviour_of(user.name)
        if isinstance(role, Bystander):
            more = role.can_go(user, uses)
            if more is None:
                return None
            _gather(plan, more)
            plan.needs_stored |= role.needs_stored
            reading[_around(user)] = None
        elif isinstance(role, Access):
            if not role.can_go(user, slot, uses):
                return None
            (storing if role.stores(user, slot) else reading)[_around(user)] = None
        else:
            return None
    if not (_enter_regions(plan, home, storing, True) and _enter_regions(plan, home, reading, False)):
        return None
    return plan if _find_merges(plan, slot, dominance) else None


def _gather(plan: _Plan, uses: Any) -> None:
    for use in uses:
        plan.uses.setdefault(_around(use.operation), {}).setdefault(use.operation, []).append(use)


def _enter_regions(plan: _Plan, home: Region, regions: dict[Region, None], stores: bool) -> bool:
    """Note the regions between `home` and those given. Whether all of them belong to operations that can hand the value in."""
    for region in regions:
        current = region
        while current is not home and current not in plan.regions:
            plan.regions[current] = stores
            owner = current.parent
            role = behaviour_of(owner.name) if owner is not None else None
            if owner is None or not isinstance(role, RegionOwner) or not role.can_promote(owner, stores):
                return False
            current = _around(owner)
    return True


def _find_merges(plan: _Plan, slot: Slot, dominance: Dominance) -> bool:
    """Note the blocks that need an argument. Whether everything that goes there can pass one."""
    defining: dict[Region, dict[Block, None]] = {}
    for use in slot.pointer.uses:
        role, block = behaviour_of(use.operation.name), use.operation.parent
        if block is not None and isinstance(role, Access) and role.stores(use.operation, slot):
            defining.setdefault(_around(use.operation), {})[block] = None
    for region, stores in plan.regions.items():
        owner = region.parent
        if stores and owner is not None and owner.parent is not None:
            defining.setdefault(_around(owner), {})[owner.parent] = None
    for region, blocks in defining.items():
        if region.first_block is not region.last_block:
            plan.merges |= dict.fromkeys(dominance.merge_points(region, blocks))
    return all(edge.branch.name in BRANCHES for block in plan.merges for edge in edges_to(block))


def _region_of(value: SSAValue) -> Region:
    block = value.owner if isinstance(value.owner, Block) else value.owner.parent
    assert block is not None
    assert block.parent is not None
    return block.parent


def _around(op: Operation) -> Region:
    assert op.parent is not None
    assert op.parent.parent is not None
    return op.parent.parent


# ---- doing it ------------------------------------------------------------------------------------------------------------------------


class _Promotion:
    """Makes one slot a value."""

    def __init__(self, allocation: Operation, allocator: Allocator, slot: Slot, plan: _Plan, dominance: Dominance) -> None:
        self._allocation = allocation
        self._allocator = allocator
        self._slot = slot
        self._plan = plan
        self._dominance = dominance
        self._home = _region_of(slot.pointer)
        self._default: OpResult | None = None
        self._held_at: dict[Operation, SSAValue] = {}
        self._stored: list[tuple[Operation, SSAValue]] = []
        self._at_end: dict[Block, SSAValue] = {}
        self._arguments: dict[Block, BlockArgument] = {}
        self._regions: list[Region] = []
        """The regions that were walked through, inner ones first."""
        self._dead: dict[Operation, None] = {}

    def run(self) -> None:
        self._walk_region(self._home, None)
        if self._plan.needs_stored:
            for region in self._regions:
                for op in self._plan.uses.get(region, {}):
                    role = behaviour_of(op.name)
                    if isinstance(role, Bystander) and role.needs_stored:
                        role.visit_stored(op, self._stored)
        for region in self._regions:
            self._remove_uses(region)
        self._remove_unneeded()
        if self._default is not None and self._default.first_use is None:
            self._default.op.detach()
            self._default.op.erase()
        self._allocation.detach()
        self._allocation.erase()

    def _default_value(self) -> SSAValue:
        if self._default is None:
            made = self._allocator.default(self._allocation, self._slot)
            made.location = self._allocation.location
            entry = self._home.first_block
            assert entry is not None
            Builder(InsertPoint.at_start(entry)).insert(made)
            self._default = made.results[0]
        return self._default

    # ---- what the slot holds where

    def _walk_region(self, region: Region, held: SSAValue | None) -> None:
        """Follow what the slot holds from the start of a region on; None stands for its default."""
        entry = region.first_block
        if entry is None:
            return
        if entry is region.last_block:
            self._walk_block(entry, held)
            self._regions.append(region)
            return
        tree = self._dominance.tree(region)
        pending = [(entry, held)]
        while pending:
            block, held = pending.pop()
            if block in self._plan.merges:
                held = self._arguments[block] = block.insert_arg(self._slot.type, len(block.args))
                held.location = self._allocation.location
            held = self._walk_block(block, held)
            held = self._pass_on(block, held)
            pending.extend((child, held) for child in tree[block])
        self._regions.append(region)

    def _pass_on(self, block: Block, held: SSAValue | None) -> SSAValue | None:
        branch = block.last_op
        passed = forwarded(branch) if branch is not None else None
        if branch is None or passed is None or not any(successor in self._plan.merges for successor in branch.successors):
            return held
        held = held or self._default_value()
        for values, successor in zip(passed, branch.successors, strict=True):
            if successor in self._plan.merges:
                values.append(held)
        set_forwarded(branch, passed)
        return held

    def _walk_block(self, block: Block, held: SSAValue | None) -> SSAValue | None:
        for op in list(block.ops):
            role = behaviour_of(op.name)
            if isinstance(role, Access):
                if held is not None and op in self._plan.uses.get(_around(op), {}):
                    self._held_at[op] = held
                if role.stores(op, self._slot):
                    held = role.stored(op, self._slot, held or self._default_value(), Builder(InsertPoint.before(op)))
                    self._stored.append((op, held))
            elif isinstance(role, RegionOwner) and any(region in self._plan.regions for region in op.regions):
                held = self._walk_regions(op, role, held or self._default_value())
        if held is not None:
            self._at_end[block] = held
        return held

    def _walk_regions(self, op: Operation, role: RegionOwner, held: SSAValue) -> SSAValue:
        stores = any(self._plan.regions.get(region, False) for region in op.regions)
        for region, inside in role.enter(op, self._slot, held, stores).items():
            if region in self._plan.regions:
                self._walk_region(region, inside)
        return role.leave(op, self._slot, held, self._at_end) if stores else held

    # ---- the uses go

    def _remove_uses(self, region: Region) -> None:
        uses = self._plan.uses.get(region)
        if not uses:
            return
        order = {block: number for number, block in enumerate(_in_order(region))}
        position = {op: number for block in {op.parent for op in uses if op.parent} for number, op in enumerate(block.ops)}
        for op in sorted(uses, key=lambda op: (order[cast(Block, op.parent)], position[op]), reverse=True):
            role = behaviour_of(op.name)
            if isinstance(role, Access):
                held = self._held_at.get(op) or self._default_value()
                role.remove(op, self._slot, held, Builder(InsertPoint.after(op)))
                self._dead[op] = None
            elif isinstance(role, Bystander) and role.remove(op, uses[op]):
                self._dead[op] = None

    def _remove_unneeded(self) -> None:
        """Erase what has gone, and the arguments that only pass from one to the other."""
        needed = [argument for argument in self._arguments.values() if self._is_needed(argument)]
        unneeded = {argument for argument in self._arguments.values() if argument not in needed}
        for argument in needed:  # grows
            for edge in list(edges_to(argument.block)):
                passed = forwarded(edge.branch)
                assert passed is not None
                if len(passed[edge.number]) < len(argument.block.args):  # from a block that nothing reaches
                    passed[edge.number].append(self._default_value())
                    set_forwarded(edge.branch, passed)
                value = passed[edge.number][argument.index]
                if value in unneeded:
                    unneeded.discard(cast(BlockArgument, value))
                    needed.append(cast(BlockArgument, value))
            start = Builder(InsertPoint.at_start(argument.block))
            self._allocator.on_argument(self._allocation, self._slot, argument, start)
            count("new block args")
        for op in self._dead:
            op.detach()
            op.erase()
        for argument in unneeded:
            for edge in list(edges_to(argument.block)):
                passed = forwarded(edge.branch)
                assert passed is not None
                if len(passed[edge.number]) == len(argument.block.args):
                    passed[edge.number].pop()
                    set_forwarded(edge.branch, passed)
        for argument in unneeded:
            argument.block.erase_arg(argument)

    def _is_needed(self, argument: BlockArgument) -> bool:
        """Whether anything but the arguments that this promotion has made asks for the argument."""
        for use in argument.uses:
            if use.operation in self._dead:
                continue
            passed = forwarded(use.operation)
            if passed is None:
                return True
            start = len(use.operation.operands) - sum(map(len, passed))
            if use.index < start:
                return True
            for values, successor in zip(passed, use.operation.successors, strict=True):
                start += len(values)
                if use.index < start:
                    if successor not in self._arguments or use.index != start - 1:
                        return True
                    break
        return False


def _in_order(region: Region) -> list[Block]:
    """The blocks of a region, each after those that dominate it; those that nothing reaches come last."""
    entry = region.first_block
    assert entry is not None
    order = reverse_postorder(entry)
    seen = set(order)
    return [*order, *(block for block in region.blocks if block not in seen)]
