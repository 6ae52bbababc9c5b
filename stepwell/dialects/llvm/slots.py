"""What operations of `llvm` do to memory slots (`stepwell.ir.memory_slots`): allocations, loads and stores, addresses inside of
aggregates, and operations that only speak of a pointer. Copies and fills of bytes stand in `slot_intrinsics`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from xdsl.builder import Builder
from xdsl.dialects.builtin import IntegerAttr, i8
from xdsl.dialects.llvm import LLVMPointerType, UndefOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue, Use
from xdsl.rewriter import InsertPoint

from stepwell.dialects.llvm import GEP_USE_SSA_VAL, AllocaOp, GEPOp
from stepwell.dialects.llvm.data_layout import align, alignment, member_offset, size
from stepwell.dialects.llvm.kinds import is_pointer
from stepwell.dialects.llvm.slot_casts import At, convertible, read_as, written_into
from stepwell.dialects.llvm.slot_intrinsics import INTRINSICS
from stepwell.dialects.llvm.types import LLVMArrayType, LLVMStructType
from stepwell.ir.memory_slots import Access, Allocator, Behaviour, Bystander, PartAccess, Parts, Slot
from stepwell.ir.rewrite.folding import constant_of

MAX_PARTS = 16
"""Arrays of more elements are not taken apart."""


class _Alloca(Allocator):
    def slots(self, op: Any) -> Sequence[Slot]:
        block = op.parent
        is_entry = block is not None and block.parent is not None and block.parent.first_block is block
        return [Slot(op.res, op.elem_type)] if is_entry else []

    def default(self, op: Any, slot: Slot) -> Operation:
        return UndefOp(slot.type)

    def on_argument(self, op: Any, slot: Slot, argument: BlockArgument, at: Builder) -> None:
        for use in op.res.uses:
            if use.operation.name == "llvm.intr.dbg.declare":
                at.insert(_debug_value(use.operation, argument))

    def parts(self, op: Any) -> Parts | None:
        count = constant_of(op.size)
        if not isinstance(count, IntegerAttr) or count.value.data != 1:  # pyright: ignore
            return None
        types = part_types(op.elem_type)
        return None if not types else Parts(Slot(op.res, op.elem_type), dict(enumerate(types)))

    def allocate_parts(self, op: Any, parts: Parts, used: set[Any], at: Builder) -> dict[Any, Slot]:
        slots: dict[Any, Slot] = {}
        for index in sorted(used):
            properties: dict[str, Attribute] = {"elem_type": parts.types[index]}
            made = AllocaOp.create(operands=[op.size], result_types=[LLVMPointerType()], properties=properties)
            made.location = op.location
            slots[index] = Slot(at.insert(made).res, parts.types[index])
        return slots


def part_types(type: Attribute) -> Sequence[Attribute] | None:
    """What a struct or a small array is made of; None for what cannot be taken apart."""
    if isinstance(type, LLVMStructType):
        return type.types.data or None
    if isinstance(type, LLVMArrayType) and type.size.data <= MAX_PARTS:
        return [type.type] * type.size.data
    return None


class _LoadStore(Access, PartAccess):
    def _moved(self, op: Any) -> SSAValue:
        return op.value if op.name == "llvm.store" else op.dereferenced_value

    def can_go(self, op: Any, slot: Slot, uses: Sequence[Use]) -> bool:
        moved = self._moved(op)
        if len(uses) != 1 or op.ptr is not slot.pointer or moved is slot.pointer or op.volatile_ is not None:
            return False
        if op.name == "llvm.store":
            return convertible(slot.type, moved.type, op, narrowing=False)
        return convertible(moved.type, slot.type, op, narrowing=True)

    def stores(self, op: Any, slot: Slot) -> bool:
        return op.name == "llvm.store" and op.ptr is slot.pointer

    def stored(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> SSAValue:
        return written_into(op.value, held, At(op, at))

    def remove(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> None:
        if op.name == "llvm.load":
            op.dereferenced_value.replace_all_uses_with(read_as(held, op.dereferenced_value.type, At(op, at)))

    def can_rewire(self, op: Any, parts: Parts, used: set[Any], inside: list[Slot]) -> bool:
        moved = self._moved(op)
        if op.volatile_ is not None or moved is parts.slot.pointer or 0 not in parts.types:
            return False
        if size(moved.type, op) > size(parts.types[0], op):
            return False
        used.add(0)
        return True

    def rewire(self, op: Any, parts: Parts, slots: Mapping[Any, Slot], at: Builder) -> bool:
        op.operands = [slots[0].pointer if value is op.ptr else value for value in op.operands]
        return False

    def stays_inside(self, op: Any, slot: Slot, inside: list[Slot]) -> bool:
        return op.ptr is not slot.pointer or size(self._moved(op).type, op) <= size(slot.type, op)


class _Address(Bystander, PartAccess):
    """`llvm.getelementptr`"""

    def can_go(self, op: Any, uses: Sequence[Use]) -> Sequence[Use] | None:
        return _all_uses(op) if all(index == 0 for index in op.rawConstantIndices.get_values()) else None

    def stays_inside(self, op: Any, slot: Slot, inside: list[Slot]) -> bool:
        if op.ptr is not slot.pointer:
            return True
        offset, bytes = _byte_offset(op), size(slot.type, op)
        if offset is None or offset >= bytes:
            return False
        inside.append(_bytes(op, bytes - offset))
        return True

    def can_rewire(self, op: Any, parts: Parts, used: set[Any], inside: list[Slot]) -> bool:
        if not is_pointer(op.ptr.type) or op.ptr is not parts.slot.pointer or (found := _part_at(op, parts.slot.type)) is None:
            return False
        index, offset = found
        used.add(index)
        inside.append(_bytes(op, size(parts.types[index], op) - offset))
        return True

    def rewire(self, op: Any, parts: Parts, slots: Mapping[Any, Slot], at: Builder) -> bool:
        found = _part_at(op, parts.slot.type)
        assert found is not None
        index, offset = found
        pointer = slots[index].pointer
        if offset:
            made = GEPOp(pointer, [offset], i8, result_type=op.result.type)
            if op.noWrapFlags is not None:
                made.properties["noWrapFlags"] = op.noWrapFlags
            made.location = op.location
            pointer = at.insert(made).result
        op.result.replace_all_uses_with(pointer)
        return True


def _bytes(op: Any, count: int) -> Slot:
    """What may be accessed through an address: so many bytes."""
    return Slot(op.result, LLVMArrayType(count, i8))


def _byte_offset(op: Any) -> int | None:
    """How many bytes behind its base an address is; None where that is not known or negative."""
    indices = op.rawConstantIndices.get_values()
    if any(index == GEP_USE_SSA_VAL or index < 0 for index in indices):
        return None
    current: Attribute = op.elem_type
    offset: int = indices[0] * size(current, op)
    for index in indices[1:]:
        if isinstance(current, LLVMArrayType):
            current = current.type
            offset += index * size(current, op)
        elif isinstance(current, LLVMStructType):
            packed = current.kind.data == "packed"
            for number, member in enumerate(current.types.data[: index + 1]):
                offset = offset if packed else align(offset, alignment(member, op))
                offset += size(member, op) if number < index else 0
            current = cast(Attribute, current.types.data[index])
        else:
            return None
    return offset


def _part_at(op: Any, type: Attribute) -> tuple[int, int] | None:
    """The part of an aggregate that an address falls into, and how many bytes behind the part's start."""
    offset = _byte_offset(op)
    if offset is None or offset >= size(type, op):
        return None
    if isinstance(type, LLVMArrayType):
        return divmod(offset, size(type.type, op))
    assert isinstance(type, LLVMStructType)
    for index, member in enumerate(type.types):
        start = member_offset(type, index, op)
        if offset < start:
            return None
        if offset < start + size(member, op):
            return index, offset - start
    return None


class _Forwarding(Bystander):
    """Its result is the pointer again."""

    def can_go(self, op: Any, uses: Sequence[Use]) -> Sequence[Use] | None:
        return _all_uses(op)


class _Hint(Bystander):
    """Only says something of the memory."""

    def can_go(self, op: Any, uses: Sequence[Use]) -> Sequence[Use] | None:
        return ()


class _Declared(Bystander):
    """`llvm.intr.dbg.declare` is told by `dbg.value` after each store what the variable is."""

    needs_stored = True

    def can_go(self, op: Any, uses: Sequence[Use]) -> Sequence[Use] | None:
        return ()

    def visit_stored(self, op: Any, stored: Sequence[tuple[Operation, SSAValue]]) -> None:
        for store, value in stored:
            Builder(InsertPoint.after(store)).insert(_debug_value(op, value))


class _DebugValue(Bystander):
    """The variable was the pointer: now it is nothing."""

    def can_go(self, op: Any, uses: Sequence[Use]) -> Sequence[Use] | None:
        return () if len(uses) == 1 else None

    def remove(self, op: Any, uses: Sequence[Use]) -> bool:
        undefined = UndefOp(op.operands[0].type)
        undefined.location = op.location
        Builder(InsertPoint.before(op)).insert(undefined)
        op.operands = [undefined.res]
        return False


def _all_uses(op: Operation) -> list[Use]:
    return [use for result in op.results for use in result.uses]


def _debug_value(declare: Any, value: SSAValue) -> Operation:
    from stepwell.dialects.llvm.rare import RARE

    kind = next(kind for kind in RARE[0] if kind.name == "llvm.intr.dbg.value")
    made = kind.create(operands=[value], properties=dict(declare.properties))
    made.location = declare.location
    return made


SLOTS: dict[str, Behaviour] = {
    "llvm.alloca": _Alloca(),
    **dict.fromkeys(("llvm.load", "llvm.store"), _LoadStore()),
    "llvm.getelementptr": _Address(),
    **dict.fromkeys(("llvm.bitcast", "llvm.addrspacecast"), _Forwarding()),
    **dict.fromkeys((f"llvm.intr.{name}.invariant.group" for name in ("launder", "strip")), _Forwarding()),
    **dict.fromkeys((f"llvm.intr.{name}.{end}" for name in ("lifetime", "invariant") for end in ("start", "end")), _Hint()),
    "llvm.intr.dbg.declare": _Declared(),
    "llvm.intr.dbg.value": _DebugValue(),
    **INTRINSICS,
}
