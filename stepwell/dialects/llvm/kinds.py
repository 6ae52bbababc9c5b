"""Which types LLVM knows, as predicates and as kinds with MLIR's summaries."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    IndexType,
    IntegerType,
    MemRefType,
    VectorType,
)
from xdsl.dialects.llvm import LLVMPointerType, LLVMVoidType
from xdsl.ir import Attribute

from stepwell.dialects.llvm.compatible import is_compatible, is_llvm_float
from stepwell.dialects.llvm.types import LLVMArrayType, LLVMFunctionType, MetadataType, TokenType
from stepwell.dialects.op_table.rows import FIXED_TYPES, KINDS
from stepwell.ir.rules import Kind, is_signless, width

POINTER = LLVMPointerType()


def is_pointer(type: Attribute) -> bool:
    """`!llvm.ptr` of any address space."""
    return isinstance(type, LLVMPointerType)


def scalar(type: Attribute) -> Attribute:
    """The element of a vector, any other type itself."""
    return cast("Any", type).element_type if isinstance(type, VectorType) else type


def address_space(type: Attribute) -> int:
    """The address space of a pointer, -1 for any other type."""
    if not isinstance(type, LLVMPointerType):
        return -1
    return cast("Any", type.addr_space).data if not type.addr_space.name.endswith("none") else 0


def pointer_in(*spaces: int) -> Kind:
    """A pointer into one of these address spaces."""
    summary = " or ".join(f"LLVM pointer in address space {space}" for space in spaces)
    return Kind(summary, lambda type: address_space(type) in spaces)


def scalar_or_vector(what: str, has: Any) -> Kind:
    """`... or LLVM dialect-compatible vector of ...`"""
    return Kind(f"{what} or LLVM dialect-compatible vector of {what}", lambda type: is_compatible(type) and has(scalar(type)))


def is_sized(type: Attribute) -> bool:
    """A type that a load can give."""
    if type.name == "llvm.target":
        return target_supports_memory(type)
    return (
        is_compatible(type) and not isinstance(type, (LLVMVoidType, LLVMFunctionType)) and type.name not in ("llvm.label", "llvm.metadata")
    )


def target_name(type: Attribute) -> str:
    """The name of a target extension type."""
    data = cast("Any", type).data
    return str(data[0]).strip('"') if data else ""


def target_supports_memory(type: Attribute) -> bool:
    """Whether such a value may be in memory."""
    name = target_name(type)
    return name.startswith(("spirv.", "aarch64.svcount")) or name.startswith("dx.")


def target_has_zero(type: Attribute) -> bool:
    """Whether such a type has a zero."""
    name = target_name(type)
    return name.startswith(("spirv.", "aarch64.svcount", "amdgcn.named.barrier"))


KINDS.update(
    {
        "type": Kind("LLVM dialect-compatible type", is_compatible),
        "pointer": Kind("LLVM pointer type", is_pointer),
        "defaultptr": Kind("LLVM pointer in address space 0", lambda t: address_space(t) == 0),
        "int": Kind("signless integer", lambda t: isinstance(t, IntegerType) and is_signless(t)),
        "float": Kind("floating point LLVM type", is_llvm_float),
        "vector": Kind("LLVM dialect-compatible vector type", lambda t: isinstance(t, VectorType) and is_compatible(t)),
        "vecptr": scalar_or_vector("LLVM pointer type", is_pointer),
        "vecint": scalar_or_vector("signless integer", lambda t: isinstance(t, IntegerType) and is_signless(t)),
        "vecfloat": scalar_or_vector("floating point LLVM type", is_llvm_float),
        "vecbool": scalar_or_vector("1-bit signless integer", lambda t: width(t) == 1),
        "intorindex": Kind("signless integer or index", lambda t: isinstance(t, IndexType) or is_signless(t)),
        "memref": Kind("memref of any type values", lambda t: isinstance(t, MemRefType)),
        "sized": Kind("LLVM type with size", is_sized),
        "token": Kind("LLVM token type", lambda t: t.name == "llvm.token"),
        "nonaggregate": Kind(
            "LLVM-compatible non-aggregate type",
            lambda t: is_compatible(t) and not isinstance(t, LLVMArrayType) and t.name not in ("llvm.struct", "llvm.void", "llvm.func"),
        ),
        "atomicval": Kind(
            "floating point LLVM type or LLVM pointer type or signless integer or LLVM dialect-compatible fixed-length vector type",
            lambda t: (
                is_llvm_float(t)
                or is_pointer(t)
                or is_signless(t)
                or (isinstance(t, VectorType) and is_compatible(t) and not t.get_num_scalable_dims())
            ),
        ),
    }
)
for _space in (0, 1, 3, 4, 5, 6, 7, 8, 101):
    KINDS[f"ptr{_space}"] = pointer_in(_space)
FIXED_TYPES.update({"defaultptr": POINTER, "ptr0": POINTER, "metadata": MetadataType(), "token_type": TokenType()})
KINDS["metadata"] = Kind("LLVM metadata type", lambda t: t.name == "llvm.metadata")
KINDS["token_type"] = KINDS["token"]
