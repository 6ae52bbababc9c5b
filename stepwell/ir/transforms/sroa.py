"""The pass `sroa`: memory for an aggregate of which only known parts are accessed becomes memory for each of the parts that are used.

An access must either name its part, and not leave it, or be one that can do without the memory altogether. What memory operations do
is said in `stepwell.ir.memory_slots`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.ir import Operation, Use
from xdsl.rewriter import InsertPoint

from stepwell.ir.analysis import Dominance, unchanged
from stepwell.ir.memory_slots import Allocator, Bystander, PartAccess, Parts, Slot, behaviour_of, forward_slice
from stepwell.ir.passes import Pass, count, count_maximum


@dataclass(frozen=True)
class Sroa(Pass):
    """Scalar replacement of aggregates.

    before:  %m = memref.alloca() : memref<2xi32>   memref.store %x, %m[%c0]   %y = memref.load %m[%c0]
    after:   %m = memref.alloca() : memref<i32>   memref.store %x, %m[]   %y = memref.load %m[]
    """

    name = "sroa"
    anchor = "any"
    preserved = (Dominance,)
    statistics = {
        "destructured slots": "Total amount of memory slots destructured",
        "max subelement number": "Maximal number of sub-elements a successfully destructured slot initially had",
        "slots with memory benefit": (
            "Total amount of memory slots in which the destructured size was smaller than the total size after eliminating unused fields"
        ),
    }

    def run(self, op: Operation, ctx: Context) -> None:
        allocations = [inner for inner in op.walk() if inner is not op and isinstance(behaviour_of(inner.name), Allocator)]
        changed = False
        while allocations:
            made = [part for allocation in allocations for part in _take_apart(allocation)]
            changed |= bool(made)
            allocations = made
        if not changed:
            unchanged()


@dataclass
class _Plan:
    """How a slot is taken apart."""

    used: set[Any] = field(default_factory=set[Any])
    accesses: dict[Operation, None] = field(default_factory=dict[Operation, None])
    """What will name a part."""
    leaving: dict[Operation, list[Use]] = field(default_factory=dict[Operation, list[Use]])
    """What must do without the memory, in some of its operands."""


def _take_apart(allocation: Operation) -> list[Operation]:
    """Replace an allocation by ones of its parts: those, or nothing where it stays."""
    allocator = cast(Allocator, behaviour_of(allocation.name))
    parts = allocator.parts(allocation)
    plan = _plan(parts) if parts is not None and parts.slot.pointer.first_use is not None else None
    if parts is None or plan is None:
        return []
    slots = allocator.allocate_parts(allocation, parts, plan.used, Builder(InsertPoint.after(allocation)))
    count("destructured slots")
    count_maximum("max subelement number", len(parts.types))
    if len(plan.used) != len(parts.types):
        count("slots with memory benefit")
    dead: list[Operation] = []
    users = [op for op in forward_slice(parts.slot.pointer) if op in plan.leaving or op in plan.accesses]
    for op in reversed(users):
        role = behaviour_of(op.name)
        if isinstance(role, PartAccess) and op in plan.accesses:
            gone = role.rewire(op, parts, slots, Builder(InsertPoint.after(op)))
        else:
            gone = cast(Bystander, role).remove(op, plan.leaving[op])
        if gone:
            dead.append(op)
    for op in (*dead, allocation):
        op.detach()
        op.erase()
    return [cast(Operation, slot.pointer.owner) for slot in slots.values()]


def _plan(parts: Parts) -> _Plan | None:
    """How the slot can be taken apart; None where it cannot."""
    plan = _Plan()
    inside: list[Slot] = []
    for use in parts.slot.pointer.uses:
        role = behaviour_of(use.operation.name)
        if isinstance(role, PartAccess) and role.can_rewire(use.operation, parts, plan.used, inside):
            plan.accesses[use.operation] = None
        else:
            plan.leaving.setdefault(use.operation, []).append(use)
    seen: set[Use] = set()
    while inside:
        slot = inside.pop()
        for use in slot.pointer.uses:
            if use in seen:
                continue
            seen.add(use)
            role = behaviour_of(use.operation.name)
            if not (isinstance(role, PartAccess) and role.stays_inside(use.operation, slot, inside)):
                plan.leaving.setdefault(use.operation, []).append(use)
    for op in forward_slice(parts.slot.pointer):
        if op not in plan.leaving:
            continue
        role = behaviour_of(op.name)
        more = role.can_go(op, plan.leaving[op]) if isinstance(role, Bystander) else None
        if more is None:
            return None
        for use in more:
            plan.leaving.setdefault(use.operation, []).append(use)
    return plan
