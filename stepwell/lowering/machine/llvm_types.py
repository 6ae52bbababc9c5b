"""Between LLVM's types as text and as attributes: `<16 x float>` is `vector<16xf32>`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from xdsl.dialects.builtin import BFloat16Type, Float16Type, Float32Type, Float64Type, IntegerType, VectorType, bf16, f16, f32, f64
from xdsl.dialects.llvm import LLVMPointerType, LLVMVoidType
from xdsl.ir import Attribute

from stepwell.dialects.llvm.types import LLVMArrayType, LLVMStructType
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.text.narrow import as_vector, width_of

_VECTOR = re.compile(r"<(\d+) x (.+)>")
_ARRAY = re.compile(r"\[(\d+) x (.+)\]")
_FLOATS: dict[str, Attribute] = {"float": f32, "double": f64, "half": f16, "bfloat": bf16}


@lru_cache(maxsize=1024)
def type_of_text(text: str) -> Attribute:
    """The attribute of a type as LLVM writes it."""
    if text in _FLOATS:
        return _FLOATS[text]
    if text == "ptr":
        return LLVMPointerType()
    if text == "void":
        return LLVMVoidType()
    if text[0] == "i":
        return IntegerType(int(text[1:]))
    if vector := _VECTOR.fullmatch(text):
        return VectorType(type_of_text(vector.group(2)), [int(vector.group(1))])
    if array := _ARRAY.fullmatch(text):
        return LLVMArrayType(int(array.group(1)), type_of_text(array.group(2)))
    raise CompileError(f"'{text}' is not a type of LLVM that is known here")


def text_of_type(type: Attribute) -> str:
    """A type of the llvm dialect as LLVM writes it."""
    if (width := width_of(type)) is not None:
        return f"i{width}"
    if (vector := as_vector(type)) is not None:
        shape = vector.get_shape()
        if len(shape) == 1:
            return f"<{shape[0]} x {text_of_type(vector.element_type)}>"
    for known, text in (
        (Float32Type, "float"),
        (Float64Type, "double"),
        (Float16Type, "half"),
        (BFloat16Type, "bfloat"),
        (LLVMVoidType, "void"),
    ):
        if isinstance(type, known):
            return text
    if isinstance(type, LLVMPointerType):
        space = getattr(type.addr_space, "value", None)
        return "ptr" if space is None or not _number(space) else f"ptr addrspace({_number(space)})"
    if isinstance(type, LLVMArrayType):
        return f"[{_number(type.size)} x {text_of_type(type.type)}]"
    if isinstance(type, LLVMStructType):
        return f"{{ {', '.join(text_of_type(t) for t in type.types)} }}"
    raise CompileError(f"{type} is not a type of LLVM")


def _number(attribute: Any) -> int:
    return int(attribute.data)
