"""Values of slots that are read or written as another type: casts between types of one size, low bits cut out and put in.

In: a value, a type, where to build (`At`). Out: a value of that type. On big-endian targets an access takes the highest bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from xdsl.builder import Builder
from xdsl.dialects.builtin import IntegerAttr, IntegerType, VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects.llvm import LLVM
from stepwell.dialects.llvm.data_layout import bit_size, is_big_endian, size
from stepwell.dialects.llvm.globals import ConstantOp
from stepwell.dialects.llvm.kinds import is_pointer
from stepwell.dialects.llvm.types import LLVMArrayType, LLVMStructType
from stepwell.ir.rules import width

KINDS: dict[str, type[Operation]] = {kind.name: kind for kind in LLVM.operations}
CHAINS = frozenset(("llvm.bitcast", "llvm.addrspacecast"))
"""Casts of which two are one."""


class At(NamedTuple):
    """Where operations are built: for which operation, and the builder that inserts them."""

    op: Operation
    builder: Builder

    def build(self, name: str, type: Attribute, *operands: SSAValue) -> SSAValue:
        """The result of a new operation; a cast of a cast is one cast, or none."""
        inner = operands[0].owner
        if name in CHAINS and isinstance(inner, Operation) and inner.name == name:
            operands = (inner.operands[0],)
            if operands[0].type == type:
                return operands[0]
        made = KINDS[name].create(operands=operands, result_types=[type])
        made.location = self.op.location
        return self.builder.insert(made).results[0]

    def constant(self, number: int, type: Attribute) -> SSAValue:
        """An integer."""
        value: Attribute = IntegerAttr(_signed(number, width(type)), cast(IntegerType, type))
        made = ConstantOp(value, type)
        made.location = self.op.location
        return self.builder.insert(made).result


def _signed(number: int, bits: int) -> int:
    return number - (1 << bits) if number >= 1 << (bits - 1) and bits > 1 else number


def convertible(target: Attribute, source: Attribute, op: Operation, *, narrowing: bool) -> bool:
    """Whether a value of type `source` can be read as `target` (narrowing), or put into one (not narrowing)."""
    if target == source:
        return True
    if not (_can_cast(target) and _can_cast(source)):
        return False
    new, old = size(target, op), size(source, op)
    if is_pointer(target) and is_pointer(source):
        return new == old
    return new <= old if narrowing else new >= old


def _can_cast(type: Attribute) -> bool:
    if isinstance(type, LLVMStructType | LLVMArrayType):
        return False
    if isinstance(type, VectorType):
        vector = cast(Any, type)
        return not is_pointer(vector.element_type) and not vector.get_num_scalable_dims()
    return True


def _as_integer(value: SSAValue, at: At) -> SSAValue:
    if isinstance(value.type, IntegerType):
        return value
    type = IntegerType(bit_size(value.type, at.op))
    return at.build("llvm.ptrtoint" if is_pointer(value.type) else "llvm.bitcast", type, value)


def _from_integer(value: SSAValue, type: Attribute, at: At) -> SSAValue:
    if value.type == type:
        return value
    return at.build("llvm.inttoptr" if is_pointer(type) else "llvm.bitcast", type, value)


def _same_size(value: SSAValue, type: Attribute, at: At) -> SSAValue:
    if is_pointer(type) and is_pointer(value.type):
        return at.build("llvm.addrspacecast", type, value)
    return _from_integer(_as_integer(value, at), type, at)


def read_as(value: SSAValue, type: Attribute, at: At) -> SSAValue:
    """What a load of `type` gives from a slot that holds `value`."""
    if value.type == type:
        return value
    old, new = bit_size(value.type, at.op), bit_size(type, at.op)
    if old == new:
        return _same_size(value, type, at)
    bits = _as_integer(value, at)
    if is_big_endian(at.op):
        bits = at.build("llvm.lshr", bits.type, bits, at.constant(old - new, bits.type))
    return _from_integer(at.build("llvm.trunc", IntegerType(new), bits), type, at)


def written_into(value: SSAValue, held: SSAValue, at: At) -> SSAValue:
    """What a slot holds that has held `held` before `value` was stored to it."""
    if value.type == held.type:
        return value
    new, old = bit_size(value.type, at.op), bit_size(held.type, at.op)
    if old == new:
        return _same_size(value, held.type, at)
    whole = _as_integer(held, at)
    part = at.build("llvm.zext", whole.type, _as_integer(value, at))
    if is_big_endian(at.op):
        part = at.build("llvm.shl", whole.type, part, at.constant(old - new, whole.type))
        mask = (1 << (old - new)) - 1
    else:
        mask = (1 << old) - (1 << new)
    kept = at.build("llvm.and", whole.type, whole, at.constant(mask, whole.type))
    return _from_integer(at.build("llvm.or", whole.type, kept, part), held.type, at)
