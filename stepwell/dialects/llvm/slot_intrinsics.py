"""What copies and fills of bytes (`llvm.intr.memcpy`, `memmove`, `memset` and their inline forms) do to memory slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xdsl.builder import Builder
from xdsl.dialects.builtin import IntegerAttr, IntegerType
from xdsl.dialects.llvm import LLVMPointerType
from xdsl.ir import Attribute, Operation, SSAValue, Use

from stepwell.dialects.llvm import GEPOp, LoadOp, StoreOp
from stepwell.dialects.llvm.data_layout import align, alignment, size
from stepwell.dialects.llvm.slot_casts import At
from stepwell.dialects.llvm.types import LLVMArrayType, LLVMStructType
from stepwell.ir.memory_slots import Access, Behaviour, PartAccess, Parts, Slot
from stepwell.ir.rewrite.folding import constant_of
from stepwell.ir.rules import is_float, width


def _length(op: Any) -> IntegerAttr[Any] | None:
    """How many bytes, if it is known."""
    found = op.properties.get("len")
    found = constant_of(op.operands[2]) if found is None else found
    return found if isinstance(found, IntegerAttr) else None  # pyright: ignore


def _bytes(op: Any) -> int | None:
    found = _length(op)
    return None if found is None else found.value.data % (1 << width(found.type))


def _is_volatile(op: Any) -> bool:
    return bool(op.properties["isVolatile"].value.data)


def _again(op: Any, at: Builder, first: SSAValue, second: SSAValue, count: int) -> None:
    """The same operation on other pointers and so many bytes."""
    length = _length(op)
    assert length is not None
    number: IntegerAttr[Any] = IntegerAttr(count, length.type)
    properties: dict[str, Attribute] = {"isVolatile": op.properties["isVolatile"]}
    operands = [first, second]
    if "len" in op.properties:
        properties["len"] = number
    else:
        operands.append(At(op, at).constant(count, length.type))
    made: Operation = op.create(operands=operands, properties=properties)
    made.location = op.location
    at.insert(made)


class _Bytes(Access, PartAccess):
    def stores(self, op: Any, slot: Slot) -> bool:
        return op.operands[0] is slot.pointer

    def stays_inside(self, op: Any, slot: Slot, inside: list[Slot]) -> bool:
        count = _bytes(op)
        return op.operands[0] is slot.pointer and count is not None and count <= size(slot.type, op)


class _Fill(_Bytes):
    def can_go(self, op: Any, slot: Slot, uses: Sequence[Use]) -> bool:
        bits = width(slot.type)  # 0 for what is no number
        if bits % 8 or not bits or _is_volatile(op):
            return False
        return _bytes(op) == size(slot.type, op)

    def stored(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> SSAValue:
        where, bits = At(op, at), width(slot.type)
        value = self._repeated(op, bits, where)
        return where.build("llvm.bitcast", slot.type, value) if is_float(slot.type) else value

    @staticmethod
    def _repeated(op: Any, bits: int, at: At) -> SSAValue:
        """The byte, so often that it fills an integer."""
        type = IntegerType(bits)
        byte = constant_of(op.operands[1])
        if isinstance(byte, IntegerAttr):
            return at.constant(int.from_bytes(bytes([byte.value.data % 256]) * (bits // 8), "little"), type)  # pyright: ignore
        if bits == 8:
            return op.operands[1]
        value = at.build("llvm.zext", type, op.operands[1])
        covered = 8
        while covered < bits:
            shifted = at.build("llvm.shl", type, value, at.constant(covered, type))
            value = at.build("llvm.or", type, value, shifted)
            covered *= 2
        return value

    def remove(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> None:
        pass

    def can_rewire(self, op: Any, parts: Parts, used: set[Any], inside: list[Slot]) -> bool:
        is_aggregate = isinstance(parts.slot.type, LLVMStructType | LLVMArrayType)
        return is_aggregate and not _is_volatile(op) and self.stays_inside(op, parts.slot, inside)

    def rewire(self, op: Any, parts: Parts, slots: Mapping[Any, Slot], at: Builder) -> bool:
        packed = isinstance(parts.slot.type, LLVMStructType) and parts.slot.type.kind.data == "packed"
        count = _bytes(op)
        assert count is not None
        covered = 0
        for index, type in parts.types.items():
            covered = covered if packed else align(covered, alignment(type, op))
            if covered >= count:
                break
            if index in slots:
                _again(op, at, slots[index].pointer, op.operands[1], min(count - covered, size(type, op)))
            covered += size(type, op)
        return True


class _Copy(_Bytes):
    def can_go(self, op: Any, slot: Slot, uses: Sequence[Use]) -> bool:
        return op.operands[0] is not op.operands[1] and not _is_volatile(op) and _bytes(op) == size(slot.type, op)

    def stored(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> SSAValue:
        return self._insert(op, at, LoadOp(op.operands[1], slot.type)).results[0]

    def remove(self, op: Any, slot: Slot, held: SSAValue, at: Builder) -> None:
        if op.operands[1] is slot.pointer:
            self._insert(op, at, StoreOp(held, op.operands[0]))

    @staticmethod
    def _insert(op: Operation, at: Builder, made: Operation) -> Operation:
        made.location = op.location
        return at.insert(made)

    def can_rewire(self, op: Any, parts: Parts, used: set[Any], inside: list[Slot]) -> bool:
        if _is_volatile(op) or _bytes(op) != size(parts.slot.type, op):
            return False
        if op.operands[1] is parts.slot.pointer:
            used.update(parts.types)
        return True

    def rewire(self, op: Any, parts: Parts, slots: Mapping[Any, Slot], at: Builder) -> bool:
        to_slot = op.operands[0] is parts.slot.pointer
        other = op.operands[1 if to_slot else 0]
        for index in parts.types:
            if index not in slots:
                continue
            address = GEPOp(other, [0, index], parts.slot.type, result_type=LLVMPointerType())
            there = self._insert(op, at, address).results[0]
            here = slots[index].pointer
            _again(op, at, here if to_slot else there, there if to_slot else here, size(slots[index].type, op))
        return True


INTRINSICS: dict[str, Behaviour] = {
    **dict.fromkeys(("llvm.intr.memset", "llvm.intr.memset.inline"), _Fill()),
    **dict.fromkeys(("llvm.intr.memcpy", "llvm.intr.memcpy.inline", "llvm.intr.memmove"), _Copy()),
}
