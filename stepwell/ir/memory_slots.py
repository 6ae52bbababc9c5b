"""What `mem2reg` and `sroa` ask of operations: a *slot* is memory that an operation allocates and that holds one value.

A dialect says what its operations do to slots in a table `SLOTS: dict[name of operation, Behaviour]`, which `stepwell.dialects.SLOTS`
names. An operation may have several roles at once: a load reads a slot (`Access`), and can be pointed to a part of it (`PartAccess`).
The roles are those of MLIR's memory slot interfaces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

from xdsl.builder import Builder
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue, Use

from stepwell.ir.registry import resolve


class Slot(NamedTuple):
    """Memory for one value of `type`, and the pointer to it."""

    pointer: SSAValue
    type: Attribute


class Parts(NamedTuple):
    """A slot that can be taken apart, and what it is made of: position -> type."""

    slot: Slot
    types: Mapping[Any, Attribute]


class Behaviour:
    """What operations of one name do to slots; the roles below say what that can be."""


class Allocator(Behaviour):
    """Makes slots."""

    def slots(self, op: Any) -> Sequence[Slot]:
        """The slots that could be values."""
        raise NotImplementedError

    def default(self, op: Any, slot: Slot) -> Operation:
        """What a slot holds before anything is stored to it."""
        raise NotImplementedError

    def on_argument(self, op: Any, slot: Slot, argument: BlockArgument, at: Builder) -> None:
        """`argument` has come to be what the slot holds at the start of a block."""

    def parts(self, op: Any) -> Parts | None:
        """The parts of the slot, where it can be taken apart."""
        return None

    def allocate_parts(self, op: Any, parts: Parts, used: set[Any], at: Builder) -> dict[Any, Slot]:
        """A slot for each of the parts that are used."""
        raise NotImplementedError


class Access(Behaviour):
    """Reads a slot or stores to it."""

    def stores(self, op: Any, slot: Slot) -> bool:
        """Whether the operation stores to the slot."""
        raise NotImplementedError

    def stored(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> SSAValue:
        """What the slot holds after the operation, `held` before it."""
        raise NotImplementedError

    def can_go(self, op: Any, slot: Slot, uses: Sequence[Use]) -> bool:
        """Whether the operation can do without these uses of the slot's pointer."""
        raise NotImplementedError

    def remove(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> None:
        """The slot's value takes the place of what the operation gives; the operation is erased afterwards."""
        raise NotImplementedError


class Bystander(Behaviour):
    """Uses pointers but can do without, if those that use its results can."""

    needs_stored: ClassVar[bool] = False
    """Whether it is told what was stored to the slot."""

    def can_go(self, op: Any, uses: Sequence[Use]) -> Sequence[Use] | None:
        """The uses that have to go with these; None where they cannot."""
        raise NotImplementedError

    def remove(self, op: Any, uses: Sequence[Use]) -> bool:
        """Do without these uses. Whether the operation is to be erased."""
        return True

    def visit_stored(self, op: Any, stored: Sequence[tuple[Operation, SSAValue]]) -> None:
        """The operations that stored to the slot, and what it held after each."""


class RegionOwner(Behaviour):
    """Has regions in which a slot can be a value."""

    def can_promote(self, op: Any, stores: bool) -> bool:
        """Whether slots can be values in the regions, in which they are stored to if `stores`."""
        return True

    def enter(self, op: Any, slot: Slot, held: SSAValue, stores: bool) -> dict[Region, SSAValue]:
        """What the slot holds at the start of each region, `held` before the operation."""
        raise NotImplementedError

    def leave(self, op: Any, slot: Slot, held: SSAValue, at_end: Mapping[Block, SSAValue]) -> SSAValue:
        """What the slot holds after the operation, where its regions store to it. `at_end` is what it holds at the end of blocks."""
        raise NotImplementedError


class PartAccess(Behaviour):
    """Can be pointed to a part of a slot; is no danger to the parts beside it."""

    def can_rewire(self, op: Any, parts: Parts, used: set[Any], inside: list[Slot]) -> bool:
        """Whether it needs only parts of the slot, which are added to `used`; what must not be left is added to `inside`."""
        raise NotImplementedError

    def rewire(self, op: Any, parts: Parts, slots: Mapping[Any, Slot], at: Builder) -> bool:
        """Use the slots of the parts instead. Whether the operation is to be erased."""
        raise NotImplementedError

    def stays_inside(self, op: Any, slot: Slot, inside: list[Slot]) -> bool:
        """Whether it does not reach beyond the slot, provided that nothing leaves what is added to `inside`."""
        return False


@cache
def behaviour_of(name: str) -> Behaviour | None:
    """What operations of that name do to slots."""
    reference = resolve("stepwell.dialects:SLOTS").get(name.partition(".")[0])
    return resolve(reference).get(name) if reference else None


def forward_slice(value: SSAValue) -> list[Operation]:
    """The operations that depend on a value, each after those that it depends on."""
    order: list[Operation] = []
    seen: set[Operation] = set()
    pending: list[tuple[Operation, bool]] = [(use.operation, False) for use in value.uses]
    while pending:
        op, done = pending.pop()
        if done:
            order.append(op)
            continue
        if op in seen:
            continue
        seen.add(op)
        pending.append((op, True))
        pending.extend((use.operation, False) for result in op.results for use in result.uses)
        pending.extend((use.operation, False) for r in op.regions for b in r.blocks for a in b.args for use in a.uses)
    return order[::-1]
