"""How many bytes a value of an LLVM type takes in memory, and where it may begin, as MLIR's default data layout has it.

A `dlti.dl_spec` around the operation can say how wide pointers are and which end of a number comes first.
"""

from __future__ import annotations

from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import IndexType, IntegerType, StringAttr, VectorType
from xdsl.ir import Attribute, Operation

from stepwell.dialects.attr_table import Body
from stepwell.dialects.dlti import pointer_width
from stepwell.dialects.llvm.kinds import is_pointer
from stepwell.dialects.llvm.types import LLVMArrayType, LLVMStructType
from stepwell.ir.rules import width


def bit_size(type: Attribute, op: Operation) -> int:
    """The bits of a value of that type where `op` stands."""
    if isinstance(type, VectorType):
        *outer, last = cast("VectorType[Any]", type).get_shape()
        return prod(outer) * _power_of_2(last) * size(cast("Any", type).element_type, op) * 8
    if isinstance(type, LLVMArrayType):
        element = type.type
        return 8 * type.size.data * align(size(element, op), alignment(element, op))
    if isinstance(type, LLVMStructType):
        return 8 * align(_end(type, len(type.types), op), alignment(type, op))
    if is_pointer(type):
        return pointer_width(op, type)
    return 64 if isinstance(type, IndexType) else width(type)


def size(type: Attribute, op: Operation) -> int:
    """The bytes of a value of that type, without what stands between it and the next one."""
    return -(-bit_size(type, op) // 8)


def alignment(type: Attribute, op: Operation) -> int:
    """What the address of such a value is a multiple of, in bytes."""
    if isinstance(type, LLVMArrayType):
        return alignment(type.type, op)
    if isinstance(type, LLVMStructType):
        return 1 if type.kind.data == "packed" else max([alignment(member, op) for member in type.types], default=1)
    if isinstance(type, IntegerType | IndexType):
        bits = bit_size(cast(Attribute, type), op)
        return _power_of_2(-(-bits // 8)) if bits < 64 else 4  # what MLIR says of integers that no layout speaks of
    return _power_of_2(max(size(type, op), 1))


def member_offset(struct: LLVMStructType, index: int, op: Operation) -> int:
    """Where a member of a struct begins, in bytes from the start."""
    end = _end(struct, index, op)
    return end if struct.kind.data == "packed" else align(end, alignment(struct.types.data[index], op))


def _end(struct: LLVMStructType, count: int, op: Operation) -> int:
    """Where the first `count` members of a struct end."""
    end = 0
    for member in struct.types.data[:count]:
        if struct.kind.data != "packed":
            end = align(end, alignment(member, op))
        end += size(member, op)
    return end


def align(offset: int, multiple: int) -> int:
    """The next multiple that is not less."""
    return -(-offset // multiple) * multiple


def _power_of_2(number: int) -> int:
    return 1 << (number - 1).bit_length() if number > 1 else 1


def is_big_endian(op: Operation) -> bool:
    """Whether the first byte of a number is its highest one, where `op` stands."""
    around = op.parent_op()
    while around is not None:
        spec = around.attributes.get("dlti.dl_spec")
        if isinstance(spec, Body):
            return _says_big(spec)
        around = around.parent_op()
    return False


def _says_big(item: object) -> bool:
    if isinstance(item, Body):
        return _says_big(item.data)
    if not isinstance(item, tuple):
        return False
    items = cast("tuple[object, ...]", item)
    text = [part.data if isinstance(part, StringAttr) else str(part).strip('"') for part in items]
    return ("dlti.endianness" in text and "big" in text) or any(_says_big(part) for part in items)
