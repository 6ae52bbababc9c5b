"""How an n-D vector value is cut into pieces that fit machine registers.

`vector<14x32xf32>` with 16 lanes is 14 rows of 2 chunks: 28 pieces of type `<16 x float>`, in row-major order. A last dimension of 1 means
scalars: `vector<14x1xf32>` is 14 pieces of type `float`. A scalar value is one piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Literal

from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
)
from xdsl.ir import Attribute

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.text.narrow import as_vector, width_of

Kind = Literal["float", "half", "bfloat", "int"]


@dataclass(frozen=True)
class Element:
    """An element type: as a register holds it (`llvm`), as memory holds it (`memory`, `size` bytes).

    `i1` is a byte in memory. `bf16` is held as `i16` everywhere and computed with in f32.
    """

    llvm: str
    memory: str
    size: int
    bits: int
    kind: Kind

    @property
    def is_float(self) -> bool:
        return self.kind != "int"


F32 = Element("float", "float", 4, 32, "float")
F64 = Element("double", "double", 8, 64, "float")
F16 = Element("half", "half", 2, 16, "half")
BF16 = Element("i16", "i16", 2, 16, "bfloat")
I1 = Element("i1", "i8", 1, 1, "int")
I64 = Element("i64", "i64", 8, 64, "int")
POINTER = Element("ptr", "ptr", 8, 64, "int")


@lru_cache(maxsize=256)
def integer_element(width: int) -> Element:
    """The element of a signless or signed integer type."""
    if width == 1:
        return I1
    if width not in (8, 16, 32, 64):
        raise CompileError(f"integers of {width} bits have no machine type here", hint="use 1, 8, 16, 32 or 64 bits")
    return Element(f"i{width}", f"i{width}", width // 8, width, "int")


def element_of(type: Attribute) -> Element:
    """The element that a builtin scalar type becomes."""
    if isinstance(type, Float32Type):
        return F32
    if isinstance(type, IndexType):
        return I64
    if (width := width_of(type)) is not None:
        return integer_element(width)
    if isinstance(type, Float64Type):
        return F64
    if isinstance(type, Float16Type):
        return F16
    if isinstance(type, BFloat16Type):
        return BF16
    raise CompileError(f"type {type} has no machine type")


@lru_cache(maxsize=1024)
def vector_text(lanes: int, element: str) -> str:
    """`<16 x float>`; 0 lanes is the scalar."""
    return f"<{lanes} x {element}>" if lanes else element


@dataclass(frozen=True)
class Layout:
    """The pieces of one value. Piece p = row * chunks + chunk; rows are the leading dimensions flattened."""

    shape: tuple[int, ...]
    element: Element
    lanes: int
    """Lanes of a full piece; 0 where pieces are scalars."""
    chunks: int
    """Pieces in a row."""
    rows: int
    last_lanes: int
    """Lanes of the last piece of each row."""

    @property
    def count(self) -> int:
        return self.rows * self.chunks

    def lanes_of(self, piece: int) -> int:
        """Lanes of a piece, 0 for a scalar."""
        return self.last_lanes if (piece + 1) % self.chunks == 0 else self.lanes

    def type_of(self, piece: int) -> str:
        """LLVM type of a piece."""
        return vector_text(self.lanes_of(piece), self.element.llvm)

    def with_element(self, element: Element) -> Layout:
        """The layout of a value of the same shape."""
        return _layout(self.shape, element, self.lanes) if element != self.element else self


@lru_cache(maxsize=4096)
def _layout(shape: tuple[int, ...], element: Element, lanes: int) -> Layout:
    width = shape[-1] if shape else 1
    if width == 1 or not shape:
        return Layout(shape, element, 0, 1, prod(shape), 0)
    chunks = -(-width // lanes)
    return Layout(shape, element, min(lanes, width), chunks, prod(shape[:-1]), width - (chunks - 1) * lanes)


class Layouts:
    """Layouts of types for one number of lanes, cached by the identity of the type (hashing a type costs more than a layout)."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self._known: dict[int, tuple[Attribute, Layout]] = {}

    def of(self, type: Attribute) -> Layout:
        """The layout of a vector or scalar type."""
        known = self._known.get(id(type))
        if known is None:
            if (vector := as_vector(type)) is not None:
                layout = _layout(tuple(vector.get_shape()), element_of(vector.element_type), self.lanes)
            else:
                layout = _layout((), element_of(type), self.lanes)
            known = self._known[id(type)] = (type, layout)
        return known[1]
