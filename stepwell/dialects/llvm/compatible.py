"""Which types LLVM has."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from xdsl.dialects.builtin import (
    Float80Type,
    Float128Type,
    IntegerType,
    UnregisteredAttr,
    VectorType,
    bf16,
    f16,
    f32,
    f64,
)
from xdsl.ir import Attribute

from stepwell.ir.rules import is_signless

_FLOATS = (f16, bf16, f32, f64)
_OTHER_FLOATS = (Float80Type, Float128Type)
_NAMED = frozenset({"llvm.ptr", "llvm.struct", "llvm.array", "llvm.func", "llvm.void", "llvm.target", "llvm.label", "llvm.token"})
_NAMED_TOO = frozenset({"llvm.metadata", "llvm.x86_amx", "llvm.ppc_fp128", "llvm.byte"})


def is_compatible(type: Attribute) -> bool:
    """Whether LLVM has such a type."""
    if isinstance(type, VectorType):
        return type.get_num_dims() == 1 and is_compatible(type.element_type)
    if isinstance(type, IntegerType):
        return is_signless(type)
    return is_llvm_float(type) or type.name in _NAMED or type.name in _NAMED_TOO or _is_foreign_pointer(type)


def _is_foreign_pointer(type: Attribute) -> bool:
    return isinstance(type, UnregisteredAttr) and type.attr_name.data.startswith("ptr.")


def is_llvm_float(type: Attribute) -> bool:
    """A float that LLVM has."""
    return type in _FLOATS or isinstance(type, _OTHER_FLOATS) or type.name == "llvm.ppc_fp128"
