"""What operations of `memref` do to memory slots (`stepwell.ir.memory_slots`): a stack buffer of one element is a slot, one of up to 16
elements can be taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from xdsl.builder import Builder
from xdsl.dialects.builtin import IntegerAttr
from xdsl.dialects.ub import PoisonAttr, PoisonOp
from xdsl.ir import Attribute, Operation, SSAValue, Use

from stepwell.dialects.memref import AllocaOp
from stepwell.ir.memory_slots import Access, Allocator, Behaviour, PartAccess, Parts, Slot
from stepwell.ir.rewrite.folding import constant_of

MAX_PARTS = 16
Position = tuple[int, ...]


class _Alloca(Allocator):
    def slots(self, op: Any) -> Sequence[Slot]:
        type = op.memref.type
        return [Slot(op.memref, type.element_type)] if type.has_static_shape() and prod(type.get_shape()) == 1 else []

    def default(self, op: Any, slot: Slot) -> Operation:
        return PoisonOp.create(properties={"value": PoisonAttr()}, result_types=[slot.type])

    def parts(self, op: Any) -> Parts | None:
        type: Any = op.memref.type
        if not type.has_static_shape() or not 1 != prod(type.get_shape()) <= MAX_PARTS:
            return None
        element: Attribute = type.element_type
        return Parts(Slot(op.memref, type), {position: element for position in product(*map(range, type.get_shape()))})

    def allocate_parts(self, op: Any, parts: Parts, used: set[Any], at: Builder) -> dict[Any, Slot]:
        slots: dict[Any, Slot] = {}
        for position in sorted(used):
            made = AllocaOp.get(parts.types[position], shape=[])
            made.properties.pop("alignment", None)
            made.location = op.location
            slots[position] = Slot(at.insert(made).memref, parts.types[position])
        return slots


class _Element(Access, PartAccess):
    """`memref.load` and `memref.store`."""

    def can_go(self, op: Any, slot: Slot, uses: Sequence[Use]) -> bool:
        moved = op.value if op.name == "memref.store" else op.res
        return len(uses) == 1 and op.memref is slot.pointer and moved is not slot.pointer and moved.type == slot.type

    def stores(self, op: Any, slot: Slot) -> bool:
        return op.name == "memref.store" and op.memref is slot.pointer

    def stored(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> SSAValue:
        return op.value

    def remove(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> None:
        if op.name == "memref.load":
            op.res.replace_all_uses_with(held)

    def can_rewire(self, op: Any, parts: Parts, used: set[Any], inside: list[Slot]) -> bool:
        if op.memref is not parts.slot.pointer or (op.name == "memref.store" and op.value is parts.slot.pointer):
            return False
        position = _position(op)
        if position not in parts.types:
            return False
        used.add(position)
        return True

    def rewire(self, op: Any, parts: Parts, slots: Mapping[Any, Slot], at: Builder) -> bool:
        pointer = slots[_position(op)].pointer
        op.operands = [op.value, pointer] if op.name == "memref.store" else [pointer]
        return False


def _position(op: Any) -> Position | None:
    """The element that is accessed, if it is known."""
    constants = [constant_of(index) for index in op.indices]
    if not all(isinstance(constant, IntegerAttr) for constant in constants):
        return None
    return tuple(constant.value.data for constant in constants)  # pyright: ignore


SLOTS: dict[str, Behaviour] = {"memref.alloca": _Alloca(), "memref.load": _Element(), "memref.store": _Element()}
