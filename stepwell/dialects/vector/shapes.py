"""Shapes of vector types, and which combining kinds fit which elements: what the dialect's verifiers, folds and patterns share."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, BoolAttr, IndexType, IntegerType, VectorType
from xdsl.ir import Attribute

from stepwell.dialects.support import is_float

Vector = VectorType[Any]


def shape_of(type: Attribute) -> tuple[int, ...]:
    """The shape of a vector, () of anything else."""
    return type.get_shape() if isinstance(type, VectorType) else ()


def flags_of(type: Attribute) -> tuple[bool, ...]:
    """Which extents of a vector are scalable; () of anything else."""
    return tuple(bool(flag) for flag in type.get_scalable_dims()) if isinstance(type, VectorType) else ()


def is_scalable(type: Attribute) -> bool:
    """Whether any extent is scalable."""
    return any(flags_of(type))


def is_fixed(type: Attribute) -> bool:
    """Whether the type is a vector, and none of its extents is scalable."""
    return isinstance(type, VectorType) and not any(flags_of(type))


def vector_of(element: Attribute, shape: Sequence[int], flags: Sequence[bool] = ()) -> Vector:
    """The vector type with these extents."""
    return VectorType(element, shape, ArrayAttr(BoolAttr.from_bool(flag) for flag in flags) if any(flags) else None)


def extents_of(type: Attribute) -> list[tuple[int, bool]]:
    """The shape of a vector, each extent with whether it is scalable."""
    return list(zip(shape_of(type), flags_of(type), strict=True))


def keeps_order(permutation: Sequence[int], type: Attribute) -> bool:
    """Whether a permutation of a vector's dimensions moves only extents of 1, so that the elements stay in order."""
    extents = extents_of(type)
    moved = [dim for dim in permutation if extents[dim] != (1, False)]
    return moved == sorted(moved)


_FLOAT_KINDS = frozenset({"minnumf", "maxnumf", "minimumf", "maximumf"})
_INTEGER_KINDS = frozenset({"minui", "minsi", "maxui", "maxsi", "and", "or", "xor"})


def combines(kind: str, element: Attribute) -> bool:
    """Whether a combining kind is defined for elements of the type."""
    if is_float(element):
        return kind not in _INTEGER_KINDS
    return isinstance(element, IntegerType | IndexType) and kind not in _FLOAT_KINDS
